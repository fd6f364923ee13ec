"""The tree file: partners, clients, accounts, groups, terms and whatever else `load` knows.

One file in three forms: JSON or TOML with a list per table, or a CSV whose column `table` says
which table a row belongs to; cells that the table does not have stay empty.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts.delimited import csv_strings
from pipshare.pipeline.from_files.columns import ALIASES, TREE_TABLES, fields_of
from pipshare.pipeline.from_files.sheets import (
    Refused,
    Sheet,
    check_names,
    decoded,
    json_value,
    renamed,
    sheet_of,
    toml_value,
)

_ONE = {table.removesuffix("s"): table for table in TREE_TABLES} | {"entity": "entities"}


def read_tree(path: Path, refused: list[Refused]) -> dict[str, Sheet]:
    """Return the tables of a tree file by name; a table that it does not have is left out."""
    text = decoded(path)
    start = text.lstrip()
    if path.suffix.casefold() == ".toml" or start.startswith(("[[", "#")):
        return _tables(toml_value(text, path.name), path.name, refused)
    if start.startswith("{"):
        return _tables(json_value(text, path.name), path.name, refused)
    if start.startswith("["):
        raise BadInput("not_a_tree", f'{path.name}: a tree in JSON is an object of tables: '
                       '{"partners": [...], "clients": [...], "accounts": [...], ...}')  # fmt: skip
    return _csv_tables(text, path.name, refused)


def _tables(said: Any, name: str, refused: list[Refused]) -> dict[str, Sheet]:
    if not isinstance(said, dict):
        raise BadInput("not_a_tree", f"{name}: a tree is an object of tables")
    found: dict[str, Sheet] = {}
    for key, items in said.items():
        table = _table(key, name)
        if table in found:
            raise BadInput("repeated_table", f"{name}: table {table} comes twice")
        found[table] = sheet_of(items, table, name, refused)
    return found


def _table(key: str, name: str, where: str = "") -> str:
    folded = key.strip().casefold()
    table = _ONE.get(folded, folded)
    if table in TREE_TABLES:
        return table
    close = get_close_matches(folded, TREE_TABLES, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise BadInput("unknown_table", f"{name}{where}: no table {key!r}{hint}; a tree may have: "
                   + ", ".join(TREE_TABLES))  # fmt: skip


def _csv_tables(text: str, name: str, refused: list[Refused]) -> dict[str, Sheet]:
    names = {f.name for table in TREE_TABLES for f in fields_of(table)}
    names |= {alias for table in TREE_TABLES for alias in ALIASES[table]}

    def check(header: list[str]) -> None:
        if "table" not in header:
            raise BadInput("missing_column", f"{name}: a tree in CSV needs the column table, which "
                           f"says what a row tells of: {', '.join(TREE_TABLES)}")  # fmt: skip
        for one in header:
            if one != "table" and one not in names:
                close = get_close_matches(one, sorted(names), 1)
                hint = f" (did you mean {close[0]}?)" if close else ""
                raise BadInput("unknown_column", f"{name}: unknown column {one!r}{hint}")

    cells, bad = csv_strings(text, frozenset({"table", *names}), check)
    refused += [Refused(name, one.line, one.code, f"{name}, {one.reason}") for one in bad]
    found: dict[str, Sheet] = {}
    for (word,), rows in cells.group_by("table", maintain_order=True):
        table = _table(str(word), name, f", line {rows['line'][0]}")
        told = [
            column for column in rows.columns
            if column not in ("table", "line")
            and bool((rows[column].str.strip_chars().fill_null("") != "").any())
        ]  # fmt: skip
        check_names(told, table, f"{name}, rows of {table}")
        sheet = renamed(rows.select(*told, "line"), table)
        if table in found:
            sheet = pl.concat([found[table].cells, sheet], how="diagonal")
        found[table] = Sheet(name, table, "line", sheet)
    return found
