"""Whose each postback is that names only a click, or only the deposit that it takes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from pipshare import inbox
from pipshare.inbox.postbacks import Before
from pipshare.inbox.postbacks_due import UNKNOWN_CLICK_CLIENT, UNKNOWN_REFERENCE, DuePostback
from pipshare.tracking.postbacks import REVERSAL


@dataclass
class Named:
    """Postbacks with their clients' codes; those that wait (reason, key); those refused (why)."""

    ready: list[DuePostback] = field(default_factory=list)
    waiting: list[tuple[DuePostback, str, str]] = field(default_factory=list)
    refused: list[tuple[DuePostback, str, str]] = field(default_factory=list)


def named(conn: psycopg.Connection[Any], due: Sequence[DuePostback]) -> Named:
    """Find out whose postbacks are, and what a reversal lacks, in the caller's transaction."""
    referred = {(one.tracker_id, one.of, one.reference) for one in due if one.kind == REVERSAL}
    originals = inbox.accepted_before(conn, referred)
    found = Named()
    open_: list[DuePostback] = []
    for one in due:
        original = originals.get((one.tracker_id, one.of, one.reference))
        if one.kind != REVERSAL:
            open_.append(one)
        elif original is None:
            found.waiting.append((one, UNKNOWN_REFERENCE, one.reference))
        elif wrong := reversal_fault(one.client, one.amount_e8, one.currency, original):
            found.refused.append((one, *wrong))
        else:
            client = one.client or original.client
            open_.append(replace(one, client=client, click=one.click or original.click))
    clicks = sorted({one.click for one in open_ if not one.client and one.click})
    whose = inbox.clients_of_clicks(conn, clicks) if clicks else {}
    for one in open_:
        if one.client:
            found.ready.append(one)
            continue
        clients = whose.get((one.entity_id, one.click), [])
        if len(clients) == 1:
            found.ready.append(replace(one, client=clients[0]))
        elif clients:
            found.refused.append((one, "ambiguous_click", f"{len(clients)} clients registered with"
                                  f" click {one.click}: name the client"))  # fmt: skip
        else:
            found.waiting.append((one, UNKNOWN_CLICK_CLIENT, one.click))
    return found


def reversal_fault(
    client: str, amount_e8: int, currency: str, original: Before
) -> tuple[str, str] | None:
    """Return why a reversal cannot be of this original (a word, a sentence), None when it can."""
    if client and original.client and client != original.client:
        return "other_client", f"it is of client {original.client}, not of {client}"
    if amount_e8 and currency != original.currency:
        return "other_currency", (
            f"it was in {original.currency}: it cannot be taken back in {currency}"
        )
    if amount_e8 > original.amount_e8:
        return "more_than_original", "it was of less than what is taken back"
    return None
