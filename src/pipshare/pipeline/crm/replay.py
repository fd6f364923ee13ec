"""Have payloads judged again, from their raw bodies and by the mapping that is published now.

Nothing is applied twice: events and claims are known by their ids. What a mended mapping reads
otherwise is a revision of its event, and its effects follow as differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import inbox
from pipshare.errors import BadInput, Missing
from pipshare.inbox import LoggedPayload
from pipshare.inbox.payloads import ACCEPTED

AT_ONCE = 500


@dataclass
class Asked:
    """Payloads that are to be judged again. `gone`: those whose bodies were pruned."""

    ids: list[str]
    gone: int = 0


def replay(
    conn: psycopg.Connection[Any], *, ids: Sequence[str] = (), endpoint: str | None = None,
    since_ms: int | None = None, until_ms: int | None = None, problems: bool = False, by: str,
) -> Asked:  # fmt: skip
    """Put payloads back on the queue, in the caller's transaction; settling takes them up.

    By their numbers, or all of an endpoint, from a moment on, with problems. Raises BadInput
    without any of these, for a number that was never accepted, and where no mapping is published;
    Missing for what is not there.
    """
    if not ids and endpoint is None and since_ms is None and not problems:
        raise BadInput("replay_what", "say what to replay: numbers of payloads, an endpoint, since"
                                      " when, or all with problems")  # fmt: skip
    if endpoint is not None:
        inbox.endpoint(conn, endpoint)
    found = Asked([])
    for one in (
        _named(conn, ids) if ids else _searched(conn, endpoint, since_ms, until_ms, problems)
    ):
        if one.has_body:
            found.ids.append(one.id)
        else:
            found.gone += 1
    for at in range(0, len(found.ids), AT_ONCE):
        inbox.settle_payloads_again(conn, found.ids[at : at + AT_ONCE], by=by)
    return found


def _named(conn: psycopg.Connection[Any], ids: Sequence[str]) -> list[LoggedPayload]:
    found = []
    for id_ in dict.fromkeys(ids):
        rows = inbox.payloads(conn, id=id_)
        if not rows:
            raise Missing("no_payload", f"there is no payload {id_!r}: see `pipshare crm log`")
        if rows[0].verdict != ACCEPTED:
            raise BadInput("not_accepted", f"payload {id_} was refused ({rows[0].reason}): its"
                                           " sender has to mend it and send it again")  # fmt: skip
        found.append(rows[0])
    return found


def _searched(
    conn: psycopg.Connection[Any], endpoint: str | None, since_ms: int | None,
    until_ms: int | None, problems: bool,
) -> list[LoggedPayload]:  # fmt: skip
    found: list[LoggedPayload] = []
    while True:
        page = inbox.payloads(
            conn, limit=AT_ONCE, endpoint=endpoint, since_ms=since_ms, until_ms=until_ms,
            problems=True if problems else None, verdict=ACCEPTED,
            before=found[-1].id if found else None,
        )  # fmt: skip
        found += page
        if len(page) < AT_ONCE:
            return found
