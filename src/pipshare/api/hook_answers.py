"""What senders of webhooks are told: of every item, or as their system wants it."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from django.http import HttpResponse

from pipshare.api.problems import problem
from pipshare.inbox.endpoints import Endpoint
from pipshare.inbox.payloads import NewPayload
from pipshare.pipeline.crm.door import NO_MAPPING, Stored
from pipshare.pipeline.crm.invite import invite_answer, settle_invitation
from pipshare.pipeline.crm.judge import MAPPED, PROBLEM, SKIPPED, Item, Judgement

MOST_ERRORS = 1_000  # told in one answer; all of them are in the log
_QUIET = {"Cache-Control": "no-store"}


def refused(status: int, code: str, sentence: str) -> HttpResponse:
    """Tell somebody that he is not let in."""
    title = "The sender is not proven" if status == 401 else "The sender may not do this"
    found = problem(status, code, sentence, title=title)
    if status == 401:
        found.headers["WWW-Authenticate"] = 'Signature realm="pipshare"'
    return found


def answered(
    stored: Stored, payload: NewPayload, judgement: Judgement | None, is_plain: bool
) -> HttpResponse:
    """Tell what became of a payload that was stored; `is_plain`: 200 with nothing, in any case."""
    if is_plain:
        return HttpResponse(status=200, headers=_QUIET)
    if stored.is_repeat:
        return _json({"verdict": "duplicate", "id": stored.id, "items": []})
    told = {"verdict": payload.verdict, "id": stored.id, "reason": stored.reason}
    if judgement is None:
        return _json({**told, "reason": NO_MAPPING, "detail": payload.detail, "items": []})
    if judgement.is_unread or judgement.is_lost:
        return _lost(stored.id, judgement)
    counts = {name: sum(one.verdict == name for one in judgement.items)
              for name in (MAPPED, SKIPPED, PROBLEM)}  # fmt: skip
    return _json({**told, **counts, "items": [_item(one) for one in judgement.items]})


def invited(
    conn: psycopg.Connection[Any], endpoint: Endpoint, stored: Stored, judgement: Judgement
) -> HttpResponse:
    """Settle an invitation and answer cTrader whose client the invited user is."""
    if judgement.is_unread or judgement.is_lost:
        return _lost(stored.id, judgement)
    if not stored.is_repeat:
        settle_invitation(conn, stored.id)
    return _json(invite_answer(conn, endpoint, judgement))


def _lost(id_: str, judgement: Judgement) -> HttpResponse:
    """Tell that nothing could be used: 400 for what cannot be read, 422 for what says nothing."""
    first = judgement.items[0]
    errors = [_item(one) for one in judgement.items[:MOST_ERRORS]]
    if judgement.is_unread:
        status = 413 if first.code == "too_many_lines" else 400
        return problem(status, first.code, f"{first.sentence[0].upper()}{first.sentence[1:]}.",
                       verdict="rejected", id=id_, errors=errors)  # fmt: skip
    count = len(judgement.items)
    what = "The item" if count == 1 else f"None of the {count} items"
    detail = f"{what} could not be mapped" if count == 1 else f"{what} could be mapped"
    return problem(422, "nothing_mapped", f"{detail}: see errors. The payload is kept, and can be"
                   " replayed when the mapping is mended.", verdict="accepted", id=id_,
                   errors=errors)  # fmt: skip


def _item(one: Item) -> dict[str, Any]:
    told: dict[str, Any] = {"item": one.item, "verdict": one.verdict, "rule": one.rule}
    if one.line:
        told["line"] = one.line
    if one.kind:
        told["kind"] = one.kind
    if one.verdict == MAPPED:
        told["event"] = one.fields.get("event", "")
    elif one.verdict == SKIPPED:
        told["detail"] = one.sentence
    else:
        told |= {"code": one.code, "field": one.field, "expression": one.expression,
                 "detail": one.sentence}  # fmt: skip
    return told


def _json(told: dict[str, Any]) -> HttpResponse:
    return HttpResponse(json.dumps(told), content_type="application/json", headers=_QUIET)
