"""The JSON Schema of plan files, for editors: made of the same key tables that files are read by.

    python -m pipshare.plans.schema > docs/reference/plan.schema.json

A schema cannot say everything that `pipshare plan check` does (what fits a basis or a mode); it
completes keys, shows what they mean and marks misspelt ones while a person writes.
"""

from __future__ import annotations

import json
from typing import Any

from pipshare.plans.keys import TABLES, WEEKDAYS, Key
from pipshare.plans.table import MAX_TEXT

Json = dict[str, Any]
_CODE = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_NUMBER = r"^[+]?[0-9]+(\.[0-9]+)?(/[0-9]+(\.[0-9]+)?)?$"
_SHARE = r"^[+]?[0-9]+(\.[0-9]+)?(/[0-9]+(\.[0-9]+)?)?( *%)?$"
_SPAN = "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"
_CURRENCY = "^[A-Z][A-Z0-9]{2,7}$"
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_MOMENT: Json = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"}


def schema() -> Json:
    """Return the JSON Schema (draft 7, which editors read) of a plan file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pipshare plan file",
        "description": "One version of one programme: basis x rate x conditions, spread over the "
        "chain, then period rules. docs/reference/plans.md",
        "type": "object",
        "required": ["programme", "component"],
        "additionalProperties": False,
        "properties": {
            "programme": _table("[programme]"),
            "component": _tables("[[component]]"),
        },
    }


def _table(title: str) -> Json:
    keys = TABLES[title]
    required = [key.name for key in keys if key.left_out == "required"]
    table: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _key(key, title) for key in keys},
    }
    return table | ({"required": required} if required else {})


def _tables(title: str) -> Json:
    return {"type": "array", "minItems": 1, "items": _table(title)}


def _key(key: Key, title: str) -> Json:
    inside = title.strip("[]")
    if key.kind == "table":
        value = _table(f"[{inside}.{key.name}]")
    elif key.kind == "tables":
        value = _tables(f"[[{inside}.{key.name}]]")
    else:
        value = _value(key)
    out = f" Left out: {key.left_out}." if key.left_out not in ("", "required", "not") else ""
    return {"description": f"{key.says[:1].upper()}{key.says[1:]}.{out}", **value}


def _value(key: Key) -> Json:
    """Return what one value looks like."""
    words: Json = {"enum": list(key.words)}
    whole: Json = {"type": "integer", "minimum": key.low, "maximum": key.high}
    kinds: dict[str, Json] = {
        "text": _TEXT,
        "mask": _TEXT,
        "country": _TEXT,
        "code": {"type": "string", "pattern": _CODE},
        "card": {"anyOf": [{"const": "*"}, {"type": "string", "pattern": _CODE}]},
        "currency": {"type": "string", "pattern": _CURRENCY},
        "choice": words,
        "flag": {"type": "boolean"},
        "whole": whole,
        "number": _exact(_NUMBER, key.high),
        "share": _exact(_SHARE, key.high),
        "moment": _MOMENT,
        "choices": _list(words),
        "codes": _list({"type": "string", "pattern": _CODE}),
        "texts": _list(_TEXT),
        "countries": _list(_TEXT),
        "wholes": _list(whole),
        "hours": _list({"type": "string", "pattern": _SPAN}),
        "weekdays": _list({"enum": list(WEEKDAYS)}),
    }
    return kinds[key.kind]


def _exact(pattern: str, high: int) -> Json:
    """An exact number is a text, or a whole number; never a float."""
    whole = {"type": "integer", "minimum": 0, "maximum": high}
    return {"anyOf": [{"type": "string", "pattern": pattern}, whole]}


def _list(items: Json) -> Json:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}


def as_text() -> str:
    """Return the schema as it stands in the file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
