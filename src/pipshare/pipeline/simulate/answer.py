"""What a what-if answers: either side's amounts, what waits, who wins and loses, the margin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

Payee = tuple[int, str]  # partner id (0 = clients), currency of the wallet


@dataclass
class Side:
    """One side: amounts by payee and currency in 1e-8, lines that wait by reason, paid in all.

    `paid_e8` is by entity, in its own currency; `unconverted` counts lines that have no rate to it.
    """

    amounts: Counter[Payee] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    guarded: Counter[str] = field(default_factory=Counter)
    paid_e8: Counter[int] = field(default_factory=Counter)
    unconverted: int = 0

    def add_lines(self, lines: pl.DataFrame) -> None:
        """Add lines: partner_id, wallet, amount_e8."""
        sums = lines.group_by("partner_id", "wallet").agg(pl.col("amount_e8").cast(pl.Int128).sum())
        for partner, wallet, amount in sums.iter_rows():
            self.amounts[partner, wallet] += amount

    def add_waits(self, reasons: pl.Series) -> None:
        """Add lines that wait."""
        for reason, count in reasons.value_counts().iter_rows():
            self.waiting[reason] += count


@dataclass(frozen=True)
class PartnerRow:
    """A partner's amounts in one currency, 1e-8."""

    partner: str
    currency: str
    now_e8: int
    then_e8: int

    @property
    def difference_e8(self) -> int:
        """What he would get more (above zero) or less."""
        return self.then_e8 - self.now_e8


@dataclass(frozen=True)
class Margin:
    """What the broker earns by the trades of an entity and keeps, in its currency, 1e-8.

    `unknown`: trades whose revenue cannot be told, by what is missing; they count as nothing.
    """

    entity: str
    currency: str
    revenue_e8: int
    paid_now_e8: int
    paid_then_e8: int
    unknown: dict[str, int]


@dataclass(frozen=True)
class Answer:
    """A what-if's outcome. `partners` by currency and difference, the greatest win first."""

    trades: int
    introduced: int
    partners: list[PartnerRow]
    now: Side
    then: Side
    margins: list[Margin]
    notes: list[str] = field(default_factory=list)

    def totals(self) -> list[PartnerRow]:
        """Return the sums by currency; `partner` is empty."""
        currencies = dict.fromkeys(one.currency for one in self.partners)
        return [
            PartnerRow(
                "", currency,
                sum(one.now_e8 for one in self.partners if one.currency == currency),
                sum(one.then_e8 for one in self.partners if one.currency == currency),
            )
            for currency in currencies
        ]  # fmt: skip

    def winners(self, most: int) -> list[PartnerRow]:
        """Return those who would get more, the greatest difference of each currency first."""
        return [one for one in self.partners if one.difference_e8 > 0][:most]

    def losers(self, most: int) -> list[PartnerRow]:
        """Return those who would get less, the greatest loss of each currency first."""
        return [one for one in reversed(self.partners) if one.difference_e8 < 0][:most]


def partner_rows(now: Side, then: Side, codes: dict[int, str]) -> list[PartnerRow]:
    """Return the rows of all payees of either side, clients as one."""
    payees: Iterable[Payee] = dict.fromkeys([*now.amounts, *then.amounts])
    rows = [
        PartnerRow(codes.get(partner, "(clients)"), currency, now.amounts[partner, currency],
                   then.amounts[partner, currency])
        for partner, currency in payees
    ]  # fmt: skip
    return sorted(rows, key=lambda one: (one.currency, -one.difference_e8, one.partner))
