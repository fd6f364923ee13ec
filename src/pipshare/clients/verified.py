"""Where clients stand with KYC now: approved until when, not, or not yet; and whose ends soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import polars as pl
import psycopg

from pipshare.clients.read_events import events_of
from pipshare.db import read_columns
from pipshare.errors import BadInput
from pipshare.facts.events import KYC

STATES = ("approved", "expired", "rejected", "withdrawn", "unverified")
DEFAULT_DAYS = (30, 7)
_CLIENTS = """
SELECT c.id, c.entity_id, n.code, c.code
  FROM clients_client c JOIN market_entity n ON n.id = c.entity_id
 WHERE (%(entity)s::int IS NULL OR c.entity_id = %(entity)s)
   AND c.id NOT IN (SELECT client_id FROM clients_same)
"""
_WHO = {"client_id": pl.Int64, "entity_id": pl.Int64, "entity": pl.String, "code": pl.String}
_ORDER = ("entity", "code")
_SOON = """
SELECT DISTINCT client_id FROM clients_event_current
 WHERE kind = 'kyc_approved' AND client_id IS NOT NULL
   AND expires_at > to_timestamp(%s) AND expires_at <= to_timestamp(%s)
"""
_DAYS = """
SELECT DISTINCT ON (entity_id) entity_id, days FROM clients_expiry_days ORDER BY entity_id, id DESC
"""
_SAY_DAYS = "INSERT INTO clients_expiry_days (entity_id, days, recorded_by) VALUES (%s, %s, %s)"
_SAID = """
INSERT INTO clients_expiry_said (client_id, expires_at, days)
SELECT %s, to_timestamp(%s / 1000.0), %s ON CONFLICT DO NOTHING RETURNING 1
"""


@dataclass(frozen=True)
class Verified:
    """A client and where he stands: `state` of STATES `since_ms` (None: nothing was ever said).

    `expires_ms`: the end of the document that was approved last, None = none. `document` and
    `country` are its kind and country, `source` and `event` what told it; "" = not told.
    """

    client_id: int
    entity_id: int
    entity: str
    code: str
    state: str
    since_ms: int | None
    expires_ms: int | None
    document: str
    country: str
    source: str
    event: str


def verified(
    conn: psycopg.Connection[Any], now_ms: int, *, entity_id: int | None = None,
    state: str | None = None, search: str = "", client_ids: Sequence[int] | None = None,
    after: tuple[str, str] = ("", ""), limit: int = 100,
) -> list[Verified]:  # fmt: skip
    """Return clients and where they stand, by entity and code, after one of these (entity, code).

    `state` of STATES; `search`: a part of the code; `client_ids`: only these. Needs a transaction
    that may put together temporary tables, as events_of does.
    """
    found = _standing(conn, now_ms, entity_id, client_ids)
    entity, code = pl.col("entity"), pl.col("code")
    found = found.filter((entity > after[0]) | ((entity == after[0]) & (code > after[1])))
    if state is not None:
        found = found.filter(state=state)
    if search:
        found = found.filter(code.str.to_lowercase().str.contains(search.lower(), literal=True))
    return _rows(found.sort(_ORDER).head(limit))


def count_verified(
    conn: psycopg.Connection[Any], now_ms: int, entity_id: int | None = None
) -> dict[str, int]:
    """Return how many clients are in each of STATES now."""
    found = _standing(conn, now_ms, entity_id, None)
    counts = dict(found.group_by("state").len().iter_rows())
    return {state: int(counts.get(state, 0)) for state in STATES}


def expiring(
    conn: psycopg.Connection[Any], now_ms: int, until_ms: int, *, entity_id: int | None = None,
    limit: int = 1000,
) -> list[Verified]:  # fmt: skip
    """Return approved clients whose document ends after now and by a moment, the first first."""
    span = (now_ms / 1000.0, until_ms / 1000.0)
    soon = [row[0] for row in conn.execute(_SOON, span)]
    if not soon:
        return []
    found = _standing(conn, now_ms, entity_id, soon).filter(state="approved")
    found = found.filter(pl.col("expires_ms") <= until_ms)
    return _rows(found.sort("expires_ms", *_ORDER).head(limit))


def _standing(
    conn: psycopg.Connection[Any], now_ms: int, entity_id: int | None,
    client_ids: Sequence[int] | None,
) -> pl.DataFrame:  # fmt: skip
    """Return the columns of Verified for all clients but those who are another's double.

    The last word by now holds, of those of sources that count (events_of).
    """
    who = read_columns(conn, _CLIENTS, {"entity": entity_id}, schema=_WHO)
    if client_ids is not None:
        who = who.filter(pl.col("client_id").is_in(list(client_ids)))
    told = events_of(conn, client_ids, kinds=KYC).filter(pl.col("at_ms") <= now_ms)
    ends = (pl.col("kind") == "kyc_approved") & (pl.col("expires_ms") > 0)
    over = ends & (pl.col("expires_ms") <= now_ms)
    last = told.unique("client_id", keep="last", maintain_order=True).select(
        "client_id",
        state=pl.when(over).then(pl.lit("expired")).otherwise(pl.col("kind").str.slice(4)),
        since_ms=pl.when(over).then("expires_ms").otherwise("at_ms"),
        expires_ms=pl.when(ends).then("expires_ms"),
        document="document", country="country", source="source", event="event",
    )  # fmt: skip
    texts = ("document", "country", "source", "event")
    found = who.join(last, on="client_id", how="left", maintain_order="left")
    return found.with_columns(pl.col("state").fill_null("unverified"), pl.col(texts).fill_null(""))


def _rows(found: pl.DataFrame) -> list[Verified]:
    names = [one.name for one in fields(Verified)]
    return [Verified(*row) for row in found.select(names).iter_rows()]


def expiry_days(conn: psycopg.Connection[Any], entity_id: int) -> tuple[int, ...]:
    """Return so many days before a document's end it is said, the most first."""
    return tuple(dict(conn.execute(_DAYS).fetchall()).get(entity_id, DEFAULT_DAYS))


def set_expiry_days(
    conn: psycopg.Connection[Any], entity_id: int, days: Sequence[int], *, by: str
) -> tuple[int, ...]:
    """Set so many days before a document's end it is said; none: never. Raises BadInput."""
    wanted = sorted(set(days), reverse=True)
    if any(not 1 <= one <= 366 for one in wanted):
        raise BadInput("bad_days", "days before the end of a document are 1 to 366, such as 30 7")
    if not by.strip():
        raise BadInput("no_name", "this needs the name of who sets it: give --by")
    conn.execute(_SAY_DAYS, (entity_id, wanted, " ".join(by.split())))
    return tuple(wanted)


def note_expiry_said(
    conn: psycopg.Connection[Any], client_id: int, expires_ms: int, days: int
) -> bool:
    """Note that so many days before the end it was said; tell whether it was not noted before."""
    return conn.execute(_SAID, (client_id, expires_ms, days)).fetchone() is not None
