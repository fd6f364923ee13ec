"""Weigh arriving trades against the stored ones: new, the same, a revision, older, a conflict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.facts import Opening, Refusal, Verdict
from pipshare.facts.content import UNKNOWN_MS, judge, other_reason
from pipshare.trades.differ import CLOSING, named, unequal
from pipshare.trades.read import read
from pipshare.trades.stored import Stored, as_of, sources

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_SHOWN = 5  # fields named in the sentence about a conflict


@dataclass(frozen=True)
class Weighed:
    """The Verdict of each arriving row, and what to tell about the conflicts."""

    verdict: npt.NDArray[np.int8]
    conflicts: list[Refusal]


def weigh(
    conn: psycopg.Connection[Any],
    server_id: int,
    trades: pl.DataFrame,
    content: Column,
    stored: Stored,
    *,
    batch_id: int,
    as_of_ms: int | None,
    judged: bool,
) -> Weighed:
    """Return the verdicts. `trades` ascends by ticket; `content` and `stored` are beside it.

    `judged` says that the facts behind were weighed already (deals): what differs is newer.
    """
    same = stored.found & (content == stored["content"])
    same &= trades["state"].to_numpy() == stored["state"]
    same &= ~other_reason(trades["reason"].to_numpy(), stored["reason"])
    if judged:
        same &= trades["kind"].to_numpy() == stored["kind"]
        same &= trades["position"].to_numpy() == stored["position"]
        verdict = np.where(same, Verdict.SAME, Verdict.REVISION).astype(np.int8)
        verdict[~stored.found] = Verdict.NEW
        return Weighed(verdict, [])
    moments = np.full(len(trades), UNKNOWN_MS, np.int64)
    odd = stored.found & ~same
    if not odd.any():
        return Weighed(judge(stored.found, same, moments, as_of_ms), [])
    rows = trades.filter(pl.Series(odd))
    tickets = rows["ticket"].to_numpy()
    moments[odd] = as_of(conn, server_id, tickets, stored["batch_id"][odd], beside_ms=as_of_ms)
    verdict = judge(stored.found, same, moments, as_of_ms)
    kept = read(conn, server_id, tickets=tickets)
    verdict[odd] = _by_knowledge(rows, kept, verdict[odd])
    fought = verdict == Verdict.CONFLICT
    if not fought.any():
        return Weighed(verdict, [])
    names = sources(conn, np.append(stored["batch_id"][fought], batch_id))
    theirs = [names[int(batch)][1] for batch in stored["batch_id"][fought]]
    return Weighed(verdict, _conflicts(rows, kept, verdict[odd], theirs, names[batch_id][1]))


def _by_knowledge(
    rows: pl.DataFrame, kept: pl.DataFrame, verdict: npt.NDArray[np.int8]
) -> npt.NDArray[np.int8]:
    """Settle without any date where the two agree on the close and one knows no opening.

    Who knows less does not contradict; who knows more completes. Charges are left out, for those
    of the opening are among them.
    """
    agree = ~np.logical_or.reduce(list(unequal(rows, kept, CLOSING).values()))
    agree &= rows["state"].to_numpy() == kept["state"].to_numpy()
    here, there = rows["opening"].to_numpy(), kept["opening"].to_numpy()
    verdict[agree & (here == Opening.UNKNOWN) & (there == Opening.KNOWN)] = Verdict.SAME
    verdict[agree & (here == Opening.KNOWN) & (there == Opening.UNKNOWN)] = Verdict.REVISION
    return verdict


def _conflicts(
    rows: pl.DataFrame,
    kept: pl.DataFrame,
    verdict: npt.NDArray[np.int8],
    theirs: list[str],
    ours: str,
) -> list[Refusal]:
    fought = pl.Series(verdict == Verdict.CONFLICT)
    rows, kept = rows.filter(fought), kept.filter(fought)
    masks = unequal(rows, kept)
    return [
        Refusal(
            line,
            "conflict",
            f"ticket {ticket}: {ours} and {theirs[row]} differ in "
            f"{_plain(named(masks, row)) or 'state'}, and nothing tells which is "
            "newer; import the newer file with --as-of TIME, later than the other",
        )
        for row, (ticket, line) in enumerate(zip(rows["ticket"], rows["line"], strict=True))
    ]


def _plain(names: list[str]) -> str:
    """Write columns as people call them: lots, not lots_e8."""
    return ", ".join(name.removesuffix("_e8").removesuffix("_ms") for name in names[:_SHOWN])
