"""Parameters of a request, from its query string and its body, as the documentation allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from pipshare.sandbox.mt5.retcodes import BAD_PARAMETERS, Refusal


class Parameters:
    """Named values; a name given twice, or an array in a JSON body, is a list of values."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    @classmethod
    def read(cls, query: str, body: bytes) -> Parameters:
        """Read both places. Raises Refusal 3 when the body is neither a form nor JSON."""
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values.setdefault(name, []).append(value)
        text = _text(body).strip()
        if text.startswith("{"):
            for name, given in _object(text).items():
                many = given if isinstance(given, list) else [given]
                values.setdefault(name, []).extend(_word(one) for one in many)
        elif text:
            for name, value in parse_qsl(text, keep_blank_values=True):
                values.setdefault(name, []).append(value)
        return cls(values)

    def has(self, name: str) -> bool:
        """Whether a value other than the empty one is given."""
        return any(self._values.get(name, ()))

    def word(self, name: str, default: str | None = None) -> str:
        """Return one value. Raises Refusal 3 when it is missing and has no default."""
        given = self._values.get(name)
        if given and given[-1] != "":
            return given[-1]
        if default is None:
            raise Refusal(BAD_PARAMETERS)
        return default

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number. Raises Refusal 3 when it is missing or something else."""
        return _whole(self.word(name, None if default is None else str(default)))

    def amount(self, name: str) -> Decimal:
        """Return a decimal number. Raises Refusal 3 when it is missing or something else."""
        try:
            found = Decimal(self.word(name))
        except InvalidOperation:
            raise Refusal(BAD_PARAMETERS) from None
        if not found.is_finite():
            raise Refusal(BAD_PARAMETERS)
        return found

    def words(self, name: str) -> list[str]:
        """Return the values of a list, given with commas, repeated, or as an array."""
        given = ",".join(self._values.get(name, ()))
        return [word.strip() for word in given.split(",") if word.strip()]

    def wholes(self, name: str) -> list[int]:
        """Return whole numbers of a list. Raises Refusal 3 when one is something else."""
        return [_whole(word) for word in self.words(name)]


def _whole(word: str) -> int:
    if not word.lstrip("-").isdecimal() or not word.isascii() or len(word) > 20:
        raise Refusal(BAD_PARAMETERS)
    try:
        return int(word)
    except ValueError:
        raise Refusal(BAD_PARAMETERS) from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refusal(BAD_PARAMETERS) from None


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        raise Refusal(BAD_PARAMETERS) from None
    return found if isinstance(found, dict) else {}


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | int):
        return str(value)
    raise Refusal(BAD_PARAMETERS)
