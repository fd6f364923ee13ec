"""What pushes have in common: bodies cut into records, and requests that are answered once."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.http import HttpResponse

from pipshare import inbox
from pipshare.api.problems import Problem, problem
from pipshare.errors import Conflict
from pipshare.facts.one_record import once
from pipshare.people.keys import Key
from pipshare.web import writing

FIELD = {"oneOf": [{"type": "string"}, {"type": "number"}]}
Schema = dict[str, Any]
Results = dict[str, Any]
Take = Callable[[psycopg.Connection[Any]], tuple[int, bytes]]


def records_of(sent: bytes, content_type: str, what: str) -> tuple[list[bytes], bool]:
    """Cut a body into its records, numbers kept as written; True when it is a single object."""
    if content_type == "application/x-ndjson":
        lines = [line for line in sent.removeprefix(BOM_UTF8).split(b"\n") if line.strip()]
        if not lines:
            raise Problem(400, "empty", f"No {what} was sent: all lines are empty.")
        return lines, False
    if content_type != "application/json":
        raise Problem(
            415,
            "content_type",
            "Send application/json (one object, or a list) or application/x-ndjson (an object per"
            " line).",
        )
    try:
        value = json.loads(sent, parse_float=_Digits, parse_int=_Digits, parse_constant=_Digits,
                           object_pairs_hook=once)  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise Problem(400, "bad_json", f"The body is not valid JSON: {error}") from None
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Problem(400, "empty", f"The list has no {what} in it.")
    return [json.dumps(item).encode() for item in items], not isinstance(value, list)


def pushed(
    what: str, item: Schema, verdicts: Sequence[str], result: Schema, beside: Schema | None = None
) -> Schema:
    """Return what OpenAPI has to know of a push: of what, with which verdicts, answered how.

    `result`: the properties of one record's result, `beside`: of the answer, that only it has.
    """
    record = {"type": "integer", "description": "its number in what was sent, from 1"}
    results = {
        "type": "object",
        "properties": {
            "record": record, **result, "verdict": {"type": "string", "enum": list(verdicts)},
            "reason": {"type": "string"},
        },
    }  # fmt: skip
    answered = {
        "type": "object",
        "properties": {
            **(beside or {}), "taken": {"type": "integer"}, "refused": {"type": "integer"},
            "results": {"type": "array", "items": results},
        },
    }  # fmt: skip
    one_or_many = {"oneOf": [item, {"type": "array", "items": item}]}
    lines = {"type": "string", "description": "an object per line"}
    sent = {"application/json": {"schema": one_or_many}, "application/x-ndjson": {"schema": lines}}
    told = {
        "description": f"What became of each {what}, in the order sent",
        "content": {"application/json": {"schema": answered}},
    }
    return {"requestBody": {"required": True, "content": sent}, "responses": {200: told}}


def merged(told: Mapping[int, Results]) -> list[Results]:
    """Return what became of each record, by its number, in the order sent."""
    return [{"record": line, **told[line]} for line in sorted(told)]


def told_of(
    results: Sequence[Results], is_one: bool, name: str, taken: Sequence[str],
    beside: Callable[[], Results] = dict,
) -> tuple[int, bytes]:  # fmt: skip
    """Return status and answer of a push: a single record that is refused is a problem.

    `name`: the property that names a record; `taken`: verdicts that count as taken; `beside`: what
    else the answer has.
    """
    if is_one and results[0]["verdict"] == "refused":
        told: Results = {name: results[0][name]}
        return 422, problem(422, "refused", results[0]["reason"], **told).content
    body = {
        **beside(),
        "taken": sum(one["verdict"] in taken for one in results),
        "refused": sum(one["verdict"] == "refused" for one in results),
        "results": results,
    }
    return 200, json.dumps(body).encode()


def answered_once(key: Key, idempotency_key: str, sent: bytes, take: Take) -> HttpResponse:
    """Answer a request; the same one under the same Idempotency-Key is answered as before.

    `take` works in the transaction that keeps the answer, or in one of its own that it has ended.
    """
    if not 0 < len(idempotency_key) <= inbox.MOST_CHARACTERS:
        raise Problem(400, "bad_key", f"An Idempotency-Key has 1 to {inbox.MOST_CHARACTERS}"
                                      " characters.")  # fmt: skip
    with writing() as conn:
        try:
            before = inbox.answered(conn, key.id, idempotency_key, sent)
        except Conflict as error:
            return problem(422, error.code, error.message)
        if before is not None:
            response = answer(before.status, before.body)
            response.headers["Idempotency-Replayed"] = "true"
            return response
        status, body = take(conn)
        inbox.keep_answer(conn, key.id, idempotency_key, sent, inbox.Answer(status, body))
    return answer(status, body)


def answer(status: int, body: bytes) -> HttpResponse:
    """Return an answer of JSON, or a problem, by its status."""
    kind = "application/json" if status < 400 else "application/problem+json"
    return HttpResponse(body, status=status, content_type=kind)


class _Digits(str):
    """A number as it was written: it goes on as text, with all its digits."""
