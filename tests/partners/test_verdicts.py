"""What a new record does to what is known."""

from __future__ import annotations

import polars as pl
import pytest

from pipshare.partners.verdicts import Verdict, in_order, judge
from pipshare.period import FOREVER_MS

ALWAYS = (0, FOREVER_MS)
Record = tuple[int, int, int, int]


def verdicts(new: list[Record], known: list[Record]) -> list[tuple[Verdict, int, int]]:
    """Judge (subject, above, start, end) records; answers come in the order of `new`."""
    columns = ["subject", "above", "start", "end"]
    schema = dict.fromkeys(columns, pl.Int64)
    records = in_order(
        pl.DataFrame(new, schema=schema, orient="row").with_columns(
            line=pl.int_range(pl.len(), dtype=pl.Int32)
        )
    )
    before = pl.DataFrame(known, schema=schema, orient="row").with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    judged = judge(records, before)
    rows = zip(records["line"], judged.verdict, judged.from_ms, judged.was, strict=True)
    return [(Verdict(v), at, was) for _, v, at, was in sorted(rows)]


FIRST = (1, 10, *ALWAYS)
NOTHING = (Verdict.SAME, FOREVER_MS, -1)


@pytest.mark.parametrize(
    ("new", "known", "expected"),
    [
        ((1, 10, *ALWAYS), [], (Verdict.NEW, FOREVER_MS, -1)),
        ((1, 10, *ALWAYS), [FIRST], NOTHING),
        ((1, 10, 50, FOREVER_MS), [FIRST], NOTHING),
        ((1, 11, 50, FOREVER_MS), [FIRST], (Verdict.MOVES, 50, 10)),
        ((1, 0, 50, 60), [FIRST], (Verdict.MOVES, 50, 10)),
        ((1, 10, 0, 50), [(1, 10, 40, FOREVER_MS)], (Verdict.FILLS, 0, -1)),
        ((1, 11, 0, 50), [(1, 10, 40, FOREVER_MS)], (Verdict.MOVES, 0, 10)),
        ((1, 11, 0, 40), [(1, 10, 40, FOREVER_MS)], (Verdict.FILLS, 0, -1)),
        # The first file again, after a move: it says nothing new.
        (FIRST, [FIRST, (1, 11, 50, FOREVER_MS)], NOTHING),
        # Said before, but nothing of it stands any more.
        (FIRST, [FIRST, (1, 11, *ALWAYS)], (Verdict.OUTDATED, 0, 11)),
        # Another client's records do not count.
        ((2, 11, *ALWAYS), [FIRST], (Verdict.NEW, FOREVER_MS, -1)),
    ],
)
def test_one_record(new: Record, known: list[Record], expected) -> None:
    assert verdicts([new], known) == [expected]


def test_records_of_one_file_are_judged_by_their_start_whatever_the_order_of_lines() -> None:
    back, forth = (1, 10, 80, FOREVER_MS), (1, 11, 50, FOREVER_MS)
    assert verdicts([back, forth, FIRST], [FIRST]) == [
        (Verdict.MOVES, 80, 11),
        (Verdict.MOVES, 50, 10),
        NOTHING,
    ]


def test_two_lines_that_contradict_each_other_are_told_apart_from_a_repetition() -> None:
    assert verdicts([FIRST, FIRST], []) == [(Verdict.NEW, FOREVER_MS, -1), NOTHING]
    both = verdicts([FIRST, (1, 11, *ALWAYS)], [])
    assert [v for v, _, _ in both] == [Verdict.CONTRADICTS] * 2
