"""Postbacks in: those that come at the same time are judged, stored and answered together.

What can be told at once is in the answer; whose client somebody becomes, and what books, is settled
a moment later from what is stored here (pipeline/claims.py), in the order in which it happened.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import inbox
from pipshare.errors import PipshareError
from pipshare.inbox.postbacks import ACCEPTED, DUPLICATE, REJECTED, Before, Identity, StoredPostback
from pipshare.inbox.trackers import Tracker
from pipshare.pipeline.postback_checks import Found, fault_of, look_up, note_of
from pipshare.tracking.postback_fields import Fault, Fields, is_signed
from pipshare.tracking.postbacks import KINDS, Postback, postback_of

STRANGERS = 300  # postbacks without a known token that a process logs a minute; all are answered
_UNAUTHORISED, _FORBIDDEN, _NOWHERE = 401, 403, 404


@dataclass(frozen=True)
class Sent:
    """A request as it came: the last part of its address, what it says, and where it is from."""

    kind: str
    fields: Fields
    sender: str
    at_ms: int


@dataclass(frozen=True)
class Answer:
    """What a sender is told; `status` is the HTTP status, `id` finds the postback in the log."""

    status: int
    verdict: str
    reason: str
    detail: str
    id: str
    ignored: tuple[str, ...] = ()


class Strangers:
    """Lets so many postbacks of strangers a minute into the log: it must not fill the disk."""

    def __init__(self, most: int = STRANGERS) -> None:
        self._most, self._minute, self._count = most, 0, 0

    def may_be_logged(self) -> bool:
        """Tell whether one more goes into the log."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._count = minute, 0
        self._count += 1
        return self._count <= self._most


_strangers = Strangers()


def take_postbacks(conn: psycopg.Connection[Any], sent: Sequence[Sent]) -> list[Answer]:
    """Judge and store postbacks, by one statement each way; return an answer for each, in order.

    Of two with one identity in `sent` the first is the original.
    """
    told = [postback_of(one.kind, one.fields, one.at_ms) for one in sent]
    logged, faults = _judged(conn, sent, told)
    kept = [one for one in logged if one.tracker_id is not None or _strangers.may_be_logged()]
    stored = inbox.store_postbacks(conn, kept)
    late = [at for at, one in enumerate(logged) if one.verdict == ACCEPTED and one.id not in stored]
    if late:  # another process accepted the same at this very moment
        again = _judged(conn, [sent[at] for at in late], [told[at] for at in late])[0]
        inbox.store_postbacks(conn, again)
        for at, one in zip(late, again, strict=True):
            logged[at] = one
    return [
        Answer(fault.status if fault else 200, row.verdict, row.reason, row.detail, row.id,
               one.fields.ignored)
        for one, row, fault in zip(sent, logged, faults, strict=True)
    ]  # fmt: skip


def _judged(
    conn: psycopg.Connection[Any], sent: Sequence[Sent], told: Sequence[Postback | Fault]
) -> tuple[list[StoredPostback], list[Fault | None]]:
    """Judge postbacks: what goes into the log, and what was wrong at the door or in the form."""
    typed = [None if isinstance(one, Fault) else one for one in told]
    digests = [inbox.token_digest(one.fields.token) for one in sent]
    found = look_up(conn, list(zip(digests, typed, strict=True)))
    accepted: dict[Identity, Before] = {}
    rows, faults = [], []
    for one, said, known in zip(sent, told, found, strict=True):
        fault = _closed(one, known.tracker) or (said if isinstance(said, Fault) else None)
        postback = None if isinstance(said, Fault) else said
        if fault is not None or postback is None or known.tracker is None:
            assert fault is not None
            verdict = (REJECTED, fault.code, fault.detail)
            rows.append(_row(one, known.tracker, postback, verdict))
        else:
            identity = (known.tracker.id, postback.kind, postback.txid)
            earlier = known.before or accepted.get(identity)
            verdict = _verdict(one, known.tracker, postback, known, earlier)
            row = _row(one, known.tracker, postback, verdict)
            rows.append(row)
            if row.verdict == ACCEPTED:
                accepted[identity] = Before(
                    row.id, row.content, row.currency, row.amount_e8, row.client, row.click
                )
        faults.append(fault)
    return rows, faults


def _closed(sent: Sent, tracker: Tracker | None) -> Fault | None:
    """Return why a sender is not let in."""
    if tracker is None:
        what = "the token is unknown or revoked" if sent.fields.token else "there is no token"
        return Fault("bad_token", f"{what}: send token=... as `pipshare tracker add` showed it, or"
                     " `Authorization: Bearer ...`", _UNAUTHORISED)  # fmt: skip
    if not tracker.may_send_from(sent.sender):
        return Fault("address_not_allowed", f"tracker {tracker.code} may not send from"
                     f" {sent.sender or 'an unknown address'}", _FORBIDDEN)  # fmt: skip
    try:
        secret = tracker.signing_secret()
    except PipshareError as error:
        return Fault("no_secret", f"the signature cannot be checked: {error.message}", 503)
    if secret is not None and not is_signed(secret, sent.fields):
        return Fault(
            "bad_signature",
            "the signature is missing or wrong: hexadecimal HMAC-SHA256 with the tracker's signing"
            " secret, of the body (POST, all fields in it but token and sig) or of the query before"
            " `&sig=` (GET, sig comes last)",
            _UNAUTHORISED,
        )
    if sent.kind not in KINDS:
        return Fault("unknown_event", f"there is no event {sent.kind!r}: there are"
                                      f" {', '.join(KINDS)}", _NOWHERE)  # fmt: skip
    return None


def _verdict(
    sent: Sent, tracker: Tracker, told: Postback, known: Found, earlier: Before | None
) -> tuple[str, str, str]:
    """Return verdict, reason and detail of a postback that is let in and well formed."""
    if earlier is not None:
        if earlier.content == told.content:
            return DUPLICATE, "repeated", f"accepted before as {earlier.id}"
        detail = (
            f"{told.kind} {told.txid} was accepted before with other content as {earlier.id}:"
            " nothing is changed by a repeat; take it back with a reversal, or send a txid of its"
            " own"
        )
        return REJECTED, "other_content", detail
    fault = fault_of(tracker, told, sent.at_ms, known)
    if fault is not None:
        return REJECTED, fault.code, fault.detail
    return (ACCEPTED, *note_of(tracker, told, sent.at_ms, known))


def _row(
    sent: Sent, tracker: Tracker | None, told: Postback | None, verdict: tuple[str, str, str]
) -> StoredPostback:
    """Return what is stored of a postback; of what a stranger says, nothing."""
    kind = sent.kind
    if tracker is None:
        return StoredPostback(kind, sent.at_ms, *verdict, sender=sent.sender)
    said = dict(sent.fields.told)
    if sent.fields.ignored:
        said["ignored"] = ", ".join(sent.fields.ignored)
    told = told or Postback(
        kind, said.get("txid", ""), None, said.get("client", ""), said.get("click_id", ""),
        said.get("partner", ""),
    )  # fmt: skip
    return StoredPostback(
        kind, sent.at_ms, *verdict, told.txid, tracker.id, tracker.entity_id, told.at_ms,
        told.client, told.click_id, told.partner, told.amount_e8, told.currency, told.reference,
        told.of, told.content, sent.sender, said,
    )  # fmt: skip
