"""Period rules as parsed: tiers, caps, carry-over, minimum payout, the margin guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

WindowName = Literal["day", "week", "month", "quarter", "year", "life", "rolling"]


@dataclass(frozen=True)
class Tier:
    """[component.tier]: what chooses the band of a rate (RateRule.start).

    `measure`: lots (x lot factor), notional (in `currency`), revenue or value (of this component's
    basis, in `currency`), trades, clients (distinct, of the window's trades), conversions (paid
    events of this component), deposits or first_deposit (the client's own: bands of a CPA), earned
    (the payee's own lines of component `of_component`). `of`: of the payee's direct clients (own)
    or of all below him (network). `window`: a period of the broker's own time, the whole life, or
    rolling over `length` `unit`s up to and with the current one; `average`: the measure divided by
    `length`.
    `method`: marginal = each band at its own rate; retroactive = all of the window at the band
    reached; ladder = the rate is the total due at that step, steps pay the difference. `boundary`:
    a measure equal to `start` is in the band ("from"), or only one above it ("above"). `applies`:
    in the window itself or in the following one. `promotion` stepwise: at most one band up per
    window; `grace`: so many windows below before a demotion.
    """

    line: int
    measure: Literal[
        "lots", "notional", "revenue", "value", "trades", "clients", "conversions", "deposits",
        "first_deposit", "earned",
    ]  # fmt: skip
    of: Literal["own", "network"] = "own"
    window: WindowName = "month"
    length: int = 1
    unit: Literal["day", "month"] = "month"
    average: bool = False
    method: Literal["marginal", "retroactive", "ladder"] = "marginal"
    boundary: Literal["from", "above"] = "from"
    applies: Literal["current", "following"] = "current"
    promotion: Literal["free", "stepwise"] = "free"
    grace: int = 0
    currency: str = ""
    of_component: str = ""

    @property
    def of_client(self) -> bool:
        """Tell whether bands are steps of one client's own deposits, paid as the difference."""
        return self.method == "ladder" or self.measure in ("deposits", "first_deposit")


@dataclass(frozen=True)
class Cap:
    """[[component.cap]]: at most `amount` per key, in canonical order; the line that crosses it is
    cut, later ones are 0 with the reason capped. `per`: order, client_day, client_life,
    partner_day, partner_week, partner_month. `unit`: money (of the line, in `currency`, before the
    wallet) or lots. `level`: only this level's lines, None = each level by itself."""

    line: int
    amount: Fraction
    per: Literal[
        "order", "client_day", "client_life", "partner_day", "partner_week", "partner_month"
    ]
    unit: Literal["money", "lots"] = "money"
    currency: str = ""
    level: int | None = None


# From the narrowest to the widest: a wider cap counts what narrower ones left, so that what is not
# paid uses none of it up.
_WIDTHS = ("order", "client_day", "partner_day", "partner_week", "partner_month", "client_life")


def in_turn(caps: Sequence[Cap]) -> list[tuple[int, Cap]]:
    """Return (place in the file, cap) in the order in which caps cut: the narrowest first."""
    return sorted(enumerate(caps), key=lambda one: (_WIDTHS.index(one[1].per), one[0]))


@dataclass(frozen=True)
class Carry:
    """[component.carry]: what happens to a negative sum of a payee's period. `negative`: carry =
    later periods earn it back first; reset = it is 0. `across`: codes of components whose sums are
    netted with this one's first (empty = ring-fenced: this component alone).

    `forgive`: so much of a period's negative sum is forgiven, in the wallet's currency; of what is
    beyond it `share` is carried. `periods`: for at most so many periods. `within`: to the end of
    the quarter (or month, or year) in which its period begins."""

    negative: Literal["carry", "reset"] = "carry"
    across: tuple[str, ...] = ()
    forgive: Fraction = Fraction(0)
    share: Fraction = Fraction(1)
    periods: int | None = None
    within: Literal["life", "month", "quarter", "year"] = "life"


@dataclass(frozen=True)
class Guard:
    """[programme.guard]: what the chain is paid for a trade, against `limit` x the broker's revenue
    of it (`of` = spread, markup, commission: which count). Past it: warn, cap (lines are cut in
    proportion, the remainder to the largest) or block (nothing is paid, the trade waits)."""

    line: int
    action: Literal["warn", "cap", "block"]
    limit: Fraction = Fraction(1)
    of: tuple[Literal["spread", "markup", "commission", "swap"], ...] = ("spread", "commission")


@dataclass(frozen=True)
class Payout:
    """[programme.payout]: a payee's payable of less than `minimum` (wallet currency, or `currency`)
    is carried forward."""

    minimum: Fraction
    currency: str = ""
