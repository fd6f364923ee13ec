"""The click that a client came by, as his claims tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

# What was refused (too old, of nobody) is no origin. One that a typed code of the same partner
# beat is: the tracker that sent him still wants to hear of him.
_CLICKS = """
SELECT DISTINCT ON (c.client_id) c.client_id, c.evidence
  FROM attribution_claim c
 WHERE c.client_id = ANY(%s::int[]) AND c.via = 'click' AND c.decision <> 'refused'
   AND c.partner_id IN (SELECT a.partner_id FROM attribution_claim a
                         WHERE a.client_id = c.client_id AND a.decision = 'attributed')
 ORDER BY c.client_id, c.decision = 'attributed' DESC, c.id
"""


def origins(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> dict[int, str]:
    """Return the ids of the clicks that clients came by, by client; others are missing."""
    return dict(conn.execute(_CLICKS, (list(client_ids),)).fetchall())
