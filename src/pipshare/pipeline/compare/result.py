"""What a comparison comes to: by partner, by ticket where they differ most, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from pipshare.facts import Refusal
from pipshare.money import format_e8


@dataclass(frozen=True)
class PartnerRow:
    """A partner in one currency; amounts in 1e-8."""

    partner: str
    currency: str
    legacy_e8: int
    ours_e8: int
    known: bool = True

    @property
    def difference_e8(self) -> int:
        """What we say more (above zero) or less."""
        return self.ours_e8 - self.legacy_e8

    @property
    def percent(self) -> Fraction | None:
        """The difference in per cent of what the legacy system says; None = it says nothing."""
        if not self.legacy_e8:
            return None if self.ours_e8 else Fraction(0)
        return Fraction(100 * abs(self.difference_e8), abs(self.legacy_e8))

    def passes(self, tolerance: Fraction) -> bool:
        """Tell whether the difference is below the tolerance, in per cent."""
        share = self.percent
        return not self.difference_e8 or (share is not None and share < tolerance)

    def percent_text(self) -> str:
        """Write the per cent with four decimals, cut; "-" where there is nothing to compare."""
        share = self.percent
        return "-" if share is None else format_e8(int(share * 10**4) * 10**4, 4)


@dataclass(frozen=True)
class TicketRow:
    """A trade (ticket 0 = what is of no ticket) where the two differ, and why, in our words."""

    partner: str
    currency: str
    server: str
    ticket: int
    legacy_e8: int | None
    ours_e8: int | None
    what: str
    why: str = ""

    @property
    def difference_e8(self) -> int:
        """What we say more (above zero) or less."""
        return (self.ours_e8 or 0) - (self.legacy_e8 or 0)


@dataclass(frozen=True)
class Compared:
    """A comparison. `tickets` are the biggest differences; `same` counts tickets that agree."""

    partners: list[PartnerRow]
    tickets: list[TicketRow]
    tolerance: Fraction
    same: int = 0
    differing: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Tell whether every partner is within the tolerance and every row was read."""
        return not self.refused and all(one.passes(self.tolerance) for one in self.partners)
