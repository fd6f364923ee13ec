"""A payload as it was sent, read without losing a digit: JSON, or a form.

Numbers with a fraction become Decimal, others int; nothing ever becomes a float.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from pipshare.errors import BadInput

FORM = "application/x-www-form-urlencoded"
LONGEST_NUMBER = 100  # characters; no amount, id or moment has as many
MOST_FIELDS = 1_000  # of a form


def read_payload(body: bytes, content_type: str = "application/json") -> Any:
    """Read a body. Raises BadInput: not UTF-8, not JSON, a name that comes twice, NaN."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            "bad_encoding", f"the payload is not UTF-8 (byte {error.start + 1}): send UTF-8"
        ) from None
    if content_type.partition(";")[0].strip().lower() == FORM:
        return _form(text)
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_no_number,
            object_pairs_hook=_once,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise BadInput("bad_json", f"the payload is not valid JSON: {why}") from None


def _form(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, errors="strict",
                          max_num_fields=MOST_FIELDS)  # fmt: skip
        return _once(pairs)
    except ValueError as error:
        raise BadInput("bad_form", f"the payload cannot be read as a form: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its fields; of two values under one name nobody may guess."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"field {name[:60]!r} comes twice")
            seen.add(name)
    return made


def _decimal(text: str) -> Decimal:
    _short(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} is no number that anybody can mean") from None


def _integer(text: str) -> int:
    _short(text)
    return int(text)


def _short(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text)} characters; at most {LONGEST_NUMBER}")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number in JSON")
