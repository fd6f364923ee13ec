"""A book in which plan files stand in for recorded programmes: what a what-if is rated by.

Pure. A component that the programme knows by its code keeps its id, so that what is booked of it
can be compared; whatever is new gets numbers that no recorded thing has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np

from pipshare.period import FOREVER_MS, flatten
from pipshare.plans.book import Book, Version
from pipshare.plans.terms import Programme


def stand_in(book: Book, files: Mapping[int, Sequence[Programme]]) -> Book:
    """Return the book with other versions of some programmes, by programme id; terms stay.

    All recorded versions of such a programme go. The first file (by its valid_from) holds from the
    beginning, whenever it says that it begins: a plan for next year can be tried on last year.
    Further ones of the same programme hold from their own valid_from on.
    """
    numbers = count(max((one.id for one in book.versions), default=0) + 1)
    rates = count(max((max(ids, default=0) for v in book.versions for ids in v.rate_ids),
                      default=0) + 1)  # fmt: skip
    codes: dict[tuple[int, str], int] = {}
    for version in book.versions:
        for part, number in zip(version.programme.components, version.component_ids, strict=True):
            codes[version.programme_id, part.code] = number
    fresh = count(max(codes.values(), default=0) + 1)
    versions = [one for one in book.versions if one.programme_id not in files]
    for programme_id, several in files.items():
        for place, programme in enumerate(sorted(several, key=lambda one: one.valid_from_ms)):
            start = programme.valid_from_ms if place else 0
            ids = []
            for part in programme.components:
                key = programme_id, part.code
                if key not in codes:
                    codes[key] = next(fresh)
                ids.append(codes[key])
            versions.append(Version(
                next(numbers), programme_id, place + 1, start, programme, tuple(ids),
                tuple(tuple(next(rates) for _ in part.rates) for part in programme.components),
            ))  # fmt: skip
    who = np.array([one.programme_id for one in versions], np.int64)
    starts = np.array([one.valid_from_ms for one in versions], np.int64)
    order = np.arange(len(versions), dtype=np.int64)
    segments = flatten(who, starts, np.full_like(starts, FOREVER_MS), order, order)
    return Book(versions, book.terms, segments, book.terms_segments)
