"""Rows of a mapped XML file, element by element, without ever building the whole tree.

Entities are not resolved, nothing is fetched, and a document type is refused: exports have none.
Names are compared without their namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl
from lxml import etree

from pipshare.errors import BadInput
from pipshare.sources.files.decode import Opened
from pipshare.sources.mapped.mapping import Mapping, fault

BATCH = 50_000
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.I)


def element_rows(opened: Opened, mapping: Mapping) -> Iterator[pl.DataFrame]:
    """Yield frames of text cells named as our fields, plus `line`.

    Raises BadInput when the file is no well-formed XML or has no such rows.
    """
    if mapping.row is None:
        raise fault(mapping.name, "row", 'name the element of one trade, for example "Trade"')
    if _DOCTYPE.search(opened.text):
        raise BadInput("xml_doctype", f"{opened.path.name} has a document type; remove it")
    path = [part for part in mapping.row.split("/") if part]
    places = {name: _steps(mapping, name, str(place)) for name, place in mapping.columns.items()}
    batch: list[list[str]] = []
    lines: list[int] = []
    count = 0
    for element in _elements(opened, path):
        batch.append([_cell(element, *steps) for steps in places.values()])
        line: Any = element.sourceline  # the stubs do not say that it is a number
        lines.append(line or 0)
        count += 1
        if len(batch) == BATCH:
            yield _frame(list(places), batch, lines)
            batch, lines = [], []
    if not count:
        raise fault(mapping.name, "row", f"{opened.path.name} has no element {mapping.row!r}")
    yield _frame(list(places), batch, lines)


def _frame(names: list[str], batch: list[list[str]], lines: list[int]) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String)
    frame = pl.DataFrame(batch, schema=schema, orient="row")
    return frame.with_columns(line=pl.Series(lines, dtype=pl.Int32))


def _elements(opened: Opened, path: list[str]) -> Iterator[etree._Element]:
    parser = etree.iterparse(
        str(opened.path), events=("end",), tag=f"{{*}}{path[-1]}", resolve_entities=False,
        no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True,
        encoding=opened.charset.codec if opened.charset.how == "told" else None,
    )  # fmt: skip
    try:
        for _, element in parser:
            if not _under(element, path[:-1]):
                continue
            yield element
            element.clear()
            while (before := element.getprevious()) is not None:
                before.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise BadInput(
            "bad_xml", f"{opened.path.name}, line {line}: no well-formed XML ({error.msg})"
        ) from None


def _under(element: etree._Element, path: list[str]) -> bool:
    for name in reversed(path):
        parent = element.getparent()
        if parent is None or etree.QName(parent).localname != name:
            return False
        element = parent
    return True


def _steps(mapping: Mapping, name: str, path: str) -> tuple[list[str], str | None]:
    """Cut "Close/@time" into elements to step down and the attribute (None = the text)."""
    parts = [part for part in path.split("/") if part and part != "."]
    attribute = parts.pop()[1:] if parts and parts[-1].startswith("@") else None
    if attribute == "" or any(not re.fullmatch(r"[\w.:-]+", part) for part in parts):
        raise fault(
            mapping.name, f"columns.{name}",
            f'{path!r} is no path: write "Ticket", "Close/Price", "@id" or "Close/@time"',
        )  # fmt: skip
    return parts, attribute


def _cell(element: etree._Element, parts: list[str], attribute: str | None) -> str:
    found: etree._Element | None = element
    for part in parts:
        found = found.find(f"{{*}}{part}") if found is not None else None
    if found is None:
        return ""
    if attribute is None:
        return str(found.text or "").strip()
    return str(found.get(attribute) or "").strip()
