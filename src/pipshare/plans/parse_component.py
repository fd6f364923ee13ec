"""Reads one [[component]] with all that stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pipshare.period import Clock
from pipshare.plans import keys
from pipshare.plans.bands import DEPOSIT_MEASURES, MONEY_MEASURES
from pipshare.plans.conditions import Bonus, Conditions, Hedged
from pipshare.plans.parse_qualify import read_qualify
from pipshare.plans.parse_rates import Basis, in_pips, read_rates, read_splits
from pipshare.plans.periods import Cap, Carry, Tier
from pipshare.plans.problems import quoted
from pipshare.plans.read import need, read
from pipshare.plans.table import Table
from pipshare.plans.terms import Component, Rebate, Rounding, Spread

Ends = dict[int, Fraction]


def read_components(
    tables: Sequence[Table], currency: str, clock: Clock
) -> tuple[tuple[Component, ...], list[Ends]]:
    """Return the components, and for each where its bands end (see parse_rates)."""
    components: list[Component] = []
    every: list[Ends] = []
    building: set[str] = set()
    for table in tables:
        component, ends = _component(table, currency, clock)
        if component.basis != "earned" and any(rule.of in building for rule in component.rates):
            component = replace(component, in_window=True)
        if component.builds_up:
            building.add(component.code)
        components.append(component)
        every.append(ends)
    return tuple(components), every


def _component(table: Table, currency: str, clock: Clock) -> tuple[Component, Ends]:
    given = read(table, keys.COMPONENT)
    rate_tables = table.tables("rate", "[[component.rate]]")
    if not rate_tables and "rate" not in table.data:
        table.refuse("rate", "a component needs at least one [[component.rate]]; to pay nothing "
                             'write a rate with amount = "0"')  # fmt: skip
    says = "a component needs"
    need(table, given, ("code",), f'{says} a code, for example code = "lots"')
    need(table, given, ("basis",), f'{says} a basis: basis = "lot" or one of {quoted(keys.BASES)}')
    need(table, given, ("mode",), f"{says} a mode: {quoted(keys.MODES)}")
    values: dict[str, Any] = {"code": "", "basis": "lot", "mode": "per_level"} | given
    values["name"] = given.get("name") or values["code"]
    if values["basis"] == "points":
        values["unit"] = _points_unit(table, rate_tables)
    basis = Basis(given.get("basis", ""), values.get("unit", "money"), currency)
    rates, ends = read_rates(rate_tables, basis)
    values.setdefault("min_hold_s", None)
    values |= _tables(table, currency, values, clock)
    values["splits"] = read_splits(table.tables("split", "[[component.split]]"))
    values["caps"] = tuple(
        _cap(cap, _line_currency(values, rates) or currency)
        for cap in table.tables("cap", "[[component.cap]]")
    )
    return Component(rates=rates, line=table.line, **values), ends


def _points_unit(table: Table, rates: Sequence[Table]) -> str:
    if "unit" in table.data:
        table.refuse("unit", "the basis points has no unit: its rates say points or pips")
    return "pips" if in_pips(rates) else "money"


def _line_currency(values: dict[str, Any], rates: Sequence[Any]) -> str:
    """Return the currency of a component's lines where it is one and known."""
    own = {rule.currency for rule in rates}
    return (own.pop() if len(own) == 1 else "") or values.get("currency", "")


def _tables(table: Table, currency: str, values: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """Return what the single tables of a component say, by its fields."""
    given = _when(table, clock) | {
        "spread": _spread(table, currency),
        "tier": _tier(table, values.get("currency") or currency),
        "carry": _simple(table, "carry", keys.CARRY, Carry),
        "rounding": _simple(table, "rounding", keys.ROUNDING, Rounding),
        "rebate": _rebate(table),
        "qualify": read_qualify(table, "[component.qualify]", currency, sums=_sums_first(table)),
    }
    return {name: value for name, value in given.items() if value is not None}


def _sums_first(table: Table) -> bool:
    """Tell whether an amount goes by the first deposit, which may be that of several hours."""
    tier = table.data.get("tier")
    by_first = isinstance(tier, dict) and tier.get("measure") == "first_deposit"
    return by_first or table.data.get("basis") == "deposits"


def _simple(table: Table, name: str, known: tuple[keys.Key, ...], kind: Any) -> Any:
    inner = table.table(name, f"[component.{name}]")
    return None if inner is None else kind(**read(inner, known))


def _when(table: Table, clock: Clock) -> dict[str, Any]:
    """Return the conditions; the holding time among them is a field of its own."""
    inner = table.table("when", "[component.when]")
    if inner is None:
        return {}
    given = read(inner, keys.WHEN, clock)
    hold = given.pop("min_hold_seconds", None)
    if hold is not None and "min_hold_seconds" in table.data:
        inner.refuse("min_hold_seconds", "min_hold_seconds is here and in [[component]]: keep one")
    hedged = inner.table("hedged", "[component.when.hedged]")
    bonus = inner.table("bonus", "[component.when.bonus]")
    if hedged is not None:
        given["hedged"] = Hedged(**read(hedged, keys.HEDGED))
    if bonus is not None:
        given["bonus"] = Bonus(**read(bonus, keys.BONUS))
    if given.get("until_ms") and given["until_ms"] <= given.get("from_ms", 0):
        inner.refuse("until", "until has to be later than from: the campaign has no moment")
    if given.get("client_days") and given["client_days"] <= given.get("client_after", -1):
        inner.refuse("client_days", "client_days has to be more than client_after: no day is left")
    for country in sorted({*given.get("countries", ())} & {*given.get("not_countries", ())}):
        inner.refuse("not_countries", f'country "{country}" is among countries, too')
    return {"conditions": Conditions(**given), "min_hold_s": hold}


def _spread(table: Table, currency: str) -> Spread | None:
    inner = table.table("spread", "[component.spread]")
    if inner is None:
        return None
    given = read(inner, keys.SPREAD)
    if "cap_per_lot" in given:
        _own_currency(inner, given, "cap_currency", currency, "cap_per_lot")
    elif "cap_currency" in inner.data and "cap_per_lot" not in inner.data:
        inner.refuse("cap_currency", "cap_currency is that of cap_per_lot, which is not here")
    return Spread(**given)


def _tier(table: Table, currency: str) -> Tier | None:
    inner = table.table("tier", "[component.tier]")
    if inner is None:
        return None
    given = read(inner, keys.TIER)
    need(inner, given, ("measure",), 'a tier needs a measure, for example measure = "lots"')
    given.setdefault("measure", "lots")
    if given["measure"] in DEPOSIT_MEASURES:
        given.setdefault("window", "life")
        given.setdefault("method", "ladder")
    if given["measure"] in MONEY_MEASURES:
        given.setdefault("currency", currency)
    elif "currency" in inner.data:
        inner.refuse("currency", f"the measure {given['measure']} is counted, it has no currency")
    return Tier(line=inner.line, **given)


def _cap(table: Table, currency: str) -> Cap:
    given = read(table, keys.CAP)
    need(table, given, ("amount",), 'a cap needs an amount, for example amount = "100"')
    need(table, given, ("per",), 'a cap needs per, for example per = "client_day"')
    if given.get("unit") == "lots":
        if "currency" in table.data:
            table.refuse("currency", "a cap in lots has no currency")
    else:
        _own_currency(table, given, "currency", currency, "amount")
    values: dict[str, Any] = {"amount": Fraction(0), "per": "order"} | given
    return Cap(line=table.line, **values)


def _rebate(table: Table) -> Rebate | None:
    inner = table.table("rebate", "[component.rebate]")
    if inner is None:
        return None
    given = read(inner, keys.REBATE)
    need(inner, given, ("share",), 'a rebate needs a share, for example share = "50%"')
    return Rebate(**({"share": Fraction(0)} | given))


def _own_currency(table: Table, given: dict[str, Any], key: str, currency: str, of: str) -> None:
    """Fill in the currency of an amount, refused where nothing says one."""
    if key not in table.data and not currency:
        table.refuse(key, f"{of} has no currency: write it here or in [programme], "
                          f'{key} = "USD"')  # fmt: skip
    given.setdefault(key, currency)
