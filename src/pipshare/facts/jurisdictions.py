"""Blocked countries: by whose clients nobody earns, from when on, and who said so.

Pure. Records are only added. Of the records of a country that have begun by a moment the one
recorded last holds; a country without one is not blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis

Counts = Literal["either", "residence", "document"]
COUNTS: tuple[Counts, ...] = ("either", "residence", "document")
_RESIDENCE, _DOCUMENT = 1, 2
_MASK = {"residence": _RESIDENCE, "document": _DOCUMENT, "either": _RESIDENCE | _DOCUMENT}


@dataclass(frozen=True)
class Jurisdiction:
    """What was said of a country: whether it is blocked from a moment (UTC ms) on, and why.

    `counts`: which of a client's countries is meant, that of residence, of his document, or either.
    """

    country: str
    blocked: bool
    counts: Counts
    from_ms: int
    recorded_ms: int
    recorded_by: str
    reason: str


@dataclass(frozen=True)
class Jurisdictions:
    """An entity's records, in the order in which they were recorded."""

    records: tuple[Jurisdiction, ...]

    def barred(
        self, residence: pl.Series, document: pl.Series, moment_ms: Millis
    ) -> npt.NDArray[np.bool_]:
        """Tell by row whether a client of these countries ("" = unknown) is blocked at a moment."""
        found = np.zeros(len(moment_ms), np.bool_)
        for country in dict.fromkeys(one.country for one in self.records):
            lives = (residence == country).fill_null(False).to_numpy()
            shows = (document == country).fill_null(False).to_numpy()
            if not (lives.any() or shows.any()):
                continue
            mask = np.zeros(len(moment_ms), np.int8)
            for one in self.records:
                if one.country == country:
                    mask[moment_ms >= one.from_ms] = _MASK[one.counts] if one.blocked else 0
            found |= lives & (mask & _RESIDENCE > 0) | shows & (mask & _DOCUMENT > 0)
        return found

    def holding(
        self, residence: str, document: str, moment_ms: int
    ) -> tuple[Jurisdiction, Counts] | None:
        """Return the record by which a client is blocked, and by which of his countries."""
        named: tuple[tuple[Counts, str], ...] = (("residence", residence), ("document", document))
        for which, country in named:
            held = self.of(country, moment_ms)
            if held is not None and held.blocked and held.counts in ("either", which):
                return held, which
        return None

    def of(self, country: str, moment_ms: int) -> Jurisdiction | None:
        """Return what holds of a country at a moment, None where nothing was said."""
        begun = [one for one in self.records if one.country == country and one.from_ms <= moment_ms]
        return begun[-1] if begun else None

    def course(self, country: str) -> tuple[Jurisdiction, ...]:
        """Return the records of a country that hold at some time, each from its moment to the next.

        One that was overruled from its first moment on is not there.
        """
        found: list[Jurisdiction] = []
        for one in reversed(self.records):
            if one.country == country and (not found or one.from_ms < found[-1].from_ms):
                found.append(one)
        return tuple(reversed(found))


def merged(records: Sequence[Jurisdiction]) -> Jurisdictions | None:
    """Return an entity's records, None where there are none: then nothing is looked up."""
    return Jurisdictions(tuple(records)) if records else None
