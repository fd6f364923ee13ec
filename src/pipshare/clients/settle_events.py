"""What follows from events that came: which of them wait, and whose commissions they touch.

Called in the transaction that brought the events, or the clients or accounts they waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from pipshare.facts.events import NEEDING, REFERRING, misfit

_SET = """
SELECT e.id FROM clients_event f JOIN clients_event e USING (source, event)
 WHERE f.id = ANY(%(ids)s)
UNION
SELECT r.id FROM clients_event f
  JOIN clients_event r ON r.source = f.source AND r.reference = f.event AND r.reference <> ''
 WHERE f.id = ANY(%(ids)s)
"""
_NO_LONGER = f"DELETE FROM clients_event_waiting WHERE event_id IN ({_SET})"
_WAIT = f"""
INSERT INTO clients_event_waiting (event_id, reason, key)
SELECT v.id,
       CASE WHEN v.client_id IS NOT NULL THEN 'unknown_reference'
            WHEN v.client <> '' THEN 'unknown_client' ELSE 'unknown_account' END,
       CASE WHEN v.client_id IS NOT NULL THEN v.reference
            WHEN v.client <> '' THEN v.client ELSE v.server || ' ' || v.login END
  FROM clients_event_current v
 WHERE v.id IN ({_SET})
   AND (v.client_id IS NULL
        OR v.kind = ANY(%(referring)s)
           AND NOT EXISTS (SELECT FROM clients_event o
                            WHERE o.source = v.source AND o.event = v.reference))
"""
# What takes back, with what it is of: a chargeback that is lost may name the one that was opened.
_TAKINGS = f"""
WITH RECURSIVE asked AS (
    SELECT * FROM clients_event_current WHERE id IN ({_SET}) AND kind = ANY(%(takings)s)
), named AS (
    SELECT a.id, 1 AS steps, o.source, o.reference, o.kind, o.client_id, o.currency
      FROM asked a JOIN clients_event_current o ON o.source = a.source AND o.event = a.reference
    UNION ALL
    SELECT n.id, n.steps + 1, o.source, o.reference, o.kind, o.client_id, o.currency
      FROM named n JOIN clients_event_current o ON o.source = n.source AND o.event = n.reference
     WHERE n.kind = ANY(%(takings)s) AND n.steps < 50
)
SELECT a.id, a.reference, a.kind, a.client_id,
       CASE WHEN a.amount_e8 = 0 THEN '' ELSE a.currency END, n.kind, n.client_id, n.currency
  FROM asked a JOIN named n USING (id)
 WHERE n.kind <> ALL(%(takings)s) AND a.client_id IS NOT NULL AND n.client_id IS NOT NULL
"""
_CONTRADICT = """
INSERT INTO clients_event_waiting (event_id, reason, key) VALUES (%s, %s, %s)
    ON CONFLICT (event_id) DO NOTHING
"""
_THEIR_TAKINGS = """
SELECT e.id FROM clients_client c JOIN clients_event e ON e.entity_id = c.entity_id
   AND e.client = c.code
 WHERE c.id = ANY(%(clients)s) AND e.kind = ANY(%(takings)s)
"""
_WAITING = "SELECT event_id, reason FROM clients_event_waiting WHERE event_id = ANY(%(ids)s)"
# An event touches its client from its moment on; with it what it takes the place of (which may be
# another client's), what it is about, and what waited for it.
_TOUCH = """
WITH about AS (
    SELECT e.entity_id, e.client, e.server, e.login, e.at
      FROM clients_event f JOIN clients_event e USING (source, event) WHERE f.id = ANY(%(ids)s)
    UNION ALL
    SELECT o.entity_id, o.client, o.server, o.login, o.at
      FROM clients_event f
      JOIN clients_event o ON o.source = f.source AND o.event = f.reference
     WHERE f.id = ANY(%(ids)s) AND f.reference <> ''
    UNION ALL
    SELECT r.entity_id, r.client, r.server, r.login, r.at
      FROM clients_event f
      JOIN clients_event r ON r.source = f.source AND r.reference = f.event AND r.reference <> ''
     WHERE f.id = ANY(%(ids)s)
), whose AS (
    SELECT coalesce(m.into_id, c.id) AS client_id, a.at
      FROM about a JOIN clients_client c ON c.entity_id = a.entity_id AND c.code = a.client
      LEFT JOIN clients_same m ON m.client_id = c.id
     WHERE a.client <> ''
    UNION ALL
    SELECT w.client_id, a.at
      FROM about a JOIN clients_account_owner w ON w.server = a.server AND w.login = a.login
     WHERE a.client = ''
)
INSERT INTO clients_touched (client_id, since)
SELECT client_id, min(at) FROM whose GROUP BY client_id ORDER BY client_id
    ON CONFLICT (client_id) DO UPDATE SET since = least(clients_touched.since, excluded.since)
"""
# Events that name the account only belong to whoever owns it now.
_TOUCH_OWNERS = """
INSERT INTO clients_touched (client_id, since)
SELECT o.client_id, (SELECT min(e.at) FROM clients_account a
                       JOIN market_server s ON s.id = a.server_id
                       JOIN clients_event e ON e.server = s.code AND e.login = a.login
                      WHERE a.id = %(account)s AND e.client = '') AS since
  FROM (SELECT client_id FROM clients_account WHERE id = %(account)s
        UNION SELECT client_id FROM clients_owner WHERE account_id = %(account)s) o
 WHERE EXISTS (SELECT FROM clients_account a
                 JOIN market_server s ON s.id = a.server_id
                 JOIN clients_event e ON e.server = s.code AND e.login = a.login
                WHERE a.id = %(account)s AND e.client = '')
 ORDER BY 1
    ON CONFLICT (client_id) DO UPDATE SET since = least(clients_touched.since, excluded.since)
"""
_KNOWN_NOW = """
SELECT w.event_id FROM clients_event_waiting w
  JOIN clients_event_current v ON v.id = w.event_id
 WHERE w.reason <> 'unknown_reference' AND v.client_id IS NOT NULL
"""


def settle_events(conn: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, str]:
    """Bring waits and touched clients in line with events that are new (ids of clients_event).

    Returns for those of them that wait the reason.
    """
    if not ids:
        return {}
    # As one text: a list of a million numbers would be written out anew for each statement.
    told = "{" + ",".join(map(str, ids)) + "}"
    values = {"ids": told, "referring": list(NEEDING), "takings": list(REFERRING)}
    conn.execute(_NO_LONGER, values)
    conn.execute(_WAIT, values)
    _contradict(conn, values)
    conn.execute(_TOUCH, values)
    return dict(conn.execute(_WAITING, values).fetchall())


def _contradict(conn: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    """Let those wait that cannot take back what they name: somebody has to look at them."""
    wrong = []
    for id_, reference, *told in conn.execute(_TAKINGS, values).fetchall():
        kind, client, currency, of_kind, of_client, of_currency = told
        if reason := misfit((kind, client, currency), (of_kind, of_client, of_currency)):
            wrong.append((id_, reason, reference))
    if wrong:
        with conn.cursor() as cursor:
            cursor.executemany(_CONTRADICT, wrong)


def take_up_events(conn: psycopg.Connection[Any]) -> int:
    """Take up events whose client or account became known; return how many."""
    ids = [row[0] for row in conn.execute(_KNOWN_NOW)]
    settle_events(conn, ids)
    return len(ids)


def settle_takings(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> None:
    """Look again at what these clients' events take back: whose events are whose became other."""
    values = {"clients": list(client_ids), "takings": list(REFERRING)}
    settle_events(conn, [row[0] for row in conn.execute(_THEIR_TAKINGS, values)])


def touch_owners(conn: psycopg.Connection[Any], account_id: int) -> None:
    """Touch all who own or owned an account, from its first event on: the events went along."""
    conn.execute(_TOUCH_OWNERS, {"account": account_id})
