"""Plan files that stand in for recorded programmes: numbers, moments, everything else as it was."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.stand_in import stand_in
from pipshare.plans.terms import Component, Programme, RateRule

RATE = RateRule(0, 1, "*", None, Fraction(5), "USD")
PART = Component("lots", "lot", "per_level", None, (RATE,))


def programme(code: str, *codes: str, valid_from_ms: int = 0) -> Programme:
    parts = tuple(replace(PART, code=one) for one in codes)
    return Programme(code, "main", code, valid_from_ms, "USD", 3, "wait", parts)


def book() -> Book:
    versions = [
        Version(7, 1, 1, 0, programme("a", "lots"), (10,), ((100,),)),
        Version(8, 1, 2, 500, programme("a", "lots"), (10,), ((101,),)),
        Version(9, 2, 1, 0, programme("b", "lots"), (11,), ((102,),)),
    ]
    who, start = np.array([1, 1, 2]), np.array([0, 500, 0])
    terms = [Terms(1, 1, "std")]
    return Book(versions, terms, (who, start, np.arange(3)),
                (np.array([5]), np.array([0]), np.array([0])))  # fmt: skip


def in_force(made: Book, programme_id: int, moment: int) -> Version | None:
    place = int(made.version_at(np.array([programme_id]), np.array([moment]))[0])
    return None if place < 0 else made.versions[place]


def test_all_recorded_versions_go_and_the_first_file_holds_from_the_beginning() -> None:
    made = stand_in(book(), {1: [programme("a", "lots", "more", valid_from_ms=900)]})
    for moment in (0, 600, 1000):
        found = in_force(made, 1, moment)
        assert found is not None
        assert [part.code for part in found.programme.components] == ["lots", "more"]
    assert in_force(made, 2, 0) == book().versions[2]
    assert made.terms == book().terms


def test_known_components_keep_their_number_and_new_things_get_new_ones() -> None:
    made = stand_in(book(), {1: [programme("a", "more", "lots")]})
    found = in_force(made, 1, 0)
    assert found is not None
    assert found.component_ids == (12, 10)
    assert found.id == 10
    assert [ids[0] for ids in found.rate_ids] == [103, 104]


def test_further_files_hold_from_their_own_moment() -> None:
    files = [programme("a", "late", valid_from_ms=800), programme("a", "early", valid_from_ms=300)]
    made = stand_in(book(), {1: files})
    codes = []
    for moment in (0, 300, 799, 800):
        found = in_force(made, 1, moment)
        assert found is not None
        codes.append(found.programme.components[0].code)
    assert codes == ["early", "early", "early", "late"]
