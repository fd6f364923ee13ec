"""Expressions that find something in a payload: JMESPath, selection only.

Functions that reckon or convert are not there: they would turn amounts into floats. Whatever the
payload holds, an expression finds something, nothing, or raises BadInput.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import DecimalException
from difflib import get_close_matches
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from pipshare.errors import BadInput

LONGEST = 500
FUNCTIONS = ("contains", "ends_with", "join", "keys", "length", "not_null", "starts_with",
             "to_array", "type", "values")  # fmt: skip
_RAISED = (JMESPathError, DecimalException, TypeError, ValueError, KeyError, AttributeError,
           RecursionError, OverflowError)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """One compiled expression. `text` is what was written.

    `_paths`: the names of a plain a.b.c, or of each in not_null(a.b, c), () for any other.
    """

    text: str
    _compiled: Any = field(repr=False, compare=False)
    _paths: tuple[tuple[str, ...], ...] = ()

    def find(self, payload: Any) -> Any:
        """Return what is found, None for nothing. Raises BadInput when it cannot be applied."""
        if self._paths:  # most expressions: without the library's tree they take a quarter
            found = None
            for path in self._paths:
                found = payload
                for name in path:
                    found = found.get(name) if isinstance(found, dict) else None
                if found is not None:
                    break
            return found
        try:
            return self._compiled.search(payload)
        except _RAISED as error:
            why = (
                "the payload is nested too deep"
                if isinstance(error, RecursionError)
                else _why(error)
            )
            raise BadInput("bad_match", f"the expression cannot be applied: {why}") from None


def expression(text: str) -> Expression:
    """Compile an expression. Raises BadInput: too long, not JMESPath, or more than selection."""
    if len(text) > LONGEST:
        raise BadInput("bad_expression", f"an expression has at most {LONGEST} characters")
    try:
        compiled = jmespath.compile(text)
    except _RAISED as error:
        raise BadInput(
            "bad_expression",
            f"{text!r} is no JMESPath expression ({_why(error)}); write Amount, data.client.id,"
            ' records[0].id or "a name with blanks"',
        ) from None
    _check(text, compiled.parsed)
    return Expression(text, compiled, _paths_of(compiled.parsed))


def _paths_of(node: Any) -> tuple[tuple[str, ...], ...]:
    """Return the paths of which the first that is there counts, () for any other expression."""
    if node["type"] == "function_expression" and node["value"] == "not_null":
        paths = tuple(_path_of(child) for child in node["children"])
        return paths if all(paths) else ()
    path = _path_of(node)
    return (path,) if path else ()


def _path_of(node: Any) -> tuple[str, ...]:
    """Return the names of an expression that is nothing but names and dots, () for any other."""
    if node["type"] == "field":
        return (str(node["value"]),)
    if node["type"] != "subexpression":
        return ()
    parts = [_path_of(child) for child in node["children"]]
    return sum(parts, ()) if all(parts) else ()


def _check(text: str, node: Any) -> None:
    """Refuse what is not selection, anywhere in the tree of an expression."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        waiting += one["children"]
        name = one.get("value")
        if one["type"] == "function_expression" and name not in FUNCTIONS:
            close = get_close_matches(str(name), FUNCTIONS, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise BadInput(
                "bad_expression",
                f"{text!r}: the function {name} is not available{hint}; expressions select, they"
                f" do not reckon: there are {', '.join(FUNCTIONS)}",
            )
        if one["type"] == "literal" and isinstance(name, float):
            raise BadInput(
                "bad_expression",
                f"{text!r}: a number with a fraction cannot stand in an expression; give constants"
                ' with "value"',
            )


def _why(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines and lines[0] else type(error).__name__
