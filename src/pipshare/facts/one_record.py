"""Whether a text is one record of JSON: an object of plain values, each field told once."""

from __future__ import annotations

import json
from typing import Any


def fault(text: str) -> str | None:
    """Return what is wrong with a text that should be a record, in words; None when it is one."""
    try:
        value = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        return f"not valid JSON ({error})"
    if not isinstance(value, dict):
        return "not an object of field names and values"
    for name, held in value.items():
        if isinstance(held, dict | list):
            return f"field {name}: holds an object or a list, not one value"
    if "\\u" in text and not _is_text(json.dumps(value, ensure_ascii=False)):
        return "holds half a character (a surrogate that stands alone)"
    return None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its fields. Raises ValueError for one that comes twice, however written.

    JSON allows that and does not say which counts; of money nobody may guess.
    """
    seen: set[str] = set()
    for name, _ in pairs:
        folded = name.strip().casefold()
        if folded in seen:
            raise ValueError(f"field {folded!r} comes twice")
        seen.add(folded)
    return dict(pairs)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
