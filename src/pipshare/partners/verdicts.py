"""What a new record does to what is already known of somebody's place: nothing, fill, or change.

Pure. Records have two times; of those that cover a moment the last recorded holds. Within one
load the records of a subject are taken in the order of their start, wider before narrower, so
that the order of lines in a file does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import polars as pl

from pipshare.period import FOREVER_MS

Record = tuple[int, int, int]  # start_ms, end_ms, above
NOBODY = 0  # the place above of a root and of a direct client


class Verdict(IntEnum):
    """What becomes of a record."""

    SAME = 0  # says nothing new
    NEW = 1  # the subject had no record at all
    FILLS = 2  # tells of moments of which nothing was known
    MOVES = 3  # contradicts what is known: needs a reason and a second person
    CONTRADICTS = 4  # another line of the same load says otherwise for the same span
    OUTDATED = 5  # a record made before, of which later ones left nothing standing


@dataclass(frozen=True)
class Judged:
    """Verdict per record; the moment from which truth changes; who was above then.

    `from_ms` is FOREVER_MS where nothing changes; `was` is -1 where nobody was told.
    """

    verdict: pl.Series
    from_ms: pl.Series
    was: pl.Series


def judge(records: pl.DataFrame, known: pl.DataFrame) -> Judged:
    """Judge new `records` (subject, above, start, end, line) against `known` (+ id, no line).

    Returns columns parallel to `records`, which must be sorted by `in_order`.
    """
    key = ["subject", "start", "end"]
    marked = records.select(*key, "above").with_row_index("row").with_columns(
        sayings=pl.col("above").n_unique().over(key),
        repeat=pl.int_range(pl.len()).over([*key, "above"]) > 0,
        told=pl.len().over("subject"),
    )  # fmt: skip
    counts = known.group_by("subject").agg(pl.len().alias("known"))
    exact = known.select(*key, "above").unique().with_columns(exact=pl.lit(True))
    marked = marked.join(counts, on="subject", how="left", maintain_order="left").join(
        exact, on=[*key, "above"], how="left", maintain_order="left", nulls_equal=True
    )
    before, once = pl.col("known").fill_null(0), pl.col("told") == 1
    marked = marked.with_columns(
        verdict=pl.when(pl.col("sayings") > 1).then(Verdict.CONTRADICTS)
        .when(pl.col("repeat")).then(Verdict.SAME)
        .when(before == 0).then(Verdict.NEW)
        .when(once & (before == 1) & pl.col("exact").fill_null(False)).then(Verdict.SAME)
        .otherwise(-1).cast(pl.Int8)
    )  # fmt: skip
    verdict = marked["verdict"].to_numpy().copy()
    from_ms = np.full(len(records), FOREVER_MS, np.int64)
    was = np.full(len(records), -1, np.int64)
    _judge_each(marked.filter(pl.col("verdict") < 0), known, verdict, from_ms, was)
    return Judged(pl.Series(verdict), pl.Series(from_ms), pl.Series(was))


def in_order(records: pl.DataFrame) -> pl.DataFrame:
    """Sort records as they are to be taken and recorded."""
    return records.sort("subject", "start", "end", "line", descending=[False, False, True, False])


def _judge_each(
    open_: pl.DataFrame,
    known: pl.DataFrame,
    verdict: np.ndarray[tuple[int], np.dtype[np.int8]],
    from_ms: np.ndarray[tuple[int], np.dtype[np.int64]],
    was: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    """Judge, one by one, the records of subjects of whom something is known."""
    history: dict[int, list[Record]] = {}
    mine = known.filter(pl.col("subject").is_in(open_["subject"].unique().implode()))
    for subject, start, end, above in (
        mine.sort("id").select("subject", "start", "end", "above").iter_rows()
    ):
        history.setdefault(subject, []).append((start, end, above))
    for row, subject, start, end, above in open_.select(
        "row", "subject", "start", "end", "above"
    ).iter_rows():
        records = history[subject]
        found, since, before = _one(records, (start, end, above))
        verdict[row], from_ms[row], was[row] = found, since, before
        if found in (Verdict.FILLS, Verdict.MOVES):
            records.append((start, end, above))


def _one(records: list[Record], new: Record) -> tuple[Verdict, int, int]:
    pieces = truth(records, new[0], new[1])
    holds = [value == new[2] for _, value in pieces]
    if all(holds) or (new in records and any(holds)):
        return Verdict.SAME, FOREVER_MS, -1
    moves = [(at, value) for at, value in pieces if value not in (-1, new[2])]
    changed = min(at for at, value in pieces if value != new[2])
    if new in records:
        return Verdict.OUTDATED, changed, moves[0][1] if moves else -1
    if moves:
        return Verdict.MOVES, changed, moves[0][1]
    return Verdict.FILLS, changed, -1


def truth(records: list[Record], start: int, end: int) -> list[tuple[int, int]]:
    """Return (moment, who is above) at every change inside [start, end); -1 = nothing known."""
    edges = {start} | {at for r in records for at in r[:2] if start < at < end}
    pieces = []
    for at in sorted(edges):
        holding = [above for low, high, above in records if low <= at < high]
        pieces.append((at, holding[-1] if holding else -1))
    return pieces
