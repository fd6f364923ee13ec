"""What of the lines is payable, month by month: holds, minimum payouts, debts, minor units."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipshare.money import half_even, payable_e8
from pipshare.period import Clock
from pipshare.pipeline.from_files.outcome import Line, Total
from pipshare.pipeline.from_files.windows import last_ms
from pipshare.pipeline.from_files.world import World
from pipshare.plans.periods import Payout
from pipshare.rating.finish import group_numbers, payable, payable_ms
from pipshare.rating.windows import bounds, numbers

Payee = tuple[str, str, str]  # kind, code, currency


def totals(world: World, entity: str, lines: Iterable[Line]) -> list[Total]:
    """Return each payee's sum, and what is payable at the end of the last month of the files.

    As closing does month after month: what rests (hold days) or is held is left out, less than the
    minimum payout and what is owed are carried forward. A debt never rests: what it is more than
    the earnings that rest is taken from what is free. (A closing lets a debt meet only that resting
    pay which was itself taken back; the lines of files do not say whose it was.)
    """
    told = sorted(lines, key=lambda line: line.earned_ms)
    clock = world.clock(entity)
    before = _before(world, entity)
    payees = list(dict.fromkeys(
        [*((line.kind, line.payee, line.currency) for line in told), *before]))  # fmt: skip
    place = {payee: number for number, payee in enumerate(payees)}
    who = np.array([place[line.kind, line.payee, line.currency] for line in told], np.int64)
    moment = np.array([line.earned_ms for line in told], np.int64)
    free = numbers(_free_from(told, moment, clock), "month", clock)
    month = numbers(moment, "month", clock)
    end = np.array([last_ms(world, entity)], np.int64)
    last = int(numbers(end, "month", clock)[0])
    amount = np.array([0 if line.held_by else line.amount_e8 for line in told], np.int64)
    owner, when, sums = _freed(who, month, free, amount, last)
    ends = bounds(when, "month", clock)[1]
    least = _minimums(world, entity, [payees[one] for one in owner.tolist()], ends)
    opening = np.array([before.get(payee, 0) for payee in payees], np.int64)
    now, after = payable(owner, sums, least, len(payees), opening)
    whole = [0] * len(payees)
    for line, number in zip(told, who.tolist(), strict=True):
        whole[number] += line.amount_e8
    found = []
    for number, payee in enumerate(payees):
        mine = owner == number
        left = int(after[mine][-1]) if mine.any() else int(opening[number])
        due = payable_e8(int(now[mine].sum()) + min(0, left), payee[2])
        carried = whole[number] + int(opening[number]) - due
        found.append(Total(payee[1], payee[0], payee[2], whole[number], due, carried))
    return found


def _before(world: World, entity: str) -> dict[Payee, int]:
    mine = {code for where, code in world.people.partners if where == entity}
    return {("partner", code, currency): amount
            for (code, currency), amount in world.before.unpaid_e8.items()
            if code in mine}  # fmt: skip


def _freed(
    who: np.ndarray, month: np.ndarray, free: np.ndarray, amount: np.ndarray, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return by payee and month by how much what may become payable grows or shrinks.

    What may is the balance less what rests, when that is more than nothing: `free` is the month
    from which a line rests no longer. Returns (payee, month, change), each payee's months in order.
    """
    owner, when = np.concatenate([who, who]), np.concatenate([month, free])
    none = np.zeros(len(who), np.int64)
    earned, rests = np.concatenate([amount, none]), np.concatenate([amount, -amount])
    counts = when <= last
    owner, when, earned, rests = (each[counts] for each in (owner, when, earned, rests))
    group, count = group_numbers(owner, when)
    by_month = np.zeros((2, count), np.int64)
    np.add.at(by_month[0], group, earned)
    np.add.at(by_month[1], group, rests)
    _, first = np.unique(group, return_index=True)
    owner, when = owner[first], when[first]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))  # each payee's first month
    sums = by_month.cumsum(axis=1)
    before = (sums - by_month)[:, starts].repeat(np.diff(starts, append=count), axis=1)
    balance, resting = sums - before
    may = balance - np.maximum(resting, 0)
    change = np.diff(may, prepend=0)
    change[starts] = may[starts]
    return owner, when, change


def _free_from(lines: list[Line], moment: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the moment from which each line may become payable: its own without hold days."""
    days = np.array([line.hold_days for line in lines], np.int64)
    return np.where(days > 0, payable_ms(moment, days, clock), moment)


def _minimums(world: World, entity: str, payees: list[Payee], ends: np.ndarray) -> np.ndarray:
    """Return the minimum payout of each payee's month, by the programme of his terms at its end."""
    found = np.zeros(len(payees), np.int64)
    numbers_ = {code: number for (where, code), number in world.people.partners.items()
                if where == entity}  # fmt: skip
    for row, ((kind, code, currency), end) in enumerate(zip(payees, ends.tolist(), strict=True)):
        payout = _payout(world, numbers_[code], end) if kind == "partner" else None
        if payout is not None:
            found[row] = _in_wallet(world, payout, currency, end)
    return found


def _payout(world: World, partner: int, end_ms: int) -> Payout | None:
    moment = np.array([end_ms - 1], np.int64)
    terms = int(world.book.terms_at(np.array([partner], np.int64), moment)[0])
    programme = world.book.terms[terms].programme_id if terms >= 0 else None
    if programme is None:
        return None
    version = int(world.book.version_at(np.array([programme], np.int64), moment)[0])
    return world.book.versions[version].programme.payout if version >= 0 else None


def _in_wallet(world: World, payout: Payout, currency: str, end_ms: int) -> int:
    minimum = payout.minimum * 10**8
    if payout.currency and payout.currency != currency:
        rate = world.fx.find(payout.currency, currency, end_ms)
        if rate is None:
            return 2**62  # no rate says what the minimum is: nothing is payable yet
        minimum *= rate[0]
    return half_even(minimum.numerator, minimum.denominator)
