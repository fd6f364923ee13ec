"""Programmes made up by hypothesis: every basis, mode, condition and period rule, all allowed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from pipshare.plans.conditions import REASONS, Bonus, Conditions, Hedged
from pipshare.plans.periods import Cap, Carry, Guard, Payout, Tier
from pipshare.plans.qualifying import Gate, Qualify
from pipshare.plans.terms import (
    ANY_CARD,
    Component,
    Programme,
    RateRule,
    Rebate,
    Rounding,
    Split,
    Spread,
)

DEPTH = 4
CARDS = ("gold", "silver", "standard")
POT_MODES = ("percent_of_child", "pot_split", "share_up")
VOLUME = ("lot", "points", "spread", "markup", "notional")
SUMS = ("commission", "profit", "loss", "result", "revenue")
BASES = (*VOLUME, *SUMS, "fixed")
MODES = ("per_level", "override", *POT_MODES, "difference", "rank")
OPTIONAL = st.booleans()
NUMBERS = st.fractions(0, 1000, max_denominator=1000)
SHARES = st.fractions(0, 1, max_denominator=1000)
MOMENTS = st.integers(10**12, 2 * 10**12)
TEXTS = st.sampled_from(("EURUSD", "XAUUSD", "forex", r"real\ecn", 'a "b"', "ümlaut"))


def some(values: tuple[Any, ...], least: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few of some values, none twice."""
    return st.lists(st.sampled_from(values), unique=True, min_size=least).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def conditions(draw: st.DrawFn, basis: str) -> Conditions:
    start = draw(st.just(0) | MOMENTS)
    hedged = st.builds(Hedged, st.sampled_from(("account", "client")),
                       st.sampled_from(("day", "week", "month")))  # fmt: skip
    pays = st.sampled_from(("pay", "none"))
    spans = st.tuples(st.integers(0, 700), st.integers(701, 1440))
    return Conditions(
        min_points=draw(maybe(NUMBERS)),
        min_pips=draw(maybe(NUMBERS)),
        partial_close=draw(pays),
        close_by=draw(st.sampled_from(("one", "both", "none"))),
        hedged=draw(maybe(hedged)) if basis in VOLUME else None,
        excluded_reasons=draw(some(tuple(REASONS))),
        zero_result=draw(pays),
        same_price=draw(pays),
        negative_balance=draw(pays),
        bonus=draw(maybe(st.builds(Bonus, maybe(SHARES), st.integers(1, 99)))),
        account_types=draw(some(("ecn", "cent"), 0)),
        countries=draw(some(("CY", "DE"), 0)),
        not_countries=draw(some(("US", "Japan"), 0)),
        from_ms=start,
        until_ms=draw(st.just(0) | st.integers(max(start, 10**12) + 1, 3 * 10**12)),
        hours=tuple(draw(st.lists(spans, unique=True, max_size=2))),
        weekdays=draw(some((1, 2, 3, 4, 5, 6, 7), 0)),
    )


@st.composite
def tiers(draw: st.DrawFn, component: Component) -> Tier:
    measures = ["lots", "notional", "trades", "clients"]
    if component.event == "qualified":
        measures += ["conversions", "deposits"]
    if component.basis not in ("lot", "fixed") and component.unit == "money":
        measures += ["value", "revenue"]
    measure = draw(st.sampled_from(measures))
    if measure == "deposits":  # of one client and his whole life, in the currency of QUALIFIES
        return Tier(line=0, measure=measure, window="life", currency="USD",
                    of=draw(st.sampled_from(("own", "network"))),
                    boundary=draw(st.sampled_from(("from", "above"))),
                    method=draw(st.sampled_from(("retroactive", "ladder"))))  # fmt: skip
    window = draw(st.sampled_from(("day", "week", "month", "quarter", "year", "life", "rolling")))
    whole = {
        "method": "retroactive",
        "applies": draw(st.sampled_from(("current", "following"))),
        "promotion": draw(st.sampled_from(("free", "stepwise"))),
        "grace": draw(st.integers(0, 3)),
    }
    if window == "rolling":
        units = st.sampled_from(("day", "month"))
        whole |= {"length": draw(st.integers(1, 12)), "unit": draw(units)}
        whole["average"] = draw(OPTIONAL)
    elif draw(OPTIONAL):
        steps = component.basis == "fixed" and component.event != "qualified"
        whole = {"method": draw(st.sampled_from(("marginal", "ladder") if steps
                                                else ("marginal",)))}  # fmt: skip
    currency = "EUR" if measure in ("notional", "value", "revenue") else ""
    return Tier(
        line=0, measure=measure, of=draw(st.sampled_from(("own", "network"))), window=window,
        boundary=draw(st.sampled_from(("from", "above"))), currency=currency, **whole,
    )  # fmt: skip


QUALIFIES = st.builds(
    Qualify, line=st.just(0), first_deposit=NUMBERS, sum_hours=st.integers(0, 48),
    net_deposits=maybe(NUMBERS), lots=maybe(NUMBERS), spread=maybe(NUMBERS),
    commission=maybe(NUMBERS), orders=maybe(st.integers(1, 9)),
    active_days=maybe(st.integers(1, 9)), kyc=OPTIONAL, within_days=st.integers(1, 90),
    keep_days=maybe(st.integers(1, 90)),
    calendar=st.sampled_from(("calendar", "business")), who=st.sampled_from(("own", "both")),
    currency=st.just("USD"), gate=maybe(st.builds(Gate, SHARES)),
)  # fmt: skip


@st.composite
def rates(draw: st.DrawFn, component: Component, tiered: bool) -> tuple[RateRule, ...]:
    basis, mode = component.basis, component.mode
    if mode == "rank":
        whom = [(card, None) for card in component.ranks]
    else:
        levels = (None, 1) if mode in POT_MODES else (None, 1, 2, DEPTH)
        pairs = st.tuples(st.sampled_from((ANY_CARD, *CARDS)), st.sampled_from(levels))
        whom = draw(st.lists(pairs, unique=True, min_size=1, max_size=4))
    per_unit = basis in ("spread", "markup") and component.unit != "money"
    in_money = basis in ("lot", "fixed") or per_unit
    numbers = NUMBERS if in_money or basis == "points" else SHARES
    rules: list[RateRule] = []
    for card, level in whom:
        scope: dict[str, Any] = {}
        if component.per == "trade" and basis != "fixed" and draw(OPTIONAL):
            scope = {
                draw(st.sampled_from(("symbol", "symbol_group"))): draw(TEXTS),
                draw(st.sampled_from(("account_group", "account_type"))): draw(TEXTS),
                "country": draw(st.sampled_from((None, "CY"))),
                "side": draw(st.sampled_from((None, "open"))) if basis in VOLUME else None,
            }
        for start in (0, 100, 500) if tiered else (0,):
            rules.append(RateRule(
                len(rules), 0, card, level, draw(numbers), "USD" if in_money else "",
                start=Fraction(start), **scope,
            ))  # fmt: skip
    return tuple(rules)


@st.composite
def components(draw: st.DrawFn, number: int, earlier: tuple[Component, ...]) -> Component:
    basis, mode = draw(st.sampled_from(BASES)), draw(st.sampled_from(MODES))
    per = "trade" if basis == "fixed" else draw(st.sampled_from(("trade", "week", "quarter")))
    taking = mode in ("difference", "rank")
    if basis == "revenue":
        per = "month"
    bare = Component(
        code=f"c{number}", basis=basis, mode=mode,
        min_hold_s=draw(maybe(st.integers(0, 600))), rates=(), per=per,
        name=draw(TEXTS),
        ranks=draw(some(CARDS)) if mode == "rank" else (),
        unit=draw(st.sampled_from(("money", "pips", "points"))) if basis in ("spread", "markup")
        else draw(st.sampled_from(("money", "pips"))) if basis == "points" else "money",
        sides=draw(st.sampled_from(("open", "both"))) if basis == "notional" else "close",
        counts=draw(some(("commission", "fee", "swap", "profit"), 0)) if basis in SUMS else (),
        currency=draw(st.sampled_from(("", "USD"))) if basis in SUMS else "",
        value_fx=draw(st.sampled_from(("mid", "bid", "ask"))),
        wallet_fx=draw(st.sampled_from(("mid", "bid", "ask"))),
        event=draw(st.sampled_from(("qualified", "registration", "trade"))) if basis == "fixed"
        else None,
        hold_days=draw(st.integers(0, 60)), clawback_days=draw(maybe(st.integers(1, 60))),
        conditions=draw(conditions(basis)),
        rounding=draw(st.builds(Rounding, maybe(st.integers(0, 8)), maybe(st.integers(0, 8)),
                                maybe(st.integers(0, 8)), st.sampled_from(("even", "up")))),
        advance=draw(st.sampled_from([None, *(one.code for one in earlier)])),
        qualify=draw(QUALIFIES if basis == "fixed" else maybe(QUALIFIES)),
        carry=None if taking or per == "trade" else draw(maybe(st.just(Carry("reset")))),
        rebate=draw(maybe(st.builds(Rebate, SHARES, st.sampled_from(("before", "after")))))
        if per == "trade" else None,
        caps=() if draw(OPTIONAL) else (Cap(0, draw(NUMBERS), "partner_month", "money", "USD"),),
        splits=_splits(mode, draw(st.fractions(0, Fraction(1, DEPTH), max_denominator=99))),
        spread=Spread() if basis != "spread" else draw(st.builds(
            Spread, st.sampled_from(("open", "close", "average", "half")),
            some(("deal", "imported", "typical")), maybe(NUMBERS), NUMBERS, st.just("USD"),
            OPTIONAL)),
    )  # fmt: skip
    bare = replace(bare, tier=draw(maybe(tiers(bare))))
    if not bare.of_clients:
        bare = replace(bare, qualify=None)
    return replace(bare, rates=draw(rates(bare, bare.tier is not None)))


def _splits(mode: str, share: Fraction) -> tuple[Split, ...]:
    if mode not in POT_MODES:
        return ()
    return (Split(0, ANY_CARD, None, share), Split(0, "gold", 2, share))


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """A programme that is allowed, with one to three components."""
    made: tuple[Component, ...] = ()
    for number in range(draw(st.integers(1, 3))):
        made = (*made, draw(components(number, made)))
    qualify = draw(maybe(QUALIFIES))
    kyc = draw(st.sampled_from(("ignore", "hold")))
    guards = st.builds(
        Guard, st.just(0), st.sampled_from(("warn", "cap", "block")), NUMBERS.map(lambda n: n / 10),
        some(("spread", "markup", "commission", "swap")))  # fmt: skip
    return Programme(
        code="made-up", entity=draw(st.sampled_from(("main", "cy"))), name=draw(TEXTS),
        valid_from_ms=draw(st.just(0) | MOMENTS), currency="USD", depth=DEPTH,
        unknown_opening=draw(st.sampled_from(("wait", "pay"))), components=made,
        own_trading=draw(st.sampled_from(("pay", "none"))),
        other_programmes=draw(st.sampled_from(("pay", "none"))),
        qualify=qualify,
        qualified_pays=draw(st.sampled_from(("from_then", "since_registration")))
        if qualify else "from_then",
        kyc=kyc, kyc_forfeit_days=draw(maybe(st.integers(1, 90))) if kyc == "hold" else None,
        guard=draw(maybe(guards)),
        payout=draw(maybe(st.builds(Payout, NUMBERS, st.sampled_from(("", "EUR"))))),
    )  # fmt: skip
