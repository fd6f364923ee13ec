"""Files of `pipshare rate` as typed frames: CSV, JSON and TOML, good rows beside refused ones."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts.cells import Clocks, reason, typed
from pipshare.facts.delimited import csv_strings, decode
from pipshare.facts.fields import Field
from pipshare.period import Clock, server_text_to_ms
from pipshare.pipeline.from_files.columns import ALIASES, fields_of

_COLUMN = {
    "int": pl.Int64, "e8": pl.Int64, "server_time": pl.Int64, "moment": pl.Int64,
    "flag": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """A row that was left out: the file, the line (or item) in it, a stable code, a sentence."""

    file: str
    line: int
    code: str
    reason: str


@dataclass(frozen=True)
class Sheet:
    """The rows of one table as text cells, plus `line`; `place` is the word for a row."""

    file: str
    kind: str
    place: str
    cells: pl.DataFrame


def decoded(path: Path) -> str:
    """Return a file's text. Raises BadInput when it is no text file."""
    if not path.is_file():
        raise BadInput("no_file", f"{path} is not a file")
    return decode(path.read_bytes(), path.name)


def read_sheet(path: Path, kind: str, refused: list[Refused]) -> Sheet:
    """Read a file of one table: CSV, or a JSON list of objects (also under the table's name)."""
    text = decoded(path)
    if not text.lstrip().startswith(("[", "{")):
        known = frozenset(f.name for f in fields_of(kind)) | frozenset(ALIASES[kind])
        cells, bad = csv_strings(text, known, lambda names: check_names(names, kind, path.name))
        refused += [Refused(path.name, one.line, one.code, f"{path.name}, {one.reason}")
                    for one in bad]  # fmt: skip
        return Sheet(path.name, kind, "line", renamed(cells, kind))
    items = json_value(text, path.name)
    if isinstance(items, dict):
        items = items.get(kind, items.get("rows"))
    return sheet_of(items, kind, path.name, refused)


def json_value(text: str, name: str) -> Any:
    """Return what JSON says, its numbers as the text they are written in: none goes inexact."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput("bad_json", f"{name}{where}: not valid JSON ({error})") from error


def toml_value(text: str, name: str) -> Any:
    """Return what TOML says, its decimals as the text they are written in."""
    try:
        return tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise BadInput("bad_toml", f"{name}: not valid TOML ({error})") from error


def sheet_of(items: Any, kind: str, name: str, refused: list[Refused]) -> Sheet:
    """Turn a list of objects into a sheet; an item that is no flat object is refused."""
    if not isinstance(items, list):
        raise BadInput("not_a_list", f"{name}: {kind} has to be a list of objects, one per row")
    place = f"{kind} item"
    rows: list[tuple[int, dict[str, str]]] = []
    for number, item in enumerate(items, 1):
        flat = isinstance(item, dict) and not any(
            isinstance(value, Mapping) for value in item.values()
        )
        if not flat:
            why = f"{name}, {place} {number}: not a flat object of field names and values"
            refused.append(Refused(name, number, "bad_item", why))
            continue
        rows.append((number, {key.strip().casefold(): _cell(v) for key, v in item.items()}))
    names = list(dict.fromkeys(key for _, row in rows for key in row))
    check_names(names, kind, name)
    data = {key: pl.Series([row.get(key, "") for _, row in rows], dtype=pl.String) for key in names}
    lines = pl.Series([number for number, _ in rows], dtype=pl.Int32)
    return Sheet(name, kind, place, renamed(pl.DataFrame({**data, "line": lines}), kind))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(_cell(one) for one in value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)


def check_names(names: Sequence[str], kind: str, where: str) -> None:
    """Raise BadInput naming an unknown, doubled or missing column, and those there may be."""
    fields = {f.name: f for f in fields_of(kind)}
    aliases = ALIASES[kind]
    there = f"columns of {kind}: " + ", ".join(
        f.name + (" (required)" if f.required else "") for f in fields.values()
    )
    meant: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        canonical = name if name in fields else aliases.get(name, name)
        if canonical not in fields:
            close = get_close_matches(name, [*fields, *aliases], 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            shown = repr(name[:60]) if name else f"number {place} without a name"
            raise BadInput("unknown_column", f"{where}: unknown column {shown}{hint}; {there}")
        if canonical in meant:
            both = f"{meant[canonical]} and {name}" if meant[canonical] != name else name
            raise BadInput("repeated_column", f"{where}: column {canonical} is told twice ({both})")
        meant[canonical] = name
    missing = [f.name for f in fields.values() if f.required and f.name not in meant]
    if missing and names:
        raise BadInput("missing_column",
                       f"{where}: column {', '.join(missing)} is missing; {there}")  # fmt: skip


def renamed(cells: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Give aliases the names of the columns they stand for."""
    fields = {f.name for f in fields_of(kind)}
    meant = {name: ALIASES[kind][name] for name in cells.columns
             if name not in fields and name in ALIASES[kind]}  # fmt: skip
    return cells.rename(meant)


def typed_rows(sheet: Sheet, clock: Clocks, refused: list[Refused]) -> pl.DataFrame:
    """Type a sheet's cells; the frame has every column of the table, null where none is told.

    `clock` as in facts.reading.read_table: the broker's day, for moments given as a date. A row
    with a wrong cell goes to `refused`.
    """
    values: dict[str, pl.Series] = {}
    wrong: dict[str, pl.Series] = {}
    cells = sheet.cells
    fields = fields_of(sheet.kind)
    for field in fields:
        told = cells[field.name] if field.name in cells.columns else _nothing(len(cells))
        values[field.name], wrong[field.name] = _typed(field, told, cells, clock)
    frame = pl.DataFrame({**values, "line": cells["line"].cast(pl.Int32)})
    bad = pl.DataFrame(wrong).select(pl.any_horizontal(pl.all()).alias("bad"))["bad"]
    if not bad.any():
        return frame
    for at in bad.arg_true().to_list():
        line = int(cells["line"][at])
        found = [_why(field, cells, at) for field in fields if wrong[field.name][at]]
        text = "; ".join(f"field {name}: {why}" for name, _, why in found)
        sentence = f"{sheet.file}, {sheet.place} {line}, {text}"
        refused.append(Refused(sheet.file, line, found[0][1], sentence))
    return frame.filter(~bad)


def _nothing(count: int) -> pl.Series:
    return pl.Series([""], dtype=pl.String).new_from_index(0, count)


def _typed(
    field: Field, told: pl.Series, cells: pl.DataFrame, clock: Clocks
) -> tuple[pl.Series, pl.Series]:
    text = told.cast(pl.String).str.strip_chars().fill_null("")
    empty = text == ""
    if field.default and not field.keeps:
        text = text.set(empty, field.default) if len(text) else text
    if isinstance(clock, Clock):
        value = typed(text, field.type, clock)
    else:
        whose = next((cells[n] for n in ("entity", "server") if n in cells.columns), None)
        value = typed(text, field.type, clock[""], whose, clock)
    if field.type == "moment":
        value = _with_walls(value, text, clock if isinstance(clock, Clock) else clock[""])
    kind = _COLUMN.get(field.type, pl.String)
    wrong = value.is_null() & ((text != "") | field.required)
    return value.cast(kind).alias(field.name), wrong


def _with_walls(value: pl.Series, text: pl.Series, clock: Clock) -> pl.Series:
    """Fill in moments that are written without a zone: they are the broker's own time."""
    wall = text.to_frame("text").select(server_text_to_ms(pl.col("text")))["text"]
    rows = (value.is_null() & wall.is_not_null()).arg_true().to_numpy()
    if not len(rows):
        return value
    filled = value.fill_null(-1).to_numpy().copy()
    filled[rows] = clock.to_utc(wall.fill_null(0).to_numpy()[rows])
    return pl.Series(value.name, filled, dtype=pl.Int64).replace(-1, None)


def _why(field: Field, cells: pl.DataFrame, at: int) -> tuple[str, str, str]:
    cell = str(cells[field.name][at] or "").strip() if field.name in cells.columns else ""
    if not cell:
        return field.name, "empty", "is empty but has to be given"
    return field.name, *reason(cell, field.type)
