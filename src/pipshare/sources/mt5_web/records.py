"""An answer cut into the texts of its deals, before anything of them is converted.

Known deals are recognised by ticket and hash of their text, so that an overlap costs little. The
quick way cuts at the bytes between two records (such as '},{"Deal":', by the first field of the
first one), which cannot stand inside a JSON string; what does not look so regular is scanned by a
JSON reader. Which way was right shows when the records are read: a wrong cut is no JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipshare.sources.mt5_web.answer import Answer, garbled
from pipshare.sources.mt5_web.values import Hashes, Tickets

_FIRST = re.compile(
    rb'\s*\{\s*"retcode"\s*:\s*"[^"\\]*"\s*,\s*"answer"\s*:\s*\[\s*(\{\s*("\w+")\s*:)'
)
_END = re.compile(rb"\}\s*\]\s*\}\s*\Z")
_TAIL = 4096
_BETWEEN = re.compile(r"[ \t\r\n]*[,:]?[ \t\r\n]*")
_READER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_TICKET = r'^\{\s*"Deal"\s*:\s*"?(\d{1,19})"?\s*[,}]'
_TICKET_BYTES = 64
_ANY_TICKET = re.compile(rb'"Deal"\s*:\s*"?\s*\+?(\d{1,19})\s*"?\s*[,}]')
_MAX = 2**63


@dataclass(frozen=True)
class Records:
    """The texts of an answer's deals, with ticket (0: unreadable) and hash of each, parallel.

    `lines`: the same texts, one a line, where the cut made that on the way.
    """

    texts: list[bytes]
    tickets: Tickets
    hashes: Hashes
    lines: bytes | None = None


def split(answer: Answer) -> Records:
    """Cut an answer the quick way, else by scanning. Raises Garbled when it is cut or no JSON."""
    return _quick(answer.body) or scan(answer)


def scan(answer: Answer) -> Records:
    """Cut an answer by reading it as JSON, object by object."""
    text = answer.body.decode("utf-8", "surrogateescape")
    try:
        told = _READER.decode(text)
        given = told.get("answer") if isinstance(told, dict) else None
        if given is None or given == {} or given == []:
            return _records([])
        if not isinstance(given, dict | list):
            raise ValueError("its answer is no list of deals")
        at = _start_of_answer(text) + isinstance(given, list)
        texts = []
        for _ in range(len(given) if isinstance(given, list) else 1):
            at = _over(text, at)
            end = _READER.raw_decode(text, at)[1]
            texts.append(text[at:end].encode("utf-8", "surrogateescape"))
            at = end
    except (ValueError, RecursionError) as error:
        raise garbled(answer, str(error)[:200]) from error
    return _records(texts)


def _start_of_answer(text: str) -> int:
    """Return where the value of "answer" begins in the text of a JSON object that has one."""
    at = text.index("{") + 1
    while True:
        name, at = _READER.raw_decode(text, _over(text, at))
        at = _over(text, at)
        if name == "answer":
            return at
        at = _READER.raw_decode(text, at)[1]


def _over(text: str, at: int) -> int:
    """Step over blanks and what stands between two values of whole JSON."""
    between = _BETWEEN.match(text, at)
    return between.end() if between else at


def _quick(body: bytes) -> Records | None:
    first = _FIRST.match(body)
    end = _END.search(body, max(0, len(body) - _TAIL)) if first else None
    if first is None or end is None:
        return None
    inner = body[first.start(1) : end.start() + 1]
    gap = re.compile(rb"\}(\s*,\s*)" + first[1].replace(b"{", rb"\{")).search(inner)
    if gap is None:
        return _records([inner])
    if b"\n" in inner:
        texts = inner.split(gap[0])
        texts = [first[1] * (n > 0) + text + b"}" for n, text in enumerate(texts)]
        texts[-1] = texts[-1][:-1]
        return _records(texts)
    lines = inner.replace(gap[0], b"}\n" + first[1])
    return _records(lines.split(b"\n"), lines)


def _records(texts: list[bytes], lines: bytes | None = None) -> Records:
    kept = pl.Series(texts, dtype=pl.Binary)
    # The same in every process with this version of Polars; a reader may skip by it, not decide.
    return Records(texts, _tickets(texts, kept), kept.hash(seed=0).to_numpy(), lines)


def _tickets(texts: list[bytes], kept: pl.Series) -> Tickets:
    """Read the tickets, commonly the first thing in each record: {"Deal":"11918642",..."""
    starts = kept.bin.slice(0, _TICKET_BYTES).cast(pl.String, strict=False)
    numbers = starts.str.extract(_TICKET).cast(pl.Int64, strict=False)
    if not numbers.null_count():
        return numbers.to_numpy()
    found = [
        _ticket(text) if number is None else number
        for number, text in zip(numbers, texts, strict=True)
    ]
    return np.array(found, np.int64)


def _ticket(text: bytes) -> int:
    found = _ANY_TICKET.search(text)
    number = int(found[1]) if found else 0
    return number if number < _MAX else 0
