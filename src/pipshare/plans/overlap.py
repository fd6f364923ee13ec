"""Checks that hold between the rates and components of one programme.

The heart is the overlap: two rates of one component that would be found with equal rank for one
trade (see terms.py for the order). Rates differ in rank as soon as one of card, level, scope or
symbol differs, so equal rank means: all four are the same.
"""

from __future__ import annotations

from pipshare.plans.problems import Problems, quoted, suggestion
from pipshare.plans.terms import ANY_CARD, Component, Programme, RateRule


def check_components(programme: Programme, problems: Problems) -> None:
    """Note every contradiction between the components and rates of a programme."""
    lines: dict[str, int] = {}
    for component in programme.components:
        if component.code in lines:
            problems.add(component.line, f'component "{component.code}" is already on line '
                         f"{lines[component.code]}: a code stands for one component")  # fmt: skip
        for rule in component.rates:
            _check_level(rule, programme.depth, problems)
            if rule.of is not None:
                _check_share(rule, component.code, list(lines), problems)
        _check_overlap(component, problems)
        lines.setdefault(component.code, component.line)


def _check_level(rule: RateRule, depth: int, problems: Problems) -> None:
    if rule.level is not None and rule.level > depth:
        problems.add(rule.line, f"level {rule.level} is never paid: [programme] says levels = "
                     f"{depth}; raise it or remove this rate")  # fmt: skip


def _check_share(rule: RateRule, own: str, earlier: list[str], problems: Problems) -> None:
    if rule.level == 1:
        problems.add(rule.line, "a share of the level below cannot be for level 1: nobody is below "
                     "the direct IB; write level = 2 or higher")  # fmt: skip
    if rule.of in earlier or rule.of is None:
        return
    if rule.of == own:
        problems.add(rule.line, f'of = "{own}" is this component itself: name one above it')
        return
    hint = suggestion(rule.of, earlier) or (
        f" allowed: {quoted(earlier)}" if earlier else " this is the first component"
    )
    problems.add(rule.line, f'of = "{rule.of}" is no component above this one;{hint}')


def _check_overlap(component: Component, problems: Problems) -> None:
    seen: dict[tuple[object, ...], RateRule] = {}
    for rule in component.rates:
        first = seen.setdefault(rank_key(rule), rule)
        if first is not rule:
            problems.add(rule.line, "the programme overlaps itself: this rate and the one on line "
                         f"{first.line} have equal rank ({describe(rule)}); remove one, or tell "
                         "them apart by card, level, account group or type, symbol or symbol "
                         "group")  # fmt: skip


def rank_key(rule: RateRule) -> tuple[object, ...]:
    """Return what decides a rule's rank; two rules of one component never share it."""
    names = (rule.symbol, rule.symbol_group, rule.account_group, rule.account_type)
    return (rule.card, rule.level, *(name and name.casefold() for name in names))


def describe(rule: RateRule) -> str:
    """Return for whom and what a rate is: "card gold, level 2, symbol EURUSD"."""
    parts = [
        "any card" if rule.card == ANY_CARD else f"card {rule.card}",
        "all levels" if rule.level is None else f"level {rule.level}",
    ]
    for word in ("account_group", "account_type", "symbol", "symbol_group"):
        if value := getattr(rule, word):
            parts.append(f"{word.replace('_', ' ')} {value}")
    return ", ".join(parts)
