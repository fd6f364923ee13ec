"""Generated programmes of every basis, mode, condition, tier and cap."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from pipshare.plans.conditions import Bonus, Conditions, Hedged
from pipshare.plans.overlap import rank_key
from pipshare.plans.periods import Cap, Carry, Guard, Tier
from pipshare.plans.qualifying import Qualify
from pipshare.plans.terms import Component, Programme, RateRule, Rebate, Rounding, Split, Spread

HOUR = 3_600_000
BASES = ("lot", "lot", "points", "spread", "spread", "markup", "commission", "profit", "loss",
         "result", "notional")  # fmt: skip
MODES = ("per_level", "per_level", "override", "percent_of_child", "pot_split", "share_up",
         "difference", "difference", "rank")  # fmt: skip
RANKS = ("standard", "silver", "gold")
SHARES = ("0", "0.1", "0.2", "1/3", "0.7", "0.5", "1")


def rich_programme(rnd: Random, *, building: bool = False) -> Programme:
    """Make a programme of one to three components."""
    parts: list[Component] = []
    for place in range(rnd.choice((1, 1, 2, 3))):
        parts.append(component(rnd, f"c{place}", parts))
        if building and (place == 0 or rnd.random() < 0.5):
            parts[-1] = built_up(rnd, parts[-1])
    known: dict[str, Any] = {
        "own_trading": rnd.choice(("pay", "none")),
        "qualify": rnd.choice((None, None, Qualify(1))),
        "qualified_pays": rnd.choice(("from_then", "since_registration")),
        "kyc": rnd.choice(("ignore", "hold")),
        "guard": _guard(rnd) if rnd.random() < 0.25 else None,
    }
    return Programme("p", "main", "p", 0, "USD", rnd.randint(1, 5), rnd.choice(("wait", "pay")),
                     tuple(parts), **known)  # fmt: skip


def _guard(rnd: Random) -> Guard:
    sources: tuple[Any, ...] = ("spread", "markup", "commission", "swap")
    of = tuple(rnd.sample(sources, rnd.choice((1, 1, 2))))
    limit = Fraction(rnd.choice(("1", "0.5", "1/3")))
    return Guard(1, rnd.choice(("warn", "cap", "cap", "block")), limit, of)


def component(rnd: Random, code: str, earlier: list[Component]) -> Component:
    """Make a component that does not build up."""
    basis, mode = rnd.choice(BASES), rnd.choice(MODES)
    unit = rnd.choice(("money", "money", "points", "pips"))
    unit = unit if basis in ("spread", "markup") else rnd.choice(("money", "money", "pips"))
    unit = unit if basis in ("spread", "markup", "points") else "money"
    per_lot = basis == "lot" or (basis in ("spread", "markup") and unit != "money")
    rates: dict[object, RateRule] = {}
    sided = basis == "lot" and rnd.random() < 0.5
    for _ in range(rnd.choice((1, 2, 4, 8))):
        of = None
        shares = mode in ("per_level", "override") and not sided  # what is below has no sides
        if shares and earlier and rnd.random() < 0.4:
            of = rnd.choice(earlier).code
        rule = _rule(rnd, len(rates), mode, per_lot, of, basis == "points", sided)
        rates.setdefault(rank_key(rule), rule)
    known: dict[str, Any] = {"unit": unit}
    if mode == "rank":
        known["ranks"] = RANKS
    if mode in ("percent_of_child", "pot_split", "share_up"):
        known["splits"] = _splits(rnd)
    if basis == "spread":
        known["spread"] = _spread(rnd, unit)
    if basis == "notional":
        known["sides"] = rnd.choice(("open", "close", "both"))
    if basis in ("commission", "profit", "loss", "result"):
        known["counts"] = rnd.choice(((), (), ("commission", "swap"), ("profit", "fee")))
    if not per_lot and rnd.random() < 0.4:
        known["currency"] = rnd.choice(("USD", "EUR"))
    if rnd.random() < 0.3:
        # "up" is said of something that is rounded.
        places = rnd.choice((None, 2)), rnd.choice((2, 4)), rnd.choice((None, 2))
        known["rounding"] = Rounding(*places, rnd.choice(("even", "up")))
    if rnd.random() < 0.2:
        known["rebate"] = Rebate(Fraction(rnd.choice(SHARES)), rnd.choice(("before", "after")))
    if rnd.random() < 0.2:
        known["skip_levels"] = rnd.choice(((1,), (2,), (1, 3)))
    if rnd.random() < 0.25:
        known["caps"] = _order_caps(rnd)
    known |= {"value_fx": rnd.choice(("mid", "bid", "ask")),
              "wallet_fx": rnd.choice(("mid", "bid", "ask"))}  # fmt: skip
    known["conditions"] = _conditions(rnd) if rnd.random() < 0.5 else Conditions()
    hold = rnd.choice((None, None, None, 180))
    return Component(code, basis, mode, hold, tuple(rates.values()), **known)  # type: ignore[arg-type]


def _rule(
    rnd: Random, ordinal: int, mode: str, per_lot: bool, of: str | None, points: bool, sided: bool
) -> RateRule:
    money = Fraction(rnd.choice(("0", "1", "6.5", "1/3", "10")))
    share = Fraction(rnd.choice(SHARES))
    amount = money if (per_lot or points) and of is None else share
    currency = rnd.choice(("USD", "USD", "USD", "EUR")) if per_lot and of is None else ""
    card = rnd.choice(RANKS) if mode == "rank" else rnd.choice(("*", "*", "standard", "gold"))
    level = None if mode == "rank" else rnd.choice((None, None, None, 1, 2))
    return RateRule(
        ordinal, ordinal + 10, card, level, amount, currency,
        rnd.choice((None, None, None, "EURUSD")), None, rnd.choice((None, None, None, "re*")),
        of=of, country=rnd.choice((None, None, None, "CY")),
        side=rnd.choice((None, None, None, "open", "close")) if sided else None,
    )  # fmt: skip


def _splits(rnd: Random) -> tuple[Split, ...]:
    found = {}
    for _ in range(rnd.choice((1, 2, 3))):
        key = rnd.choice(("*", "*", "gold")), rnd.choice((None, 1, 2, 3))
        found[key] = Split(5, *key, Fraction(rnd.choice(SHARES)))
    return tuple(found.values())


def _spread(rnd: Random, unit: str) -> Spread:
    sources: tuple[Any, ...] = ("deal", "imported", "typical")
    per_lot = Fraction(5) if unit == "money" and rnd.random() < 0.3 else None
    return Spread(
        rnd.choice(("open", "close", "average", "half")),
        rnd.choice((sources, sources, sources[:1], sources[::-1], ("imported",))),
        rnd.choice((None, None, Fraction(7, 2))), per_lot, "USD" if per_lot else "",
        rnd.random() < 0.2,
    )  # fmt: skip


def _order_caps(rnd: Random) -> tuple[Cap, ...]:
    money = Cap(1, Fraction(rnd.choice(("0", "1.5", "20"))), "order", "money", "USD",
                rnd.choice((None, 1)))  # fmt: skip
    return rnd.choice(((money,), (Cap(1, Fraction("0.75"), "order", "lots"),),
                       (money, Cap(2, Fraction(1), "order", "lots", level=2))))  # fmt: skip


def _conditions(rnd: Random) -> Conditions:
    one = rnd.choice((
        {"min_points": Fraction(30)}, {"min_pips": Fraction(3)}, {"partial_close": "none"},
        {"close_by": "both"}, {"close_by": "none"}, {"excluded_reasons": ("dealer",)},
        {"zero_result": "none"}, {"same_price": "none"}, {"negative_balance": "none"},
        {"bonus": Bonus()}, {"bonus": Bonus(Fraction(1, 2), 48)}, {"account_types": ("STD",)},
        {"countries": ("CY", "DE")}, {"not_countries": ("US",)}, {"from_ms": 24 * HOUR},
        {"until_ms": 48 * HOUR}, {"hours": ((60, 600), (1320, 30))}, {"weekdays": (4, 5)},
    ))  # fmt: skip
    return Conditions(**one)  # type: ignore[arg-type]


def built_up(rnd: Random, base: Component) -> Component:
    """Add something that builds up: bands, caps over windows, netting."""
    kind = rnd.choice(("tier", "tier", "tier", "cap", "hedged", "fixed", "revenue"))
    if kind in ("fixed", "revenue") and base.mode in ("per_level", "override", "difference"):
        base = _of_basis(rnd, base, kind)
        kind = rnd.choice(("tier", "cap", ""))
        if not kind:
            return base
    if kind == "hedged":
        hedged = Hedged(rnd.choice(("account", "client")), rnd.choice(("day", "week", "month")))
        return replace(base, conditions=replace(base.conditions, hedged=hedged))
    if kind in ("cap", "hedged"):
        per = rnd.choice(("client_day", "client_life", "partner_day", "partner_week",
                          "partner_month"))  # fmt: skip
        unit: Any = rnd.choice(("money", "lots"))
        cap = Cap(3, Fraction(rnd.choice(("0", "2", "15"))), per, unit,
                  "USD" if unit == "money" else "", rnd.choice((None, None, 1)))  # fmt: skip
        return replace(base, caps=(*base.caps, cap))
    tier = _tier(rnd)
    if tier.measure in ("value", "notional", "revenue"):
        tier = replace(tier, currency=rnd.choice(("", "USD", "EUR")))
    if tier.method == "ladder" and (base.basis != "fixed" or base.conditions.bonus is not None):
        tier = replace(tier, method="retroactive")
    return replace(base, rates=_banded(rnd, base), tier=tier)


def _of_basis(rnd: Random, base: Component, kind: str) -> Component:
    """Turn a component into one of a basis that always builds up."""
    # Without sides two rates may be one and the same, which no plan may say.
    apart = {rank_key(replace(rule, side=None)): rule for rule in base.rates}
    rates = [replace(rule, ordinal=place) for place, rule in enumerate(apart.values())]
    base = replace(base, rates=tuple(rates))
    if kind == "fixed":
        rates = tuple(
            replace(r, amount=r.amount if r.of else Fraction(rnd.choice(("2", "1/3"))),
                    currency="" if r.of else "USD", side=None)
            for r in base.rates
        )  # fmt: skip
        return replace(base, basis="fixed", event="trade", rates=rates, unit="money", currency="",
                       counts=(), rounding=Rounding())  # fmt: skip
    rates = tuple(
        replace(r, amount=min(r.amount, Fraction(1)), currency="", side=None) for r in base.rates
    )
    return replace(base, basis="revenue", carry=Carry(), rates=rates, unit="money", counts=(),
                   spread=Spread())  # fmt: skip


def _banded(rnd: Random, base: Component) -> tuple[RateRule, ...]:
    """Give every rate two or three bands."""
    out: list[RateRule] = []
    for rule in base.rates:
        first = Fraction(rnd.choice(("0", "0", "0", "0.5"))) if rule.of is None else Fraction(0)
        out.append(replace(rule, ordinal=len(out), start=first))
        for start in rnd.choice((("1",), ("1", "4"), ("2.5",), ("3",))) if rule.of is None else ():
            more = rule.amount + Fraction(rnd.choice(("0.1", "1/7")))
            out.append(replace(rule, ordinal=len(out), start=Fraction(start), amount=more))
    return tuple(out)


def _tier(rnd: Random) -> Tier:
    return Tier(
        1, rnd.choice(("lots", "lots", "value", "notional", "revenue", "trades", "clients")),
        rnd.choice(("own", "network")),
        rnd.choice(("day", "week", "month", "quarter", "year", "life", "rolling")),
        rnd.choice((1, 2, 3)), rnd.choice(("day", "month")), rnd.random() < 0.3,
        rnd.choice(("marginal", "retroactive", "retroactive", "ladder")),
        rnd.choice(("from", "above")),
        rnd.choice(("current", "current", "following")),
        rnd.choice(("free", "free", "stepwise")), rnd.choice((0, 0, 1)), "",
    )  # fmt: skip
