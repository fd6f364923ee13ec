"""Fills a Book from the database: every version parsed, every partner's terms flattened."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import db
from pipshare.period import FOREVER_MS, Clock, flatten
from pipshare.plans.book import Book, Longs, Terms, Version
from pipshare.plans.parse import parse
from pipshare.plans.recorded import ProgrammeRow, Recorded, programmes
from pipshare.plans.terms import Programme

_COMPONENTS = "SELECT programme_id, code, id FROM plans_component"
_RATES = "SELECT version_id, component_id, ordinal, id FROM plans_rate"
_TERMS = f"""
SELECT id, partner_id, coalesce(programme_id, 0) AS programme_id, card,
       {db.ms("valid_from")} AS from_ms, {db.ms("valid_to")} AS to_ms
  FROM plans_terms ORDER BY id
"""
TERMS_SCHEMA = {
    "id": pl.Int64, "partner_id": pl.Int64, "programme_id": pl.Int64, "card": pl.String,
    "from_ms": pl.Int64, "to_ms": pl.Int64,
}  # fmt: skip


def book(conn: psycopg.Connection[Any]) -> Book:
    """Read all programmes and terms as known now."""
    versions = _versions(conn)
    records = terms_records(conn)
    columns = (records[name] for name in ("id", "programme_id", "card"))
    terms = [Terms(number, prog or None, card) for number, prog, card in zip(*columns, strict=True)]
    programme_ids = np.array([v.programme_id for v in versions], np.int64)
    starts = np.array([v.valid_from_ms for v in versions], np.int64)
    order = np.arange(len(versions), dtype=np.int64)  # by programme and number, as recorded
    segments = flatten(programme_ids, starts, np.full_like(starts, FOREVER_MS), order, order)
    return Book(versions, terms, segments, flat_terms(records))


def terms_records(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return every record of terms, oldest first: TERMS_SCHEMA, programme_id 0 = earns nothing."""
    return db.read_columns(conn, _TERMS, schema=TERMS_SCHEMA)


def flat_terms(records: pl.DataFrame) -> tuple[Longs, Longs, Longs]:
    """Return which record holds from when on: (partner id, start_ms, row of `records` or -1)."""
    order = np.arange(len(records), dtype=np.int64)
    who, start, end = (records[name].to_numpy() for name in ("partner_id", "from_ms", "to_ms"))
    return flatten(who, start, end, order, order)


def _versions(conn: psycopg.Connection[Any]) -> list[Version]:
    components = {(a, b): c for a, b, c in conn.execute(_COMPONENTS).fetchall()}
    rates = {(a, b, c): d for a, b, c, d in conn.execute(_RATES).fetchall()}
    return [
        _version(row, one, components, rates) for row in programmes(conn) for one in row.versions
    ]


def _version(
    row: ProgrammeRow,
    one: Recorded,
    components: dict[tuple[int, str], int],
    rates: dict[tuple[int, int, int], int],
) -> Version:
    programme = parsed(row, one)
    ids = tuple(components[row.id, component.code] for component in programme.components)
    return Version(
        one.id, row.id, one.number, one.valid_from_ms, programme, ids,
        tuple(
            tuple(rates[one.id, number, rule.ordinal] for rule in component.rates)
            for number, component in zip(ids, programme.components, strict=True)
        ),
    )  # fmt: skip


def parsed(row: ProgrammeRow, version: Recorded) -> Programme:
    """Return a recorded version parsed."""
    return _parsed(version.text, row.name_of(version), row.clock)


@lru_cache(maxsize=1024)
def _parsed(text: str, name: str, clock: Clock) -> Programme:
    """A version never changes, and a process reads the book many times."""
    return parse(text, name, clock, accepted=True)
