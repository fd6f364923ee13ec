"""Who decides: which version of which programme holds for a trade or an event at its moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book

Ints = npt.NDArray[np.integer[Any]]


def deciding(book: Book, chains: Sequence[tuple[int, ...]], chain: Ints, moment_ms: Longs) -> Longs:
    """Return the place in `book.versions` of what decides each row, -1 = nothing does.

    The direct IB's terms at the moment name the programme; a chain of -1 has none.
    """
    directs = np.array([*(one[0] if one else -1 for one in chains), -1], np.int64)
    terms = book.terms_at(directs[chain], moment_ms)
    named = [-1 if one.programme_id is None else one.programme_id for one in book.terms]
    programme = np.array([*named, -1], np.int64)[terms]
    return np.where(programme >= 0, book.version_at(programme, moment_ms), -1)
