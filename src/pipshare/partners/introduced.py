"""Who introduced whom, at any time, whatever was corrected since."""

from __future__ import annotations

from typing import Any

import psycopg

from pipshare.db import ms

# Whoever introduced a client counts for those whom he was ever merged into.
_PARTNERS = """
SELECT client_id, partner_id FROM partners_client
 WHERE client_id = ANY(%(some)s::int[]) AND partner_id IS NOT NULL
UNION
SELECT m.into_id, r.partner_id FROM clients_merge m JOIN partners_client r USING (client_id)
 WHERE m.into_id = ANY(%(some)s::int[]) AND r.partner_id IS NOT NULL
"""
_CLIENTS = """
SELECT client_id FROM partners_client WHERE partner_id = ANY(%(some)s::int[])
UNION
SELECT m.into_id FROM clients_merge m JOIN partners_client r USING (client_id)
 WHERE m.into_id IS NOT NULL AND r.partner_id = ANY(%(some)s::int[])
"""

_COUNTS = """
SELECT partner_id, count(DISTINCT client_id) FROM partners_client
 WHERE partner_id = ANY(%s::int[]) GROUP BY 1
"""

_RECORDED = f"""
SELECT client_id, id, {ms("valid_from")}, {ms("valid_to")}, coalesce(partner_id, 0)
  FROM partners_client WHERE client_id = ANY(%s::int[]) ORDER BY client_id, id
"""


def introducers(conn: psycopg.Connection[Any], client_ids: list[int]) -> dict[int, set[int]]:
    """Return by client the partners who were ever recorded as having introduced him."""
    found: dict[int, set[int]] = {}
    for client, partner in conn.execute(_PARTNERS, {"some": client_ids}):
        found.setdefault(client, set()).add(partner)
    return found


def recorded(
    conn: psycopg.Connection[Any], client_ids: list[int]
) -> dict[int, list[tuple[int, int, int, int]]]:
    """Return by client what was recorded of whose he is: id, from, until (UTC ms), partner.

    In the order of recording: later ones go before. Partner 0 = nobody's, a direct client.
    """
    found: dict[int, list[tuple[int, int, int, int]]] = {}
    for client, *record in conn.execute(_RECORDED, (client_ids,)):
        found.setdefault(client, []).append(tuple(record))
    return found


def clients_of(conn: psycopg.Connection[Any], partner_ids: list[int]) -> list[int]:
    """Return the clients who were ever recorded as introduced by one of these partners."""
    return sorted(row[0] for row in conn.execute(_CLIENTS, {"some": partner_ids}))


def count_clients(conn: psycopg.Connection[Any], partner_ids: list[int]) -> dict[int, int]:
    """Return how many clients were ever recorded as introduced by each of these partners."""
    return dict(conn.execute(_COUNTS, (partner_ids,)).fetchall())
