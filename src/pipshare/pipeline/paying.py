"""What may be paid to a partner at a moment, and payments put before a second person and booked.

Between two closings as at one: a debt that came up since the last closing is met by what has been
made payable and by what has rested since, never by what still rests (hold days).
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import numpy as np
import psycopg

from pipshare import audit, market, partners, payouts, plans, statements
from pipshare.period import Clock, broker_days, day_to_date
from pipshare.plans.book import Book


def payable(
    conn: psycopg.Connection[Any], partner: partners.Partner, *, now_ms: int | None = None
) -> int:
    """Return what may be paid to a partner at a moment (now), in 1e-8 of his wallet's currency.

    What a closing at the end of the broker's day would leave payable of what is so already: whole
    minor units, never below 0.
    """
    return payouts.payable(conn, partner, _free(now_ms))


def propose_payment(
    conn: psycopg.Connection[Any],
    partner: partners.Partner,
    amount_e8: int,
    *,
    reference: str,
    paid_on: date,
    by: str,
) -> int:
    """Put a payment before a second person, as payouts.propose_payment; return its number."""
    return payouts.propose_payment(
        conn, partner, amount_e8, reference=reference, paid_on=paid_on, by=by, free=_free(None)
    )


def what_rests(book: Book, clock: Clock) -> list[statements.Rests]:
    """Return what has to rest: by the hold days of the version that held on the day of earning.

    So a version that lets pay rest longer takes nothing back that was made payable before it.
    """
    found = []
    for programme in sorted({one.programme_id for one in book.versions}):
        mine = [one for one in book.versions if one.programme_id == programme]
        starts = np.array(sorted({max(one.valid_from_ms, 0) for one in mine}), np.int64)
        holds = book.version_at(np.full(len(starts), programme, np.int64), starts)
        days = [day_to_date(day) for day in broker_days(starts, clock).tolist()]
        days[0] = date.min
        for place, since, until in zip(holds.tolist(), days, [*days[1:], date.max], strict=True):
            version = book.versions[place]
            found += [
                statements.Rests(number, component.hold_days, since, until)
                for number, component in zip(
                    version.component_ids, version.programme.components, strict=True
                ) if component.hold_days and place >= 0
            ]  # fmt: skip
    return found


def _book(conn: psycopg.Connection[Any], payload: dict[str, Any], by: str) -> None:
    payouts.book_payment(conn, payload, by, _free(None))


def _free(now_ms: int | None) -> payouts.Free:
    """Return what says what a partner has free at a moment: accrued, less what rests then."""

    def free(conn: psycopg.Connection[Any], partner: partners.Partner) -> int:
        moment = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        clock = Clock.parse(market.entities(conn)[partner.entity_id].clock)
        (today,) = broker_days(np.array([moment], np.int64), clock).tolist()
        return statements.free_now(
            conn, partner.entity_id, partner.id, partner.currency,
            day=day_to_date(today), rests=what_rests(plans.book(conn), clock),
        )  # fmt: skip

    return free


APPLIERS: dict[str, audit.Applier] = {payouts.KIND: _book}
