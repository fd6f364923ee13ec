"""A long JSON array as several short ones, byte for byte: no number is read and written again."""

from __future__ import annotations

import json
import re

MOST_RECORDS = 1_000  # of one payload that is cut
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def cut(body: bytes, most: int = MOST_RECORDS) -> list[bytes]:
    """Return the array in pieces of at most `most` records; none for an empty one.

    `body` is a JSON array that read_payload has read: what is wrong with it was said there.
    """
    text = body.decode("utf-8-sig")
    records, at = [], _next(text, 0) + 1
    while text[at := _next(text, at)] != "]":
        _, end = _DECODER.raw_decode(text, at)
        records.append(text[at:end])
        at = _next(text, end)
        if text[at] == ",":
            at += 1
    if 0 < len(records) <= most:
        return [body]
    pieces = [records[first : first + most] for first in range(0, len(records), most)]
    return [f"[{','.join(piece)}]".encode() for piece in pieces]


def _next(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
