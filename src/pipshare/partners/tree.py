"""The tree at a moment, as known at another, and the one scoping function."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db

_HOLDING = """
SELECT DISTINCT ON (partner_id) partner_id, parent_id
  FROM partners_parent
 WHERE valid_from <= COALESCE(to_timestamp(%(at)s::bigint / 1000.0), now())
   AND COALESCE(to_timestamp(%(at)s::bigint / 1000.0), now()) < valid_to
   AND recorded_at <= COALESCE(to_timestamp(%(known)s::bigint / 1000.0), 'infinity')
 ORDER BY partner_id, id DESC
"""
_TREE = f"""
SELECT p.id, p.code, e.code AS entity, h.parent_id, u.code AS parent
  FROM partners_partner p
  JOIN market_entity e ON e.id = p.entity_id
  LEFT JOIN ({_HOLDING}) h ON h.partner_id = p.id
  LEFT JOIN partners_partner u ON u.id = h.parent_id
 ORDER BY p.id
"""
_SUBTREE = f"""
WITH RECURSIVE holding AS MATERIALIZED ({_HOLDING}),
below (id) AS (
    SELECT %(partner)s::integer
    UNION
    SELECT h.partner_id FROM below b JOIN holding h ON h.parent_id = b.id
)
SELECT id FROM below ORDER BY id
"""
_SCHEMA = {
    "id": pl.Int64, "code": pl.String, "entity": pl.String, "parent_id": pl.Int64,
    "parent": pl.String,
}  # fmt: skip


def tree(
    conn: psycopg.Connection[Any], at_ms: int | None = None, known_at: int | None = None
) -> pl.DataFrame:
    """Return every partner with his parent: id, code, entity, parent_id, parent (null = a root).

    `at_ms` (UTC; None = now) is the moment asked about: what was true. With `known_at` (UTC ms)
    only records made by then count: what we knew.
    """
    return db.read_columns(conn, _TREE, {"at": at_ms, "known": known_at}, schema=_SCHEMA)


def subtree(conn: psycopg.Connection[Any], partner_id: int, at_ms: int | None = None) -> list[int]:
    """Return the ids of a partner and of everybody below him at a moment (None = now), sorted.

    The one scoping function: whatever a partner may see is limited to these.
    """
    values = {"at": at_ms, "known": None, "partner": partner_id}
    return [row[0] for row in conn.execute(_SUBTREE, values)]
