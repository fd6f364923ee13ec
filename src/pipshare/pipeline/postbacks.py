"""Postbacks in: those that come at the same time are judged, stored and answered together.

What can be told at once is in the answer; whose client somebody becomes, and what books, is settled
a moment later from what is stored here (pipeline/claims.py), in the order in which it happened.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from pipshare import inbox
from pipshare.errors import PipshareError
from pipshare.inbox.postbacks import ACCEPTED, DUPLICATE, REJECTED, Before, Identity, StoredPostback
from pipshare.inbox.trackers import Tracker
from pipshare.pipeline.postback_checks import Known, fault_of, look_up, note_of
from pipshare.tracking.postback_fields import Fault, Fields, is_signed
from pipshare.tracking.postbacks import KINDS, Postback, postback_of

STRANGERS = 300  # postbacks without a known token that one process logs a minute; others it counts
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


@dataclass
class _Case:
    """One request on its way to an answer."""

    sent: Sent
    tracker: Tracker | None = None
    fault: Fault | None = None
    postback: Postback | None = None

    @property
    def identity(self) -> Identity:
        assert self.tracker is not None
        assert self.postback is not None
        return self.tracker.id, self.postback.kind, self.postback.txid


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
    """Judge and store postbacks in the caller's transaction; return an answer for each, in order.

    Of two with one identity in `sent` the first is the original.
    """
    cases = _authorised(conn, sent)
    known = look_up(conn, [(one.tracker, one.postback) for one in cases
                           if one.tracker is not None and one.postback is not None])  # fmt: skip
    before = _before(conn, cases)
    logged = [_judged(one, known, before) for one in cases]
    kept = [one for one in logged if one.tracker_id is not None or _strangers.may_be_logged()]
    stored = inbox.store_postbacks(conn, kept)
    late = [at for at, one in enumerate(logged) if one.verdict == ACCEPTED and one.id not in stored]
    if late:  # another process accepted the same at this very moment
        before = _before(conn, cases)
        for at in late:
            logged[at] = _judged(cases[at], known, before)
        inbox.store_postbacks(conn, [logged[at] for at in late])
    return [_answer(case, one) for case, one in zip(cases, logged, strict=True)]


def _authorised(conn: psycopg.Connection[Any], sent: Sequence[Sent]) -> list[_Case]:
    digests = [inbox.token_digest(one.fields.token) for one in sent]
    found = inbox.trackers_of(conn, set(digests))
    cases = []
    for one, digest in zip(sent, digests, strict=True):
        case = _Case(one, found.get(digest))
        case.fault = _closed(one, case.tracker)
        if case.fault is None:
            made = postback_of(one.kind, one.fields, one.at_ms)
            if isinstance(made, Fault):
                case.fault = made
            else:
                case.postback = made
        cases.append(case)
    return cases


def _closed(sent: Sent, tracker: Tracker | None) -> Fault | None:
    """Return why a sender is not let in."""
    if tracker is None:
        what = (
            "the token is not known, or was revoked" if sent.fields.token else "there is no token"
        )
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
        return Fault("unknown_event", f"there is no event {sent.kind[:40]!r}: there are"
                                      f" {', '.join(KINDS)}", _NOWHERE)  # fmt: skip
    return None


def _before(conn: psycopg.Connection[Any], cases: Sequence[_Case]) -> dict[Identity, Before]:
    return inbox.accepted_before(conn, {one.identity for one in cases if one.postback is not None})


def _judged(case: _Case, known: Known, before: dict[Identity, Before]) -> StoredPostback:
    """Judge one; an accepted one is what the next with its identity is held against."""
    tracker, told, sent = case.tracker, case.postback, case.sent
    row = _row(case)
    if told is None or tracker is None:
        assert case.fault is not None
        return replace(row, verdict=REJECTED, reason=case.fault.code, detail=case.fault.detail)
    earlier = before.get(case.identity)
    if earlier is not None:
        if earlier.content == told.content:
            return replace(row, verdict=DUPLICATE, reason="repeated",
                           detail=f"accepted before as {earlier.id}")  # fmt: skip
        return replace(
            row, verdict=REJECTED, reason="other_content",
            detail=f"{told.kind} {told.txid} was accepted before with other content as"
            f" {earlier.id}: nothing is changed by a repeat; take it back with a reversal, or send"
            " a txid of its own",
        )  # fmt: skip
    fault = fault_of(tracker, told, sent.at_ms, known)
    if fault is not None:
        return replace(row, verdict=REJECTED, reason=fault.code, detail=fault.detail)
    reason, detail = note_of(tracker, told, sent.at_ms, known)
    before[case.identity] = Before(row.id, told.content, told.currency, told.amount_e8, told.client,
                                   told.click_id)  # fmt: skip
    return replace(row, verdict=ACCEPTED, reason=reason, detail=detail)


def _row(case: _Case) -> StoredPostback:
    """Return what is stored of a request whatever becomes of it."""
    sent, told, tracker = case.sent, case.postback, case.tracker
    said = dict(sent.fields.told)
    if sent.fields.ignored:
        said["ignored"] = ", ".join(sent.fields.ignored)
    row = StoredPostback(
        kind=sent.kind if sent.kind in KINDS else sent.kind[:40], at_ms=sent.at_ms, verdict="",
        txid=said.get("txid", ""), client=said.get("client", ""), click=said.get("click_id", ""),
        partner=said.get("partner", ""), sender=sent.sender, told=said,
    )  # fmt: skip
    if tracker is None:
        return replace(row, told={}, txid="", client="", click="", partner="")
    row = replace(row, tracker_id=tracker.id, entity_id=tracker.entity_id)
    if told is None:
        return row
    return replace(
        row, txid=told.txid, happened_ms=told.at_ms, amount_e8=told.amount_e8,
        currency=told.currency, reference=told.reference, of=told.of, content=told.content,
    )  # fmt: skip


def _answer(case: _Case, row: StoredPostback) -> Answer:
    status = case.fault.status if case.fault is not None else 200
    return Answer(status, row.verdict, row.reason, row.detail, row.id, case.sent.fields.ignored)
