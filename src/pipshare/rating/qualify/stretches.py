"""Stretches of a client's life between events that take something back, and what holds in each.

A stretch is judged by the facts as they are known when it begins: a deposit that was taken back
never was. In it things only add up, so that one walk over its moments finds when all conditions
came to hold, and which steps of a ladder were reached then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from pipshare.period import FOREVER_MS, HOUR_MS, Clock
from pipshare.plans.qualifying import Qualify
from pipshare.rating.qualify.life import Life, Word
from pipshare.rating.qualify.movements import Movement
from pipshare.rating.qualify.reached import asks_trades
from pipshare.rating.windows.calendar import DAY_MS, last_day

Fx = Callable[[str, str, int], Fraction | None]
TRADE = "trade"  # the cause where trades were the last thing missing


class NoRate(Exception):
    """No exchange rate for a deposit; `pair` is what is missing."""

    def __init__(self, base: str, quote: str) -> None:
        super().__init__(f"{base}/{quote}")
        self.pair = f"{base}/{quote}"


@dataclass(frozen=True)
class Asked:
    """What is asked of a client, in which currency, on whose clock, converted by which rates."""

    qualify: Qualify
    currency: str
    clock: Clock
    fx: Fx


@dataclass(frozen=True)
class Reached:
    """From `at_ms` on all conditions hold and deposits come to `deposits`, the first one (or its
    hours) to `first`; `cause` is an event: the one by which they came to hold.

    `parts`: where one moment brought several deposits, what stood with each of them, in order.
    """

    at_ms: int
    deposits: Fraction
    cause: str
    first: Fraction = Fraction(0)
    parts: tuple[Reached, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """From `start_ms` to `end_ms`: `reached` ascends, empty = not qualified. `cause` began it."""

    start_ms: int
    end_ms: int
    cause: str
    reached: tuple[Reached, ...]


def stretches(life: Life, trades_ms: int | None, asked: Asked) -> Iterator[Stretch]:
    """Return the stretches of a life, one after the other without a gap.

    `trades_ms`: since when the client's trades are enough, None = they are not.
    """
    edges: dict[int, str] = {}
    if asked.qualify.keeps is not None:
        edges.update((one.counts_ms, one.event) for one in life.withdrawals)
    for movement in (*life.deposits, *life.withdrawals):
        edges.update((one.at_ms, one.event) for one in movement.takings)
    words = [one for one in (*life.kyc, *life.crm) if not one.good and not one.ends]
    edges.update((one.at_ms, one.event) for one in (*words, *life.duplicate))
    if asked.qualify.who != "own":
        # The CRM's word stands for as long as there is a deposit left, if there was any.
        edges.update((one.counts_ms, one.event) for one in life.deposits)
    starts = [(-1, ""), *sorted(edges.items())]
    ends = [*(start for start, _ in starts[1:]), FOREVER_MS]
    for (start, cause), end in zip(starts, ends, strict=True):
        yield Stretch(start, end, cause, _Walk(life, trades_ms, asked, start, end).reached())


def doubted(life: Life, trades_ms: int | None, asked: Asked) -> tuple[Reached, ...]:
    """Return what would hold in the end if all open disputes were lost."""
    walk = _Walk(life, trades_ms, asked, FOREVER_MS, FOREVER_MS, doubted=True)
    return walk.reached()


def rate_of(movement: Movement, asked: Asked) -> Fraction | None:
    """Return the rate of a movement into the currency that is asked for, None = there is none."""
    if not asked.currency or movement.currency == asked.currency:
        return Fraction(1)
    return asked.fx(movement.currency, asked.currency, movement.at_ms)


def sure(life: Life, asked: Asked) -> tuple[Life, int]:
    """Return a life as far as it can be worked out, and until when: the first movement of money
    that cannot be converted and all after it are left out."""
    moves = (*life.deposits, *life.withdrawals)
    until = min((one.counts_ms for one in moves if rate_of(one, asked) is None), default=FOREVER_MS)
    deposits = [one for one in life.deposits if one.counts_ms < until]
    withdrawals = [one for one in life.withdrawals if one.counts_ms < until]
    return replace(life, deposits=deposits, withdrawals=withdrawals), until


def since(words: list[Word], as_of_ms: int) -> Word | None:
    """Return the word since which it is so, as known at a moment; later ones only may confirm it.

    None = never said yet, or taken back last. Words after the moment count when they come first.
    """
    good = None
    for word in words:
        if word.good:
            good = good or word
        elif word.at_ms <= as_of_ms:
            good = None
    return good


def approvals(words: list[Word], as_of_ms: int) -> list[tuple[int, int, str]]:
    """Return (from, to, event) of the times in which it was so, as known at a moment.

    What ended by itself was so until then; what was taken back by the moment never was.
    """
    spans: list[tuple[int, int, str]] = []
    good: Word | None = None
    for word in words:
        if word.good:
            good = good or word
        elif word.ends:
            if good is not None and word.at_ms > good.at_ms:
                spans.append((good.at_ms, word.at_ms, good.event))
            good = None
        elif word.at_ms <= as_of_ms:
            spans, good = [], None
    if good is not None:
        spans.append((good.at_ms, FOREVER_MS, good.event))
    return spans


def broker_day(clock: Clock, utc_ms: int) -> int:
    """Return the broker's day of a moment, as days since 1970-01-01."""
    return int(clock.from_utc(np.array([utc_ms], np.int64))[0] // DAY_MS)


def is_kept_on(asked: Asked, since_ms: int, at_ms: int) -> bool:
    """Tell whether at a moment deposits have to stay that made a client qualify at another."""
    days = asked.qualify.keep_days
    first, last = broker_day(asked.clock, since_ms), broker_day(asked.clock, at_ms)
    return days is not None and last - first <= days


class _Walk:
    """One walk over a client's life as known at `as_of`, up to and without `until`."""

    def __init__(
        self, life: Life, trades_ms: int | None, asked: Asked, as_of: int, until: int,
        *, doubted: bool = False,
    ) -> None:  # fmt: skip
        self.life, self.asked, self.as_of, self.until = life, asked, as_of, until
        self.deposits = self._standing(life.deposits, doubted)
        self.withdrawals = self._standing(life.withdrawals, doubted=False)
        self.trades_ms = trades_ms if asks_trades(asked.qualify) else -1
        self.crm = since(life.crm, as_of)
        needs = asked.qualify.kyc and asked.qualify.who != "crm"
        self.kyc = approvals(life.kyc, as_of) if needs else [(-1, FOREVER_MS, "")]

    def _standing(
        self, movements: list[Movement], doubted: bool
    ) -> list[tuple[int, int, str, Fraction]]:
        """Return (counts from, sent at, event, amount) of what stands, in the order of counting."""
        found = []
        for one in movements:
            left = one.standing(self.as_of, doubted=doubted)
            if left > 0 and one.counts_ms < self.until:
                worth = left * self._rate(one)
                found.append((one.counts_ms, one.at_ms, one.event, worth))
        return sorted(found)

    def _rate(self, movement: Movement) -> Fraction:
        rate = rate_of(movement, self.asked)
        if rate is None:
            raise NoRate(movement.currency, self.asked.currency)
        return rate

    def reached(self) -> tuple[Reached, ...]:
        gate = self._gate()
        if gate is None:
            return ()
        at_least, cause = gate
        found: list[Reached] = []
        for enough, parts in self._moments(at_least, cause):
            at, total, first = parts[-1].at_ms, parts[-1].deposits, parts[-1].first
            if at >= self.until:
                break
            if found and self._is_withdrawn(found[0].at_ms, at):
                found = []  # he may qualify anew, by what he deposits later
            begins = not found and enough and self._approved(at) and self._keeps(at)
            holds = (found or begins) and self._in_time(at)
            # A deposit that was sent before the first one and clears after it lowers nothing.
            first = max(first, found[-1].first) if found else first
            if holds and (not found or (total, first) != (found[-1].deposits, found[-1].first)):
                found.append(Reached(at, total, parts[0].cause, first, tuple(parts)))
        return tuple(found)

    def _gate(self) -> tuple[int, str] | None:
        """Return the moment before which it cannot hold, and its cause; None = it cannot at all."""
        if self.life.is_duplicate(self.as_of):
            return None
        q, gates = self.asked.qualify, [(-1, "")]
        if q.who != "crm":
            if self.trades_ms is None:
                return None
            gates.append((self.trades_ms, TRADE))
            if q.kyc:
                first = self.kyc[0] if self.kyc else (FOREVER_MS, FOREVER_MS, "")
                gates.append((first[0], first[2]))
        if q.who != "own":
            counted = [one for one in self.life.deposits if one.counts_ms <= self.as_of]
            taken = counted and not any(counts <= self.as_of for counts, *_ in self.deposits)
            if taken or self.crm is None:
                return None
            gates.append((self.crm.at_ms, self.crm.event))
        if gates == [(-1, ""), (-1, TRADE)] and q.first_deposit is None and q.net_deposits is None:
            if self.life.registered_ms is None:
                return None  # nothing is asked, so that the registration is what counts
            gates.append((self.life.registered_ms, self.life.registration))
        return max(gates, key=lambda gate: gate[0])

    def _is_withdrawn(self, since: int, at: int) -> bool:
        """Tell whether too little is left at a moment in the days in which it has to stay."""
        return not self._keeps(at) and is_kept_on(self.asked, since, at)

    def _keeps(self, at: int) -> bool:
        """Tell whether deposits less withdrawals come to what has to stay."""
        least = self.asked.qualify.keeps
        if least is None:
            return True
        paid_in = sum((one[3] for one in self.deposits if one[0] <= at), Fraction(0))
        return paid_in - sum(one[3] for one in self.withdrawals if one[0] <= at) >= least

    def _approved(self, at: int) -> bool:
        return any(start <= at < end for start, end, _ in self.kyc)

    def _in_time(self, at: int) -> bool:
        """Tell whether a moment is within the days in which all of it has to happen."""
        q, base = self.asked.qualify, self.life.registered_ms
        if q.within_days is None:
            return True
        if base is None:
            base = min((sent for counts, sent, _, _ in self.deposits if counts <= at), default=None)
        if base is None:
            return True
        return self._day(at) <= last_day(self._day(base), q.within_days, q.calendar)

    def _moments(self, at_least: int, cause: str) -> Iterator[tuple[bool, list[Reached]]]:
        """Yield, moment by moment, whether deposits are enough and what stands, as things add up.

        What one moment brings counts at once: its deposits are given one by one, from the one on
        with which they are enough.
        """
        q = self.asked.qualify
        own = q.who != "crm"
        moves = [(*one[:3], one[3], True) for one in self.deposits]
        moves += [(*one[:3], -one[3], False) for one in self.withdrawals]
        # Approved again is a moment of its own at which all may come to hold.
        moves += [(at, at, event, Fraction(0), False) for at, _, event in self.kyc
                  if at_least < at < self.until]  # fmt: skip
        moves.sort(key=lambda move: (move[0], not move[4], move[1], move[2]))
        first = _FirstDeposit(q.sum_hours)
        net = total = Fraction(0)
        least_first, least_net = (q.first_deposit, q.net_deposits) if own else (None, None)
        asked = at_least < 0

        def enough() -> bool:
            one = least_first is None or (first.any and first.amount >= least_first)
            return one and (least_net is None or net >= least_net)

        def gate() -> list[Reached]:
            return [Reached(at_least, total, cause, first.amount)]

        parts: list[Reached] = []
        following = [*(move[0] for move in moves[1:]), FOREVER_MS][: len(moves)]
        for (counts, sent, event, amount, is_deposit), then in zip(moves, following, strict=True):
            if not asked and counts > at_least:
                asked = True
                yield enough(), gate()
            net += amount
            if is_deposit:
                total += amount
                first.add(sent, event, amount)
            now = Reached(counts, total, event, first.amount)
            if not amount:
                parts = [now]  # approved: that was missing, or nothing was
            elif not enough():
                parts = []
            elif is_deposit:
                parts.append(now)
            if then > counts:
                if counts >= at_least:
                    asked = True
                    yield enough(), gate() if counts == at_least and cause else parts or [now]
                parts = []
        if not asked:
            yield enough(), gate()

    def _day(self, utc_ms: int) -> int:
        return broker_day(self.asked.clock, utc_ms)


class _FirstDeposit:
    """The first-time deposit, alone or as the sum of the first hours (end included)."""

    def __init__(self, hours: int) -> None:
        self.span, self.amount = hours * HOUR_MS, Fraction(0)
        self._held: list[tuple[int, str, Fraction]] = []

    @property
    def any(self) -> bool:
        return bool(self._held)

    def add(self, sent_ms: int, event: str, amount: Fraction) -> None:
        if self._held and sent_ms > min(self._held)[0] + self.span:
            return  # later ones are no part of it, whatever comes before it yet
        self._held.append((sent_ms, event, amount))
        begin, _, alone = min(self._held)
        within = sum((a for at, _, a in self._held if at <= begin + self.span), Fraction(0))
        self.amount = within if self.span else alone
