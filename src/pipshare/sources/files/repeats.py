"""One identity comes once in a file: equal repeats collapse, contradictions are all refused.

Identity is the ticket (trades, closed rows that are no trades, balance rows) or the deal. A file
of one chunk is held against itself as it comes. A longer one is scanned first: for identities
alone (8 bytes a row) where the format offers that, and only if some come twice, or where it does
not, for what each identity says. Then the file is read, and what was found is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import Refusal, deal_content, trade_content
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.sources.files.trade_rows import count_others
from pipshare.sources.reading import Chunk, Reading

Ints = npt.NDArray[np.int64]
SHOWN_LINES = 8
RAW = 500  # characters of a refused row, written out field by field
TICKET_FRAMES = ("trades", "others", "cash")


@dataclass(frozen=True)
class _Verdict:
    """What to do with one kind of rows: sorted places of repeats and of conflicts, with reasons."""

    repeated: Ints
    conflicting: Ints
    reasons: list[str]


def once(reading: Reading) -> Reading:
    """Return the reading with every identity told once, and at least one chunk.

    chunks() may still be called again; a long file is compared once and the verdict kept.
    """
    found: list[_Verdicts] = []

    def chunks() -> Iterator[Chunk]:
        if not found:
            whole = _single(reading) if reading.identities is None else None
            if whole is not None:
                yield _filtered(whole, _over_one(whole), {})
                return
            found.append(_over_all(reading))
        places: dict[str, int] = {}
        chunk = None
        for chunk in reading.chunks():
            yield _filtered(chunk, found[0], places)
        if chunk is None:
            yield Chunk()

    return replace(reading, chunks=chunks)


_Verdicts = dict[str, _Verdict]
_FRAMES = {"ticket": TICKET_FRAMES, "deal": ("deals",)}


def _single(reading: Reading) -> Chunk | None:
    """Return the only chunk of a reading that has just one."""
    chunks = reading.chunks()
    first = next(chunks, Chunk())
    return first if next(chunks, None) is None else None


def _over_one(chunk: Chunk) -> _Verdicts:
    columns = [getattr(chunk, name)[key] for key, names in _FRAMES.items() for name in names]
    doubled = _doubled(iter(columns))
    return _verdicts(iter([chunk]), doubled) if len(doubled) else {}


def _over_all(reading: Reading) -> _Verdicts:
    if reading.identities is None:
        return _verdicts(reading.chunks(), None)
    doubled = _doubled(reading.identities())
    return _verdicts(reading.chunks(), doubled) if len(doubled) else {}


def _verdicts(chunks: Iterator[Chunk], doubled: Ints | None) -> _Verdicts:
    """Judge the rows whose identity is among `doubled` (None = all rows)."""
    parts: dict[str, list[pl.DataFrame]] = {key: [] for key in _FRAMES}
    places = dict.fromkeys(_FRAMES, 0)
    for chunk in chunks:
        for key, names in _FRAMES.items():
            for name in names:
                frame: pl.DataFrame = getattr(chunk, name)
                parts[key].append(_suspects(frame, name, key, places[key], doubled))
                places[key] += len(frame)
    return {key: _judge(pl.concat(tables), key) for key, tables in parts.items() if tables}


def _suspects(
    frame: pl.DataFrame, name: str, key: str, start: int, doubled: Ints | None
) -> pl.DataFrame:
    """Return identity, content, line and place of the rows that may come more than once."""
    everything = np.arange(len(frame))
    at = everything if doubled is None else np.flatnonzero(_among(frame[key], doubled))
    rows = frame[at]
    return pl.DataFrame(
        {"identity": rows[key], "content": _content(rows, name), "line": rows["line"],
         "place": at + start},
        schema={"identity": pl.Int64, "content": pl.Int64, "line": pl.Int64, "place": pl.Int64},
    )  # fmt: skip


def _doubled(columns: Iterator[pl.Series]) -> Ints:
    """Return the identities that come more than once, sorted."""
    parts = [column.to_numpy() for column in columns if len(column)]
    if not parts:
        return np.zeros(0, np.int64)
    every = np.concatenate(parts)
    every.sort()
    return np.unique(every[1:][every[1:] == every[:-1]])


def _among(column: pl.Series, doubled: Ints) -> npt.NDArray[np.bool_]:
    values = column.to_numpy()
    at = np.minimum(np.searchsorted(doubled, values), len(doubled) - 1)
    found: npt.NDArray[np.bool_] = doubled[at] == values
    return found


def _content(rows: pl.DataFrame, name: str) -> pl.Series:
    """Fingerprint what a commission can depend on; of balance rows all but the comment."""
    if name == "cash":
        return rows.drop("line", "comment").hash_rows(1).reinterpret(signed=True)
    content = deal_content(rows) if name == "deals" else trade_content(rows)
    return pl.Series(content, dtype=pl.Int64)


def _judge(table: pl.DataFrame, key: str) -> _Verdict:
    table = table.sort("identity", maintain_order=True)
    identity, content, line, place = (column.to_numpy() for column in table)
    starts = np.flatnonzero(np.diff(identity, prepend=identity[:1] - 1))
    lengths = np.diff(np.append(starts, len(identity)))
    group = np.repeat(np.arange(len(starts)), lengths)
    same = content == content[starts][group]
    clash = np.bincount(group, ~same, minlength=len(starts)) > 0
    first = np.zeros(len(group), np.bool_)
    first[starts] = True
    conflicting: dict[int, str] = {}
    for number in np.flatnonzero(clash).tolist():
        span = slice(starts[number], starts[number] + lengths[number])
        told = int(identity[starts[number]])
        # A journal's identity is negative, made of what it names here.
        who = f"{key} {told}" if told >= 0 else "the same ticket, close time and volume"
        reason = (
            f"{who} comes {lengths[number]} times with different content, in lines "
            f"{_lines(line[span])}: none of them is taken; leave the right one in the file"
        )
        conflicting.update(dict.fromkeys(place[span].tolist(), reason))
    bad = sorted(conflicting)
    return _Verdict(
        np.sort(place[~first & ~clash[group]]),
        np.array(bad, np.int64),
        [conflicting[at] for at in bad],
    )


def _lines(lines: Ints) -> str:
    shown = ", ".join(str(line) for line in lines[:SHOWN_LINES])
    rest = len(lines) - SHOWN_LINES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _filtered(chunk: Chunk, verdicts: _Verdicts, places: dict[str, int]) -> Chunk:
    """Take repeats and conflicts out of a chunk. `places` counts the rows of former chunks."""
    chunk = replace(chunk, refused=list(chunk.refused))
    for key, verdict in verdicts.items():
        for name in _FRAMES[key]:
            frame: pl.DataFrame = getattr(chunk, name)
            start = places.get(key, 0)
            places[key] = start + len(frame)
            again = verdict.repeated[_within(verdict.repeated, start, len(frame))] - start
            here = _within(verdict.conflicting, start, len(frame))
            bad = verdict.conflicting[here] - start
            if not len(again) and not len(bad):
                continue
            chunk.repeated += len(again)
            _refuse(chunk, frame[bad], verdict.reasons[here])
            keep = np.ones(len(frame), np.bool_)
            keep[again] = False
            keep[bad] = False
            if name == "others":
                count_others(chunk, frame.filter(~keep), -1)
            setattr(chunk, name, frame.filter(keep))
    return chunk


def _within(places: Ints, start: int, length: int) -> slice:
    low, high = np.searchsorted(places, (start, start + length))
    return slice(int(low), int(high))


def _refuse(chunk: Chunk, rows: pl.DataFrame, reasons: list[str]) -> None:
    for row, reason in zip(rows.iter_rows(named=True), reasons, strict=True):
        told = [_told(name, value) for name, value in row.items() if value and name != "line"]
        raw = ", ".join(told)[:RAW]
        chunk.refused.append(Refusal(row["line"], "conflicting_rows", reason, raw))
    chunk.refused.sort(key=lambda refusal: refusal.line)


def _told(name: str, value: int | str) -> str:
    """Write one value of a row as a person would: 0.5 lots, a time as a time."""
    if isinstance(value, int) and name.endswith("_e8"):
        return f"{name[:-3]} {format_e8(value)}"
    if isinstance(value, int) and name.endswith("_ms"):
        return f"{name[:-3]} {from_ms(value):%Y.%m.%d %H:%M:%S}"
    return f"{name} {value}"
