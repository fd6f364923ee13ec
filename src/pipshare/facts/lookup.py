"""Names in a load file turned into numbers, with a refusal for each row that names nothing."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import polars as pl

from pipshare.facts.values import Refusal

_SHOWN = 8


def look_up(
    frame: pl.DataFrame, field: str, known: Mapping[str, int], what: str, remedy: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Add `<field>_id` (Int32) by name; rows whose name is unknown come back as refusals.

    `what` names the thing ("server"), `remedy` says how to make it known. Rows where the field is
    null keep a null id.
    """
    names = list(known)
    ids = frame[field].replace_strict(
        names, [known[n] for n in names], default=None, return_dtype=pl.Int32
    ) if names else pl.Series([None], dtype=pl.Int32).new_from_index(0, len(frame))  # fmt: skip
    marked = frame.with_columns(ids.alias(f"{field}_id"))
    unknown = marked[f"{field}_id"].is_null() & marked[field].is_not_null()
    if not unknown.any():
        return marked, []
    refused = [
        Refusal(line, f"unknown_{what}", f"line {line}, field {field}: {_why(name, known, what)}; "
                f"{remedy}")
        for line, name in marked.filter(unknown).select("line", field).iter_rows()
    ]  # fmt: skip
    return marked.filter(~unknown), refused


def _why(name: str, known: Mapping[str, int], what: str) -> str:
    close = get_close_matches(name, list(known)[:2000], 1)
    if close:
        return f"{what} {name!r} is not known (did you mean {close[0]}?)"
    if not known or len(known) > _SHOWN:
        return f"{what} {name!r} is not known"
    return f"{what} {name!r} is not known (there are: {', '.join(sorted(known))})"


def refuse(
    frame: pl.DataFrame, bad: pl.Expr, code: str, reason: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Split off the rows where `bad` holds; `reason` may name columns as in str.format.

    Returns the rows kept and one Refusal per row split off, "line 12, <reason>".
    """
    flags = frame.select(bad.fill_null(False).alias("bad"))["bad"]
    if not flags.any():
        return frame, []
    refused = [
        Refusal(row["line"], code, f"line {row['line']}, {reason.format(**row)}")
        for row in frame.filter(flags).iter_rows(named=True)
    ]
    return frame.filter(~flags), refused
