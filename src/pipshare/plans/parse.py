"""Reads a plan file into a Programme, or says everything that is wrong with it, line by line.

Pure: text in, values out. docs/reference/plans.md is the same in prose; a test reads its example.
"""

from __future__ import annotations

import re
from fractions import Fraction

from pipshare.period import Clock
from pipshare.plans.overlap import check_components
from pipshare.plans.problems import Problems
from pipshare.plans.table import Table
from pipshare.plans.terms import ANY_CARD, Component, Programme, RateRule
from pipshare.plans.toml_lines import load

MAX_LEVELS = 50
MAX_AMOUNT = 1_000_000
MAX_HOLD_S = 10 * 366 * 86_400
RESERVED_CODES = ("none",)  # what a terms file writes for "earns nothing"
PROGRAMME_KEYS = (
    "code", "name", "entity", "valid_from", "currency", "levels", "unknown_opening",
    "own_trading", "other_programmes",
)  # fmt: skip
COMPONENT_KEYS = ("code", "name", "basis", "mode", "min_hold_seconds", "rate")
RATE_KEYS = (
    "card", "level", "amount", "currency", "share", "of", "symbol", "symbol_group",
    "account_group", "account_type",
)  # fmt: skip
UTC = Clock("UTC", 0)


def parse(text: str, filename: str, clock: Clock = UTC, *, accepted: bool = False) -> Programme:
    """Read one plan file. `clock` is the entity's day, for a valid_from that is only a date.

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
    # A refused currency is one problem, not one more for each rate that relies on it.
    currency = table.currency("currency") or ("XXX" if "currency" in head else "")
    components = _components(top, currency)
    programme = _programme(table, components, currency, clock)
    problems.raise_any()
    if not accepted:
        check_components(programme, problems)
        problems.raise_any()
    return programme


def _programme(
    table: Table, components: tuple[Component, ...], currency: str, clock: Clock
) -> Programme:
    table.only(PROGRAMME_KEYS)
    code = table.code("code", missing='[programme] needs a code, for example code = "standard"')
    if code in RESERVED_CODES:
        table.refuse("code", f'code "{code}" is taken: in a terms file it says *earns nothing*')
    return Programme(
        code=code or "",
        entity=table.code("entity") or "main",
        name=table.text("name") or code or "",
        valid_from_ms=table.moment("valid_from", clock) or 0,
        currency=currency,
        depth=table.whole("levels", 1, MAX_LEVELS) or _deepest(table, components),
        unknown_opening=(
            "pay" if table.choice("unknown_opening", ("wait", "pay")) == "pay" else "wait"
        ),
        components=components,
        own_trading="none" if table.choice("own_trading", ("pay", "none")) == "none" else "pay",
        other_programmes=(
            "pay" if table.choice("other_programmes", ("none", "pay")) == "pay" else "none"
        ),
    )


def _deepest(table: Table, components: tuple[Component, ...]) -> int:
    """Without a depth limit the highest level that a rate names is the limit."""
    levels = [rule.level for component in components for rule in component.rates]
    if "levels" not in table.data and None in levels:
        table.refuse("levels", "a rate without a level is for all levels: say how many there are, "
                               "for example levels = 5")  # fmt: skip
    return max((level for level in levels if level), default=1)


def _components(top: Table, currency: str) -> tuple[Component, ...]:
    tables = top.tables("component", "[[component]]")
    if not tables and "component" not in top.data:
        top.refuse("component", "a programme needs at least one [[component]]")
    return tuple(_component(table, currency) for table in tables)


def _component(table: Table, currency: str) -> Component:
    table.only(COMPONENT_KEYS)
    rates = table.tables("rate", "[[component.rate]]")
    if not rates and "rate" not in table.data:
        table.refuse("rate", "a component needs at least one [[component.rate]]; to pay nothing "
                             'write a rate with amount = "0"')  # fmt: skip
    need = "a component needs"
    table.choice("basis", ("lot",), missing=f'{need} a basis: basis = "lot"')
    mode = table.choice("mode", ("per_level", "override"), missing=f'{need} a mode: "per_level" '
                        'or "override"')  # fmt: skip
    code = table.code("code", missing=f'{need} a code, for example code = "lots"')
    return Component(
        code=code or "",
        basis="lot",
        mode="override" if mode == "override" else "per_level",
        min_hold_s=table.whole("min_hold_seconds", 0, MAX_HOLD_S),
        rates=tuple(_rate(rate, number, currency) for number, rate in enumerate(rates)),
        name=table.text("name") or code or "",
        line=table.line,
    )


def _rate(table: Table, ordinal: int, currency: str) -> RateRule:
    table.only(RATE_KEYS)
    _not_both(table, "symbol", "symbol_group")
    _not_both(table, "account_group", "account_type")
    amount, of, own_currency = _earning(table, currency)
    return RateRule(
        ordinal=ordinal,
        line=table.line,
        card=_card(table),
        level=table.whole("level", 1, MAX_LEVELS),
        amount=amount,
        currency=own_currency,
        symbol=table.text("symbol"),
        symbol_group=table.text("symbol_group"),
        account_group=_mask(table),
        account_type=table.text("account_type"),
        of=of,
    )


def _earning(table: Table, currency: str) -> tuple[Fraction, str | None, str]:
    """Read what a rate earns: a fixed amount with its currency, or a share of a component."""
    if "share" in table.data or "of" in table.data:
        for key in ("amount", "currency"):
            if key in table.data:
                table.refuse(key, f"a rate with a share has no {key}: it earns part of what the "
                                  "level below earned, in that currency")  # fmt: skip
        if "share" not in table.data:
            table.refuse("of", 'of needs a share, for example share = "20%"')
        of = table.code("of", missing="share needs of, the component whose earnings it is a share "
                        'of: of = "lots"')  # fmt: skip
        return table.rate("share", 1, percent=True) or Fraction(0), of or "", ""
    if "amount" not in table.data:
        table.refuse("amount", 'a rate needs an amount, for example amount = "6.50" (or share and '
                               'of); to pay nothing write amount = "0"')  # fmt: skip
    own = table.currency("currency")
    if not own and not currency and "currency" not in table.data:
        table.refuse("currency", "this rate has no currency: write it here or in [programme], "
                                 'currency = "USD"')  # fmt: skip
    return table.rate("amount", MAX_AMOUNT) or Fraction(0), None, own or currency


def _card(table: Table) -> str:
    if table.data.get("card") == ANY_CARD:
        return ANY_CARD
    return table.code("card") or ANY_CARD


def _mask(table: Table) -> str | None:
    mask = re.sub(r"\*+", "*", table.text("account_group") or "") or None
    if mask == "*":
        table.refuse("account_group", 'account_group "*" is every group: leave the key out')
    return mask


def _not_both(table: Table, first: str, second: str) -> None:
    if first in table.data and second in table.data:
        table.refuse(second, f"a rate has {first} or {second}, not both")
