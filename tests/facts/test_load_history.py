"""Histories: what a row changes, held to a plain one-row-at-a-time reading of the same rules."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipshare.facts.history import ADDED, CHANGED, SAME, TWICE, UNDATED, merge, resolve

VALUES = {"group": "", "status": "active"}
SCHEMA = {"subject": pl.Int64, "from_ms": pl.Int64, "group": pl.String, "status": pl.String}


def known_frame(*rows: tuple[int, int, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row").sort("subject", "from_ms")


def row_frame(*rows: tuple[int, int | None, str | None, str | None]) -> pl.DataFrame:
    numbered = [(*row, line) for line, row in enumerate(rows, 2)]
    return pl.DataFrame(numbered, schema={**SCHEMA, "line": pl.Int32}, orient="row")


def verdicts(known, rows, **options):
    merged = merge(known, rows, VALUES, **options)
    return merged.rows["verdict"].to_list(), merged.records.rows(), merged.from_ms


def test_first_load_takes_defaults_and_changes_nothing_known():
    rows = row_frame((1, None, "real", None), (2, 500, None, "excluded"))
    assert verdicts(known_frame(), rows) == (
        [ADDED, ADDED], [(1, 0, "real", "active", 2), (2, 500, "", "excluded", 3)], None
    )  # fmt: skip


def test_same_file_again_is_all_same():
    rows = row_frame((1, None, "real", None), (1, 500, "vip", None))
    first = merge(known_frame(), rows, VALUES)
    again = merge(first.records.drop("line"), rows, VALUES)
    assert again.rows["verdict"].to_list() == [SAME, SAME]
    assert again.records.is_empty()


def test_left_out_values_are_those_before_even_from_the_same_file():
    rows = row_frame((1, 700, None, "disabled"), (1, None, "real", None))
    assert verdicts(known_frame(), rows)[1] == [
        (1, 0, "real", "active", 3), (1, 700, "real", "disabled", 2)
    ]  # fmt: skip


def test_change_from_a_moment_on():
    known = known_frame((1, 0, "real", "active"))
    assert verdicts(known, row_frame((1, 900, "vip", None))) == (
        [CHANGED], [(1, 900, "vip", "active", 2)], 900
    )  # fmt: skip


def test_undated_change_of_something_that_never_changed_corrects_it_from_always():
    known = known_frame((1, 0, "real", "active"))
    assert verdicts(known, row_frame((1, None, "vip", None))) == (
        [CHANGED], [(1, 0, "vip", "active", 2)], 0
    )  # fmt: skip


def test_undated_row_for_something_with_a_history():
    known = known_frame((1, 0, "real", "active"), (1, 900, "vip", "active"))
    rows = row_frame((1, None, "vip", None))
    assert verdicts(known, rows)[0] == [SAME]
    rows = row_frame((1, None, "real", None))
    assert verdicts(known, rows)[0] == [SAME]
    assert verdicts(known, row_frame((1, None, "pro", None))) == ([UNDATED], [], None)


def test_earlier_record_than_the_first_known_changes_the_time_it_served_for():
    known = known_frame((1, 900, "vip", "active"))
    assert verdicts(known, row_frame((1, 300, "real", None)))[2] == 0
    assert verdicts(known, row_frame((1, 300, "real", None)), first_serves=False) == (
        [ADDED], [(1, 300, "real", "active", 2)], None
    )  # fmt: skip
    assert verdicts(known, row_frame((1, 300, "vip", None)))[2] is None


def test_confirmation_of_a_later_moment_is_recorded_but_changes_nothing():
    known = known_frame((1, 0, "real", "active"))
    assert verdicts(known, row_frame((1, 300, "real", None))) == (
        [ADDED], [(1, 300, "real", "active", 2)], None
    )  # fmt: skip


def test_rows_that_contradict_each_other_are_all_refused():
    rows = row_frame((1, 5, "a", None), (1, 5, "b", None), (2, 5, "c", None), (2, 5, "c", None))
    merged = merge(known_frame(), rows, VALUES)
    assert merged.rows["verdict"].to_list() == [TWICE, TWICE, ADDED, SAME]
    assert merged.rows["other"].to_list() == [3, 2, None, None]


def test_latest_recorded_of_one_moment_holds():
    records = known_frame((1, 0, "a", "x"), (1, 0, "b", "x")).with_columns(id=pl.Series([9, 4]))
    assert resolve(records)["group"].to_list() == ["a"]


def at(history: dict[int, tuple], moment: int):
    """Return what held: the record before the moment, else the first one."""
    if not history:
        return None
    before = [m for m in history if m <= moment]
    return history[max(before) if before else min(history)]


MOMENT = st.integers(0, 6)
ROW = st.tuples(st.integers(0, 3), MOMENT, st.sampled_from("ab"), st.sampled_from("xy"))


@given(known=st.lists(ROW, max_size=8), rows=st.lists(ROW, max_size=8))
def test_truth_after_equals_a_plain_reading(known, rows):
    held: dict[int, dict[int, tuple]] = {s: {} for s in range(4)}
    for subject, moment, *values in known:
        held[subject][moment] = tuple(values)
    frame = known_frame(*((s, m, *v) for s, h in held.items() for m, v in h.items()))
    told = {(s, m): (g, t) for s, m, g, t in rows}
    clean = [(s, m, *v) for (s, m), v in told.items()]
    merged = merge(frame, row_frame(*clean), VALUES)
    before = {s: [at(h, m) for m in range(8)] for s, h in held.items()}
    for (subject, moment), values in told.items():
        held[subject][moment] = values
    result = frame.with_columns(id=pl.lit(0)).vstack(
        merged.records.drop("line").with_columns(id=pl.lit(1))
    )
    after = resolve(result)
    for subject, history in held.items():
        mine = after.filter(pl.col("subject") == subject)
        stored = {m: (g, t) for _, m, g, t, _ in mine.iter_rows()}
        now = [at(history, m) for m in range(8)]
        assert [at(stored, m) for m in range(8)] == now
        moved = [m for m in range(8) if before[subject][m] not in (None, now[m])]
        if moved:
            assert merged.from_ms is not None
            assert merged.from_ms <= moved[0]
