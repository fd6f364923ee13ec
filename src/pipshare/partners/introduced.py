"""Who introduced whom, at any time, whatever was corrected since."""

from __future__ import annotations

from typing import Any

import psycopg

_PARTNERS = """
SELECT DISTINCT client_id, partner_id FROM partners_client
 WHERE client_id = ANY(%s::int[]) AND partner_id IS NOT NULL
"""
_CLIENTS = "SELECT DISTINCT client_id FROM partners_client WHERE partner_id = ANY(%s::int[])"

_COUNTS = """
SELECT partner_id, count(DISTINCT client_id) FROM partners_client
 WHERE partner_id = ANY(%s::int[]) GROUP BY 1
"""


def introducers(conn: psycopg.Connection[Any], client_ids: list[int]) -> dict[int, set[int]]:
    """Return by client the partners who were ever recorded as having introduced him."""
    found: dict[int, set[int]] = {}
    for client, partner in conn.execute(_PARTNERS, (client_ids,)):
        found.setdefault(client, set()).add(partner)
    return found


def clients_of(conn: psycopg.Connection[Any], partner_ids: list[int]) -> list[int]:
    """Return the clients who were ever recorded as introduced by one of these partners."""
    return sorted(row[0] for row in conn.execute(_CLIENTS, (partner_ids,)))


def count_clients(conn: psycopg.Connection[Any], partner_ids: list[int]) -> dict[int, int]:
    """Return how many clients were ever recorded as introduced by each of these partners."""
    return dict(conn.execute(_COUNTS, (partner_ids,)).fetchall())
