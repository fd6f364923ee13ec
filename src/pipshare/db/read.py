"""Bulk reading: a query's result as columns, by way of COPY and Polars' CSV reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import polars as pl
import psycopg
from psycopg import sql

from pipshare.db.libpq import receive
from pipshare.period import FOREVER_MS

Params = Sequence[Any] | Mapping[str, Any] | None
_PLAIN = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def read_columns(
    conn: psycopg.Connection[Any],
    query: str | sql.Composable,
    params: Params = None,
    *,
    schema: Mapping[str, Any],
) -> pl.DataFrame:
    """Return the rows of `query` as a frame with the columns of `schema`, in its order.

    `schema` names the query's columns from left to right with their Polars types: integers,
    String, Boolean, Date, Decimal, and List of integers. A moment is selected by `ms`. `params` are
    merged by psycopg on this side, as COPY takes none.
    """
    text = psycopg.ClientCursor(conn).mogrify(_query(query), params)
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT CSV, HEADER false)").format(
        sql.SQL(text.rstrip().rstrip(";"))
    )
    body = receive(conn, statement.as_bytes(conn))
    if not body:
        return pl.DataFrame(schema=dict(schema))
    types = {name: _on_the_way(kind) for name, kind in schema.items()}
    frame = pl.read_csv(body, has_header=False, schema=types, infer_schema=False)
    if types == dict(schema):
        return frame
    return frame.select(_finish(name, kind) for name, kind in schema.items())


def ms(moment: LiteralString) -> LiteralString:
    """SQL for the moment's UTC milliseconds as bigint; -infinity is 0, infinity FOREVER_MS."""
    return (
        f"CASE WHEN {moment} = '-infinity' THEN 0::bigint "
        f"WHEN {moment} = 'infinity' THEN {FOREVER_MS}::bigint "
        f"ELSE (extract(epoch FROM {moment}) * 1000)::bigint END"
    )


def _query(query: str | sql.Composable) -> Any:
    return query


def _on_the_way(kind: Any) -> Any:
    if kind in _PLAIN or kind == pl.String:
        return kind
    return pl.String


def _finish(name: str, kind: Any) -> pl.Expr:
    """Turn what CSV can carry into the type asked for."""
    column = pl.col(name)
    if kind in _PLAIN or kind == pl.String:
        return column
    if kind == pl.Boolean:
        return (column == "t").alias(name)
    if isinstance(kind, pl.List) or kind == pl.List:
        items = column.str.strip_chars("{}").str.split(",")
        filled = items.list.eval(pl.element().filter(pl.element() != "").cast(kind.inner))
        return filled.alias(name)
    if kind == pl.Date:
        return column.str.to_date("%Y-%m-%d").alias(name)
    return column.cast(kind)
