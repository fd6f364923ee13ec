"""Columns go in by binary COPY and come back as they were."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipshare import db as pg
from pipshare.db import copy
from pipshare.errors import BadInput
from pipshare.period import FOREVER_MS

INT2 = st.integers(-(2**15), 2**15 - 1)
INT4 = st.integers(-(2**31), 2**31 - 1)
INT8 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
MOMENT = st.one_of(st.just(0), st.just(FOREVER_MS), st.integers(1, 4_102_444_800_000))
ROW = st.tuples(
    st.none() | INT2,
    INT4,
    st.none() | INT8,
    st.booleans(),
    st.none() | TEXT,
    MOMENT,
    st.integers(-100_000, 100_000),
    st.lists(INT2, max_size=5),
    st.lists(INT4, max_size=5),
    st.lists(INT8, max_size=12),
    st.none() | st.binary(max_size=20),
)
QUERY = "SELECT a, b, c, d, e, {}, g - DATE '1970-01-01', h, i, j, k FROM t ORDER BY n"


def ints(kind: Any, values: list[int | None]) -> Any:
    valid = np.array([v is not None for v in values], np.bool_)
    return kind(np.array([v or 0 for v in values], np.int64), valid)


def arrays(kind: Any, values: list[list[int]]) -> Any:
    flat = np.array([v for row in values for v in row], np.int64)
    return kind(flat, np.array([len(row) for row in values], np.int64))


def columns(rows: list[Any]) -> dict[str, Any]:
    a, b, c, d, e, f, g, h, i, j, k = (list(x) for x in zip(*rows, strict=True))
    return {
        "n": pg.Int4(np.arange(len(rows))),
        "a": ints(pg.Int2, a),
        "b": pg.Int4(np.array(b, np.int64)),
        "c": ints(pg.Int8, c),
        "d": pg.Bool(np.array(d)),
        "e": pg.Text(pl.Series(e, dtype=pl.String)),
        "f": pg.Timestamp(np.array(f, np.int64), unbounded=True),
        "g": pg.Date(np.array(g, np.int64)),
        "h": arrays(pg.Int2Array, h),
        "i": arrays(pg.Int4Array, i),
        "j": arrays(pg.Int8Array, j),
        "k": pg.Bytes(k),
    }


@pytest.fixture(scope="module")
def table(module_db: Any) -> Any:
    with module_db.owner() as conn:
        conn.execute(
            "CREATE TABLE t (o bigint GENERATED ALWAYS AS IDENTITY, n int, a smallint, b int,"
            " c bigint, d bool, e text, f timestamptz, g date, h smallint[],"
            " i int[], j bigint[], k bytea)"
        )
    return module_db


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROW, min_size=1, max_size=30),
    cut=st.sampled_from([(1, 1), (5, 1), (8192, 1), (7, 2), (8192, 256)]),
)
def test_what_goes_in_comes_out(table: Any, rows: list[Any], cut: tuple[int, int]) -> None:
    with pytest.MonkeyPatch.context() as patch, table.app() as conn:
        patch.setattr(copy, "SLICE", cut[0])
        patch.setattr(copy, "_SHAPES", cut[1])
        assert pg.copy_in(conn, "t", columns(rows)) == len(rows)
        query = QUERY.format(pg.ms("f"))
        got = conn.execute(query).fetchall()  # type: ignore[arg-type]
        conn.rollback()
    assert got == rows


def test_long_columns_keep_their_order(table: Any) -> None:
    """Several slices, more shapes than one piece holds, in the order given."""
    n = 20_000
    random = np.random.default_rng(7)
    lengths = random.integers(0, 40, n)
    flat = random.integers(-(2**60), 2**60, int(lengths.sum()))
    words = pl.Series(["ä" * int(k) for k in random.integers(0, 50, n)])
    with table.app() as conn:
        pg.copy_in(
            conn,
            "t",
            {
                "n": pg.Int4(np.arange(n)),
                "j": pg.Int8Array(flat, lengths),
                "e": pg.Text(words),
                "h": pg.Int2Array(np.zeros(n, np.int64), np.ones(n, np.int64)),
            },
        )
        got = pg.read_columns(
            conn,
            "SELECT n, e, j FROM t ORDER BY o",
            schema={"n": pl.Int32, "e": pl.String, "j": pl.List(pl.Int64)},
        )
        conn.rollback()
    assert got["n"].to_list() == list(range(n))
    assert got["e"].equals(words.alias("e"))
    assert got["j"].list.len().to_list() == lengths.tolist()
    assert np.array_equal(got["j"].explode().drop_nulls().to_numpy(), flat)


def test_a_timestamp_is_a_moment_and_only_unbounded_ones_are_infinite(table: Any) -> None:
    moments = np.array([0, FOREVER_MS, 1_700_000_000_123], np.int64)
    with table.app() as conn:
        pg.copy_in(conn, "t", {"n": pg.Int4(np.arange(3)), "f": pg.Timestamp(moments)})
        got = conn.execute("SELECT f FROM t WHERE n IN (0, 2) ORDER BY n").fetchall()
        conn.rollback()
    assert got == [
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC),),
        (dt.datetime(2023, 11, 14, 22, 13, 20, 123000, dt.UTC),),
    ]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: pg.Int2(np.array([2**15])), "out_of_range"),
        (lambda: pg.Int4(np.array([-(2**31) - 1])), "out_of_range"),
        (lambda: pg.Int8(np.array([2**63], np.uint64)), "out_of_range"),
        (lambda: pg.Int8(np.array(["1"])), "not_integer"),
        (lambda: pg.Int8(np.array([1, 2]) / 1), "not_integer"),
        (lambda: pg.Int8(np.zeros((2, 2), np.int64)), "not_a_column"),
        (lambda: pg.Int4Array(np.array([1, 2]), np.array([1])), "ragged"),
        (lambda: pg.Int4Array(np.array([1]), np.array([2, -1])), "ragged"),
        (lambda: pg.Text(pl.Series(["a\0b"])), "nul_in_text"),
        (lambda: pg.Bool(np.array([1])), "not_bool"),
        (lambda: pg.Int8(np.array([1]), np.array([True, False])), "ragged"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        make()
    assert caught.value.code == code


def test_columns_of_different_length_are_refused(table: Any) -> None:
    with table.app() as conn, pytest.raises(BadInput, match="'n': 1"):
        pg.copy_in(conn, "t", {"n": pg.Int4(np.array([1])), "b": pg.Int4(np.array([1, 2]))})


def test_nothing_is_nothing(table: Any) -> None:
    with table.app() as conn:
        assert pg.copy_in(conn, "t", {"n": pg.Int4(np.array([], np.int64))}) == 0
        assert pg.copy_in(conn, "t", {}) == 0


def test_a_wrong_type_is_the_database_s_error(table: Any) -> None:
    with table.app() as conn, pytest.raises(psycopg.errors.DataError):
        pg.copy_in(conn, "t", {"n": pg.Int8(np.array([1]))})
