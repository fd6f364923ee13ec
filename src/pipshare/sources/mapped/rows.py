"""Rows of a mapped CSV: the header found, the columns picked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipshare.errors import BadInput
from pipshare.facts.fields import FIELDS
from pipshare.facts.reading import check_columns
from pipshare.sources.files.csv_rows import Rows, Shape, csv_rows
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.split import split_line
from pipshare.sources.mapped.mapping import FORMATS, Mapping, fault

DELIMITERS = ",;\t|"
OWN_ENOUGH = 4  # names of ours in a header that make it ours


def own_names(text: str) -> str | None:
    """Return the format whose field names a header uses, None when it does not.

    A header that is ours but for a wrong name still counts, so that the wrong name is reported.
    """
    line = text.lstrip("\ufeff").split("\n", 1)[0]
    for form in FORMATS:
        names = {one.name for one in FIELDS[form]}
        first = FIELDS[form][0].name
        for delimiter in DELIMITERS:
            cells = [cell.strip().lower() for cell in _cells(line, delimiter)]
            if first in cells and sum(cell in names for cell in cells) >= OWN_ENOUGH:
                return form
    return None


def own_mapping(opened: Opened, form: str) -> Mapping:
    """Return the mapping of a file that uses our names. Raises BadInput for wrong columns."""
    line = opened.text.lstrip("\ufeff").split("\n", 1)[0]
    known = {one.name for one in FIELDS[form]}
    delimiter = max(
        DELIMITERS, key=lambda d: sum(cell.strip().lower() in known for cell in _cells(line, d))
    )
    names = [cell.strip().lower() for cell in _cells(line, delimiter)]
    check_columns(names, form, opened.path.name)
    platform = "mt5" if form == "deals" or "position" in names else "mt4"
    columns: dict[str, str | int] = {name: at for at, name in enumerate(names, 1)}
    return Mapping(opened.path.name, form, platform, columns, delimiter=delimiter)


def mapped_rows(opened: Opened, mapping: Mapping) -> Iterator[Rows]:
    """Yield the rows of a CSV with columns named as our fields. Raises BadInput for its header."""
    yield from csv_rows(opened, shape_of(opened, mapping), list(mapping.columns))


def shape_of(opened: Opened, mapping: Mapping) -> Shape:
    """Find the columns a mapping names in a file's header."""
    lines = opened.text.lstrip("\ufeff").split("\n", mapping.skip_lines + 1)
    first = lines[mapping.skip_lines] if len(lines) > mapping.skip_lines else ""
    delimiter = mapping.delimiter or max(DELIMITERS, key=first.count)
    header = [cell.strip() for cell in _cells(first, delimiter)]
    places = {
        name: _place(mapping, name, place, header, opened.path)
        for name, place in mapping.columns.items()
    }
    return Shape(delimiter, len(header), places, mapping.skip_lines + int(mapping.header))


def _place(
    mapping: Mapping, name: str, place: str | int, header: list[str], path: Path
) -> int:  # fmt: skip
    key = f"columns.{name}"
    if isinstance(place, int):
        if place > len(header):
            raise fault(mapping.name, key, f"{path.name} has {len(header)} columns, not {place}")
        return place - 1
    if not mapping.header:
        raise fault(mapping.name, key, "without a header, columns are given by number")
    wanted = place.strip().lower()
    found = [at for at, cell in enumerate(header) if cell.lower() == wanted]
    if len(found) != 1:
        how = "no such column" if not found else f"{len(found)} columns of that name"
        raise fault(
            mapping.name, key,
            f"{path.name} has {how} as {place!r}; it has: {', '.join(header)[:300]}. A column can "
            "also be given by its number from 1",
        )  # fmt: skip
    return found[0]


def _cells(line: str, delimiter: str) -> list[str]:
    if len(line) > 20_000:
        raise BadInput("bad_header", "the header line is longer than any real one")
    return split_line(line, delimiter)
