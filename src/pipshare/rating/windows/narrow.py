"""Books with some components only: what one pass of settling is to rate, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from pipshare.plans.book import Book, Version
from pipshare.plans.terms import Component, Programme, RateRule
from pipshare.rating.parts import Part

Keep = Callable[[Programme, Component, int], Component | None]


def all_parts(book: Book) -> list[Part]:
    """Return all components of all versions of a book."""
    return [
        Part(place, position, version.programme, component, version.component_ids[position])
        for place, version in enumerate(book.versions)
        for position, component in enumerate(version.programme.components)
    ]


def narrowed(book: Book, keep: Keep) -> Book:
    """Return a book with the components that `keep` returns, and the rates that these still have.

    `keep` is given programme, component and its id. Versions stay in their places.
    """
    versions = [_narrowed(version, keep) for version in book.versions]
    return Book(versions, book.terms, book.version_segments, book.terms_segments)


def _narrowed(version: Version, keep: Keep) -> Version:
    programme = version.programme
    kept: list[tuple[Component, int, tuple[int, ...]]] = []
    for place, component in enumerate(programme.components):
        changed = keep(programme, component, version.component_ids[place])
        if changed is not None:
            ids = {rule.ordinal: held for rule, held in
                   zip(component.rates, version.rate_ids[place], strict=True)}  # fmt: skip
            rate_ids = tuple(ids[rule.ordinal] for rule in changed.rates)
            kept.append((changed, version.component_ids[place], rate_ids))
    return replace(
        version,
        programme=replace(programme, components=tuple(one[0] for one in kept)),
        component_ids=tuple(one[1] for one in kept),
        rate_ids=tuple(one[2] for one in kept),
    )


def with_needed(programme: Programme, codes: Iterable[str]) -> set[str]:
    """Return the codes, and those of the components that their rates take shares of."""
    by_code = {component.code: component for component in programme.components}
    wanted: set[str] = set()
    open_ = list(codes)
    while open_:
        code = open_.pop()
        if code not in wanted and code in by_code:
            wanted.add(code)
            component = by_code[code]
            if component.basis != "earned":
                open_ += [rule.of for rule in component.rates if rule.of is not None]
    return wanted


def starts_of(component: Component) -> tuple[Fraction, ...]:
    """Return where the bands of a component's rates start, ascending."""
    return tuple(sorted({rule.start for rule in component.rates}))


def at_band(component: Component, start: Fraction) -> Component:
    """Return the component with the rates that hold in the band from `start` on, and no tier.

    A rate whose bands begin later gives nothing there; one that ranks lower does not stand in.
    """
    bands: dict[tuple[object, ...], list[RateRule]] = {}
    for rule in component.rates:
        key = (rule.card, rule.level, rule.symbol, rule.symbol_group, rule.account_group,
               rule.account_type, rule.of, rule.country, rule.side)  # fmt: skip
        bands.setdefault(key, []).append(rule)
    kept = []
    for rules in bands.values():
        reached = [rule for rule in rules if rule.start <= start]
        best = max(reached, key=lambda rule: rule.start) if reached else rules[0]
        amount = best.amount if reached else Fraction(0)
        kept.append(replace(best, start=Fraction(0), amount=amount))
    kept.sort(key=lambda rule: rule.ordinal)
    return replace(component, rates=tuple(kept), tier=None)
