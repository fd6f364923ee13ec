"""Events and trades of clients for tests, written short."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare.facts.events import EVENT
from pipshare.period import Clock, to_ms
from pipshare.plans.qualifying import Qualify
from pipshare.rating.qualify import Asked, ClientTrades, Ladder, lives, qualification_rows

UTC_CLOCK = Clock.parse("UTC")
ASKED = Asked(Qualify(0), "USD", UTC_CLOCK, lambda base, quote, at: None)


def ms(text: str) -> int:
    """Read "07-01 10:00" or "07-01 10:00:01" of 2026, UTC."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return to_ms(datetime.strptime(f"2026-{text}", form).replace(tzinfo=UTC))


def event(kind: str, at: str | int, amount: str = "0", **told: object) -> dict[str, object]:
    """Make an event of client 1; its identity is its kind and moment unless told."""
    when = at if isinstance(at, int) else ms(at)
    row: dict[str, object] = dict.fromkeys(EVENT, "")
    row |= {name: 0 for name, type_ in EVENT.items() if type_ in (pl.Int64, pl.Int32)}
    row |= {
        "source": "crm", "event": f"{kind} {at}", "kind": kind, "client_id": 1, "at_ms": when,
        "amount_e8": int(Fraction(amount) * 10**8), "currency": "USD", "cleared_ms": when,
    }  # fmt: skip
    return row | told


def frame(events: list[dict[str, object]]) -> pl.DataFrame:
    """Return events as a frame with numbers for clients."""
    return pl.DataFrame(events, schema={**EVENT, "client_id": pl.Int64}, orient="row")


def asked(**told: object) -> Asked:
    """Return what is asked of a client in USD and UTC; fractions may be written as text."""
    exact = {name: Fraction(one) if isinstance(one, str) and name not in ("who", "calendar",
             "currency") else one for name, one in told.items()}  # fmt: skip
    return replace(ASKED, qualify=Qualify(0, **exact))  # type: ignore[arg-type]


def paid(
    what: Asked,
    *events: dict[str, object],
    trades_ms: dict[int, int] | None = None,
    ladder: Ladder | None = None,
    clawback_days: int | None = None,
) -> list[tuple[int, int, int, str]]:
    """Return (booked at, from step, to step, "" or what was undone or held) of client 1."""
    found = rows_of_client(what, *events, trades_ms=trades_ms, ladder=ladder,
                           clawback_days=clawback_days)  # fmt: skip
    return [(row["booked_ms"], row["from"], row["to"],
             "undone" if row["undoes"] >= 0 else "held" if row["held_by"] else "")
            for row in found.rows(named=True)]  # fmt: skip


def rows_of_client(
    what: Asked,
    *events: dict[str, object],
    trades_ms: dict[int, int] | None = None,
    ladder: Ladder | None = None,
    clawback_days: int | None = None,
) -> pl.DataFrame:
    """Return the rows of client 1 (qualify.ROWS)."""
    found, waits = qualification_rows(lives(frame(list(events))), trades_ms or {}, what, ladder,
                                      clawback_days)  # fmt: skip
    assert not len(waits)
    return found


def trades(rows: list[tuple[int, int, str]]) -> ClientTrades:
    """Return trades of (client, close, lots); spread, commission and revenue are the lots again."""
    lots = np.array([int(Fraction(one[2]) * 10**8) for one in rows], np.int64)
    return ClientTrades(
        client=np.array([one[0] for one in rows], np.int64),
        close_utc_ms=np.array([one[1] for one in rows], np.int64),
        lots_e8=lots, spread_e8=lots, commission_e8=lots, revenue_e8=lots,
    )  # fmt: skip
