"""One partner as the console shows him: who he is, his terms, his clients, his months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

_TERMS = """
SELECT p.code, t.card, NULLIF(t.valid_from, '-infinity'), NULLIF(t.valid_to, 'infinity'),
       t.valid_from <= now() AND now() < t.valid_to, t.recorded_at, t.recorded_by, t.reason
  FROM plans_terms t LEFT JOIN plans_programme p ON p.id = t.programme_id
 WHERE t.partner_id = %s ORDER BY t.id DESC LIMIT 20
"""
_STATUSES = """
SELECT status, NULLIF(valid_from, '-infinity'), recorded_at, recorded_by, reason
  FROM partners_status WHERE partner_id = %s ORDER BY valid_from DESC, id DESC LIMIT 20
"""
_GO_LIVE = "SELECT go_live FROM partners_go_live WHERE partner_id = %s ORDER BY id DESC LIMIT 1"
# Of the records that cover now, the one recorded last holds.
_CLIENTS = """
SELECT count(*) FROM (
    SELECT DISTINCT ON (r.client_id) r.client_id, r.partner_id
      FROM partners_client r
     WHERE r.client_id IN (SELECT client_id FROM partners_client WHERE partner_id = %(partner)s)
       AND r.valid_from <= now() AND now() < r.valid_to
     ORDER BY r.client_id, r.id DESC) h
 WHERE h.partner_id = %(partner)s
"""
_OWN = "SELECT c.code FROM clients_client c WHERE c.id = %s"


@dataclass(frozen=True)
class Profile:
    """What is recorded of a partner: terms and statuses newest first, as rows of text and dates.

    `terms`: (programme or None = earns nothing, card, from, to, holds now, recorded at, by,
    reason), None where open; `statuses`: (status, from, recorded at, by, reason).
    """

    terms: Sequence[tuple[Any, ...]]
    statuses: Sequence[tuple[Any, ...]]
    clients: int
    go_live: Any
    own_client: str


def profile(
    conn: psycopg.Connection[Any], partner_id: int, own_client_id: int | None = None
) -> Profile:
    """Return what is recorded of a partner."""
    go_live = conn.execute(_GO_LIVE, (partner_id,)).fetchone()
    clients = conn.execute(_CLIENTS, {"partner": partner_id}).fetchone()
    own = conn.execute(_OWN, (own_client_id,)).fetchone()
    return Profile(
        terms=conn.execute(_TERMS, (partner_id,)).fetchall(),
        statuses=conn.execute(_STATUSES, (partner_id,)).fetchall(),
        clients=clients[0] if clients else 0,
        go_live=go_live[0] if go_live else None,
        own_client=own[0] if own else "",
    )
