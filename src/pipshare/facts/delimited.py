"""Load files as text cells: decoding, the delimiter, lines, quotes, JSON; nothing typed yet.

What does not fit the header is refused line by line and never stops the lines beside it. A file
without a quote character is cut by columns; one with quotes goes through Python's csv reader,
which knows on which line a quoted cell began.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import unicodedata
from collections.abc import Callable

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts.values import Refusal

DELIMITERS = (",", ";", "\t")
CELL_LIMIT = 100_000  # characters in one line (or quoted cell): no field of ours comes near
_BATCH = 100_000
_NAMES = {"utf-8-sig": "UTF-8"}
_LOOK = 1_000  # bytes that tell the encoding of a file without a mark
_NO_TEXT = ("Cc", "Cn", "Co", "Cs")  # categories of characters that no header has
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF")


def decode(data: bytes, name: str) -> str:
    """Turn a file's bytes (UTF-8 or UTF-16) into text with "\\n" line ends.

    Raises BadInput for an empty file, a spreadsheet, a picture, or another encoding.
    """
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise BadInput("empty_file", f"{name} is empty: it needs a header line and rows")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", *_PICTURES)):
        raise BadInput(
            "not_text", f"{name} is a spreadsheet, picture or document: save it as CSV (UTF-8)"
        )
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line, told = data[: error.start].count(b"\n") + 1, _NAMES.get(encoding, "UTF-16")
        raise BadInput(
            "wrong_encoding",
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not {told} text; "
            "save the file as UTF-8 or UTF-16",
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = text.lstrip("\ufeff \t\n").partition("\n")[0][:CELL_LIMIT]
    if any(unicodedata.category(one) in _NO_TEXT and one != "\t" for one in first):
        seen = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in first)
        raise BadInput(
            "wrong_encoding",
            f"{name}: the file's encoding was not understood, its first line reads"
            f" {seen[:40]!r}; save the file as CSV in UTF-8 and load it again",
        )
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Text in UTF-8 has no zero byte; in UTF-16 every second byte of Latin text is one.
    even, odd = (data[start:_LOOK:2].count(0) for start in (0, 1))
    if max(even, odd) * 10 < len(data[:_LOOK]):
        return "utf-8-sig"
    return "utf-16-be" if even > odd else "utf-16-le"


def csv_strings(
    text: str, known: frozenset[str], check: Callable[[list[str]], None]
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Cut CSV text into a frame of String cells plus `line` (Int32), and the lines refused.

    The delimiter (comma, semicolon, tab) is the one under which the header has most `known`
    names; `check` is called with the header's names and raises when they are wrong.
    """
    header_line, header = _header(text)
    delimiter = max(DELIMITERS, key=lambda d: (_known(header, d, known), header.count(d)))
    names = _names(header, delimiter)
    check(names)
    cut = _quoted if '"' in text else _plain
    return cut(text, header_line, names, delimiter)


def _header(text: str) -> tuple[int, str]:
    start = 0
    for number in range(1, text.count("\n") + 2):
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line.strip(" \t,;"):
            return number, line
        start = end + 1
    return 0, ""


def _names(header: str, delimiter: str) -> list[str]:
    cells = header[:CELL_LIMIT].replace('"', "").split(delimiter)
    return [cell.strip().casefold() for cell in cells]


def _known(header: str, delimiter: str, known: frozenset[str]) -> int:
    return sum(name in known for name in _names(header, delimiter))


def _plain(
    text: str, header_line: int, names: list[str], delimiter: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    row = pl.col("row")
    lines = (
        pl.DataFrame({"row": pl.Series([text]).str.split("\n").explode()})
        .with_row_index("line", offset=1)
        .slice(header_line)
        .filter(row.str.strip_chars(" \t,;") != "")
        .with_columns(pl.col("line").cast(pl.Int32))
    )
    fits = (row.str.count_matches(delimiter, literal=True) == len(names) - 1) & (
        row.str.len_chars() <= CELL_LIMIT
    )
    refused = [
        _misfit(line, line, raw.split(delimiter), names, raw)
        for line, raw in lines.filter(~fits).iter_rows()
    ]
    cells = row.str.split_exact(delimiter, len(names) - 1).struct.rename_fields(names)
    return lines.filter(fits).select(cells.alias("cells"), "line").unnest("cells"), refused


def _quoted(
    text: str, header_line: int, names: list[str], delimiter: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    frames: list[pl.DataFrame] = [_frame(names, [], [])]
    refused: list[Refusal] = []
    while True:
        first = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            refused.append(_unreadable(first, reader.line_num, str(error)))
            continue
        if first <= header_line or not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names) or max(map(len, row)) > CELL_LIMIT:
            refused.append(_misfit(first, reader.line_num, row, names, delimiter.join(row)))
            continue
        rows.append(row)
        lines.append(first)
        if len(rows) == _BATCH:
            frames.append(_frame(names, rows, lines))
            rows, lines = [], []
    frames.append(_frame(names, rows, lines))
    return pl.concat(frames), refused


def _frame(names: list[str], rows: list[list[str]], lines: list[int]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    data = {name: pl.Series(column, dtype=pl.String)
            for name, column in zip(names, columns, strict=True)}  # fmt: skip
    return pl.DataFrame({**data, "line": pl.Series(lines, dtype=pl.Int32)})


def _misfit(first: int, last: int, row: list[str], names: list[str], raw: str) -> Refusal:
    longest = max(map(len, row))
    if longest > CELL_LIMIT or len(raw) > CELL_LIMIT:
        why = f"a cell of {longest} characters; no field is longer than {CELL_LIMIT}"
        return Refusal(first, "cell_too_large", f"{_at(first, last)}: {why}", raw[:200])
    why = (
        f"{len(row)} cells where the header has {len(names)}; write amounts without thousands "
        "separators and put a text that contains the delimiter in quotes"
    )
    return Refusal(first, "cell_count", f"{_at(first, last)}: {why}", raw[:200])


def _unreadable(first: int, last: int, error: str) -> Refusal:
    # csv's own wording names its internals; a person needs the lines and the quote.
    why = {
        "unexpected end of data": "a quote that is opened here is never closed",
        "field larger than field limit (131072)": f"a cell of more than {CELL_LIMIT} characters",
    }.get(error, f"quotes that do not match ({error})")
    return Refusal(first, "bad_quotes", f"{_at(first, last)}: {why}; nothing of it was read")


def _at(first: int, last: int) -> str:
    return f"line {first}" if last <= first else f"lines {first} to {last}"


def json_strings(
    text: str, name: str, check: Callable[[list[str]], None]
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Turn a JSON list of objects into a frame of String cells; `line` is the item's number.

    Numbers keep the digits they are written with. `check` as in csv_strings, with every key that
    occurs.
    """
    try:
        items = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput("bad_json", f"{name}{where}: not valid JSON ({error})") from error
    if not isinstance(items, list):
        raise BadInput("bad_json", f"{name}: a JSON load file is a list of objects")
    refused: list[Refusal] = []
    rows: list[tuple[int, dict[str, str | None]]] = []
    names: dict[str, None] = {}
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or any(isinstance(v, dict | list) for v in item.values()):
            why = "not a flat object of field names and values"
            refused.append(Refusal(number, "bad_item", f"item {number}: {why}", str(item)[:200]))
            continue
        row = {key.strip().casefold(): _json_cell(value) for key, value in item.items()}
        names.update(dict.fromkeys(row))
        rows.append((number, row))
    check(list(names))
    data = {key: pl.Series([row.get(key) for _, row in rows], dtype=pl.String) for key in names}
    lines = pl.Series([number for number, _ in rows], dtype=pl.Int32)
    return pl.DataFrame({**data, "line": lines}), refused


def _json_cell(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
