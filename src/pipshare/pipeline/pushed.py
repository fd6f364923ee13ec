"""Trades that a machine pushes, one or many at a time, go through inbox and trades into `book`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipshare import inbox, trades
from pipshare.facts import TRADE
from pipshare.facts.frames import rows_where
from pipshare.market import Server
from pipshare.pipeline.book import book
from pipshare.pipeline.executions import note_trades
from pipshare.pipeline.run import Run
from pipshare.sources.reading import OPERATOR

AUTHORITY = "api"  # what the server's authority must be for pushed trades to book


@dataclass(frozen=True)
class Door:
    """Whose push it is: a key's server and provenance (OPERATOR or CLIENT), and its name."""

    server: str
    provenance: str
    by: str


@dataclass(frozen=True)
class Pushed:
    """Trades of one submission: a TRADE frame, and each row's own text as it came."""

    door: Door
    frame: pl.DataFrame
    raw: Sequence[bytes] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one pushed row.

    `verdict`: new, revised, repeated or refused; where the push books nothing: matches, differs
    or missing, by what is stored. `reason` is a sentence where there is one to say.
    """

    ticket: int
    verdict: str
    reason: str = ""


@dataclass
class _Group:
    """Rows of several submissions through one door, numbered over all of them by `line`."""

    door: Door
    frame: pl.DataFrame
    raw: list[bytes] = field(default_factory=list)


def take_pushed(run: Run, pushed: Sequence[Pushed]) -> list[list[Outcome]]:
    """Take in and book submissions in one transaction; return what became of each row, in order.

    What is pushed tells of the moment it came: other content of a known ticket is a revision.
    Rows of a door that does not book are compared with what is stored. Commits.
    """
    run.current()
    found: list[list[Outcome]] = [[] for _ in pushed]
    for door in dict.fromkeys(one.door for one in pushed):
        mine = [at for at, one in enumerate(pushed) if one.door == door]
        outcomes = iter(_through(run, _joined(door, [pushed[at] for at in mine])))
        for at in mine:
            found[at] = [next(outcomes) for _ in range(len(pushed[at].frame))]
    run.conn.commit()
    return found


def books(server: Server, door: Door) -> bool:
    """Tell whether trades that come through a door book, or are only compared."""
    return door.provenance == OPERATOR and server.authority == AUTHORITY


def _joined(door: Door, pushed: Sequence[Pushed]) -> _Group:
    frame = pl.concat([one.frame for one in pushed]) if len(pushed) > 1 else pushed[0].frame
    line = pl.Series("line", np.arange(1, len(frame) + 1, dtype=np.int32))
    frame = frame.with_columns(line)  # prices beside a trade go on with it
    return _Group(door, frame, [text for one in pushed for text in one.raw])


def _through(run: Run, group: _Group) -> list[Outcome]:
    server = next(s for s in run.servers.values() if s.code == group.door.server)
    if not len(group.frame):
        return []
    return _take(run, server, group) if books(server, group.door) else _compare(run, server, group)


def _take(run: Run, server: Server, group: _Group) -> list[Outcome]:
    batch_id = inbox.open_batch(run.conn, server.id, "push", len(group.frame))
    as_of_ms = time.time_ns() // 1_000_000
    intake = trades.take_in(run.conn, server, group.frame, batch_id, as_of_ms)
    note_trades(run, server, group.frame)
    ready = intake.settled
    if len(intake.opening_unknown):
        ready = pl.concat([ready, intake.opening_unknown]).sort("ticket")
    is_first = ready["revision"].to_numpy() == 1
    first, later = rows_where(ready, is_first), rows_where(ready, ~is_first)
    for some, fresh in ((first, True), (later, False)):
        if len(some):
            book(run, server, some, fresh=fresh, is_current=True)
    if intake.again is not None:
        book(run, server, intake.again, fresh=False, is_current=True)
    if group.raw and (intake.new or intake.revised):
        inbox.keep_raw(run.conn, batch_id, group.raw)
    refused = {one.line: one.reason for one in intake.conflicts}
    fresh_tickets, revised = set(first["ticket"].to_list()), set(later["ticket"].to_list())
    return [
        _outcome(ticket, line, refused, fresh_tickets, revised)
        for line, ticket in enumerate(group.frame["ticket"].to_list(), 1)
    ]


def _outcome(
    ticket: int, line: int, refused: dict[int, str], fresh: set[int], revised: set[int]
) -> Outcome:
    if line in refused:
        return Outcome(ticket, "refused", refused[line])
    for verdict, tickets in (("new", fresh), ("revised", revised)):
        if ticket in tickets:
            tickets.discard(ticket)  # told twice in one push, the second is a repeat
            return Outcome(ticket, verdict)
    return Outcome(ticket, "repeated")


def _compare(run: Run, server: Server, group: _Group) -> list[Outcome]:
    found = trades.compare(run.conn, server, group.frame[list(TRADE)], shown=len(group.frame))
    missing = set(found.missing_tickets)
    differing = {one.ticket: ", ".join(one.fields) for one in found.differences}
    why = f"trades of {server.code} come from {server.authority}; pushed ones are compared"
    outcomes = []
    for ticket in group.frame["ticket"]:
        if ticket in missing:
            outcomes.append(Outcome(ticket, "missing", f"{why}; this one is not stored"))
        elif ticket in differing:
            outcomes.append(Outcome(ticket, "differs", f"{why}; it differs in {differing[ticket]}"))
        else:
            outcomes.append(Outcome(ticket, "matches", why))
    return outcomes
