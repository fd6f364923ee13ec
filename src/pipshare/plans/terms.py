"""Programmes as parsed: components, their rate rules, and who is paid by them.

Pure values, no behaviour that rating depends on: the kernel and its scalar twin each resolve
rates by the rules written here, on their own. `pipshare.plans.parse` reads a file into them.

How one rate is found, for one component, one level n and one partner with card c. A rule is
*applicable* when its card is c or "*", and its level is n or None. No applicable rule at all: the
level earns nothing here and has no line. Of the applicable rules those *match* whose symbol (or
symbol group) and account group (or account type) are the trade's; None matches anything. No match:
*unpriced*, the share waits. Of several matches the first by this order is taken:

1. card: c before "*";
2. level: n before None;
3. scope: account_group without "*" that equals the name, then masks by length (the longer first,
   then alphabetically by casefolded text), then account_type, then neither;
4. symbol: symbol, then symbol_group, then neither.

Names of symbols, symbol groups, account groups and account types compare without regard to case;
cards compare exactly. A mask's "*" stands for any text, also none. Two rules of one component that
agree in all of the above are refused when the file is parsed, so the order has no ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

ANY_CARD = "*"
Basis = Literal["lot"]
Mode = Literal["per_level", "override"]


@dataclass(frozen=True)
class RateRule:
    """One [[component.rate]]: what a level earns, and for which trades.

    `ordinal` is the place in the component, from 0; `line` the line in the file. `of` is None for
    a fixed amount: `amount` is then per standard lot, in `currency`, exact. Otherwise the rule is a
    share: `amount` (0 to 1) of what level n-1 earned on the same trade in the component named `of`,
    which stands earlier in the file; in the currency of that line (`currency` is ""). Where the
    level below earned nothing there, so does this one; where it waits, this one waits with it.
    Bounds that arithmetic may rely on: 0 <= amount <= 10^6, denominator <= 10^9.
    `symbol` and `symbol_group` exclude each other, as do `account_group` and `account_type`.
    """

    ordinal: int
    line: int
    card: str
    level: int | None
    amount: Fraction
    currency: str
    symbol: str | None = None
    symbol_group: str | None = None
    account_group: str | None = None
    account_type: str | None = None
    of: str | None = None

    @property
    def is_share(self) -> bool:
        """Tell a share of the child's earning from a fixed amount per lot."""
        return self.of is not None


@dataclass(frozen=True)
class Component:
    """One [[component]] of a programme: what is multiplied, how levels share, on what condition.

    basis "lot": lots x lot factor of the account group x rate. mode "per_level": each level earns
    its own rate; "override": the same arithmetic, but on top, deducted from nobody. `min_hold_s`:
    a trade held for fewer whole seconds earns 0 with the reason too short; equal is enough (>=).
    """

    code: str
    basis: Basis
    mode: Mode
    min_hold_s: int | None
    rates: tuple[RateRule, ...]
    name: str = ""
    line: int = 0


@dataclass(frozen=True)
class Programme:
    """One version of a programme, as its file says.

    `valid_from_ms`: UTC milliseconds, 0 = always. `depth`: levels paid, counted from the client
    upward (1 = the direct IB). `unknown_opening`: a trade whose opening is unknown waits until it
    is found ("wait"), or is rated as it stands, a holding time taken as long enough ("pay").
    `own_trading`: whether a partner earns on his own trading account. `other_programmes`: whether
    a partner above who is in another programme is paid by this one (with card "*") or has no line.
    """

    code: str
    entity: str
    name: str
    valid_from_ms: int
    currency: str
    depth: int
    unknown_opening: Literal["wait", "pay"]
    components: tuple[Component, ...]
    own_trading: Literal["pay", "none"] = "pay"
    other_programmes: Literal["none", "pay"] = "none"
