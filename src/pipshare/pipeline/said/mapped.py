"""Mapped requests: a broker's system is called in its own way, and its answer is understood.

The URL has {macros}, percent-encoded. The body is a JSON document whose texts may have macros, too;
a text that begins with `=` is a JMESPath expression over the message, and stands for what it finds.
Of the answer expressions find the system's own id, and what it says when it refuses with 200.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipshare.crm.expressions import Expression, expression
from pipshare.crm.pick import Fault, text_of
from pipshare.errors import BadInput
from pipshare.outbox import Heard, Message, Receiver, Request
from pipshare.period import from_ms
from pipshare.tracking.catalogue import FIELDS, TYPES
from pipshare.tracking.macros import Template, check_macros, checked_url, url_template

CRM_ID = "crm_id"  # the receiver's own id of the subject, from an answer before
METHODS = ("GET", "POST", "PUT", "PATCH")
OWN = ("id", "type", "time", "sequence", CRM_ID)
MACROS = (*OWN, *(name for name in FIELDS if name not in ("chain", "earned")))
REFUSES = (400, 409, 422)  # answers that are a decision about this message, not about the call
_PART = ("url", "method", "body", "answer_id", "answer_error")
_MACRO = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SAID_WHY = ("detail", "message", "error", "error_description", "reason", "title", "errors")
_LONGEST = 20_000  # characters of a body's template
_MOST_REASON = 400
_DEEPEST = 20


@dataclass(frozen=True)
class Mapped:
    """How one type of message is told, checked. `body` is JSON as Python has it, None = none."""

    url: Template
    method: str
    body: Any
    answer_id: Expression | None
    answer_error: Expression | None


def parse(settings: Mapping[str, Any], kind: str) -> Mapped:
    """Read how a type is told: url, method, body, answer_id, answer_error; `by_type` has others.

    Raises BadInput that names the setting and what to do.
    """
    told = {name: settings.get(name) for name in _PART}
    told |= dict((settings.get("by_type") or {}).get(kind) or {})
    where = f" of {kind}" if kind in (settings.get("by_type") or {}) else ""
    method = str(told["method"] or "POST").upper()
    if method not in METHODS:
        raise BadInput("bad_method", f"method{where} is {method!r}: give {' or '.join(METHODS)}")
    body = None
    if told["body"]:
        if method == "GET":
            raise BadInput("bad_body", f"body{where}: a GET has none: choose POST, PUT or PATCH")
        body = _document(told["body"], where)
        _check(body, f"the body{where}", 0)
    url = url_template(str(told["url"] or ""), MACROS)
    answers = [_expression(told[name], f"{name}{where}") for name in ("answer_id", "answer_error")]
    return Mapped(url, method, body, *answers)


def check(settings: Mapping[str, Any]) -> None:
    """Raise BadInput where a type that is wanted could not be told."""
    by_type = settings.get("by_type") or {}
    if not isinstance(by_type, Mapping) or not all(
        isinstance(v, Mapping) for v in by_type.values()
    ):
        raise BadInput("bad_by_type", "by_type: give an object of types, each with what differs:"
                                      ' {"ib.tier_changed": {"method": "PATCH"}}')  # fmt: skip
    for kind, told in by_type.items():
        if kind not in TYPES:
            raise BadInput("bad_by_type", f"by_type: there is no type {kind!r}")
        if unknown := sorted(set(told) - set(_PART)):
            raise BadInput("bad_by_type", f"by_type: {kind} has {unknown[0]!r}; there are"
                                          f" {', '.join(_PART)}")  # fmt: skip
        parse(settings, kind)
    parse(settings, "")


def build(receiver: Receiver, message: Message, seq: int) -> Request:
    """Return the request that tells a receiver of a message.

    Raises BadInput where it lacks what the address needs: sending it again would not help.
    """
    one = _parsed(_key(receiver), message.type)
    told = dict(message.data)
    told[CRM_ID] = _crm_id(receiver, told)
    own = {"id": f"msg_{message.id}", "type": message.type, "sequence": str(seq),
           "time": from_ms(message.at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")}  # fmt: skip
    values = {**{name: text for name, text in told.items() if isinstance(text, str)}, **own}
    for name in _MACRO.findall(one.url.text.partition("?")[0]):
        if not values.get(name):
            raise BadInput("no_value", _lacking(name))
    headers = [(name, str(text)) for name, text in (receiver.settings.get("headers") or {}).items()]
    body = b""
    if one.body is not None:
        crm_id = told.pop(CRM_ID)
        root = {**own, CRM_ID: crm_id or None, "data": told}
        filled = _filled(one.body, values, root)
        body = json.dumps(filled, ensure_ascii=False).encode()
        headers.append(("content-type", "application/json"))
    return Request(one.method, checked_url(one.url.fill(values)), tuple(headers), body)


def read(receiver: Receiver, message: Message, status: int, body: bytes) -> Heard:
    """Return what an answer says: the receiver's id, why it refuses, or what is wrong with it."""
    one = _parsed(_key(receiver), message.type)
    is_ok = 200 <= status < 300
    if not is_ok and status not in REFUSES:
        return Heard()
    try:
        payload, is_json = json.loads(body), True
    except (ValueError, RecursionError):
        payload, is_json = None, False
    if not is_ok:
        return Heard(rejected=_why(one, payload, body, is_json) or f"answered {status}")
    if not (one.answer_id or one.answer_error):
        return Heard()
    if not is_json:
        return Heard(wrong=f"answered {status} with what is no JSON: nothing can be read from it")
    refused = _found(one.answer_error, payload) if one.answer_error else ""
    if refused:
        return Heard(rejected=refused[:_MOST_REASON])
    if one.answer_id is None or message.type == "test":
        return Heard()
    crm_id = _found(one.answer_id, payload)
    if not crm_id and not message.data.get(CRM_ID):
        return Heard(wrong=f"answered {status} without an id at {one.answer_id.text}: look whether"
                           " it was taken before it is sent again")  # fmt: skip
    return Heard(crm_id)


def _why(one: Mapped, payload: Any, body: bytes, is_json: bool) -> str:
    """Return the reason in an answer that refuses, "" where there is none to be found."""
    if not is_json:
        return body.decode("utf-8", "replace").strip()[:_MOST_REASON]
    texts = [_found(one.answer_error, payload)] if one.answer_error else []
    if isinstance(payload, dict):
        inner = payload.get("error")
        for place in (inner if isinstance(inner, dict) else {}, payload):
            texts += [_text(place[name]) for name in _SAID_WHY if place.get(name)]
    elif isinstance(payload, str):
        texts.append(payload)
    return next((text for text in texts if text), "")[:_MOST_REASON]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _found(how: Expression, payload: Any) -> str:
    """Return what an expression finds as a text, "" for nothing and for false."""
    try:
        found = how.find(payload)
        if found is None or found is False:
            return ""
        return text_of(found) if not isinstance(found, dict | list) else _text(found or "")
    except (BadInput, Fault):
        return ""


def _crm_id(receiver: Receiver, told: Mapping[str, Any]) -> str:
    """Return what the receiver calls the subject: what it answered, or what it told us itself."""
    if told.get(CRM_ID):
        return str(told[CRM_ID])
    mine = receiver.settings.get("source")
    return str(told.get("external", "")) if mine and told.get("source") == mine else ""


def _lacking(name: str) -> str:
    if name == CRM_ID:
        return ("the URL needs {crm_id}, and this receiver has told no id of it: what would have"
                " brought one (ib.applied or ib.approved) was refused, or never sent")  # fmt: skip
    return f"the URL needs {{{name}}}, and this message has none"


def _filled(node: Any, values: Mapping[str, str], root: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values, root) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values, root) for value in node]
    if not isinstance(node, str):
        return node
    if node.startswith("="):
        return _compiled(node[1:]).find(root)
    return _MACRO.sub(lambda found: values.get(found[1], ""), node)


def _check(node: Any, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise BadInput("bad_body", f"{where} is nested too deep")
    if isinstance(node, float):
        raise BadInput("bad_body", f"{where} has the number {node}: write numbers with a fraction"
                                   " as texts")  # fmt: skip
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            _check(value, where, depth + 1)
    elif isinstance(node, str) and node.startswith("="):
        _compiled(node[1:])
    elif isinstance(node, str):
        check_macros(node, where, MACROS)


def _document(text: Any, where: str) -> Any:
    if not isinstance(text, str):
        return text
    if len(text) > _LONGEST:
        raise BadInput(
            "too_long", f"the body{where} has {len(text)} characters; at most {_LONGEST}"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("bad_json", f"the body{where} is not valid JSON: {error}") from None


def _expression(text: Any, name: str) -> Expression | None:
    if not text:
        return None
    try:
        return _compiled(str(text))
    except BadInput as error:
        raise BadInput("bad_answer", f"{name}: {error.message}") from None


def _key(receiver: Receiver) -> str:
    return json.dumps(receiver.settings, sort_keys=True)


@lru_cache(500)
def _parsed(settings: str, kind: str) -> Mapped:
    return parse(json.loads(settings), kind)


@lru_cache(2_000)
def _compiled(text: str) -> Expression:
    return expression(text)
