"""How levels share: each mode of a component as one small class, told the lines from below.

A mode is asked level by level, from the client upward: `earn` says what a level gets, `done` tells
it what became of that. Sources of the rules: commissions.md section 2 and plans.terms.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import SCALE
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.amounts import Money, Waits
from pipshare.rating.twin.choice import Bands, find_split, rule_text
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin.words import percent
from pipshare.rating.twin_values import TwinLine, amount_text

if TYPE_CHECKING:
    from pipshare.rating.twin.line import Line
    from pipshare.rating.twin.run import Run

Earned = Money | Waits | Reason
CHILD = Waits(Wait.CHILD_WAITS)


class Mode:
    """Every level by its own rate, or by a share of what the level below earned elsewhere."""

    def __init__(self, run: Run, component: Component, levels: list[int]) -> None:
        self.run, self.component, self.levels = run, component, levels
        self.waiting = False  # a level below waits
        self.below: TwinLine | None = None
        self.below_e8 = 0

    def has_own_rate(self, level: int) -> bool:
        """Tell whether a level is priced by a rate of its own."""
        return True

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return what a level gets that is neither zero nor waiting by itself."""
        return self.by_rate(line, rates)

    def done(self, line: Line, made: TwinLine, seen_e8: int) -> None:
        """Learn what became of a level; `seen_e8` is what a share of it is taken of."""
        self.waiting = self.waiting or made.wait is not None
        self.below, self.below_e8 = made, seen_e8

    def by_rate(self, line: Line, rates: list[Bands]) -> Earned:
        """Return the gross amount of a level's own rate."""
        rule = rates[0][0]
        if rule.of is None:
            return line.gross(rates)
        child = line.run.done[rule.of, line.level - 1]
        below = f"level {line.level - 1} in {rule.of}"
        if child.wait is not None:
            line.say("below", f"{below} waits: {child.wait.word}")
            return CHILD
        if child.reason != Reason.PAID:
            line.say("below", f"{below} earned nothing: {child.reason.sentence}")
            return Reason.NOTHING_BELOW
        seen_e8 = line.run.seen_above[rule.of, line.level - 1]
        line.say("below", f"{below} earned {amount_text(seen_e8, child.currency)}")
        line.say("share", f"{percent(rule.amount)} "
                          f"({rule_text(line.run.programme.code, rule)})")  # fmt: skip
        exact = Fraction(seen_e8, SCALE) * rule.amount
        return Money(self.quantised(exact), child.currency, rule, exact)

    def quantised(self, exact: Fraction) -> int:
        """Quantise as the plan says for what a rate gives."""
        return units(exact, self.component.rounding.amount, self.component.rounding.how)


class Difference(Mode):
    """Each level earns its rate minus what the chain below already took, never below zero."""

    def __init__(self, run: Run, component: Component, levels: list[int]) -> None:
        super().__init__(run, component, levels)
        self.taken_e8, self.taker, self.currency = 0, "", ""
        self.gross: Money | None = None

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return this level's gross less the highest that a level below was paid by."""
        if self.waiting:
            return CHILD
        found = self.by_rate(line, rates)
        if not isinstance(found, Money):
            return found
        # Nothing is in no currency: there is nothing to be compared.
        if found.orig_e8 and self.currency and self.currency != found.currency:
            return Waits(Wait.MIXED_CURRENCIES)
        self.gross = found
        line.say("gross", amount_text(found.orig_e8, found.currency))
        left = found.orig_e8 - self.taken_e8
        if self.taken_e8:
            taken = amount_text(self.taken_e8, found.currency)
            difference = amount_text(max(left, 0), found.currency)
            line.say("taken", f"{self.taker} already took {taken}")
            line.say("your difference", difference)
            line.words += [f"{self.taker} already took {taken}", f"your difference {difference}"]
        if left <= 0:
            return Reason.NOTHING_LEFT
        return Money(left, found.currency, found.rule)

    def done(self, line: Line, made: TwinLine, seen_e8: int) -> None:
        """A level that was paid takes what its own rate gives; any other takes nothing."""
        super().done(line, made, seen_e8)
        if made.wait is None and made.reason == Reason.PAID and self.gross is not None:
            self.currency = self.gross.currency
            if self.gross.orig_e8 > self.taken_e8:
                self.taken_e8, self.taker = self.gross.orig_e8, line.partner.name


class Rank(Mode):
    """Each rank's rate is paid once; one that nobody has rolls up to the next higher present.

    With a tier each rate is that of the line's own payee: how far the bands of another rank, or of
    whoever has it below, have come changes nothing of what he gets for a rank.
    """

    def __init__(self, run: Run, component: Component, levels: list[int]) -> None:
        super().__init__(run, component, levels)
        self.top, self.holder = -1, ""  # the highest rank whose rate went to somebody, and to whom
        self.empty = False  # the line before us has its rank, which gives nothing now

    def has_own_rate(self, level: int) -> bool:
        """A rank is a sum of rates, found one by one."""
        return False

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return the rates of the ranks above the highest below, up to the partner's."""
        if self.waiting:
            return CHILD
        card = line.run.card(line.level)
        assert card
        parts: list[int] = []
        currency, last, nothing = "", None, Reason.NOTHING_LEFT
        below_e8 = 0
        for rank, found in self._ranks(line, card):
            wait = line.unpriced(found)
            if wait is not None:
                return wait
            gross = line.gross(found, label=f"rank {rank}")
            if isinstance(gross, Waits):
                return gross
            last = found[0][0]
            if isinstance(gross, Reason):
                if gross not in (Reason.BELOW_FIRST_BAND, Reason.NOTHING_LEFT):
                    return gross
                # Its bands give nothing now; those of the ranks above it may well.
                nothing = gross if rank == card else nothing
                continue
            if gross.orig_e8 and currency and currency != gross.currency:
                return Waits(Wait.MIXED_CURRENCIES)
            currency = gross.currency if gross.orig_e8 else currency
            parts.append(gross.orig_e8)
            below_e8 += gross.orig_e8 if self.component.ranks.index(rank) <= self.top else 0
        if last is None:
            return Waits(Wait.UNPRICED)
        currency = currency or line.partner.currency
        left = self._left(line, sum(parts), below_e8, currency)
        if left <= 0:
            self.empty = True
            return nothing
        return Money(left, currency, last)

    def _left(self, line: Line, whole_e8: int, below_e8: int, currency: str) -> int:
        line.say("gross", amount_text(whole_e8, currency))
        left = whole_e8 - below_e8
        if below_e8:
            below = amount_text(below_e8, currency)
            taken = f"{self.holder} already took {below}"
            if self.component.tier is not None:  # by his own bands he may have had another amount
                rank = self.component.ranks[self.top]
                taken = f"the ranks up to {rank}, {below} of it, are {self.holder}'s"
            difference = amount_text(max(left, 0), currency)
            line.say("taken", taken)
            line.say("your difference", difference)
            line.words += [taken, f"your difference {difference}"]
        return left

    def done(self, line: Line, made: TwinLine, seen_e8: int) -> None:
        """A level that was paid has its rank, also one whose rank gives nothing now."""
        super().done(line, made, seen_e8)
        has_it, self.empty = self.empty or made.reason == Reason.PAID, False
        if made.wait is not None or not has_it:
            return
        card = line.run.card(line.level)
        assert card
        number = self.component.ranks.index(card)
        if number > self.top:
            self.top, self.holder = number, line.partner.name

    def _ranks(self, line: Line, card: str) -> list[tuple[str, list[Bands]]]:
        """Return the rates of all ranks up to a card's, of those that have any."""
        out = []
        for rank in self.component.ranks[: self.component.ranks.index(card) + 1]:
            rules = [r for r in self.component.rates if r.card == rank and r.level is None]
            if rules:
                out.append((rank, line.rates(rank, line.level, rules)))
        return out


class PercentOfChild(Mode):
    """Level 1 by a rate; each level above gets a share of what the level below earned."""

    def has_own_rate(self, level: int) -> bool:
        """Only the direct IB is priced."""
        return level == 1

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return the share of the level below."""
        if line.level == 1:
            return self.by_rate(line, rates)
        assert self.below is not None
        if self.waiting:
            return CHILD
        if self.below.reason != Reason.PAID:
            line.say("below", f"level {line.level - 1} earned nothing")
            return Reason.NOTHING_BELOW
        card = line.run.card(line.level)
        assert card
        split = find_split(self.component, card, line.level)
        assert split is not None
        below = amount_text(self.below_e8, self.below.currency)
        line.say("below", f"level {line.level - 1} earned {below}")
        line.say("share", f"{percent(split.share)} (line {split.line})")
        exact = Fraction(self.below_e8, SCALE) * split.share
        mine = self.quantised(exact)
        got = amount_text(mine, self.below.currency)
        line.words += [f"level {line.level - 1} earned {below}",
                       f"your {percent(split.share)} = {got}"]  # fmt: skip
        return Money(mine, self.below.currency, None, exact)


class Pot(Mode):
    """The ground of modes that share the pot which the direct IB's rate makes."""

    def __init__(self, run: Run, component: Component, levels: list[int]) -> None:
        super().__init__(run, component, levels)
        self.told = False  # the pot is known

    def has_own_rate(self, level: int) -> bool:
        """Nobody is priced by himself: the pot is."""
        return False

    def pot(self, line: Line) -> Earned:
        """Return the gross of the direct IB's rate."""
        card = line.run.card(1)
        assert card
        rates = line.rates(card, 1)
        wait = line.unpriced(rates)
        if wait is not None:
            return wait
        found = line.gross(rates, line.run.chain[0])
        if isinstance(found, Money):
            line.say("pot", amount_text(found.orig_e8, found.currency))
        return found


class PotSplit(Pot):
    """One pot per trade; each level takes its share of the pot."""

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return the level's share; where all shares make one, the largest has the remainder."""
        shares = self._shares(line)
        if self.waiting:
            return CHILD
        pot = self.pot(line)
        if not isinstance(pot, Money):
            return pot
        if sum(shares.values()) > 1:
            return Waits(Wait.SHARES_OVER_ONE)
        exact = Fraction(pot.orig_e8, SCALE)
        parts = {level: self.quantised(share * exact) for level, share in shares.items()}
        if sum(shares.values()) == 1:
            largest = max(shares, key=lambda level: (parts[level], -level))
            parts[largest] += pot.orig_e8 - sum(parts.values())
        mine = shares[line.level]
        line.say("share", f"{percent(mine)} of the pot")
        got = amount_text(parts[line.level], pot.currency)
        line.words.append(f"your {percent(mine)} of it = {got}")
        return Money(parts[line.level], pot.currency, pot.rule)

    def _shares(self, line: Line) -> dict[int, Fraction]:
        out = {}
        for level in self.levels:
            card = line.run.card(level)
            split = find_split(self.component, card, level) if card else None
            if split is not None:
                out[level] = split.share
        return out


class ShareUp(Pot):
    """Each level passes a share of what reaches it upward; the last present keeps all."""

    def __init__(self, run: Run, component: Component, levels: list[int]) -> None:
        super().__init__(run, component, levels)
        self.reaching: Money | None = None
        self.passed_e8 = 0

    def earn(self, line: Line, rates: list[Bands]) -> Earned:
        """Return what reaches a level less what it passes on."""
        if self.waiting:
            return CHILD
        found = self._reaching(line)
        if not isinstance(found, Money):
            return found
        card = line.run.card(line.level)
        assert card
        split = find_split(self.component, card, line.level)
        self.passed_e8 = 0
        if split is not None and line.level != self.levels[-1]:
            self.passed_e8 = self.quantised(split.share * Fraction(found.orig_e8, SCALE))
            passed = amount_text(self.passed_e8, found.currency)
            kept = amount_text(found.orig_e8 - self.passed_e8, found.currency)
            line.say("passed up", f"{percent(split.share)} = {passed}")
            line.words += [f"{percent(split.share)} of it, {passed}, goes up", f"you keep {kept}"]
        return Money(found.orig_e8 - self.passed_e8, found.currency, found.rule)

    def _reaching(self, line: Line) -> Earned:
        if self.reaching is None:
            found = self.pot(line)
            if not isinstance(found, Money):
                return found
            self.reaching = found
        elif self.reaching.orig_e8 == 0:
            return Reason.NOTHING_BELOW
        else:
            money = self.reaching
            line.say("reaches you", amount_text(money.orig_e8, money.currency))
            line.words.append(f"{amount_text(money.orig_e8, money.currency)} reaches you")
        return self.reaching

    def done(self, line: Line, made: TwinLine, seen_e8: int) -> None:
        """What a paid level passes reaches the next; of one that is not paid, all that came."""
        super().done(line, made, seen_e8)
        if made.wait is None and made.reason == Reason.PAID and self.reaching is not None:
            self.reaching = self.reaching._replace(orig_e8=self.passed_e8)


MODES: dict[str, type[Mode]] = {
    "per_level": Mode,
    "override": Mode,
    "percent_of_child": PercentOfChild,
    "pot_split": PotSplit,
    "share_up": ShareUp,
    "difference": Difference,
    "rank": Rank,
}
