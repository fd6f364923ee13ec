"""Answers with deals into frames: known ones skipped, bad ones isolated by ticket and field."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from pipshare.facts import DEAL, Refusal
from pipshare.sources.files.numbers import shown
from pipshare.sources.mt5_web import records
from pipshare.sources.mt5_web.answer import Answer
from pipshare.sources.mt5_web.columns import numbers, typed
from pipshare.sources.mt5_web.records import Records, split
from pipshare.sources.mt5_web.scalar import NAMES, Fault, cells, row
from pipshare.sources.mt5_web.values import REMARKS, DealsAnswer, Known

__all__ = ["deals", "split"]

RAW_SHOWN = 4000
_DEAL = [name for name in DEAL if name != "line"]
_SCHEMA = {name: (DEAL | REMARKS)[name] for name in (*_DEAL, *REMARKS)} | {"at": pl.UInt32}
_NONE = pl.DataFrame(schema=_SCHEMA)
# Most windows of a quiet server or of its history are empty: their frames are made once.
_NO_DEALS = _NONE.select(*_DEAL, line=pl.lit(0, dtype=DEAL["line"]))
_NO_REMARKS = _NONE.select(list(REMARKS))
Taken = tuple[pl.DataFrame, list[Refusal]]


def deals(answer: Answer, from_s: int, to_s: int, known: Known | None = None) -> DealsAnswer:
    """Return the deals of an answer about server seconds [from_s, to_s] that are not known.

    Raises Garbled when the answer is cut or no JSON; a bad value refuses its own deal only.
    """
    cut = records.split(answer)
    told = _wanted(cut, answer, from_s, to_s, known)
    if told is None:  # cut at the wrong place, or text that is no UTF-8: read it the slow way
        cut = records.scan(answer)
        told = _wanted(cut, answer, from_s, to_s, known, slow=True)
    assert told is not None
    return told


def _wanted(
    cut: Records, answer: Answer, from_s: int, to_s: int, known: Known | None, slow: bool = False
) -> DealsAnswer | None:
    places = np.arange(len(cut.texts))
    texts, lines = cut.texts, cut.lines
    if known is not None and len(places):
        places = np.flatnonzero(~np.asarray(known(cut.tickets, cut.hashes), np.bool_))
        if len(places) < len(texts):
            texts, lines = [texts[at] for at in places], None
    found = _slow(texts) if slow else _quick(texts, lines)
    if found is None:
        return None
    good, refused = found
    at = good["at"].to_numpy()
    return DealsAnswer(
        deals=good.select(*_DEAL, line=pl.lit(0, dtype=DEAL["line"])) if len(at) else _NO_DEALS,
        remarks=good.select(list(REMARKS)) if len(at) else _NO_REMARKS,
        raw=[texts[n] for n in at] if len(at) < len(texts) else texts,
        hashes=cut.hashes[places[at]], refused=refused, seen=cut.tickets, count=len(cut.texts),
        from_s=from_s, to_s=to_s, bytes=len(answer.body),
    )  # fmt: skip


def _quick(texts: list[bytes], lines: bytes | None) -> Taken | None:
    if not texts:
        return _NONE, []
    found = typed(texts, lines)
    return _with_rest(*found, texts) if found else None


def _slow(texts: list[bytes]) -> Taken:
    """Read every record with Python's JSON reader; what is no UTF-8 gets replacement characters."""
    if not texts:
        return _NONE, []
    told = pl.DataFrame([cells(text) for text in texts], schema=dict.fromkeys(NAMES, pl.String))
    return _with_rest(*numbers(told), texts)


def _with_rest(good: pl.DataFrame, rest: pl.DataFrame, texts: list[bytes]) -> Taken:
    """Add what only the scalar reader takes; refuse what it does not."""
    rows: list[dict[str, Any]] = []
    refused: list[Refusal] = []
    for at in rest["at"]:
        text = texts[at]
        cell = cells(text)
        try:
            rows.append({**row(cell), "at": at})
        except Fault as fault:
            who = f"deal {shown(cell['Deal'])[1:-1] or '(no ticket)'}"
            raw = text[:RAW_SHOWN].decode("utf-8", "replace")
            refused.append(Refusal(0, fault.code, f"{who}: {fault.reason}", raw))
    if rows:
        good = pl.concat([good, pl.DataFrame(rows, schema=_SCHEMA)]).sort("at")
    return good, refused
