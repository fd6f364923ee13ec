"""Time: half-open spans, the broker's day, server clocks, and values that change over time.

Two clocks matter. The *server clock* is what MetaTrader prints: wall time without a zone, here an
integer of milliseconds "as if UTC". UTC is derived from it by the server's Clock. Source of the
commonest clock, New York plus seven hours: metaquotes servers close the trading day at 17:00 New
York, which no IANA zone follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.errors import BadInput

Millis = npt.NDArray[np.int64]
HOUR_MS = 3_600_000
FOREVER_MS = 2**42  # the year 2109: the end of a span that has none
_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")
_SHIFTED = re.compile(r"(.+?)(?:([+-]\d{1,2})h)?")


@dataclass(frozen=True)
class Clock:
    """A wall clock: IANA zone plus a shift in hours, or a fixed offset (zone "UTC").

    `Clock.parse` reads "UTC", "+02:00", "Europe/Nicosia" and "America/New_York+7h".
    """

    zone: str
    shift_ms: int

    @classmethod
    def parse(cls, text: str) -> Clock:
        """Read a clock as written in a load file. Raises BadInput with the accepted forms."""
        cleaned = text.strip()
        if fixed := _FIXED.fullmatch(cleaned):
            sign = -1 if fixed[1] == "-" else 1
            minutes = int(fixed[2]) * 60 + int(fixed[3] or 0)
            if minutes <= 14 * 60:
                return cls("UTC", sign * minutes * 60_000)
        shifted = _SHIFTED.fullmatch(cleaned)
        if shifted and shifted[1] in _zones():
            return cls(shifted[1], int(shifted[2] or 0) * HOUR_MS)
        raise BadInput(
            "bad_clock",
            f"{text!r} is not a clock: write UTC, +02:00, Europe/Nicosia or America/New_York+7h",
        )

    def __str__(self) -> str:
        if self.zone == "UTC":
            sign, minutes = "-" if self.shift_ms < 0 else "+", abs(self.shift_ms) // 60_000
            return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"
        return f"{self.zone}{self.shift_ms // HOUR_MS:+d}h" if self.shift_ms else self.zone

    def to_utc(self, wall_ms: Millis) -> Millis:
        """Turn server milliseconds into UTC milliseconds.

        An hour that the zone has twice is taken as the first; one that it has not is moved on by
        the size of the gap. Order inside the doubled hour comes from the ticket.
        """
        local = np.asarray(wall_ms, np.int64) - self.shift_ms
        if self.zone == "UTC":
            return local
        hours = np.unique(local // HOUR_MS)
        offsets = self._offsets(hours * HOUR_MS)
        return local - offsets[np.searchsorted(hours, local // HOUR_MS)]

    def from_utc(self, utc_ms: Millis) -> Millis:
        """Turn UTC milliseconds into server milliseconds."""
        utc = np.asarray(utc_ms, np.int64)
        if self.zone == "UTC":
            return utc + self.shift_ms
        hours = np.unique(utc // HOUR_MS)
        zone = ZoneInfo(self.zone)
        offsets = np.array(
            [
                _offset_ms(datetime.fromtimestamp(int(h) * 3600, UTC).astimezone(zone))
                for h in hours
            ],
            np.int64,
        )
        return utc + offsets[np.searchsorted(hours, utc // HOUR_MS)] + self.shift_ms

    def _offsets(self, local_hours_ms: Millis) -> Millis:
        zone = ZoneInfo(self.zone)
        walls = (datetime.fromtimestamp(int(ms) // 1000, UTC) for ms in local_hours_ms)
        return np.array([_offset_ms(wall.replace(tzinfo=zone, fold=0)) for wall in walls], np.int64)


def _offset_ms(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@dataclass(frozen=True)
class Span:
    """A half-open span of UTC milliseconds: `start` belongs to it, `end` does not."""

    start: int
    end: int


def month_span(month: str, clock: Clock) -> Span:
    """Return the span of a month ("2026-11") in the broker's own day."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise BadInput("bad_period", f"{month!r} is not a period: write year and month, 2026-11")
    year, number = map(int, month.split("-"))
    following = date(year + number // 12, number % 12 + 1, 1)
    edges = [to_ms(datetime(d.year, d.month, d.day, tzinfo=UTC))
             for d in (date(year, number, 1), following)]  # fmt: skip
    start, end = clock.to_utc(np.array(edges, np.int64))
    return Span(int(start), int(end))


def broker_days(utc_ms: Millis, clock: Clock) -> npt.NDArray[np.int32]:
    """Return the broker's day of each moment as days since 1970-01-01."""
    return (clock.from_utc(utc_ms) // (24 * HOUR_MS)).astype(np.int32)


def day_to_date(day: int) -> date:
    """Turn days since 1970-01-01 into a date."""
    return date(1970, 1, 1) + timedelta(days=int(day))


def to_ms(moment: datetime) -> int:
    """Turn an aware datetime into UTC milliseconds."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(utc_ms: int) -> datetime:
    """Turn UTC milliseconds into an aware datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(utc_ms))


class Segments:
    """Values that change over time, for many subjects, looked up a column at a time.

    Built from rows (subject, start_ms, value), where a value holds from its start until the next
    row of the same subject; value -1 says "nothing from here on". Subjects are integers from 0
    to 2^20 - 1, times UTC milliseconds from 1970 to 2109.
    """

    def __init__(self, subject: Millis, start_ms: Millis, value: Millis) -> None:
        keys = self._keys(np.asarray(subject, np.int64), np.asarray(start_ms, np.int64))
        order = np.argsort(keys, kind="stable")
        self._starts = keys[order]
        self._values = np.asarray(value, np.int64)[order]

    def at(self, subject: Millis, moment_ms: Millis) -> Millis:
        """Return each subject's value at its moment; -1 where nothing holds yet or any more."""
        if not len(self._starts):
            return np.full(len(subject), -1, np.int64)
        wanted = self._keys(np.asarray(subject, np.int64), np.asarray(moment_ms, np.int64))
        place = np.searchsorted(self._starts, wanted, side="right") - 1
        held = np.maximum(place, 0)
        same = (place >= 0) & (self._starts[held] >> 42 == np.asarray(subject, np.int64))
        return np.where(same, self._values[held], -1)

    @staticmethod
    def _keys(subject: Millis, moment_ms: Millis) -> Millis:
        return (subject << 42) | np.clip(moment_ms, 0, FOREVER_MS - 1)


def flatten(
    subject: Millis, valid_from_ms: Millis, valid_to_ms: Millis, value: Millis, order: Millis
) -> tuple[Millis, Millis, Millis]:
    """Turn records with two times into rows for Segments: what was true, as known by all of them.

    Of a subject's records that cover a moment, the one recorded last (highest `order`) holds; -1
    where none does. Arrays of equal length in; (subject, start_ms, value) out, sorted by subject
    and start, neighbours of one subject always differ. Spans are half-open; an empty one counts
    for nothing. To ask what was known at an earlier moment, leave out records made after it.
    """
    columns = [np.asarray(c, np.int64) for c in (subject, valid_from_ms, valid_to_ms, value, order)]
    columns = [c[columns[1] < columns[2]] for c in columns]
    if bool((np.diff(columns[0]) > 0).all()) and bool((columns[2] >= FOREVER_MS).all()):
        told = columns[3] != -1  # one open record each, already in order: the usual case
        return columns[0][told], columns[1][told], columns[3][told]
    by = np.lexsort((columns[4], columns[1], columns[0]))
    who, start, end, held, rank = (c[by] for c in columns)
    if not len(who):
        return who, start, held
    first = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    counts = np.diff(np.r_[first, len(who)])
    ends = end < FOREVER_MS
    alone = counts == 1
    swept = np.repeat(np.logical_or.reduceat(ends, first) & ~alone, counts)
    # Without ends a record holds from its start on if it was recorded after all that start before.
    newest = ~swept & _rises(rank, np.repeat(np.arange(len(first)), counts))
    closed = first[alone & ends[first]]
    parts = [
        (who[newest], start[newest], held[newest]),
        (who[closed], end[closed], np.full(len(closed), -1, np.int64)),
    ]
    for a in first[swept[first]]:
        b = a + counts[np.searchsorted(first, a)]
        moments, values = _sweep(start[a:b], end[a:b], held[a:b], rank[a:b])
        parts.append((np.full(len(moments), who[a]), moments, values))
    return _joined(parts)


def _rises(rank: Millis, group: Millis) -> npt.NDArray[np.bool_]:
    """Tell which entries exceed all before them in their group (groups ascend)."""
    dense = np.empty(len(rank), np.int64)
    dense[np.argsort(rank, kind="stable")] = np.arange(len(rank))
    highest = np.maximum.accumulate(group * len(rank) + dense)
    return np.asarray(np.r_[True, highest[1:] > highest[:-1]])


def _sweep(start: Millis, end: Millis, value: Millis, rank: Millis) -> tuple[Millis, Millis]:
    """Flatten one subject's records, sorted by start, with a heap of those that cover."""
    heap: list[tuple[int, int, int]] = []
    out: list[tuple[int, int]] = []
    edges = sorted({*start.tolist(), *end[end < FOREVER_MS].tolist()})
    rows = list(zip(start.tolist(), end.tolist(), value.tolist(), rank.tolist(), strict=True))
    taken = 0
    for edge in edges:
        while taken < len(rows) and rows[taken][0] <= edge:
            heappush(heap, (-rows[taken][3], rows[taken][1], rows[taken][2]))
            taken += 1
        while heap and heap[0][1] <= edge:
            heappop(heap)
        out.append((edge, heap[0][2] if heap else -1))
    pairs = np.array(out, np.int64)
    return pairs[:, 0], pairs[:, 1]


def _joined(parts: list[tuple[Millis, Millis, Millis]]) -> tuple[Millis, Millis, Millis]:
    """Sort rows by subject and start, where the last of equal ones stands, and drop repetitions."""
    who, start, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    by = np.lexsort((start, who))
    who, start, value = who[by], start[by], value[by]
    last = np.r_[(who[1:] != who[:-1]) | (start[1:] != start[:-1]), True]
    who, start, value = who[last], start[last], value[last]
    same = np.r_[False, who[1:] == who[:-1]]
    before = np.where(same, np.r_[-1, value[:-1]], -1)
    told = value != before
    return who[told], start[told], value[told]


def server_text_to_ms(column: pl.Expr) -> pl.Expr:
    """Polars expression: server time text ("2026.07.01 00:05:08[.123]", also -, / or T) to ms.

    Null where the text is no time. Shapes: String in, Int64 out.
    """
    plain = column.str.strip_chars().str.replace_all(r"[./]", "-").str.replace("T", " ")
    # The milliseconds' point became a dash above; a time has only two colons before it.
    plain = plain.str.replace(r"(:\d\d)-(\d+)$", "$1.$2")
    seconds = plain.str.replace(r"^(\d{4}-\d\d-\d\d \d\d:\d\d)$", "$1:00")
    return seconds.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False).dt.epoch("ms")
