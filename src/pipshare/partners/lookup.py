"""Find partners by code: one for a command, all for a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.errors import BadInput, Missing
from pipshare.partners.wording import hint

_ONE = """
SELECT p.id, p.code, p.entity_id, e.code, p.name, p.currency, p.own_client_id
  FROM partners_partner p JOIN market_entity e ON e.id = p.entity_id
 WHERE p.code = %(code)s AND (%(entity)s::text IS NULL OR e.code = %(entity)s)
 ORDER BY e.id
"""
_ALL = """
SELECT p.id, p.code, p.entity_id, e.code AS entity, p.name, p.currency, p.own_client_id
  FROM partners_partner p JOIN market_entity e ON e.id = p.entity_id
 ORDER BY p.id
"""
_SCHEMA = {
    "id": pl.Int64, "code": pl.String, "entity_id": pl.Int64, "entity": pl.String,
    "name": pl.String, "currency": pl.String, "own_client_id": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Partner:
    """A partner as known now. `own_client_id` is the client who is this partner himself."""

    id: int
    code: str
    entity_id: int
    entity: str
    name: str
    currency: str
    own_client_id: int | None


def partner(conn: psycopg.Connection[Any], code: str, entity: str | None = None) -> Partner:
    """Return the partner with this code.

    Raises Missing with the closest known code, BadInput when several entities have such a partner
    and `entity` does not say which.
    """
    rows = conn.execute(_ONE, {"code": code, "entity": entity}).fetchall()
    if len(rows) > 1:
        where = ", ".join(row[3] for row in rows)
        raise BadInput("ambiguous", f"partner {code} exists in {where}: name the entity")
    if not rows:
        everyone = all_partners(conn)
        known = everyone if entity is None else everyone.filter(pl.col("entity") == entity)
        place = f" in entity {entity}" if entity else ""
        raise Missing("no_partner", f"no partner {code!r}{place}{hint(code, known['code'])}")
    return Partner(*rows[0])


def all_partners(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return all partners: id, code, entity_id, entity, name, currency, own_client_id."""
    return db.read_columns(conn, _ALL, None, schema=_SCHEMA)
