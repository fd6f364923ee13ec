"""The stamp of an endpoint: another one whenever something changes that a request depends on."""

from __future__ import annotations

from typing import Any

import psycopg

# Of inbox_endpoint p: state, settings, proofs, secrets (one that expires, too), the mapping.
STAMP = """concat_ws(' ', p.xmin::text, p.state,
       (SELECT max(version) FROM inbox_endpoint_mapping m WHERE m.endpoint_id = p.id),
       (SELECT string_agg(s.id::text, ',' ORDER BY s.id) FROM inbox_endpoint_secret s
         WHERE s.endpoint_id = p.id AND s.sealed <> ''
           AND (s.expires_at IS NULL OR s.expires_at > now())))"""


def endpoint_stamp(conn: psycopg.Connection[Any], endpoint_id: int) -> str:
    """Return an endpoint's stamp, "" where there is no such endpoint."""
    query = f"SELECT {STAMP} FROM inbox_endpoint p WHERE p.id = %s"
    row = conn.execute(query, (endpoint_id,)).fetchone()
    return str(row[0]) if row else ""
