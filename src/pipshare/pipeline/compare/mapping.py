"""The mapping of a legacy report: which of its columns is which of ours; a small TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipshare.errors import BadInput

FIELDS = ("partner", "amount", "currency", "ticket", "server", "component")
REQUIRED = ("partner", "amount", "currency")
_KEYS = ("columns", "constants", "values", "decimal")


@dataclass(frozen=True)
class Mapping:
    """`columns`: our field -> its column; `constants`: our field -> one value for all rows;
    `values`: our field -> (their word -> ours). `decimal` is the report's decimal sign."""

    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    decimal: str = "."


OWN = Mapping({name: name for name in FIELDS})


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises BadInput naming the file, the key and what is allowed."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput("no_mapping", f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("bad_mapping", f"{path.name} is no TOML file: {error}") from None
    for key in told:
        _known(path, key, key, _KEYS)
    columns, constants = (_texts(path, told, key) for key in ("columns", "constants"))
    for name in columns.keys() & constants.keys():
        raise _fault(path, f"constants.{name}", "the field is in [columns] already")
    lacking = [name for name in REQUIRED if name not in columns and name not in constants]
    if lacking:
        raise _fault(
            path, "columns", f"{', '.join(lacking)} must be given, as a column or in [constants]"
        )
    decimal = told.get("decimal", ".")
    if decimal not in (".", ","):
        raise _fault(path, "decimal", f'{decimal!r} is not allowed: write "." or ","')
    values = _table(path, told, "values")
    words = {name: _texts(path, values, name, "values.") for name in values}
    return Mapping(columns, constants, words, decimal)


def _table(path: Path, told: AnyMapping[str, Any], key: str, under: str = "") -> dict[str, Any]:
    table = told.get(key, {})
    if not isinstance(table, dict):
        raise _fault(path, f"{under}{key}", f"must be a table: [{under}{key}]")
    if not under:
        for name in table:
            _known(path, f"{key}.{name}", name, FIELDS)
    return dict(table)


def _texts(path: Path, told: AnyMapping[str, Any], key: str, under: str = "") -> dict[str, str]:
    table = _table(path, told, key, under)
    for name, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise _fault(path, f"{under}{key}.{name}", f'{value!r} is no text: write "..."')
    return {name: value.strip() for name, value in table.items()}


def _known(path: Path, key: str, word: str, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        close = get_close_matches(word, allowed, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise _fault(path, key, f"is unknown{hint}; allowed: {', '.join(allowed)}")


def _fault(path: Path, key: str, what: str) -> BadInput:
    return BadInput("bad_mapping", f"{path.name}, key {key}: {what}")
