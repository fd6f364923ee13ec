"""Whose trade it is, record by record: at its close, or at its opening where the programme says so.

Asks the records themselves, one trade at a time, as attribution.why does: nothing here is shared
with what books (pipeline.whose), so that each can be held against the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipshare import attribution, rating
from pipshare.attribution import Why
from pipshare.market import Server
from pipshare.pipeline.run import Run
from pipshare.plans.terms import Programme
from pipshare.rating.twin_values import at_moment


def whose(run: Run, server: Server, trade: dict[str, Any]) -> dict[str, Any]:
    """Return what attribution.why_one tells of a trade, with the chain that its programme pays."""
    told = attribution.why_one(run.conn, server, trade)
    close_ms = int(trade["close_utc"])
    decides = _programme(run, told, close_ms)
    if decides is None or decides.moment == "close":
        return told
    if not trade["opening"] or trade["open_ms"] <= 0:
        return told
    opened = server.to_utc(np.array([trade["open_ms"]], np.int64))
    told = attribution.why_at_opening(run.conn, told, int(opened[0]))
    paid_by = _programme(run, told, close_ms)
    if paid_by is None or paid_by.moment == "open":
        return told
    return {**told, **attribution.of_why(Why.OTHER_PROGRAMME_AT_OPENING), "chain": []}


def _programme(run: Run, told: dict[str, Any], moment_ms: int) -> Programme | None:
    """Return the programme that the direct IB's terms name at a moment; None = none in force."""
    if not told["chain"]:
        return None
    (direct,) = rating.chain_facts([told["chain"][0]["id"]], run.book, run.partners)
    terms = at_moment(direct.terms, moment_ms)
    if terms is None or terms.programme is None:
        return None
    version = at_moment(terms.programme.versions, moment_ms)
    return None if version is None else version.programme
