"""Who a client is: duplicates, merges and re-assignments, each with its reason and both people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from pipshare import audit, clients
from pipshare.facts.events import DUPLICATE, MERGED
from pipshare.period import from_ms

_CODES = "SELECT id, code FROM clients_client WHERE id = ANY(%s)"
_ENTITY = "SELECT entity_id FROM clients_client WHERE id = %s"
_SAYS = {
    "client_duplicate": "a duplicate",
    "client_not_duplicate": "no duplicate",
    "client_merged": "the same person as",
    "client_unmerged": "a person of his own",
    "client_reassigned": "re-assigned to",
    "client_reassignment_cancelled": "not re-assigned",
}


def who_is(conn: psycopg.Connection[Any], client_id: int, code: str) -> dict[str, Any]:
    """Tell who a client is, ready for JSON.

    `same_as`: whom he is merged into, None = nobody; `merged`: codes of who are merged into him;
    `duplicate`: whether the last word says so; `who`: sentences for those that are so; `words`:
    each word told of him and of those, with what became of it and who decided.
    """
    into = clients.merged_into(conn)
    near = sorted({one for one, end in into.items() if end == client_id} | {client_id})
    stays = into.get(client_id)
    codes = dict(conn.execute(_CODES, ([*near, stays or client_id],)).fetchall())
    row = conn.execute(_ENTITY, (client_id,)).fetchone()
    assert row is not None
    words = clients.identity_words_about(conn, row[0], [codes[one] for one in near])
    merged = [codes[one] for one in near if one != client_id]
    double = [one for one in words if one.kind in DUPLICATE and one.client == code]
    told = {
        "same_as": codes.get(stays) if stays is not None else None,
        "same_as_id": stays,
        "merged": merged,
        "duplicate": bool(double) and double[-1].kind == DUPLICATE[0],
        "words": [_word(conn, one) for one in words],
    }
    return {**told, "who": _sentences(code, told, words, double)}


def _sentences(
    code: str, told: dict[str, Any], words: Sequence[clients.IdentityWord],
    double: Sequence[clients.IdentityWord],
) -> list[str]:  # fmt: skip
    found = []
    if told["same_as"] is not None:
        last = [one for one in words if one.kind == MERGED[0] and one.client == code]
        why = f" ({last[-1].why})" if last else ""
        found.append(f"{code} is the same person as {told['same_as']}{why}: his accounts and events"
                     f" count as those of {told['same_as']}.")  # fmt: skip
    if told["merged"]:
        found.append(f"Accounts and events of {', '.join(told['merged'])} count as {code}'s: one"
                     " person.")  # fmt: skip
    if told["duplicate"]:
        whose = f" of {double[-1].other_client}" if double[-1].other_client else ""
        found.append(f"{code} is a duplicate{whose} ({double[-1].why}): he qualifies for nothing"
                     f" since {from_ms(double[-1].at_ms):%Y-%m-%d}.")  # fmt: skip
    return found


def _word(conn: psycopg.Connection[Any], one: clients.IdentityWord) -> dict[str, Any]:
    asked = None if one.proposal is None else audit.proposal(conn, one.proposal)
    whom = one.other_client or one.partner or one.reference
    return {
        "source": one.source, "event": one.event, "kind": one.kind,
        "at": from_ms(one.at_ms).isoformat(), "client": one.client,
        "says": f"{_SAYS[one.kind]} {whom}".strip(),
        "from": from_ms(one.effective_ms).isoformat() if one.effective_ms else "",
        "reason": one.reason, "state": one.state or ("followed" if one.kind in DUPLICATE else ""),
        "detail": one.detail, "proposal": one.proposal,
        "proposed_by": asked.proposed_by if asked else "",
        "decided_by": (asked.decided_by or "") if asked else "",
    }  # fmt: skip
