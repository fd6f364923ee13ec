"""What cTrader Invite is answered: whose client an invited user is, as far as that can be told.

An invitation is settled before it is answered. Its words: ATTRIBUTED = the user is a known
partner's, whose id is told; PENDING_ATTRIBUTION = not finished: the user is no client yet, the
partner is not known, or others are being settled. A partner is never made by an invitation, nor a
client taken from another one: ATTRIBUTED_NEW and REATTRIBUTED are not said.
Source: docs.spotware.com, cTrader Invite, API calls.
"""

from __future__ import annotations

from typing import Any

import psycopg

from pipshare import partners
from pipshare.inbox.endpoints import Endpoint
from pipshare.pipeline.crm.judge import Judgement
from pipshare.pipeline.crm.settle import settle_one

PATIENCE_S = 2  # so long it waits for its turn: cTrader waits meanwhile
ATTRIBUTED, PENDING = "ATTRIBUTED", "PENDING_ATTRIBUTION"
_IN_FORCE = """
SELECT p.code
  FROM clients_client c
  JOIN partners_client r ON r.client_id = c.id
  JOIN partners_partner p ON p.id = r.partner_id
 WHERE c.entity_id = %s AND c.code = %s AND r.valid_from <= now() AND now() < r.valid_to
 ORDER BY r.id DESC LIMIT 1
"""


def settle_invitation(conn: psycopg.Connection[Any], payload_id: str) -> None:
    """Settle a stored invitation in the caller's transaction, unless that takes too long.

    What is not settled here is settled a moment later, with all else that came.
    """
    try:
        with conn.transaction():
            conn.execute(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
            settle_one(conn, payload_id)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        return


def invite_answer(
    conn: psycopg.Connection[Any], endpoint: Endpoint, judgement: Judgement
) -> dict[str, str]:  # fmt: skip
    """Return the answer to an invitation: brokerResult, and brokerPartnerId where he is known."""
    told = judgement.mapped[0] if judgement.mapped else None
    client = told.fields.get("client", "") if told else ""
    row = conn.execute(_IN_FORCE, (endpoint.entity_id, client)).fetchone()
    if row is not None:
        return {"brokerPartnerId": row[0], "brokerResult": ATTRIBUTED}
    code = told.claims.get("crm_field", "") if told else ""
    known = partners.by_typed_code(conn, endpoint.entity_id, [code]) if code else {}
    return {"brokerResult": PENDING, **({"brokerPartnerId": code} if code in known else {})}
