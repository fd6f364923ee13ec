"""What became of a deposit or withdrawal: taken back, disputed, lost, won, given back.

A reversal of a reversal gives back what that one took. Disputes are told apart by the event that
opened them: what ends one names it; what names the deposit alone ends all that are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

OPENED, LOST, WON = "chargeback_opened", "chargeback_lost", "chargeback_won"
DISPUTES = (OPENED, LOST, WON)
NOTHING = Fraction(0)


@dataclass(frozen=True)
class Taking:
    """Something that took a movement back (amount None = all of it), disputed or restored it.

    `of`: the taking that it names, "" = the movement itself.
    """

    kind: str
    at_ms: int
    amount: Fraction | None
    event: str
    of: str = ""


@dataclass
class Dispute:
    """A dispute of a deposit, `amount` of it, as it stands: opened, lost or won."""

    opened: Taking
    amount: Fraction
    state: str


@dataclass
class Movement:
    """A deposit or withdrawal: sent at, counted from `counts_ms` on (cleared), and its takings, in
    the order of their moments."""

    event: str
    at_ms: int
    counts_ms: int
    amount: Fraction
    currency: str
    takings: list[Taking] = field(default_factory=list)

    def standing(self, as_of_ms: int, *, doubted: bool = False) -> Fraction:
        """Return what is left of it as known at a moment. `doubted`: a dispute counts as lost."""
        if not self.takings:
            return self.amount
        known = self._known(as_of_ms)
        left = self.amount - self._reversed(known, "", self.amount)
        gone = (LOST, OPENED) if doubted else (LOST,)
        left -= sum((one.amount for one in self._disputes(known) if one.state in gone), NOTHING)
        return max(left, NOTHING)

    def lost(self, as_of_ms: int) -> Fraction:
        """Return what is lost of it in disputes, as known at a moment."""
        disputes = self._disputes(self._known(as_of_ms))
        lost = sum((one.amount for one in disputes if one.state == LOST), NOTHING)
        return min(lost, self.amount)

    @property
    def dispute(self) -> Taking | None:
        """Return what opened the first of the disputes that are open in the end."""
        disputes = self._disputes(self.takings)
        return next((one.opened for one in disputes if one.state == OPENED), None)

    def _known(self, as_of_ms: int) -> Sequence[Taking]:
        return [one for one in self.takings if one.at_ms <= as_of_ms]

    def _reversed(self, known: Sequence[Taking], of: str, whole: Fraction) -> Fraction:
        """Return what reversals took of the movement (or gave back of one of them), `whole`."""
        taken = NOTHING
        for one in known:
            if one.kind not in DISPUTES and one.of == of:
                amount = whole if one.amount is None else min(one.amount, whole)
                taken += amount - self._reversed(known, one.event, amount)
        return min(taken, whole)

    def _disputes(self, known: Sequence[Taking]) -> list[Dispute]:
        """Return the disputes in the order of their opening."""
        found: list[Dispute] = []
        named: dict[str, Dispute] = {}  # by the events that belong to it
        for one in known:
            if one.kind not in DISPUTES:
                continue
            mine = self._meant(one, found, named)
            if not mine and (one.kind != WON or one.of):
                mine = [Dispute(one, self.amount, one.kind)]
                found += mine
            # A word that ends it may be dated before the one that opened it.
            is_late = one.kind == OPENED and one.event in named
            for place, dispute in enumerate(mine):
                if not is_late:
                    dispute.state = one.kind
                    dispute.opened = one if one.kind == OPENED else dispute.opened
                if one.amount is not None and one.kind != WON:
                    dispute.amount = NOTHING if place else min(one.amount, self.amount)
            for name in filter(None, (one.event, one.of) if mine else ()):
                named.setdefault(name, mine[0])
        return found

    def _meant(
        self, one: Taking, found: Sequence[Dispute], named: dict[str, Dispute]
    ) -> list[Dispute]:
        """Return the disputes of which a word speaks; none: of a new one."""
        if one.event in named or one.of:
            held = named.get(one.event) or named.get(one.of)
            return [held] if held is not None else []
        if one.kind == OPENED:
            lost = [dispute for dispute in found if dispute.state == LOST]
            whole = sum((dispute.amount for dispute in lost), NOTHING) >= self.amount
            return lost[-1:] if whole else []  # of what is lost whole, it is opened again
        some = [dispute for dispute in found if dispute.state == OPENED]
        same = [dispute for dispute in some if dispute.amount == one.amount]
        before = [dispute for dispute in found if dispute.state not in (OPENED, one.kind)]
        return same[:1] or some or before[-1:]
