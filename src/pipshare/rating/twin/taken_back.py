"""What is left of a deposit or withdrawal by hand, after all that took it back or restored it.

Everything is worked out anew from the events known by a moment; nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

OPENED, LOST, WON = "chargeback_opened", "chargeback_lost", "chargeback_won"
REVERSED = ("deposit_reversed", "withdrawal_reversed")
RANK = {OPENED: 1, LOST: 2, WON: 3, "deposit_reversed": 4, "withdrawal_reversed": 4,
        "client_not_duplicate": 1}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened to a client. `amount` 0 on a taking = all of it; `cleared_ms` 0 = at
    once; `reference` names the movement that is taken back or disputed, or what took it back;
    `expires_ms`: an approval holds until then, 0 = for ever."""

    name: str
    kind: str
    at_ms: int
    amount: Fraction = Fraction(0)
    currency: str = ""
    reference: str = ""
    cleared_ms: int = 0
    expires_ms: int = 0

    @property
    def counts_ms(self) -> int:
        """The moment from which a movement counts."""
        return max(self.at_ms, self.cleared_ms)


def original_of(taking: Event, events: Sequence[Event]) -> str:
    """Return the movement that a taking is of, "" where it fits none: a lost dispute may name the
    opened one, a reversal another; a dispute is of a deposit, and money has one currency."""
    if taking.kind not in (*REVERSED, OPENED, LOST, WON):
        return ""
    named = {e.name: e for e in events}
    at: Event | None = taking
    for _ in events:
        at = named.get(at.reference) if at is not None else None
        if at is None or at.kind not in (*REVERSED, OPENED, LOST, WON):
            break
    wanted = "withdrawal" if taking.kind == "withdrawal_reversed" else "deposit"
    if at is None or at.kind != wanted:
        return ""
    other = taking.amount and taking.currency not in ("", at.currency)
    return "" if other else at.name


@dataclass
class _Case:
    """A dispute: how much of the deposit, what was said last, since when, and its events' names."""

    amount: Fraction
    last: str
    at_ms: int
    names: set[str] = field(default_factory=set)


def left_of(
    movement: Event, events: Sequence[Event], as_of: int, *, doubted: bool = False
) -> Fraction:
    """Return what is left of a movement as known at a moment; `doubted`: open disputes are lost."""
    mine = _about(movement, events, as_of)
    gone = _reversed(movement.name, movement.amount, mine, events)
    for case in _cases(movement, mine, events):
        if case.last == LOST or (doubted and case.last == OPENED):
            gone += case.amount
    return max(movement.amount - gone, Fraction(0))


def lost_of(deposit: Event, events: Sequence[Event], as_of: int) -> Fraction:
    """Return what is lost of a deposit in disputes, as known at a moment."""
    cases = _cases(deposit, _about(deposit, events, as_of), events)
    return min(deposit.amount, sum((c.amount for c in cases if c.last == LOST), Fraction(0)))


def disputed_since(deposit: Event, events: Sequence[Event]) -> int | None:
    """Return when the first of a deposit's disputes was opened that are open in the end."""
    latest = max(event.at_ms for event in events)
    for case in _cases(deposit, _about(deposit, events, latest), events):
        if case.last == OPENED:
            return case.at_ms
    return None


def _about(movement: Event, events: Sequence[Event], as_of: int) -> list[Event]:
    mine = [e for e in events if e.at_ms <= as_of and original_of(e, events) == movement.name]
    return sorted(mine, key=lambda e: (e.at_ms, RANK[e.kind], e.name))


def _kind(name: str, events: Sequence[Event]) -> str:
    return next((e.kind for e in events if e.name == name), "")


def _reversed(
    name: str, whole: Fraction, mine: Sequence[Event], events: Sequence[Event]
) -> Fraction:
    """Return how much of `whole` the reversals took that are of the event of that name."""
    taken = Fraction(0)
    for one in mine:
        if one.kind not in REVERSED:
            continue
        is_undoing = _kind(one.reference, events) == one.kind
        if (one.reference == name) if is_undoing else (_kind(name, events) not in REVERSED):
            part = min(one.amount or whole, whole)
            taken += part - _reversed(one.name, part, mine, events)
    return min(taken, whole)


def _cases(deposit: Event, mine: Sequence[Event], events: Sequence[Event]) -> list[_Case]:
    """Return a deposit's disputes, the first one first."""
    words = [one for one in mine if one.kind not in REVERSED]
    cases: list[_Case] = []
    for word in words:
        # It names a dispute, maybe one to come, or the deposit, or what took that back.
        names = word.reference if _kind(word.reference, events) in (OPENED, LOST, WON) else ""
        told = [case for case in cases if word.name in case.names]
        late = word.kind == OPENED and bool(told)
        told += [case for case in cases if names in case.names]
        if told:
            about = told[:1]
        elif names:
            about = [_Case(deposit.amount, word.kind, word.at_ms)]
            cases += about
        else:
            about = _unnamed(word, deposit, cases)
        for nth, case in enumerate(about):
            if not late:
                case.last = word.kind
                case.at_ms = word.at_ms if word.kind == OPENED else case.at_ms
            if word.amount and word.kind != WON:
                case.amount = Fraction(0) if nth else min(word.amount, deposit.amount)
        for case in about[:1]:
            case.names |= {word.name, names} - {"", *(name for one in cases for name in one.names)}
    return cases


def _unnamed(word: Event, deposit: Event, cases: list[_Case]) -> list[_Case]:
    """Return the disputes of which a word speaks that names the deposit; makes one if need be."""
    lost = [case for case in cases if case.last == LOST]
    is_whole = sum((case.amount for case in lost), Fraction(0)) >= deposit.amount
    pending = [case for case in cases if case.last == OPENED]
    exact = [case for case in pending if word.amount and case.amount == word.amount]
    ended = [case for case in cases if case.last not in (OPENED, word.kind)]
    if word.kind == OPENED:
        about = lost[-1:] if is_whole and lost else []
    else:
        about = exact[:1] or pending or ended[-1:]
    if not about and word.kind != WON:
        about = [_Case(deposit.amount, word.kind, word.at_ms)]
        cases += about
    return about
