"""What a postback's request says: names and values out of a query, a form or JSON.

Pure. Whatever is wrong comes back as a Fault beside what could be read, so that the log shows both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from pipshare.facts.one_record import once

MOST_QUERY = 8_000  # characters after the question mark
MOST_BODY = 64 * 1024
MOST_VALUE = 200
_MOST_FIELDS = 100
_MOST_IGNORED = 20
# What a postback may say, under the names that sites and trackers commonly give it.
FIELDS: dict[str, tuple[str, ...]] = {
    "txid": ("transaction_id",),
    "click_id": ("clickid",),
    "client": ("client_id",),
    "partner": ("partner_code",),
    "amount": (),
    "currency": (),
    "at": ("time",),
    "reference": ("original_txid",),
    "of": (),
    "country": (),
    "method": (),
    "entity": (),
}
_NAMES = {also: name for name, others in FIELDS.items() for also in (name, *others)}
_SECRET = ("token", "sig")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_OPENING = "{[<%$#"
_UNFILLED = re.compile(r"[{\[<%$#]+[A-Za-z_][\w.-]*[}\]>%$#]+")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a postback: a word for programs and a sentence; the HTTP status."""

    code: str
    detail: str
    status: int = 200


@dataclass(frozen=True)
class Fields:
    """What was told, by the names of FIELDS; who shows what; names nobody knows, without values.

    `signed` is what a signature has to be of, or None where the request cannot be signed so;
    `fault` is the first thing found wrong.
    """

    told: dict[str, str]
    token: str = ""
    signature: str = ""
    signed: bytes | None = b""
    ignored: tuple[str, ...] = ()
    fault: Fault | None = None


def read_request(
    query: bytes, body: bytes | None, content_type: str, bearer: str = "", signature: str = ""
) -> Fields:
    """Read a postback; `body` is None for a GET. `bearer` and `signature` come from headers."""
    pairs, fault = _of_query(query)
    found = dict(pairs)
    # A site may have tokens in both places; the header goes before the address.
    shown = {"token": bearer or found.get("token", ""), "sig": signature or found.get("sig", "")}
    if len(query) > MOST_QUERY or (body is not None and len(body) > MOST_BODY):
        return Fields({}, shown["token"], fault=_too_long(len(query)))
    signed = _signed_query(query, in_query=not signature and "sig" in found)
    if body is not None:
        more, wrong = _of_body(body, content_type)
        # What is signed is the body: fields beside it could be changed by anybody on the way.
        signed = None if any(name not in _SECRET for name, _ in pairs) else body
        pairs, fault = [*pairs, *more], fault or wrong
        for name, value in more:
            if name in _SECRET:
                shown[name] = shown[name] or value
    told, ignored, wrong = _merged(pair for pair in pairs if pair[0] not in _SECRET)
    return Fields(told, shown["token"], shown["sig"], signed, ignored, fault or wrong)


def signature_of(secret: str, signed: bytes) -> str:
    """Return the signature that belongs to some bytes: hexadecimal HMAC-SHA256."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, fields: Fields) -> bool:
    """Tell whether what was read carries the right signature."""
    if fields.signed is None:
        return False
    given = fields.signature.strip().lower().removeprefix("sha256=")
    return hmac.compare_digest(signature_of(secret, fields.signed).encode(), given.encode())


def _of_query(query: bytes) -> tuple[list[Pair], Fault | None]:
    parts = [part for part in query.split(b"&", _MOST_FIELDS) if part]
    fault = None
    if len(parts) > _MOST_FIELDS:
        del parts[_MOST_FIELDS:]
        fault = Fault("too_many_fields", f"a postback has at most {_MOST_FIELDS} fields")
    pairs: list[Pair] = []
    for part in parts:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        if b"%" in part:
            name, value = unquote_to_bytes(name), unquote_to_bytes(value)
        try:
            pairs.append((name.decode(), value.decode()))
        except UnicodeDecodeError:
            pairs.append((name.decode(errors="replace"), value.decode(errors="replace")))
            fault = fault or Fault("bad_encoding", "the text is no UTF-8: percent-encode UTF-8")
    return pairs, fault


def _of_body(body: bytes, content_type: str) -> tuple[list[Pair], Fault | None]:
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return [], None
    if kind == _FORM:
        return _of_query(body.strip())
    if kind == _JSON:
        return _of_json(body)
    return [], Fault(
        "content_type",
        f"a body of type {kind[:60] or 'not told'} cannot be read: send {_FORM} or {_JSON}",
    )


def _of_json(body: bytes) -> tuple[list[Pair], Fault | None]:
    try:
        value = json.loads(body, parse_float=_Digits, parse_int=_Digits, parse_constant=_Digits,
                           object_pairs_hook=once)  # fmt: skip
    except (ValueError, RecursionError) as error:
        return [], Fault("bad_json", f"the body is not valid JSON: {error}")
    if not isinstance(value, dict):
        return [], Fault("bad_json", "the body is not an object: send one postback at a time")
    pairs, fault = [], None
    for name, held in value.items():
        if isinstance(held, dict | list | bool):
            known = name.strip().lower() in _NAMES
            if known and fault is None:
                what = "true or false" if isinstance(held, bool) else "an object or a list"
                fault = Fault("bad_json", f"field {name}: holds {what}, not a text or a number")
            pairs.append((name if not known else "", ""))
        elif held is not None:
            pairs.append((name, str(held)))
    return pairs, fault


class _Digits(str):
    """A number as it was written, with all its digits."""


def _merged(pairs: Iterable[Pair]) -> tuple[dict[str, str], tuple[str, ...], Fault | None]:
    told: dict[str, str] = {}
    ignored: list[str] = []
    fault: Fault | None = None
    for given, raw in pairs:
        name = _NAMES.get(given.strip().lower())
        value = raw.strip()
        if name is None:
            if given and len(ignored) < _MOST_IGNORED:
                ignored.append(_CONTROL.sub("?", given)[:60])
            continue
        if not value:
            continue
        wrong = _fault_of(given, value)
        if wrong is None and told.get(name, value) != value:
            wrong = Fault("repeated_field", f"field {name} comes twice with different values")
        if wrong is not None:
            fault, value = fault or wrong, _CONTROL.sub("?", value)[:MOST_VALUE]
        told.setdefault(name, value)
    return told, tuple(dict.fromkeys(ignored)), fault


def _fault_of(name: str, value: str) -> Fault | None:
    if len(value) <= MOST_VALUE and value.isprintable() and value[0] not in _OPENING:
        return None  # almost always
    if len(value) > MOST_VALUE:
        return Fault("too_long", f"field {name} has {len(value)} characters; at most {MOST_VALUE}")
    if _CONTROL.search(value):
        return Fault("bad_text", f"field {name} holds a zero byte or another control character")
    if _UNFILLED.fullmatch(value):
        return Fault(
            "unfilled",
            f"field {name} still holds the placeholder {value}: put the value in its place before"
            " sending",
        )
    return None


def _signed_query(query: bytes, *, in_query: bool) -> bytes | None:
    """Return what a GET's signature is of: the query before `&sig=`, which comes last."""
    if not in_query:
        return query
    before, _, after = query.rpartition(b"&sig=")
    return None if b"&" in after or not before else before


def _too_long(query: int) -> Fault:
    if query > MOST_QUERY:
        return Fault("url_too_long", f"the address has {query} characters after the question mark;"
                     f" at most {MOST_QUERY}", 414)  # fmt: skip
    return Fault("too_large", f"a postback's body has at most {MOST_BODY // 1024} KiB", 413)
