"""What waits in windows and is of no trade: kept while it waits, and taken up by settling again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg

from pipshare import db

_KNOWN = f"""
SELECT id, shard, client_id, level, partner, event, {db.ms("earned_at")}, reason, key
  FROM rating_window_waiting
 WHERE component = %(component)s
   AND CASE WHEN shard = 0 THEN client_id = ANY(%(clients)s::int[])
            ELSE shard = ANY(%(shards)s::int[])
             AND earned_at >= to_timestamp(%(first)s / 1000.0)
             AND earned_at < to_timestamp(%(last)s / 1000.0) END
"""
_ADD = """
INSERT INTO rating_window_waiting (entity_id, component, window_start, window_end, shard, client_id,
                                   level, partner, event, earned_at, reason, key)
VALUES (%s, %s, to_timestamp(%s / 1000.0), to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s,
        to_timestamp(%s / 1000.0), %s, %s)
"""
_AGAIN = """
INSERT INTO rating_due (entity_id, component, shard, window_start, window_end, client_id, causes)
SELECT DISTINCT entity_id, component, shard, window_start, window_end,
       CASE WHEN shard = 0 THEN client_id ELSE 0 END,
       jsonb_build_object('because', jsonb_build_array(
           'what it waited for came (' || trim(reason || ' ' || key) || ')'))
  FROM rating_window_waiting
"""


@dataclass(frozen=True, order=True)
class Lasting:
    """A line that waits: of a tree (`shard`), or (shard 0) of what is paid for a client.

    `client_id` 0 = of none, `partner` 0 = nobody knows yet, `earned_ms` (UTC) 0 = nor when.
    """

    shard: int
    client_id: int
    level: int
    partner: int
    event: str
    earned_ms: int
    reason: str
    key: str


def store_lasting(
    conn: psycopg.Connection, entity_id: int, component: int, waits: Iterable[Lasting], *,
    clients: Collection[int], shards: Collection[int], first_ms: int, last_ms: int,
) -> None:  # fmt: skip
    """Make what waits of a component exactly `waits`: of these clients, of these trees in a span.

    What still waits for the same keeps its row and since when.
    """
    values = {"component": component, "clients": sorted(clients), "shards": sorted(shards),
              "first": first_ms, "last": last_ms}  # fmt: skip
    known = {Lasting(*row[1:]): row[0] for row in conn.execute(_KNOWN, values)}
    now = set(waits)
    gone = [number for one, number in known.items() if one not in now]
    if gone:
        conn.execute("DELETE FROM rating_window_waiting WHERE id = ANY(%s)", (gone,))
    new = [
        (entity_id, component, first_ms, last_ms, one.shard, one.client_id, one.level, one.partner,
         one.event, one.earned_ms, one.reason, one.key)
        for one in sorted(now) if one not in known
    ]  # fmt: skip
    if new:
        with conn.cursor() as cursor:
            cursor.executemany(_ADD, new)


def settle_lasting_again(conn: psycopg.Connection) -> None:
    """Note all windows in which something of no trade waits as due."""
    conn.execute(_AGAIN)
