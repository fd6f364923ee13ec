"""Clicks: stored many in one statement, found by id and by visitor, counted by link."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.facts.clicks import Click, first_id
from pipshare.inbox.salts import digests
from pipshare.period import FOREVER_MS, from_ms

_COLUMNS = """link_id, partner_id, sub1, sub2, sub3, sub4, sub5, country, address, agent, referrer,
       kind, visitor, landing_id, target, refused, is_archived"""
_STORE = f"""
INSERT INTO inbox_click (id, at, {_COLUMNS})
SELECT id, at, {_COLUMNS} FROM json_populate_recordset(NULL::inbox_click, %s::json)
ON CONFLICT (id) DO NOTHING"""
_FIND = f"SELECT id, {_COLUMNS} FROM inbox_click WHERE id = ANY(%s)"
_OF_VISITORS = f"""
SELECT id, {_COLUMNS} FROM inbox_click
 WHERE visitor = ANY(%(visitors)s) AND visitor <> '' AND id >= %(first)s AND id < %(end)s
 ORDER BY id"""
_COUNT = """
SELECT link_id, partner_id, count(*) FILTER (WHERE kind = 0), count(*) FILTER (WHERE kind = 1),
       count(*) FILTER (WHERE kind = 2)
  FROM inbox_click
 WHERE id >= %(first)s AND id < %(end)s
   AND (%(partners)s::int[] IS NULL OR partner_id = ANY(%(partners)s::int[]))
 GROUP BY 1, 2 ORDER BY 1, 2"""
COUNTS = dict.fromkeys(("link_id", "partner_id", "human", "bot", "prefetch"), pl.Int64)


def store_clicks(
    conn: psycopg.Connection[Any], clicks: Sequence[Click], addresses: Sequence[str] = ()
) -> None:
    """Store clicks, in one statement; those that are stored already stay. No text holds a NUL.

    `addresses`, one for each click, are the network addresses they came from, "" for unknown: only
    their digests under the salt of the click's day are stored.
    """
    if addresses:
        pairs = zip(clicks, addresses, strict=True)
        kept = digests(conn, [(one.at_ms, said) for one, said in pairs])
    else:
        kept = [one.address for one in clicks]
    rows = [_row(one, address) for one, address in zip(clicks, kept, strict=True)]
    conn.execute(_STORE, (json.dumps(rows),))


def clicks_of(conn: psycopg.Connection[Any], ids: Sequence[str]) -> dict[str, Click]:
    """Return the clicks with these ids, by id; unknown ones are missing."""
    return {one.id: one for one in map(_click, conn.execute(_FIND, (list(ids),)))}


def clicks_of_visitors(
    conn: psycopg.Connection[Any],
    visitors: Sequence[str],
    since_ms: int = 0,
    until_ms: int = FOREVER_MS,
) -> dict[str, list[Click]]:
    """Return each visitor's clicks in a half-open span (UTC ms), oldest first; bots' ones, too."""
    found: dict[str, list[Click]] = {}
    span = _span(since_ms, until_ms)
    for one in map(_click, conn.execute(_OF_VISITORS, {"visitors": list(visitors), **span})):
        found.setdefault(one.visitor, []).append(one)
    return found


def count_clicks(
    conn: psycopg.Connection[Any],
    since_ms: int,
    until_ms: int,
    partner_ids: Sequence[int] | None = None,
) -> pl.DataFrame:
    """Count the clicks of a half-open span (UTC ms) by link: a frame of COUNTS; None: of all."""
    only = None if partner_ids is None else list(partner_ids)
    return db.read_columns(
        conn, _COUNT, {"partners": only, **_span(since_ms, until_ms)}, schema=COUNTS
    )


def _span(since_ms: int, until_ms: int) -> dict[str, str]:
    return {"first": first_id(max(since_ms, 0)), "end": first_id(max(until_ms, 0))}


def _row(one: Click, address: bytes) -> dict[str, Any]:
    sub1, sub2, sub3, sub4, sub5 = one.subs
    return {
        "id": one.id, "at": from_ms(one.at_ms).isoformat(), "link_id": one.link_id,
        "partner_id": one.partner_id, "sub1": sub1, "sub2": sub2, "sub3": sub3, "sub4": sub4,
        "sub5": sub5, "country": one.country,
        "address": f"\\x{address.hex()}" if address else None, "agent": one.agent,
        "referrer": one.referrer, "kind": one.kind, "visitor": one.visitor,
        "landing_id": one.landing_id, "target": one.target, "refused": one.refused,
        "is_archived": one.is_archived,
    }  # fmt: skip


def _click(row: Sequence[Any]) -> Click:
    id_, link, partner, *subs = row[:8]
    country, address, agent, referrer, kind, visitor, landing, target, refused, archived = row[8:]
    return Click(id_, link, partner, (subs[0], subs[1], subs[2], subs[3], subs[4]), country,
                 bytes(address or b""), agent, referrer, kind, visitor, landing, target, refused,
                 archived)  # fmt: skip
