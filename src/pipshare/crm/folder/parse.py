"""JSON, lines of JSON, or CSV, as payloads of so many records. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from pipshare.crm.cut import cut
from pipshare.crm.payload import read_payload
from pipshare.crm.polled import JSON
from pipshare.errors import BadInput

NDJSON = "application/x-ndjson"
SUFFIXES = (".json", ".ndjson", ".jsonl", ".csv")
LARGEST = 128 * 2**20  # bytes of a file: it is read whole before any of it is stored
MOST_LINES = 1_000  # of one payload
MOST_COLUMNS = 1_000
_DELIMITERS = ",;\t|"


def pieces(name: str, body: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield (body, content type) of payloads of at most MOST_LINES records, in the file's order.

    A row of CSV becomes an object of texts by the header's names. Raises BadInput: not a known
    kind of file, not UTF-8, not valid JSON, a row with more cells than the header, an empty file.
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix not in SUFFIXES:
        raise BadInput("unknown_file", f"{name} is none of {', '.join(SUFFIXES)}")
    if not body.strip():
        raise BadInput("empty", f"{name} is empty")
    if suffix == ".csv":
        yield from _csv(name, body)
    elif suffix == ".json":
        told = read_payload(body)
        if isinstance(told, list):
            for piece in cut(body):
                yield piece, JSON
        else:
            yield body, JSON
    else:
        lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        for first in range(0, len(lines), MOST_LINES):
            yield b"\n".join(lines[first : first + MOST_LINES]) + b"\n", NDJSON


def _csv(name: str, body: bytes) -> Iterator[tuple[bytes, str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("bad_encoding", f"{name} is not UTF-8 (byte {error.start + 1}): write it as"
                                       " UTF-8") from None  # fmt: skip
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(rows)]
        if len(set(header)) < len(header) or not all(header) or len(header) > MOST_COLUMNS:
            raise BadInput("bad_header", f"{name}: its first line has a column without a name, or a"
                                         " name twice")  # fmt: skip
        told: list[dict[str, str]] = []
        for row in rows:
            if not any(row):
                continue
            if len(row) > len(header):
                raise BadInput("bad_row", f"{name}, line {rows.line_num}: {len(row)} cells under"
                                          f" {len(header)} columns")  # fmt: skip
            told.append(dict(zip(header, row, strict=False)))
            if len(told) == MOST_LINES:
                yield _made(told), JSON
                told = []
    except csv.Error as error:
        raise BadInput("bad_row", f"{name}, line {rows.line_num}: {error}") from None
    if told:
        yield _made(told), JSON


def _made(rows: list[dict[str, str]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
