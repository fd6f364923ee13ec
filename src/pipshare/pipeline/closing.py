"""Close a period: settle everything, freeze what each payee earned, make it payable.

One transaction, alone: no booking runs beside it, so that nothing slips into a closed period. What
is found out later (a late trade, a plan corrected backwards, a chargeback) is booked as a
difference into the open period.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipshare import audit, clients, ledger, statements
from pipshare.errors import Conflict, Missing
from pipshare.ledger.accounts import Key
from pipshare.money import format_e8, half_even, minor_units, payable_e8
from pipshare.period import Clock, from_ms, month_span
from pipshare.pipeline.paying import what_rests
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows import touch_held
from pipshare.plans.periods import Payout
from pipshare.statements.freeze import Earned

_WAITING = """
SELECT w.reason, count(DISTINCT (w.server_id, w.ticket))
  FROM rating_waiting w
  JOIN trades_current t ON t.server_id = w.server_id AND t.ticket = w.ticket
  JOIN market_server s ON s.id = w.server_id
 WHERE s.entity_id = %(entity)s AND t.close_at >= %(start)s AND t.close_at < %(end)s
 GROUP BY 1
UNION ALL
SELECT w.reason, count(*)
  FROM attribution_waiting w
  JOIN trades_current t ON t.server_id = w.server_id AND t.ticket = w.ticket
  JOIN market_server s ON s.id = w.server_id
 WHERE s.entity_id = %(entity)s AND t.close_at >= %(start)s AND t.close_at < %(end)s
 GROUP BY 1
UNION ALL
SELECT reason, count(*) FROM rating_window_waiting
 WHERE entity_id = %(entity)s AND earned_at < %(end)s
   AND (earned_at >= %(start)s OR earned_at = to_timestamp(0))
 GROUP BY 1
"""


@dataclass
class Closed:
    """What closing a period came to, by currency, in 1e-8; `waiting` by reason, left behind."""

    entity: str
    period: str
    payees: int = 0
    payable: dict[str, int] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


def close_period(
    run: Run, entity: str, period: str, *, by: str, now_ms: int, leave_waiting: bool = False
) -> Closed:
    """Close a period of an entity for good. Commits.

    Raises Missing for an unknown entity; Conflict while the period has not ended in the broker's
    own day, while an earlier one is open, or while trades, bonuses or costs of it wait (unless
    `leave_waiting`: when they are settled later, the open period takes them).
    """
    found = next((one for one in run.entities.values() if one.code == entity), None)
    if found is None:
        known = ", ".join(one.code for one in run.entities.values())
        raise Missing("no_entity", f"no entity {entity!r}; known: {known}")
    span = month_span(period, Clock.parse(found.clock))
    if now_ms < span.end:
        ends = f"{from_ms(span.end):%Y-%m-%d %H:%M} UTC"
        raise Conflict("not_over", f"period {period} ends at {ends}: it cannot be closed before")
    ledger.check_closable(run.conn, found.id, period)
    touch_held(run)
    clients.touch_cleared(run.conn, span.start, now_ms)
    to_rest(run)
    audit.alone(run.conn)
    closed = Closed(entity, period)
    params = {"entity": found.id, "start": from_ms(span.start), "end": from_ms(span.end)}
    for reason, count in run.conn.execute(_WAITING, params).fetchall():
        closed.waiting[reason] = closed.waiting.get(reason, 0) + count
    if closed.waiting and not leave_waiting:
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(closed.waiting.items()))
        run.conn.rollback()
        raise Conflict("waiting", f"lines of {period} still wait ({told}): settle them first, or"
                       " close with --leave-waiting, and the open period takes them")  # fmt: skip
    last = Clock.parse(found.clock).from_utc(np.array([span.end - 1], np.int64))
    day = from_ms(int(last[0])).date()
    rows = statements.earned_in(
        run.conn, found.id, period, end=day, rests=what_rests(run.book, run.clock(found.id))
    )
    _move_on(run, found.id, day, closed, rows, span.end)
    ledger.close_period(run.conn, found.id, period, by)
    made = {currency: format_e8(amount) for currency, amount in closed.payable.items()}
    audit.record(run.conn, by, "close period", f"{entity} {period}", detail={"payable": made})
    run.conn.commit()
    return closed


def _move_on(
    run: Run, entity_id: int, day: date, closed: Closed, rows: list[Earned], moment_ms: int
) -> None:
    """Make payable what may be, in one transfer, and freeze each payee's row."""
    payouts = _minimums(run, moment_ms)
    decided = [(one, *_payable(run, one, payouts, moment_ms)) for one in rows]
    keys: list[Key] = []
    for one, amount, _ in decided:
        if amount:
            kind, number, currency = one.payee
            keys += [Key(entity_id, kind, number, currency, state)
                     for state in ("accrued", "payable")]  # fmt: skip
    ids = run.accounts.ids(run.conn, keys)
    amounts = [amount for _, amount, _ in decided if amount]
    moves = [
        ledger.Move(ids[2 * place], ids[2 * place + 1], amount)
        for place, amount in enumerate(amounts)
    ]
    transfer = ledger.move(
        run.conn, entity_id=entity_id, kind="closing", cause=f"close {closed.period}",
        day=day, moves=moves,
    )  # fmt: skip
    statements.freeze(
        run.conn, entity_id, closed.period,
        [(one, amount, why, transfer if amount else 0) for one, amount, why in decided],
    )  # fmt: skip
    for one, amount, _ in decided:
        currency = one.payee[2]
        closed.payees += 1
        closed.payable[currency] = closed.payable.get(currency, 0) + amount
        closed.carried[currency] = closed.carried.get(currency, 0) + one.balance_e8 - amount
        if one.held_e8:
            closed.held[currency] = closed.held.get(currency, 0) + one.held_e8


def _payable(run: Run, one: Earned, payouts: dict[int, Payout], moment_ms: int) -> tuple[int, str]:
    """Return what becomes payable (below 0: is no longer) and, where that is not all, why."""
    kind, number, currency = one.payee
    amount = payable_e8(one.free_e8, currency)
    why = "hold days" if one.resting_e8 > 0 else ""
    if one.free_e8 < 0:
        return _netted(one), "a debt, which what is unpaid and later earnings repay"
    payout = payouts.get(number) if kind == "partner" else None
    if payout is None or not amount:
        return amount, why
    minimum = payout.minimum * 10**8
    if payout.currency and payout.currency != currency:
        rate = run.fx.find(payout.currency, currency, moment_ms)
        if rate is None:
            return 0, f"the minimum payout is in {payout.currency}, and no rate says what it is"
        minimum *= rate[0]
    if amount < half_even(minimum.numerator, minimum.denominator):
        return 0, f"less than the minimum payout of {payout.minimum} {payout.currency or currency}"
    return amount, why


def _netted(one: Earned) -> int:
    """Return how much of what is payable and not paid yet goes back to meet a debt, negative."""
    currency = one.payee[2]
    owed = payable_e8(-one.free_e8, currency)
    if owed < -one.free_e8:  # a debt of a fraction takes a whole unit back; the rest stays his
        owed += 10 ** max(0, 8 - minor_units(currency))
    return -min(owed, max(one.unpaid_e8, 0))


def _minimums(run: Run, moment_ms: int) -> dict[int, Payout]:
    """Return the payout rule of each partner, by the programme of his terms at the moment."""
    who = run.partners.ids
    moment = np.full(len(who), moment_ms - 1, np.int64)
    terms = run.book.terms_at(who, moment)
    found: dict[int, Payout] = {}
    named = [run.book.terms[place].programme_id if place >= 0 else None for place in terms.tolist()]
    wanted = np.array([number or 0 for number in named], np.int64)
    versions = run.book.version_at(wanted, moment)
    for partner, version in zip(who.tolist(), versions.tolist(), strict=True):
        payout = run.book.versions[version].programme.payout if version >= 0 else None
        if payout is not None:
            found[partner] = payout
    return found
