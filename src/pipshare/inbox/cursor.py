"""How far a source was read, and how it fares: its cursor, its last polls, its lags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import db
from pipshare.inbox.lease import held
from pipshare.inbox.sources import Source, sources

KEPT = 1000  # lags of a source that are kept
_LONGEST = 2**31 - 1
_SAVE = """
INSERT INTO inbox_cursor (source_id, cursor) VALUES (%s, %s)
ON CONFLICT (source_id) DO UPDATE SET cursor = EXCLUDED.cursor, changed_at = now()"""
_OK = """
UPDATE inbox_source_status
   SET last_try = now(), last_ok = now(), fails = 0, outage_since = NULL, error = '',
       last_news = CASE WHEN %(deals)s > 0 OR %(trades)s > 0 THEN now() ELSE last_news END,
       deals = deals + %(deals)s, trades = trades + %(trades)s
 WHERE source_id = %(source)s"""
_FAULT = """
UPDATE inbox_source_status
   SET last_try = now(), fails = fails + 1, error = %(error)s,
       outage_since = COALESCE(outage_since, now())
 WHERE source_id = %(source)s RETURNING fails"""
_LAGS = """
INSERT INTO inbox_source_lag AS was (source_id, lags) VALUES (%(source)s, %(lags)s::integer[])
ON CONFLICT (source_id) DO UPDATE
   SET lags = (was.lags || EXCLUDED.lags)
              [greatest(cardinality(was.lags || EXCLUDED.lags) - %(kept)s, 0) + 1:]"""
_GAP = """
INSERT INTO inbox_source_lag AS was (source_id, lags, gap_end, gap_ms, caught_up)
VALUES (%(source)s, '{}', to_timestamp(%(end_ms)s / 1000.0), %(lasted_ms)s, %(trades)s)
ON CONFLICT (source_id) DO UPDATE
   SET gap_end = EXCLUDED.gap_end, gap_ms = EXCLUDED.gap_ms,
       caught_up = EXCLUDED.caught_up
           + CASE WHEN was.gap_end = EXCLUDED.gap_end THEN was.caught_up ELSE 0 END"""
_CHECK = """
UPDATE inbox_source_status SET checked_at = now(), findings = %s WHERE source_id = %s"""
_STATUS = f"""
SELECT t.source_id, {db.ms("t.last_try")}, {db.ms("t.last_ok")}, {db.ms("t.last_news")}, t.fails,
       {db.ms("t.outage_since")}, t.error, t.deals, t.trades, {db.ms("t.checked_at")}, t.findings,
       {db.ms("g.gap_end")}, COALESCE(g.gap_ms, 0), COALESCE(g.caught_up, 0),
       (SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY x)
          FROM unnest(g.lags) AS x)
  FROM inbox_source_status t LEFT JOIN inbox_source_lag g USING (source_id)"""


@dataclass(frozen=True)
class Gap:
    """A time in which nobody polled a source, or nobody could: its end (UTC ms) and its length.

    `trades`: how many trades that had closed in it were booked since they were last told.
    """

    end_ms: int
    lasted_ms: int
    trades: int = 0


@dataclass(frozen=True)
class SourceStatus:
    """How a source fares. Moments are UTC milliseconds, None where there was none.

    `worked` tells whether a `pipshare work` polls it at this moment. `lag_p50_ms` and `lag_p99_ms`
    are of the last KEPT trades, from their close (or their file's completion) to booked, of those
    that closed while the source was polled; `caught_up` trades closed in the last gap, which was
    over at `gap_end_ms` and had lasted `gap_ms`.
    `findings` is what the last check found, None when it was never checked.
    """

    source: Source
    worked: bool
    last_try_ms: int | None
    last_ok_ms: int | None
    last_news_ms: int | None
    fails: int
    outage_since_ms: int | None
    error: str
    deals: int
    trades: int
    checked_ms: int | None
    findings: list[dict[str, Any]] | None
    gap_end_ms: int | None
    gap_ms: int
    caught_up: int
    lag_p50_ms: int | None
    lag_p99_ms: int | None


def cursor(conn: psycopg.Connection[Any], source_id: int) -> dict[str, Any]:
    """Return how far a source was read; empty when it never was."""
    row = conn.execute("SELECT cursor FROM inbox_cursor WHERE source_id = %s", (source_id,))
    found = row.fetchone()
    return dict(found[0]) if found else {}


def save_cursor(conn: psycopg.Connection[Any], source_id: int, values: dict[str, Any]) -> None:
    """Store how far a source was read, in the transaction of what was read. Values fit JSON."""
    conn.execute(_SAVE, (source_id, Jsonb(values)))


def note_ok(
    conn: psycopg.Connection[Any],
    source_id: int,
    *,
    deals: int = 0,
    trades: int = 0,
    lags_ms: Sequence[int] | None = None,
    gap: Gap | None = None,
) -> None:
    """Note a poll that went well, with what it brought; ends an outage.

    `gap`: trades of this poll that had closed in it are counted apart from `lags_ms`.
    """
    conn.execute(_OK, {"source": source_id, "deals": deals, "trades": trades})
    if lags_ms:
        told = [min(max(int(lag), 0), _LONGEST) for lag in lags_ms[-KEPT:]]
        conn.execute(_LAGS, {"source": source_id, "lags": told, "kept": KEPT})
    if gap is not None and gap.trades:
        told_gap = {"end_ms": gap.end_ms, "lasted_ms": gap.lasted_ms, "trades": gap.trades}
        conn.execute(_GAP, {"source": source_id, **told_gap})


def note_fault(conn: psycopg.Connection[Any], source_id: int, sentence: str) -> int:
    """Note a poll that failed and why; returns how many have failed in a row."""
    row = conn.execute(_FAULT, {"source": source_id, "error": sentence}).fetchone()
    return int(row[0]) if row else 0


def note_check(
    conn: psycopg.Connection[Any], source_id: int, findings: Sequence[dict[str, Any]]
) -> None:
    """Keep what a check of the source found: objects with the keys level, what and text."""
    conn.execute(_CHECK, (Jsonb(list(findings)), source_id))


def statuses(conn: psycopg.Connection[Any]) -> list[SourceStatus]:
    """Return how every source fares, by code."""
    rows = {row[0]: row[1:] for row in conn.execute(_STATUS).fetchall()}
    working = held(conn)
    return [
        SourceStatus(
            one, one.id in working, *rows[one.id][:-1], *(rows[one.id][-1] or (None, None))
        )
        for one in sources(conn)
    ]
