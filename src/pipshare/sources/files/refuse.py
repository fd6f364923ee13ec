"""The sentence that refuses a file: what it seems to be, and what to do."""

from __future__ import annotations

import re

from pipshare.errors import BadInput
from pipshare.sources.files.decode import Opened

_EXPORT = "export the statement or report from MetaTrader again and import that file"
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a picture (PNG)", _EXPORT),
    (b"\xff\xd8\xff", "a picture (JPEG)", _EXPORT),
    (b"GIF8", "a picture (GIF)", _EXPORT),
    (b"BM", "a picture (BMP)", _EXPORT),
    (b"II*\0", "a picture (TIFF)", _EXPORT),
    (b"MM\0*", "a picture (TIFF)", _EXPORT),
    (b"%PDF", "a PDF document", "import the HTML or XLSX file instead of its print"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or encrypted Office file",
     "save it as .xlsx without a password, or export it from MetaTrader as HTML"),
    (b"PK\x05\x06", "an empty ZIP archive", _EXPORT),
    (b"\x1f\x8b", "a compressed file (gzip)", "unpack it first"),
    (b"BZh", "a compressed file (bzip2)", "unpack it first"),
    (b"\xfd7zXZ", "a compressed file (xz)", "unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"{\\rtf", "a rich text document", _EXPORT),
    (b"MZ", "a program", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
)  # fmt: skip
_TEXT: tuple[tuple[str, str, str], ...] = (
    (r"<frameset|<frame\s", "an HTML frameset saved by a spreadsheet program, without the data",
     "import the original export, or save the sheet itself as one file"),
    (r"\AMIME-Version:", "a web archive (MHTML)", "import the original HTML export"),
    (r"Strategy Tester", "a report of the strategy tester, which has no real trades",
     "export the account's history instead"),
    (r"progid=\"Excel\.Sheet\"|urn:schemas-microsoft-com:office:spreadsheet\"",
     "an Excel 2003 XML sheet", "save it as .xlsx, or export it from MetaTrader as HTML or XLSX"),
    (r"\A\s*<(?:!doctype html|html|head|body|table)\b",
     "a web page, but no MT4 statement or MT5 report", _EXPORT),
    (r"\A\s*<", "an XML file of one's own shape", "name a mapping file with --mapping"),
    (r"\A\s*[\[{]", "a JSON file", "export the trades as CSV and name a mapping file"),
)  # fmt: skip


def refuse(opened: Opened) -> BadInput:
    """Return the error for a file that no detector knew."""
    code, seems, advice = _verdict(opened)
    return BadInput(code, f"{opened.path.name} is {seems}: {advice}")


def _verdict(opened: Opened) -> tuple[str, str, str]:
    for magic, seems, advice in _MAGIC:
        if opened.head.startswith(magic) and not (len(magic) == 2 and opened.text.isprintable()):
            return "unknown_format", seems, advice
    if opened.head[8:12] == b"WEBP" or opened.head[4:8] == b"ftyp":
        return "unknown_format", "a picture or a film", _EXPORT
    if _binary(opened.text):
        return "unknown_format", "a binary file of a kind pipshare does not know", _EXPORT
    for pattern, seems, advice in _TEXT:
        if re.search(pattern, opened.text, re.I):
            return "unknown_format", seems, advice
    return (
        "unknown_format",
        "a text that is none of the known formats",
        "see docs/reference/files.md for what can be imported, or name a mapping file "
        "with --mapping",
    )


def _binary(text: str) -> bool:
    """Text has no control characters but tab, line ends and form feed."""
    odd = sum(c < " " and c not in "\t\r\n\f" for c in text[:4096])
    return "\0" in text[:4096] or odd * 50 > len(text[:4096])
