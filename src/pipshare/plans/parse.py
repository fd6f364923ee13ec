"""Reads a plan file into a Programme, or says everything that is wrong with it, line by line.

Pure: text in, values out. docs/reference/plans.md is the same in prose; a test reads its example.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pipshare.period import Clock
from pipshare.plans.keys import COMPONENT, GUARD, PAYOUT, PROGRAMME, RATE, names
from pipshare.plans.overlap import check_components
from pipshare.plans.parse_component import read_components
from pipshare.plans.parse_qualify import read_qualify
from pipshare.plans.periods import Guard, Payout
from pipshare.plans.problems import Problems
from pipshare.plans.read import UTC, need, read
from pipshare.plans.table import Table
from pipshare.plans.terms import Component, Programme
from pipshare.plans.toml_lines import load

POT_MODES = ("percent_of_child", "pot_split", "share_up")  # level 1 by rates, others by splits
RESERVED_CODES = ("none",)  # what a terms file writes for "earns nothing"
PROGRAMME_KEYS, COMPONENT_KEYS, RATE_KEYS = names(PROGRAMME), names(COMPONENT), names(RATE)


def parse(text: str, filename: str, clock: Clock = UTC, *, accepted: bool = False) -> Programme:
    """Read one plan file. `clock` is the entity's day, for a date without a time.

    Raises BadPlan (a BadInput), whose message has one line `filename:line: what is wrong` each.
    `accepted`: this very text was parsed and found right before; what it cannot be is not checked.
    """
    data, lines = load(text, filename, headers_only=accepted)
    problems = Problems(filename)
    top = Table("a plan file", data, (), lines, problems)
    top.only(("programme", "component"))
    head = data.get("programme")
    if not isinstance(head, dict):
        top.refuse("programme", "a plan file begins with one table [programme]")
        head = {"code": "absent"}
    table = Table("[programme]", head, ("programme",), lines, problems)
    given = read(table, PROGRAMME, clock)
    # A refused currency is one problem, not one more for each rate that relies on it.
    currency = given.get("currency") or ("XXX" if "currency" in head else "")
    tables = top.tables("component", "[[component]]")
    if not tables and "component" not in data:
        top.refuse("component", "a programme needs at least one [[component]]")
    components, ends = read_components(tables, currency, clock)
    programme = _programme(table, given, components, currency)
    problems.raise_any()
    if not accepted:
        check_components(programme, problems, ends)
        problems.raise_any()
    return programme


def _programme(
    table: Table, given: dict[str, Any], components: tuple[Component, ...], currency: str
) -> Programme:
    need(table, given, ("code",), '[programme] needs a code, for example code = "standard"')
    code = given.get("code", "")
    if code in RESERVED_CODES:
        table.refuse("code", f'code "{code}" is taken: in a terms file it says *earns nothing*')
    defaults = {"entity": "main", "valid_from_ms": 0, "unknown_opening": "wait"}
    values: dict[str, Any] = defaults | given | {"code": code, "currency": currency}
    values["name"] = given.get("name") or code
    values["depth"] = given.get("depth") or _deepest(table, components)
    values["qualify"] = read_qualify(table, "[programme.qualify]", currency)
    values["guard"], values["payout"] = _guard(table), _payout(table)
    if "qualified_pays" in given and "qualify" not in table.data:
        table.refuse("qualified_pays", "qualified_pays has no meaning without [programme.qualify]")
    if "kyc_forfeit_days" in given and given.get("kyc") != "hold":
        table.refuse("kyc_forfeit_days", 'kyc_forfeit_days has no meaning without kyc = "hold"')
    return Programme(components=components, **values)


def _guard(table: Table) -> Guard | None:
    inner = table.table("guard", "[programme.guard]")
    if inner is None:
        return None
    given = read(inner, GUARD)
    need(inner, given, ("action",), 'a guard needs an action: action = "warn", "cap" or "block"')
    return Guard(line=inner.line, **({"action": "warn"} | given))


def _payout(table: Table) -> Payout | None:
    inner = table.table("payout", "[programme.payout]")
    if inner is None:
        return None
    given = read(inner, PAYOUT)
    need(inner, given, ("minimum",), 'a payout needs a minimum, for example minimum = "50"')
    return Payout(**({"minimum": Fraction(0)} | given))


def _deepest(table: Table, components: tuple[Component, ...]) -> int:
    """Without a depth limit the highest level that a rate or a split names is the limit."""
    levels = [level for component in components for level in _levels(component)]
    if "levels" not in table.data and None in levels:
        table.refuse("levels", "a rate without a level is for all levels: say how many there are, "
                               "for example levels = 5")  # fmt: skip
    return max((level for level in levels if level), default=1)


def _levels(component: Component) -> list[int | None]:
    """Return the levels that a component pays, None for all."""
    if component.mode not in POT_MODES:
        return [rule.level for rule in component.rates]
    passed_on = [None] if component.mode == "share_up" else []
    return [1, *(split.level for split in component.splits), *passed_on]
