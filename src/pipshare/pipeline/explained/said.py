"""What the versions of each component say, and which components are netted with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipshare.plans.book import Book
from pipshare.plans.terms import Component, Programme


@dataclass(frozen=True)
class Said:
    """A component as one version has it; `ids` are the numbers of its components by code."""

    programme: Programme
    component: Component
    ids: Mapping[str, int]


def said_of(book: Book) -> dict[int, list[Said]]:
    """Return what each component's versions say, the earliest first."""
    found: dict[int, list[Said]] = {}
    for version in sorted(book.versions, key=lambda one: one.valid_from_ms):
        codes = [one.code for one in version.programme.components]
        ids = dict(zip(codes, version.component_ids, strict=True))
        for number, one in zip(version.component_ids, version.programme.components, strict=True):
            found.setdefault(number, []).append(Said(version.programme, one, ids))
    return found


def netted(said: Said, number: int) -> tuple[int, frozenset[int]]:
    """Return the component that carries over for this one, and all that are summed with it."""
    for component in said.programme.components:
        if component.carry is not None:
            carrier = said.ids[component.code]
            together = frozenset({carrier, *(said.ids[code] for code in component.carry.across)})
            if number in together:
                return carrier, together
    return number, frozenset({number})
