"""Requests to rate stored trades again, and the lines that wait: rating's own queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl
import psycopg

from pipshare import db
from pipshare.period import FOREVER_MS
from pipshare.rating.differences import as_array

_LOCK = 7103  # class of this stage's advisory locks; the object is the server
_REQUEST = """
INSERT INTO rating_request (server_id, logins, close_from, cause)
SELECT %(server)s, %(logins)s::bigint[],
       CASE WHEN %(from)s <= 0 THEN '-infinity'::timestamptz
            ELSE to_timestamp(%(from)s / 1000.0) END, %(cause)s
"""
_NEXT = f"""
SELECT id, server_id, logins, {db.ms("close_from")}, {db.ms("close_to")}, cursor_ticket, cause
  FROM rating_request WHERE state = 'new' AND not_before <= now()
 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_FINISH = "UPDATE rating_request SET state = 'done' WHERE id = %s"
_MOVE = "UPDATE rating_request SET cursor_ticket = %s WHERE id = %s"
_KEY = ["ticket", "component", "level", "partner", "reason", "key"]
_WAITING = """
SELECT ticket, component, level, partner, reason, key FROM rating_waiting
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
"""
_OF_COMPONENT = """
SELECT ticket, component, level, partner, reason, key FROM rating_waiting
 WHERE server_id = %(server)s AND component = %(component)s
"""
_WAITS_FOR = """
SELECT DISTINCT reason, key FROM rating_waiting WHERE server_id = %s AND reason = ANY(%s::text[])
"""
_SCHEMA = {
    "ticket": pl.Int64, "component": pl.Int64, "level": pl.Int64, "partner": pl.Int64,
    "reason": pl.String, "key": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A claimed request: which stored trades are to be rated again, and how far it has come."""

    id: int
    server_id: int
    logins: list[int] | None
    close_from_ms: int
    close_to_ms: int
    cursor_ticket: int
    cause: str


def request(
    conn: psycopg.Connection,
    server_id: int,
    cause: str,
    *,
    from_ms: int = 0,
    logins: list[int] | None = None,
) -> None:
    """Ask that the server's trades closed since `from_ms` (UTC; 0 = all) be rated again."""
    conn.execute(_REQUEST, {"server": server_id, "logins": logins, "from": from_ms, "cause": cause})


def next_request(conn: psycopg.Connection) -> Request | None:
    """Claim the oldest open request for this transaction, or None."""
    row = conn.execute(_NEXT).fetchone()
    return Request(*row) if row else None


def turn(conn: psycopg.Connection, server_id: int) -> None:
    """Be the only one to book for a server until the transaction ends.

    Two processes that rate one trade at once would each post the same difference.
    """
    conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, server_id))


def advance(conn: psycopg.Connection, claimed: Request, ticket: int | None) -> None:
    """Remember that all tickets up to `ticket` are done; None = the request is finished."""
    if ticket is None:
        conn.execute(_FINISH, (claimed.id,))
    else:
        conn.execute(_MOVE, (ticket, claimed.id))


def waiting_tickets(conn: psycopg.Connection, server_id: int) -> list[int]:
    """Return the tickets that have a line waiting, in order."""
    rows = conn.execute(
        "SELECT DISTINCT ticket FROM rating_waiting WHERE server_id = %s ORDER BY ticket",
        (server_id,),
    )
    return [row[0] for row in rows]


def store_waiting(
    conn: psycopg.Connection,
    server_id: int,
    tickets: pl.Series,
    waits: pl.DataFrame,
    *,
    fresh: bool,
    leave: tuple[Collection[int], pl.Series] | None = None,
) -> int:
    """Make the waiting lines of these trades exactly `waits` (rated.WAITS and ticket).

    A line that still waits for the same thing keeps its row and its `since`. Lines of the
    components and tickets of `leave` are their windows' business. Returns how many wait for what
    they waited for no longer.
    """
    if fresh and not len(waits):
        return 0
    known = pl.DataFrame(schema=_SCHEMA)
    if not fresh:
        known = _waiting(conn, server_id, tickets.to_list())
        if leave is not None and len(known):
            windows = pl.col("component").is_in(list(leave[0]))
            known = known.filter(~(windows & pl.col("ticket").is_in(leave[1].implode())))
    return _store(conn, server_id, known, _named(waits))


def store_window_waiting(
    conn: psycopg.Connection,
    server_id: int,
    component: int,
    tickets: pl.Series,
    waits: pl.DataFrame,
) -> int:
    """Make what lines of a component that builds up wait for exactly `waits`, of these trades.

    `waits`: component_id, level, partner_id, reason, key and ticket. Returns how many wait for what
    they waited for no longer.
    """
    values = {"server": server_id, "component": component}
    known = db.read_columns(conn, _OF_COMPONENT, values, schema=_SCHEMA)
    if not len(known) and not len(waits):
        return 0
    known = known.filter(pl.col("ticket").is_in(tickets.implode()))
    return _store(conn, server_id, known, _named(waits))


def window_waiting(conn: psycopg.Connection, server_id: int, component: int) -> pl.Series:
    """Return the tickets of the trades of which a line of a component waits."""
    values = {"server": server_id, "component": component}
    return db.read_columns(conn, _OF_COMPONENT, values, schema=_SCHEMA)["ticket"].unique()


def _named(waits: pl.DataFrame) -> pl.DataFrame:
    return waits.select(
        "ticket", pl.col("component_id").cast(pl.Int64).alias("component"),
        pl.col("level").cast(pl.Int64), pl.col("partner_id").cast(pl.Int64).alias("partner"),
        "reason", "key",
    ).unique(["ticket", "component", "level"], keep="first", maintain_order=True)  # fmt: skip


def _store(conn: psycopg.Connection, server_id: int, known: pl.DataFrame, now: pl.DataFrame) -> int:
    """Store what is new and take away what is gone; returns how many are gone."""
    gone = known.join(now, on=_KEY, how="anti")
    if len(gone):
        conn.execute(
            "DELETE FROM rating_waiting w USING unnest(%s::bigint[], %s::int[], %s::int[])"
            " AS g(ticket, component, level) WHERE w.server_id = %s AND w.ticket = g.ticket"
            " AND w.component = g.component AND w.level = g.level",
            (gone["ticket"].to_list(), gone["component"].to_list(), gone["level"].to_list(),
             server_id),
        )  # fmt: skip
    new = now.join(known, on=_KEY, how="anti")
    if len(new):
        db.copy_in(conn, "rating_waiting", {
            "server_id": db.Int4(pl.repeat(server_id, len(new), dtype=pl.Int64, eager=True)
                                 .to_numpy()),
            "ticket": db.Int8(new["ticket"].to_numpy()),
            "component": db.Int4(new["component"].to_numpy()),
            "level": db.Int2(new["level"].to_numpy()),
            "partner": db.Int4(new["partner"].to_numpy()),
            "reason": db.Text(new["reason"]),
            "key": db.Text(new["key"]),
        })  # fmt: skip
    return len(gone)


def waits_for(
    conn: psycopg.Connection, server_id: int, reasons: Sequence[str]
) -> set[tuple[str, str]]:
    """Return what lines of a server wait for, of these reasons: (reason, key)."""
    rows = conn.execute(_WAITS_FOR, (server_id, list(reasons))).fetchall()
    return {(reason, key) for reason, key in rows}


def _waiting(conn: psycopg.Connection, server_id: int, tickets: list[int]) -> pl.DataFrame:
    return db.read_columns(
        conn, _WAITING, {"server": server_id, "tickets": as_array(tickets)}, schema=_SCHEMA
    )


def whole_span(claimed: Request) -> tuple[int | None, int | None]:
    """Return the request's close span as (from, to) in UTC ms, None where it is open."""
    start = claimed.close_from_ms if claimed.close_from_ms > 0 else None
    end = claimed.close_to_ms if claimed.close_to_ms < FOREVER_MS else None
    return start, end
