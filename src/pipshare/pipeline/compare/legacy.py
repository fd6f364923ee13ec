"""A legacy system's commission report as columns: CSV or JSON, by a mapping; bad rows beside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import Refusal
from pipshare.facts.cells import typed
from pipshare.facts.delimited import csv_strings, decode
from pipshare.period import Clock
from pipshare.pipeline.compare.mapping import FIELDS, OWN, REQUIRED, Mapping, read_mapping

# `ticket` 0 = none told; `server` "" = none told.
REPORT: dict[str, pl.DataType | type[pl.DataType]] = {
    "partner": pl.String, "server": pl.String, "ticket": pl.Int64, "currency": pl.String,
    "amount_e8": pl.Int64, "line": pl.Int32,
}  # fmt: skip
_UTC = Clock("UTC", 0)
_TYPES = {"partner": "text", "server": "text", "ticket": "int", "currency": "currency",
          "amount_e8": "e8"}  # fmt: skip
_WRONG = {
    "partner": "partner is empty", "server": "server is no text",
    "ticket": "ticket {ticket!r} is no whole number", "currency": "currency {currency!r} is none,"
    " such as USD", "amount": "amount {amount!r} is no number such as 1234.56",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """`rows` (REPORT), the rows that were left out, and which optional columns it has."""

    rows: pl.DataFrame
    refused: list[Refusal]
    has_tickets: bool
    has_servers: bool


def read_report(path: Path, mapping: Path | None = None) -> Report:
    """Read a report. Raises BadInput for a file that is none, or a mapping that does not fit."""
    told = OWN if mapping is None else read_mapping(mapping)
    if not path.is_file():
        raise BadInput("no_file", f"{path} is not a file")
    text = decode(path.read_bytes(), path.name)
    if text.lstrip().startswith(("[", "{")):
        cells, refused = _from_json(text, path.name)
    else:
        wanted = frozenset(name.casefold() for name in told.columns.values())
        cells, refused = csv_strings(text, wanted, lambda names: _distinct(names, path.name))
    cells = cells.rename({name: name.strip().casefold() for name in cells.columns})
    named = _named(cells, told, path.name)
    rows, wrong = _typed(named)
    return Report(
        rows, sorted([*refused, *wrong], key=lambda one: one.line),
        bool((rows["ticket"] != 0).any()), bool((rows["server"] != "").any()),
    )  # fmt: skip


def _distinct(names: list[str], where: str) -> None:
    """Let every column have a name of its own, in place; `line` is the row's number here."""
    for place, name in enumerate(names):
        if name in ("", "line"):
            names[place] = f"{name} (column {place + 1})"
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput("repeated_column", f"{where}: column {', '.join(twice)} is there twice")


def _from_json(text: str, name: str) -> tuple[pl.DataFrame, list[Refusal]]:
    """Read a list of flat objects (or one under "rows"), numbers as the text they stand in."""
    try:
        items = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput("bad_json", f"{name}: not valid JSON ({error})") from None
    if isinstance(items, dict):
        items = items.get("rows")
    if not isinstance(items, list):
        raise BadInput("not_a_list", f"{name} has to be a list of objects, one per row")
    refused, rows = [], []
    for number, item in enumerate(items, 1):
        flat = isinstance(item, dict) and not any(isinstance(v, dict | list) for v in item.values())
        if flat:
            rows.append({key.strip().casefold(): _text(v) for key, v in item.items()}
                        | {"line": number})  # fmt: skip
        else:
            refused.append(Refusal(number, "bad_item", f"item {number}: not a flat object"))
    keys = list(dict.fromkeys(key for row in rows for key in row if key != "line"))
    data = {key: pl.Series([row.get(key, "") for row in rows], dtype=pl.String) for key in keys}
    lines = pl.Series([row["line"] for row in rows], dtype=pl.Int32)
    return pl.DataFrame({**data, "line": lines}), refused


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _named(cells: pl.DataFrame, told: Mapping, name: str) -> pl.DataFrame:
    """Return the cells under our names; what is not told is empty."""
    columns: dict[str, pl.Series] = {}
    for field in FIELDS:
        column = told.columns.get(field, "").casefold()
        if column in cells.columns:
            cell = cells[column].fill_null("").str.strip_chars()
        elif field in told.constants:
            cell = pl.Series([told.constants[field]], dtype=pl.String).new_from_index(0, len(cells))
        elif field in REQUIRED or (told is not OWN and field in told.columns):
            there = ", ".join(one for one in cells.columns if one != "line")[:300]
            wanted = told.columns.get(field, field)
            raise BadInput("missing_column", f"{name} has no column {wanted!r} for {field}; it has:"
                           f" {there}. A mapping file (--mapping) can name another")  # fmt: skip
        else:
            cell = pl.Series([""], dtype=pl.String).new_from_index(0, len(cells))
        if field in told.values:
            cell = cell.replace(told.values[field])
        if field == "amount" and told.decimal == ",":
            # A point in such a report is a thousands separator.
            cell = cell.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        columns[field] = cell
    return pl.DataFrame({**columns, "line": cells["line"]})


def _typed(named: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    values = {
        name: typed(named[name.removesuffix("_e8")], kind, _UTC) for name, kind in _TYPES.items()
    }
    wrong = {
        name: values[name].is_null() & ((named[name.removesuffix("_e8")] != "")
                                        | (name.removesuffix("_e8") in REQUIRED))
        for name in values
    }  # fmt: skip
    bad = pl.DataFrame(wrong).select(pl.any_horizontal(pl.all()).alias("bad"))["bad"]
    refused = []
    for at in bad.arg_true().to_list():
        row = named.row(at, named=True)
        first = next(name for name in wrong if wrong[name][at]).removesuffix("_e8")
        why = _WRONG[first].format(**row)
        refused.append(Refusal(row["line"], f"bad_{first}", f"line {row['line']}: {why}"))
    frame = pl.DataFrame({**values, "line": named["line"]}).filter(~bad)
    frame = frame.with_columns(pl.col("server").fill_null(""), pl.col("ticket").fill_null(0))
    return frame.select(REPORT.keys()).cast(pl.Schema(REPORT)), refused
