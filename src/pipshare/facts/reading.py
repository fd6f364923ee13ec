"""Load files read into typed columns: one reader for every kind that facts.fields names.

Wrong columns refuse the file (BadInput); a wrong cell refuses its row, with line, field and
reason, and leaves the rows beside it. Pure but for reading the file's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts.cells import Clocks, reason, typed
from pipshare.facts.delimited import csv_strings, decode, json_strings
from pipshare.facts.fields import FIELDS, Field
from pipshare.facts.values import Refusal
from pipshare.period import Clock

UTC_DAY = Clock("UTC", 0)
_TYPES: dict[str, type[pl.DataType]] = {
    "int": pl.Int64, "e8": pl.Int64, "server_time": pl.Int64, "moment": pl.Int64,
    "flag": pl.Boolean,
}  # fmt: skip


@dataclass
class LoadReport:
    """What a load did, row by row in numbers, and what it refused or left for a second person.

    added + changed + same + len(refused) + len(proposed) = rows. `from_ms` is the earliest moment
    (UTC ms) at which something already known became different, None when nothing did: what closed
    from then on has to be attributed and rated again.
    """

    kind: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    refused: list[Refusal] = field(default_factory=list)
    proposed: list[int] = field(default_factory=list)
    from_ms: int | None = None
    notes: list[str] = field(default_factory=list)
    relations: pl.DataFrame | None = None  # clients only: rows for partners.load_relations

    def touch(self, moment_ms: int | None) -> None:
        """Note that what was known became different from this moment on (None: it did not)."""
        if moment_ms is not None:
            self.from_ms = moment_ms if self.from_ms is None else min(self.from_ms, moment_ms)

    def unread(self, refused: Sequence[Refusal]) -> None:
        """Add the rows that read_table refused already, in the order of lines."""
        self.rows += len(refused)
        self.refused = sorted([*self.refused, *refused], key=lambda one: one.line)


def schema(kind: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of read_table's frame: every field of `kind`, then `line`."""
    types = {f.name: _TYPES.get(f.type, pl.String) for f in FIELDS[kind]}
    return {**types, "line": pl.Int32}


def read_table(
    source: Path | bytes, kind: str, *, clock: Clocks = UTC_DAY
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Read a load file (CSV with comma, semicolon or tab; or a JSON list of objects).

    Returns the rows that are right as a frame of schema(kind), defaults filled in, and the
    refused ones. An empty optional field without a default, or with Field.keeps, is null.
    `clock` is the broker's day for moments given as a date: one clock, or {entity code or server
    name: clock}, by the row's `entity` field, else its `server`; a key "" stands for all others.
    Raises BadInput when the file as a
    whole cannot be read: encoding, no header, unknown or missing columns.
    """
    name = source.name if isinstance(source, Path) else "the data"
    if isinstance(source, Path) and not source.is_file():
        raise BadInput("no_file", f"{source} is not a file")
    text = decode(source.read_bytes() if isinstance(source, Path) else source, name)

    def check(names: Sequence[str]) -> None:
        check_columns(names, kind, name)

    if text.lstrip().startswith(("[", "{")):
        strings, refused = json_strings(text, name, check)
        place = "item"
    else:
        strings, refused = csv_strings(text, frozenset(f.name for f in FIELDS[kind]), check)
        place = "line"
    frame, wrong = read_fields(strings, kind, clock, place=place)
    return frame, sorted(refused + wrong, key=lambda r: r.line)


def check_columns(names: Sequence[str], kind: str, where: str) -> None:
    """Raise BadInput naming what is wrong with a file's columns, and the columns it may have."""
    known = [f.name for f in FIELDS[kind]]
    allowed = f"columns of {kind}: " + ", ".join(
        f.name + (" (required)" if f.required else "") for f in FIELDS[kind]
    )
    for place, name in enumerate(names, 1):
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            shown = repr(name[:60]) if name else f"number {place} without a name"
            raise BadInput("unknown_column", f"{where}: unknown column {shown}{hint}; {allowed}")
        if name in names[: place - 1]:
            raise BadInput("repeated_column", f"{where}: column {name} comes twice; {allowed}")
    missing = [f.name for f in FIELDS[kind] if f.required and f.name not in names]
    if missing:
        raise BadInput(
            "missing_column", f"{where}: column {', '.join(missing)} is missing; {allowed}"
        )


def read_fields(
    strings: pl.DataFrame, kind: str, clock: Clocks = UTC_DAY, *, place: str = "line"
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Type a frame of String cells named as FIELDS[kind] plus `line`; columns may be left out.

    Returns as read_table does. `place` is the word for a row in reasons.
    """
    check_columns([name for name in strings.columns if name != "line"], kind, "the file")
    given = [f for f in FIELDS[kind] if f.name in strings.columns]
    cells = strings.select(
        *(pl.col(f.name).cast(pl.String).str.strip_chars().fill_null("") for f in given),
        pl.col("line").cast(pl.Int32),
    )
    values: dict[str, pl.Series] = {}
    wrong: dict[str, pl.Series] = {}
    for one in FIELDS[kind]:
        values[one.name], wrong[one.name] = _column(one, cells, clock)
    frame = pl.DataFrame({**values, "line": cells["line"]})
    bad = pl.DataFrame(wrong).select(pl.any_horizontal(pl.all()).alias("bad"))["bad"]
    if not bad.any():
        return frame, []
    refused = _refusals(cells, wrong, bad, {f.name: f for f in given}, place)
    return frame.filter(~bad), refused


def _column(one: Field, cells: pl.DataFrame, clock: Clocks) -> tuple[pl.Series, pl.Series]:
    filler = "" if one.keeps else one.default or ""
    if one.name not in cells.columns:
        default = pl.Series([filler], dtype=pl.String)
        value = _typed(one, default, cells.clear(), clock)
        none_wrong = pl.Series([False], dtype=pl.Boolean)
        return value.new_from_index(0, len(cells)), none_wrong.new_from_index(0, len(cells))
    column = cells[one.name]
    empty = column == ""
    if filler and not one.required:
        column = column.set(empty, filler)
    values = _typed(one, column, cells, clock)
    wrong = empty | values.is_null() if one.required else values.is_null() & (column != "")
    return values, wrong


def _typed(one: Field, column: pl.Series, cells: pl.DataFrame, clock: Clocks) -> pl.Series:
    if isinstance(clock, Clock):
        values = typed(column, one.type, clock)
    else:
        whose = next((cells[n] for n in ("entity", "server") if n in cells.columns), None)
        values = typed(column, one.type, _other(clock), whose, clock)
    if one.default == "" and not one.keeps and values.dtype == pl.String:
        values = values.set(column == "", "")
    return values.cast(_TYPES.get(one.type, pl.String)).alias(one.name)


def _other(clocks: Mapping[str, Clock]) -> Clock:
    return clocks.get("") or UTC_DAY


def _refusals(
    cells: pl.DataFrame, wrong: dict[str, pl.Series], bad: pl.Series,
    fields: dict[str, Field], place: str,
) -> list[Refusal]:  # fmt: skip
    rows = cells.filter(bad)
    marks = {name: column.filter(bad).to_list() for name, column in wrong.items() if column.any()}
    refused = []
    for at, row in enumerate(rows.iter_rows(named=True)):
        found = [
            (name, *_why(row[name], fields[name])) for name, flags in marks.items() if flags[at]
        ]
        text = "; ".join(f"field {name}: {why}" for name, _, why in found)
        raw = ",".join(str(row[name])[:60] for name in fields)
        refused.append(
            Refusal(row["line"], found[0][1], f"{place} {row['line']}, {text}", raw[:200])
        )
    return refused


def _why(cell: str, one: Field) -> tuple[str, str]:
    if not cell:
        return "empty", "is empty but has to be given"
    return reason(cell, one.type)
