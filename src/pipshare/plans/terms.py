"""Programmes as parsed: basis x rate x conditions, spread over the chain, then period rules.

Pure values, no behaviour that rating depends on: the kernel and its scalar twin each work by what
is written here, on their own. `pipshare.plans.parse` reads a file into them.

How one rate is found, for one component, one level n and one partner with card c. A rule is
*applicable* when its card is c or "*", and its level is n or None. No applicable rule at all: the
level earns nothing here and has no line. Of the applicable rules those *match* whose symbol (or
symbol group), account group (or account type) and country are the trade's; None matches anything.
No match: *unpriced*, the share waits. Of several matches the first by this order is taken:

1. card: c before "*";
2. level: n before None;
3. scope: account_group without "*" that equals the name, then masks by length (the longer first,
   then alphabetically by casefolded text), then account_type, then neither;
4. symbol: symbol, then symbol_group, then neither;
5. country: named before None;
6. side: open or close before None.

Names of symbols, symbol groups, account groups and account types compare without regard to case;
cards compare exactly. A mask's "*" stands for any text, also none. Rules that agree in all of the
above are the *bands* of one rate: they differ in `start`, and the tier says which band is reached
(without a tier there is one band, start 0). Two rules that agree in `start`, too, are refused when
the file is parsed, so the order has no ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pipshare.plans.conditions import Conditions
from pipshare.plans.periods import Cap, Carry, Guard, Payout, Tier
from pipshare.plans.qualifying import Qualify

ANY_CARD = "*"
Basis = Literal[
    "lot", "points", "spread", "markup", "commission", "profit", "loss", "result", "notional",
    "revenue", "deposits", "fixed", "earned",
]  # fmt: skip
Mode = Literal[
    "per_level", "override", "percent_of_child", "pot_split", "share_up", "difference", "rank"
]
Per = Literal["trade", "day", "week", "month", "quarter"]
FxSide = Literal["mid", "bid", "ask"]
# Taken from a period's sum: bonuses credited less those removed; deposits lost to chargebacks (and
# given back when won after all); what made up for balances below zero; what payments cost.
Less = Literal["bonuses", "chargebacks", "compensation", "fees"]


@dataclass(frozen=True)
class RateRule:
    """One [[component.rate]]: what a level earns, and for which trades.

    `ordinal` is the place in the component, from 0; `line` the line in the file. What `amount`
    (exact, 0 <= amount <= 10^6, denominator <= 10^9) means goes by the component's basis:

    - lot: per standard lot, in `currency`;
    - points: so many points per lot (the component's unit pips: so many pips), in the symbol's
      profit currency (`currency` is "");
    - spread, markup with unit points or pips: per point or pip and lot, in `currency`;
    - fixed: per event, in `currency`;
    - all others: a share (0 to 1; notional: 30 per million is 30/10^6) of the basis, in the
      basis's own currency (`currency` is "").

    With `of` set the rule is a share (0 to 1) of what level n-1 earned on the same trade in the
    component named `of`, which stands earlier in the file; in the currency of that line. Where the
    level below earned nothing there, so does this one; where it waits, this one waits with it.
    For the basis earned `of` names the component whose earnings of the period are the basis.
    `start`: the tier measure from which the rule holds (its band), 0 without a tier. `side`: the
    rule is for the opening or the closing side only (basis lot: lots opened / lots closed).
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
    start: Fraction = Fraction(0)
    country: str | None = None
    side: Literal["open", "close"] | None = None

    @property
    def is_share(self) -> bool:
        """Tell a share of the child's earning from a rate on the basis."""
        return self.of is not None


@dataclass(frozen=True)
class Split:
    """One [[component.split]]: the share of a level in modes that split a pot.

    pot_split: of the pot. share_up: of what reaches this level, the part it passes upward (the
    last level present keeps all). percent_of_child: of what the level below earned. The card goes
    before "*", then the level before None. A level without a split: pot_split, percent_of_child:
    has no line (and ends the chain of children); share_up: passes nothing.
    """

    line: int
    card: str
    level: int | None
    share: Fraction


@dataclass(frozen=True)
class Spread:
    """How the spread of a trade is measured, for the basis spread.

    `measured`: at the opening, at the closing, their average, or half of each ("half" is the
    money at open / 2 + money at close / 2; "average" the mean of both spreads at the closing's
    volume: the same number, kept apart for the working). `quotes`: sources in order; the first that
    has a good quote (0 < bid <= ask) is used, else the trade waits as no_quote. `cap_points`: the
    spread counts at most so many points. `cap_per_lot`: its money counts at most so much per lot
    (lots x factor), in `cap_currency` which must be the profit currency, else no_fx converts it.
    `guard`: where the spread is above the symbol's average (typical table), pay in proportion
    average / current.
    """

    measured: Literal["open", "close", "average", "half"] = "half"
    quotes: tuple[Literal["deal", "imported", "typical"], ...] = ("deal", "imported", "typical")
    cap_points: Fraction | None = None
    cap_per_lot: Fraction | None = None
    cap_currency: str = ""
    guard: bool = False


@dataclass(frozen=True)
class Rounding:
    """Places to which each stage is rounded, None = not rounded there (but a line to 8 always).

    `value`: the basis, after its conversion into the component's currency. `amount`: what the
    rate gives. `wallet`: the amount in the payee's currency. `how`: half to even or half up.
    """

    value: int | None = None
    amount: int | None = None
    wallet: int | None = None
    how: Literal["even", "up"] = "even"


@dataclass(frozen=True)
class Rebate:
    """The client's part: `share` of what the lowest level earns in this component, paid to the
    client of the trade (level 0) and taken from that level. `taken` before: levels above that
    are paid by percent_of_child (or `of`) see the child's net; after: its gross.
    """

    share: Fraction
    taken: Literal["before", "after"] = "after"


@dataclass(frozen=True)
class Component:
    """One [[component]] of a programme: what is multiplied, how levels share, on what condition.

    `min_hold_s`: a trade held for fewer whole seconds earns 0 with the reason too short; equal is
    enough (>=). `per`: each trade by itself, or the sum of the basis over a period of the broker's
    own time, per direct IB and chain, rated at the period's end. `ranks`: cards from the lowest,
    for the mode rank (a partner's rank is his card; each rank's rate is paid once; a missing rank
    rolls up to the next higher present). `unit` and `spread`: of the bases spread and markup (basis
    points: unit money = its rates are in points, unit pips = they are in pips).
    `sides`: of notional. `counts`: which money columns of the trade make up the basis commission
    (default commission), profit, loss, result (default profit) or revenue. `less`: what of events
    of the chain's clients is taken from the period's sum, at the event's moment, in `currency`.
    `deposits`: of the basis deposits, which are counted: all, all less withdrawals (per a period
    only), or each client's first.
    `currency`: the basis is converted into it before the rate, "" = not. `value_fx`, `wallet_fx`:
    which side of a stored rate converts the basis, and the amount into the wallet; bid and ask are
    those of the pair as it is stored (base x bid = quote; quote / ask = base). `event`: what a
    fixed amount is paid for.
    `hold_days`: what is earned becomes payable so many days later. `clawback_days`: a reversal
    within so many days takes back, None = always. `advance`: this component pays only past what
    the component named there paid for the same client and payee. `skip_levels`: levels without a
    line; the levels above keep their number. `in_window`: a rate's `of` names a component that
    builds up, so this one is settled with it (the parser sets it).
    """

    code: str
    basis: Basis
    mode: Mode
    min_hold_s: int | None
    rates: tuple[RateRule, ...]
    name: str = ""
    line: int = 0
    per: Per = "trade"
    ranks: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()
    unit: Literal["money", "points", "pips"] = "money"
    spread: Spread = field(default_factory=Spread)
    sides: Literal["open", "close", "both"] = "close"
    counts: tuple[Literal["commission", "fee", "swap", "profit"], ...] = ()
    less: tuple[Less, ...] = ()
    deposits: Literal["all", "net", "first"] = "all"
    currency: str = ""
    value_fx: FxSide = "mid"
    wallet_fx: FxSide = "mid"
    conditions: Conditions = field(default_factory=Conditions)
    tier: Tier | None = None
    caps: tuple[Cap, ...] = ()
    carry: Carry | None = None
    advance: str | None = None
    rounding: Rounding = field(default_factory=Rounding)
    rebate: Rebate | None = None
    event: Literal["qualified", "registration", "trade"] | None = None
    qualify: Qualify | None = None
    hold_days: int = 0
    clawback_days: int | None = None
    skip_levels: tuple[int, ...] = ()
    in_window: bool = False

    @property
    def builds_up(self) -> bool:
        """Tell whether what one trade earns depends on others: such components are settled by
        window (rating/windows), the others trade by trade."""
        return (
            self.per != "trade"
            or self.basis in ("fixed", "earned", "revenue", "deposits")
            or self.in_window
            or self.tier is not None
            or self.advance is not None
            or self.carry is not None
            or self.conditions.hedged is not None
            or any(cap.per != "order" for cap in self.caps)
        )

    @property
    def of_clients(self) -> bool:
        """Tell whether it pays for what happens to a client once, not for trades or periods."""
        return self.basis in ("fixed", "deposits") and self.event in ("qualified", "registration")

    @property
    def sums_events(self) -> bool:
        """Tell whether events of clients are part of its periods' sums."""
        return bool(self.less) or (self.basis == "deposits" and self.per != "trade")


def leading(components: Sequence[Component], component: Component) -> Component:
    """Return by whose steps a component pays for clients: a share of another follows that one's."""
    named = {(rule.of, rule.start) for rule in component.rates}
    of, start = named.pop() if len(named) == 1 else (None, 0)
    other = next((one for one in components if one.code == of), None)
    if other is None or start or component.basis == "earned":
        return component
    return leading(components, other)


@dataclass(frozen=True)
class Programme:
    """One version of a programme, as its file says.

    `valid_from_ms`: UTC milliseconds, 0 = always. `depth`: levels paid, counted from the client
    upward (1 = the direct IB). `unknown_opening`: a trade whose opening is unknown waits until it
    is found ("wait"), or is rated as it stands, a holding time taken as long enough ("pay").
    `own_trading`: whether a partner earns on his own trading account. `other_programmes`: whether
    a partner above who is in another programme is paid by this one (with card "*") or has no line.
    `moment`: whether the chain is the one at the trade's close, or at its opening.
    `qualify`: trades pay only for qualified clients; `qualified_pays`: from the qualification on,
    or all since registration once qualified. `kyc`: while a client is not approved his trades'
    lines accrue held; `kyc_forfeit_days`: forfeited after so many days.
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
    moment: Literal["close", "open"] = "close"
    qualify: Qualify | None = None
    qualified_pays: Literal["from_then", "since_registration"] = "from_then"
    kyc: Literal["ignore", "hold"] = "ignore"
    kyc_forfeit_days: int | None = None
    guard: Guard | None = None
    payout: Payout | None = None
