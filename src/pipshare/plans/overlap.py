"""Checks that hold between the rates and components of one programme.

The heart is the overlap: two rates of one component that would be found with equal rank for one
trade (see terms.py for the order). Rates differ in rank as soon as one of card, level, scope,
symbol, country or side differs, so equal rank means: all are the same. Of equal rank are only the
bands of one rate, which differ in where they begin (bands.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pipshare.plans.bands import check_bands, check_tier
from pipshare.plans.fits import check_fits
from pipshare.plans.links import check_links
from pipshare.plans.modes import check_mode
from pipshare.plans.money import check_money
from pipshare.plans.problems import Problems
from pipshare.plans.ranks import describe, rank_key
from pipshare.plans.terms import Component, Programme, RateRule, Split


def check_components(
    programme: Programme, problems: Problems, ends: Sequence[dict[int, Fraction]] = ()
) -> None:
    """Note every contradiction between the components and rates of a programme.

    `ends`: for each component, by the place of a rate, where the file says that its band ends.
    """
    lines: dict[str, int] = {}
    for number, component in enumerate(programme.components):
        if component.code in lines:
            problems.add(component.line, f'component "{component.code}" is already on line '
                         f"{lines[component.code]}: a code stands for one component")  # fmt: skip
        lines.setdefault(component.code, component.line)
        _check_levels(component, programme.depth, problems)
        _check_overlap(component, problems)
        check_mode(component, programme.depth, problems)
        check_fits(component, programme, problems)
        check_money(component, problems)
        check_tier(component, problems)
        check_bands(component, ends[number] if ends else {}, problems)
    check_links(programme, problems)


def _check_levels(component: Component, depth: int, problems: Problems) -> None:
    paid: tuple[RateRule | Split, ...] = (*component.rates, *component.splits)
    for rule in paid:
        what = "rate" if isinstance(rule, RateRule) else "split"
        if rule.level is not None and rule.level > depth:
            problems.add(rule.line, f"level {rule.level} is never paid: [programme] says levels = "
                         f"{depth}; raise it or remove this {what}")  # fmt: skip
        if rule.level in component.skip_levels:
            problems.add(rule.line, f"level {rule.level} is never paid: it is among the component's"
                         f" skip_levels; remove this {what}")  # fmt: skip


def _check_overlap(component: Component, problems: Problems) -> None:
    seen: dict[tuple[object, ...], RateRule] = {}
    for rule in component.rates:
        first = seen.setdefault((*rank_key(rule), rule.start), rule)
        if first is not rule:
            problems.add(rule.line, "the programme overlaps itself: this rate and the one on line "
                         f"{first.line} have equal rank ({describe(rule)}); remove one, or tell "
                         "them apart by card, level, account group or type, symbol or symbol "
                         "group, country or side")  # fmt: skip
