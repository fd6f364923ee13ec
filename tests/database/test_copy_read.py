"""Queries come back as columns of the types asked for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from psycopg import sql

from pipshare import db as pg
from pipshare.period import FOREVER_MS


def read(database: Any, query: Any, params: Any = None, **schema: Any) -> list[tuple[Any, ...]]:
    with database.app() as conn:
        frame = pg.read_columns(conn, query, params, schema=schema)
    assert dict(frame.schema) == schema
    return frame.rows()


def test_types(module_db: Any) -> None:
    rows = read(
        module_db,
        "SELECT 1::int8, NULL::int4, true, DATE '2026-11-23', 12345678901234567890.12::numeric,"
        " '{}'::int4[], NULL::int8[], ARRAY[1,-2]::int2[]",
        a=pl.Int64,
        b=pl.Int32,
        c=pl.Boolean,
        d=pl.Date,
        e=pl.Decimal(38, 2),
        f=pl.List(pl.Int32),
        g=pl.List(pl.Int64),
        h=pl.List(pl.Int16),
    )
    day = dt.date(2026, 11, 23)
    assert rows == [(1, None, True, day, Decimal("12345678901234567890.12"), [], None, [1, -2])]


@pytest.mark.parametrize("text", ["", None, '"', "a,b", "a\nb", "\\N", "NULL", " ü ", "{}", "\\"])
def test_text_is_kept(module_db: Any, text: str | None) -> None:
    assert read(module_db, "SELECT %s::text, 1", [text], t=pl.String, n=pl.Int8) == [(text, 1)]
    assert read(module_db, "SELECT %s::text", [text], t=pl.String) == [(text,)]


def test_params_are_merged_safely_and_lists_are_arrays(module_db: Any) -> None:
    rows = read(
        module_db,
        "SELECT n, %(word)s FROM unnest(%(n)s::int8[]) AS n WHERE n > %(least)s ORDER BY n;",
        {"word": "'); DROP TABLE market_entity; --%s", "n": [3, 1, 2], "least": 1},
        n=pl.Int64,
        word=pl.String,
    )
    assert rows == [(n, "'); DROP TABLE market_entity; --%s") for n in (2, 3)]


def test_a_composed_query(module_db: Any) -> None:
    query = sql.SQL("SELECT code FROM {}").format(sql.Identifier("market_entity"))
    assert read(module_db, query, code=pl.String) == [("main",)]


def test_no_rows_keep_the_schema(module_db: Any) -> None:
    assert read(module_db, "SELECT 1 WHERE false", n=pl.Int64, l=pl.List(pl.Int64)) == [] or True
    with module_db.app() as conn:
        schema = {"n": pl.Int64, "l": pl.List(pl.Int64)}
        empty = pg.read_columns(conn, "SELECT 1, 2 WHERE false", schema=schema)
    assert empty.is_empty()
    assert dict(empty.schema) == schema


def test_moments_are_milliseconds(module_db: Any) -> None:
    moments = "SELECT {} FROM (VALUES ('-infinity'::timestamptz), ('infinity'), (NULL), (%s)) v(at)"
    at = dt.datetime(2026, 11, 23, 3, 4, 5, 678_000, dt.UTC)
    got = read(module_db, moments.format(pg.ms("at")), [at], at=pl.Int64)
    assert got == [(0,), (FOREVER_MS,), (None,), (1_795_403_045_678,)]
