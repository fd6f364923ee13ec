"""Read events of clients as they hold now, and what they say of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.clients.authority import authorities
from pipshare.db import Int4, Int8, copy_in, ms, read_columns
from pipshare.facts import history
from pipshare.facts.counted import COUNTS, why_not
from pipshare.facts.events import DUPLICATE, EVENT, KINDS, originals
from pipshare.facts.standing import Snapshots, Standing, snapshots_at, standing_at
from pipshare.period import Millis

SNAPSHOT = "account_snapshot"
# EVENT, the client's id, and `original`: the row of this frame that `reference` means, -1 = none.
HELD = {**EVENT, "client_id": pl.Int64, "original": pl.Int64}
LIFE = tuple(kind for kind in KINDS if kind != SNAPSHOT)  # there may be one snapshot a day
_EXPRESSIONS = {
    "entity": "n.code",
    "at_ms": ms("v.at"),
    "cleared_ms": ms("v.cleared_at"),
    "expires_ms": ms("v.expires_at"),
    "effective_ms": ms("v.effective_at"),
    "line": "0",
}
_COLUMNS = ", ".join(_EXPRESSIONS.get(name, f"v.{name}") for name in EVENT) + ", v.client_id"
_STAGE = "CREATE TEMP TABLE clients_asked_stage (client_id integer) ON COMMIT DROP"
_THEIRS = """
SELECT e.id
  FROM (SELECT client_id FROM clients_asked_stage
        UNION SELECT s.client_id FROM clients_same s JOIN clients_asked_stage a
                  ON a.client_id = s.into_id) q
  JOIN clients_client c ON c.id = q.client_id
  JOIN clients_event e ON e.entity_id = c.entity_id AND e.client = c.code
UNION
SELECT e.id FROM clients_asked_stage q
  JOIN clients_account_owner w ON w.client_id = q.client_id
  JOIN clients_event e ON e.server = w.server AND e.login = w.login AND e.client = ''
"""
_AT_ONCE = 50_000  # ids in the text of one query
# Their ids as an array: of a join the planner would read everybody's events, however few are asked.
_OF_SOME = """
  AND v.client_id IN (SELECT client_id FROM clients_asked_stage)
  AND v.id = ANY(%(ids)s::bigint[])
"""
# That he was a client before is said of a merged client, not of whom he was merged into.
_EVENTS = f"""
SELECT {_COLUMNS} FROM clients_event_current v JOIN market_entity n ON n.id = v.entity_id
  JOIN clients_client own ON own.id = v.client_id
 WHERE v.client_id IS NOT NULL AND v.kind = ANY(%(kinds)s)
   AND (v.kind NOT IN ('{DUPLICATE[0]}', '{DUPLICATE[1]}') OR v.client = own.code) {{some}}
"""
_COUNTRIES = f"""
SELECT t.client_id, t.id, t.country, {ms("t.valid_from")} FROM clients_country t
 WHERE t.client_id IN (SELECT client_id FROM clients_asked_stage)
"""
_COUNTRY = {"subject": pl.Int64, "id": pl.Int64, "country": pl.String, "from_ms": pl.Int64}
_LOGIN_STAGE = "CREATE TEMP TABLE clients_snapshot_stage (login bigint) ON COMMIT DROP"
_SNAPSHOTS = f"""
SELECT {_COLUMNS} FROM clients_event_current v JOIN market_entity n ON n.id = v.entity_id
 WHERE v.kind = '{SNAPSHOT}' AND v.login <> 0
   AND v.server = (SELECT code FROM market_server WHERE id = %(server)s)
   AND v.login IN (SELECT login FROM clients_snapshot_stage)
"""
# Beside events that wait for somebody, or for another event, words on who clients are and whose
# that wait for the other client, for the partner, or for a second person.
_WAITING = """
SELECT w.reason, w.key, v.source, v.event, v.kind, v.client, w.since
  FROM (SELECT event_id, reason, key, since FROM clients_event_waiting
        UNION ALL
        SELECT i.event_id,
               CASE WHEN i.state = 'proposed' THEN 'second_person'
                    WHEN e.partner <> '' THEN 'unknown_partner' ELSE 'unknown_client' END,
               CASE WHEN i.state = 'proposed' THEN 'proposal ' || i.proposal
                    WHEN e.partner <> '' THEN e.partner ELSE e.other_client END, i.noted_at
          FROM clients_identity i JOIN clients_event e ON e.id = i.event_id
         WHERE i.state IN ('waits', 'proposed')
           AND i.event_id NOT IN (SELECT event_id FROM clients_event_waiting)) w
  JOIN clients_event v ON v.id = w.event_id
 ORDER BY w.since, w.event_id LIMIT %s
"""


def events_of(
    conn: psycopg.Connection[Any],
    client_ids: Sequence[int] | Millis | None = None,
    kinds: Sequence[str] = LIFE,
    *,
    every: bool = False,
) -> pl.DataFrame:
    """Return the events of clients (None: of all) as they hold now, as a HELD frame.

    In order of moment, source and event. Those of clients or accounts that are not known are not
    among them. Snapshots of accounts are left out unless asked for, and so are events that do not
    count because another source's do (facts.counted): `every` adds them, and `why_not`.
    """
    asked: dict[str, Any] = {"kinds": list(kinds)}
    schema = {**EVENT, "client_id": pl.Int64}
    if client_ids is None:
        found = read_columns(conn, _EVENTS.format(some=""), asked, schema=schema)
    else:
        _ask(conn, np.asarray(client_ids, np.int64))
        ids = read_columns(conn, _THEIRS, schema={"id": pl.Int64})["id"].sort()
        query = _EVENTS.format(some=_OF_SOME)
        found = pl.concat(
            read_columns(conn, query, {**asked, "ids": some.to_list()}, schema=schema)
            for some in (ids.slice(at, _AT_ONCE) for at in range(0, max(len(ids), 1), _AT_ONCE))
        )
    # An empty text of COPY's CSV is quoted, yet Polars may read it as null.
    found = found.with_columns(pl.col(pl.String).fill_null(""))
    found = found.sort("at_ms", "source", "event")
    found = found.with_columns(original=originals(found))
    found = found.with_columns(why_not(found, authorities(conn)))
    return found if every else counting(found)


def counting(events: pl.DataFrame) -> pl.DataFrame:
    """Return those that count of events that were read with `every`, as a HELD frame."""
    found = events.filter(pl.col("why_not") == COUNTS).drop("why_not")
    if len(found) == len(events):
        return found
    return found.with_columns(original=originals(found))


def standing_columns(
    conn: psycopg.Connection[Any], client_ids: Millis, moment_ms: Millis
) -> Standing:
    """Return what was true of clients at moments: registration, KYC, country, the CRM's word."""
    countries = countries_of(conn, client_ids)
    return standing_at(events_of(conn, client_ids), client_ids, moment_ms, countries)


def countries_at(conn: psycopg.Connection[Any], client_id: int, moment_ms: int) -> tuple[str, str]:
    """Return where a client lives and what his KYC document says at a moment; "" = unknown."""
    found = standing_columns(conn, np.array([client_id]), np.array([moment_ms]))
    return str(found.country[0] or ""), str(found.document[0] or "")


def countries_of(conn: psycopg.Connection[Any], client_ids: Sequence[int] | Millis) -> pl.DataFrame:
    """Return the countries of clients as loaded: client_id, country, from_ms."""
    _ask(conn, np.asarray(client_ids, np.int64))
    told = history.resolve(read_columns(conn, _COUNTRIES, schema=_COUNTRY))
    return told.rename({"subject": "client_id"})


def snapshot_columns(
    conn: psycopg.Connection[Any], server_id: int, logins: Millis, moment_ms: Millis
) -> Snapshots:
    """Return the last snapshot of a server's accounts before each moment."""
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_snapshot_stage")
    conn.execute(_LOGIN_STAGE)
    copy_in(conn, "clients_snapshot_stage", {"login": Int8(np.unique(logins))})
    conn.execute("ANALYZE clients_snapshot_stage")
    schema = {**EVENT, "client_id": pl.Int64}
    events = read_columns(conn, _SNAPSHOTS, {"server": server_id}, schema=schema)
    events = events.with_columns(server=pl.lit(""))
    return snapshots_at(events, "", logins, moment_ms)


def waiting_events(conn: psycopg.Connection[Any], limit: int = 1000) -> list[tuple[Any, ...]]:
    """Return events that wait: reason, key, source, event, kind, client, since."""
    return conn.execute(_WAITING, (limit,)).fetchall()


def _ask(conn: psycopg.Connection[Any], client_ids: Millis) -> None:
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_asked_stage")
    conn.execute(_STAGE)
    copy_in(conn, "clients_asked_stage", {"client_id": Int4(np.unique(client_ids))})
    conn.execute("ANALYZE clients_asked_stage")
