"""Periods: which one is open for an entity, and closing one for good.

A period is a month of the broker's own days, "2026-11". Periods close in order; a closed one never
changes, and what is found out later about it is booked in the open one (design.md section 5).
"""

from __future__ import annotations

import psycopg

from pipshare.errors import Conflict

_OPEN = "SELECT ledger_open_period(%s)"
_CLOSE = """
INSERT INTO ledger_period (entity_id, period, closed_by) VALUES (%s, %s, %s)
"""
_CLOSED = "SELECT period, closed_at, closed_by FROM ledger_period WHERE entity_id = %s ORDER BY 1"
_FIRST = "SELECT min(period) FROM ledger_transfer WHERE entity_id = %s"


def open_period(conn: psycopg.Connection, entity_id: int) -> str | None:
    """Return the first period in which something may be booked; None while none was closed."""
    row = conn.execute(_OPEN, (entity_id,)).fetchone()
    return row[0] if row else None


def first_period(conn: psycopg.Connection, entity_id: int) -> str | None:
    """Return the first period in which anything was booked."""
    row = conn.execute(_FIRST, (entity_id,)).fetchone()
    return row[0] if row else None


def closed_periods(conn: psycopg.Connection, entity_id: int) -> list[tuple[str, object, str]]:
    """Return (period, when, by whom) of the closed periods of an entity, the first one first."""
    return conn.execute(_CLOSED, (entity_id,)).fetchall()


def check_closable(conn: psycopg.Connection, entity_id: int, period: str) -> None:
    """Raise Conflict when a period is closed, or an earlier one with bookings is still open."""
    open_ = open_period(conn, entity_id)
    begins = open_ or first_period(conn, entity_id)
    if begins is not None and period < begins:
        if open_ is None:
            raise Conflict("nothing_booked", f"nothing was booked in {period}, so there is nothing"
                           f" to close; the first period to close is {begins}")  # fmt: skip
        raise Conflict("closed", f"period {period} is closed already; the open one is {begins}")
    if begins is not None and period > begins:
        raise Conflict(
            "earlier_open", f"period {begins} is still open: close it before {period}, in order"
        )


def close_period(conn: psycopg.Connection, entity_id: int, period: str, by: str) -> None:
    """Close a period in the caller's transaction, which books nothing more into it afterwards.

    Raises what check_closable raises.
    """
    check_closable(conn, entity_id, period)
    conn.execute(_CLOSE, (entity_id, period, by))
