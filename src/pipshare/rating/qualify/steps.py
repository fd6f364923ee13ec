"""What a client's life is paid for: rows to be rated when he qualifies, and rows that undo them.

A component without a ladder has one step. With one, the steps are the bands of its rates by the
sum of his deposits, and a row says from which step to which. What was undone is paid again when it
is given back (a chargeback is won): to the same chain, by the same rates. What is reached anew, by
another deposit, is new. Nothing is paid twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from pipshare.money.amounts import half_even
from pipshare.rating.qualify.life import Life
from pipshare.rating.qualify.movements import Taking
from pipshare.rating.qualify.stretches import Asked, Reached, broker_day, doubted, stretches


@dataclass(frozen=True)
class Ladder:
    """The steps of a component: `starts` ascend; above: a sum equal to one has not reached it.

    `first`: steps of the first deposit (or of its hours), not of the sum of all. `shares`: what is
    paid is a share of that sum, so that each 1e-8 of it is a step. `anew`: what is given back is
    paid like what is new, for rates that go by how many there were.
    """

    starts: tuple[Fraction, ...] = ()
    above: bool = False
    first: bool = False
    shares: bool = False
    anew: bool = False

    def step(self, reached: Reached) -> int:
        """Return the step that is reached, from 1; 0 = below the first."""
        value = reached.first if self.first else reached.deposits
        if self.shares:
            return half_even(value.numerator * 10**8, value.denominator)
        if not self.starts:
            return 1
        # A step from 0 is reached by whoever qualifies, also where a sum has to be above it.
        return sum(one <= 0 or (one < value if self.above else one <= value) for one in self.starts)

    def cause(self, reached: Reached) -> str:
        """Return the event that brought the step: of several in one moment the first that did."""
        step = self.step(reached)
        causes = (one.cause for one in reached.parts if self.step(one) >= step)
        return next(causes, reached.parts[-1].cause if reached.parts else reached.cause)


@dataclass(frozen=True)
class Row:
    """One thing to pay or to undo, of one client and component.

    Rated with the chain, terms and rates of `moment_ms` (of what was paid first, where it is given
    back or left), as step `to` less step `from_` (0 = nothing); booked at `booked_ms`. `undoes` is
    the place of the row that it takes back whole, -1 = none. `held_by`: the event of an open
    dispute that holds it, "" = none.
    """

    moment_ms: int
    booked_ms: int
    from_: int
    to: int
    deposits: Fraction
    cause: str
    undoes: int = -1
    held_by: str = ""


def rows_of(
    life: Life,
    trades_ms: int | None,
    asked: Asked,
    ladder: Ladder,
    clawback_days: int | None = None,
) -> list[Row]:
    """Return a client's rows in the order in which they are booked. Raises stretches.NoRate."""
    paid = _Paid(asked, clawback_days)
    for stretch in stretches(life, trades_ms, asked):
        begun = [one for one in stretch.reached if one.at_ms <= stretch.start_ms]
        at_start = begun[-1] if begun else None
        paid.fall(at_start, ladder, stretch.start_ms, stretch.cause)
        held = [one for one in begun if one.at_ms < stretch.start_ms]
        if held:
            paid.rise(held[-1], ladder, stretch.start_ms, stretch.cause, again=not ladder.anew)
        if at_start is not None:
            now = at_start.at_ms == stretch.start_ms
            cause = ladder.cause(at_start) if now else stretch.cause
            paid.rise(at_start, ladder, stretch.start_ms, cause)
        for one in stretch.reached[len(begun) :]:
            paid.rise(one, ladder, one.at_ms, ladder.cause(one))
    disputes = [one.dispute for one in life.deposits if one.dispute is not None]
    if disputes:
        left = doubted(life, trades_ms, asked)
        paid.hold(ladder.step(left[-1]) if left else 0, min(disputes, key=lambda one: one.at_ms))
    return paid.rows


class _Paid:
    """The rows so far, and which of them stand: a stack of steps."""

    def __init__(self, asked: Asked, clawback_days: int | None) -> None:
        self.asked, self.days = asked, clawback_days
        self.rows: list[Row] = []
        self._stack: list[int] = []
        self._undone: dict[int, Row] = {}  # by the step from which it was

    @property
    def _step(self) -> int:
        return self.rows[self._stack[-1]].to if self._stack else 0

    def rise(
        self, reached: Reached, ladder: Ladder, at_ms: int, cause: str, *, again: bool = False
    ) -> None:
        """Pay the steps up to what is reached; `again`: what was undone of it is given back."""
        step = ladder.step(reached)
        while (begin := self._step) < step:
            moment, end = at_ms, step
            if again and begin in self._undone:
                old = self._undone[begin]
                moment, end = old.moment_ms, min(old.to, step)
            elif again:
                end = min([step, *(one for one in self._undone if one > begin)])
            self._add(Row(moment, at_ms, begin, end, reached.deposits, cause))

    def fall(self, reached: Reached | None, ladder: Ladder, at_ms: int, cause: str) -> None:
        """Undo the steps above what still holds, if they are young enough to be taken back."""
        step = 0 if reached is None else ladder.step(reached)
        while self._stack and self._step > step and self._young(self.rows[self._stack[-1]], at_ms):
            place = self._stack.pop()
            old = self.rows[place]
            self._undone.setdefault(old.from_, old)
            self.rows.append(Row(old.moment_ms, at_ms, old.from_, old.to, old.deposits, cause,
                                 place))  # fmt: skip
            if reached is not None and old.from_ < step < old.to:
                self._add(Row(old.moment_ms, at_ms, old.from_, step, reached.deposits, cause))

    def hold(self, step: int, dispute: Taking) -> None:
        """Hold what would not stand if the dispute were lost."""
        for place in self._stack:
            row = self.rows[place]
            if row.to > step and self._young(row, dispute.at_ms):
                self.rows[place] = replace(row, held_by=dispute.event)

    def _young(self, row: Row, at_ms: int) -> bool:
        if self.days is None:
            return True
        first, last = (broker_day(self.asked.clock, one) for one in (row.booked_ms, at_ms))
        return last - first <= self.days

    def _add(self, row: Row) -> None:
        self._stack.append(len(self.rows))
        self.rows.append(row)
