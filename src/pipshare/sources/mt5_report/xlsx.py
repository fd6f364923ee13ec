"""The rows of the first sheet of an XLSX workbook, with every figure as the text in its XML.

MetaTrader writes the parts in UTF-16, on which some readers fail, and a float would lose digits
of what is printed; so the two parts that matter are read here. A workbook is a ZIP archive from a
stranger: sizes are capped before and while unpacking, and no entity is ever expanded.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import IO, cast

from lxml import etree

from pipshare.errors import BadInput
from pipshare.sources.mt5_report.grid import Row

MAX_UNPACKED = 512 * 2**20  # bytes of all parts together
_RATIO, _RATIO_FROM = 100, 16 * 2**20  # more than 100:1 is a bomb, unless small
_MAX_ROWS = 2**20  # Excel's own limit
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_V = f"{_S}v"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError,
           etree.LxmlError, ValueError, KeyError)  # fmt: skip
_KINDS = (
    ("word/", "a Word document: export the report from MetaTrader instead"),
    ("ppt/", "a PowerPoint file: export the report from MetaTrader instead"),
    ("content.xml", "an OpenDocument file: save it as .xlsx"),
    ("xl/workbook.bin", "a binary Excel workbook (XLSB): save it as .xlsx"),
)


class Workbook:
    """An XLSX file held in memory. Every method raises BadInput when the archive is broken."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open the archive and cap its sizes. `name` is the file's name for messages."""
        self._name = name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN:
            raise self._broken("it is cut off or damaged") from None
        parts = self._zip.infolist()
        if "xl/workbook.xml" not in self._zip.namelist():
            raise self._other_kind()
        unpacked = sum(part.file_size for part in parts)
        blown_up = any(
            part.file_size > max(_RATIO_FROM, _RATIO * part.compress_size) for part in parts
        )
        if unpacked > MAX_UNPACKED or blown_up:
            raise BadInput(
                "zip_bomb",
                f"{name} has {len(data) // 1024 + 1} KiB and unpacks to {unpacked // 2**20} MiB, "
                "which no report does: export it again, or a shorter period",
            )

    def encoding(self) -> str:
        """Return the charset of the sheet's XML."""
        try:
            with self._part(self._sheet()) as part:
                head = part.read(2)
        except _BROKEN:
            raise self._broken("a part is damaged") from None
        return "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8"

    def rows(self) -> Iterator[Row]:
        """Give the rows of the first sheet; cells without a value are left out."""
        try:
            yield from self._rows(self._strings())
        except BadInput:
            raise
        except _BROKEN as error:
            why = str(error) if isinstance(error, etree.LxmlError) else "a part is damaged"
            raise self._broken(why) from None

    def _rows(self, strings: list[str]) -> Iterator[Row]:
        with self._part(self._sheet()) as part:
            for count, (_, element) in enumerate(_events(part, "row")):
                if count >= _MAX_ROWS:
                    raise self._broken("it has more rows than a sheet can have")
                starts, texts = [], []
                for place, cell in enumerate(element):
                    if len(cell) and (text := _value(cell, strings)):
                        starts.append(_column(cell.get("r"), place))
                        texts.append(text)
                yield Row(int(element.get("r") or count + 1), starts, texts)
                element.clear()

    def _strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._zip.namelist():
            return []
        strings = []
        with self._part("xl/sharedStrings.xml") as part:
            for _, item in _events(part, "si"):
                strings.append(_plain(item))
                item.clear()
        return strings

    def _sheet(self) -> str:
        """Return the part of the first sheet, as the workbook's relations name it."""
        default = "xl/worksheets/sheet1.xml"
        names = set(self._zip.namelist())
        try:
            with self._part("xl/workbook.xml") as part:
                sheet = next((element for _, element in _events(part, "sheet")), None)
                wanted = None if sheet is None else sheet.get(f"{_R}id")
            with self._part("xl/_rels/workbook.xml.rels") as part:
                related = _events(part, "{*}Relationship")
                targets = {element.get("Id"): element.get("Target") for _, element in related}
        except _BROKEN:
            targets, wanted = {}, None
        target = targets.get(wanted) or ""
        found = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
        for name in (found, default):
            if name in names:
                return name
        raise self._broken("it has no sheet")

    def _part(self, name: str) -> IO[bytes]:
        return cast(IO[bytes], _Capped(self._zip.open(name), MAX_UNPACKED, self._name))

    def _other_kind(self) -> BadInput:
        names = self._zip.namelist()
        kind = next((kind for start, kind in _KINDS if any(n.startswith(start) for n in names)),
                    "a ZIP archive: unpack it and import the files in it")  # fmt: skip
        return BadInput("unknown_format", f"{self._name} is no report but {kind}")

    def _broken(self, why: str) -> BadInput:
        return BadInput(
            "broken_xlsx",
            f"{self._name} is an XLSX file that cannot be read ({why}): export it again",
        )


class _Capped(io.RawIOBase):
    """A part being unpacked, with an end to it whatever its directory entry promised."""

    def __init__(self, part: IO[bytes], left: int, name: str) -> None:
        self._part, self._left, self._name = part, left, name

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise BadInput("zip_bomb", f"{self._name} unpacks to more than a report can have")
        return data

    def close(self) -> None:
        self._part.close()
        super().close()


def _events(part: IO[bytes], tag: str) -> Iterator[tuple[str, etree._Element]]:
    full = tag if tag.startswith("{") else _S + tag
    events = etree.iterparse(part, events=("end",), tag=full, resolve_entities=False,
                             no_network=True, load_dtd=False, huge_tree=False)  # fmt: skip
    return cast(Iterator[tuple[str, etree._Element]], iter(events))


def _column(reference: str | None, place: int) -> int:
    """Return the column of a cell reference: A1 0, AA7 26; without one, its place in the row."""
    return _letters((reference or "").rstrip("0123456789"), place)


@lru_cache(maxsize=4096)
def _letters(letters: str, place: int) -> int:
    if not letters or len(letters) > 3 or not letters.isascii() or not letters.isupper():
        return place
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _value(cell: etree._Element, strings: list[str]) -> str:
    kind, last = cell.get("t"), cell[-1]  # a formula stands before its value
    if kind == "inlineStr":
        return _plain(last).strip()
    if last.tag != _V or kind == "e":
        return ""
    text = (last.text or "").strip()
    if kind == "s" and text:
        place = int(text)
        return strings[place].strip() if 0 <= place < len(strings) else ""
    return text


def _plain(item: etree._Element) -> str:
    """Join the runs of a rich text; phonetic hints are none of it."""
    hints = {text for hint in item.iter(f"{_S}rPh") for text in hint.iter(f"{_S}t")}
    return "".join(text.text or "" for text in item.iter(f"{_S}t") if text not in hints)
