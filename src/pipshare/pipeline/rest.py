"""Bring everything to rest: rate again what was asked for, and take up what waited.

Its steps stand alone as far as money allows it: `pipshare work` notes one that fails, tries it
again, and goes on with those that do not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from pipshare import attribution, rating, trades
from pipshare.market import Server
from pipshare.pipeline.book import Booked, book
from pipshare.pipeline.claims import settle_claims
from pipshare.pipeline.compensations import take_compensations
from pipshare.pipeline.crm.settle import settle_payloads
from pipshare.pipeline.deposits import close_told
from pipshare.pipeline.enrich import WINDOW_COLUMNS
from pipshare.pipeline.identity import settle_identity
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import take_up_traders
from pipshare.pipeline.spared import changed, columns_of, may_spare
from pipshare.pipeline.windows import settle_windows, take_up_clients
from pipshare.rating.window_waits import settle_lasting_again

CHUNK = 100_000  # trades per transaction
POSTBACKS = "settling postbacks"
PAYLOADS = "settling what CRMs sent"
Done = TypeVar("Done")


class Do(Protocol):
    """Does a step by its name; None = it failed or is not tried yet, and what needs it waits."""

    def __call__(self, name: str, work: Callable[[], Done], /) -> Done | None:
        """Return what the step returns, which is never None."""


def at_once(_name: str, work: Callable[[], Done], /) -> Done | None:
    """Do a step, and let what goes wrong in it end everything."""
    return work()


def to_rest(run: Run, do: Do = at_once) -> Booked:
    """Work until no request is open and no waiting trade can be taken up; commits as it goes.

    Returns what was settled by it; what goes on waiting is not counted again. Posting the same
    amounts again posts nothing, so this may be run at any time, and after a kill it continues.

    Left to itself the first fault ends it: who loads, approves or closes a period has to know that
    not all is at rest. `do` may catch a step's fault instead. Then

    - what postbacks, CRMs and platforms told and could not be taken has not arrived yet, for all
      that comes after it: it is posted as a difference when it is taken, as what comes late is;
    - clients of whom something new is known are taken up only when it is settled who they are: else
      two records of one person would both qualify, be paid for and be told to trackers, and what
      was told cannot be taken back;
    - trades and windows go on. They are worked out of what is stored, as live sources book trades
      at any time, and what a step before them brings later asks for them again.
    """
    total = Booked()
    do(POSTBACKS, partial(settle_claims, run))
    do(PAYLOADS, partial(settle_payloads, run))
    known = do("settling who clients are", partial(_identity, run))
    do("taking compensations", partial(take_compensations, run))
    do("looking for deposits told twice", partial(_told_twice, run))
    if known is not None:
        do("taking up clients", partial(_clients, run))
    total.add(do("rating again what was asked for", partial(_requests, run)) or Booked())
    for server in list(run.servers.values()):
        waited = do(f"taking up trades of {server.code}", partial(_waiting, run, server))
        total.add(waited or Booked())
    total.lines += do("settling windows", partial(_windows, run)) or 0
    total.waiting.clear()
    return total


def _identity(run: Run) -> bool:
    settle_identity(run)
    return True


def _told_twice(run: Run) -> bool:
    close_told(run)
    return True


def _clients(run: Run) -> bool:
    while take_up_clients(run) or take_up_traders(run):
        pass
    return True


def _requests(run: Run) -> Booked:
    total = Booked()
    while (done := _one_request(run)) is not None:
        total.add(done)
    return total


def _waiting(run: Run, server: Server) -> Booked:
    tickets = {*attribution.takeable(run.conn, server.id)}
    tickets.update(rating.waiting_tickets(run.conn, server.id))
    return rate_again(run, server.id, sorted(tickets))


def _windows(run: Run) -> int:
    settle_lasting_again(run.conn)
    return settle_windows(run).lines


def rate_again(run: Run, server_id: int, tickets: list[int]) -> Booked:
    """Rate stored trades again and post the differences, a transaction per chunk."""
    total = Booked()
    server = run.servers[server_id]
    for start in range(0, len(tickets), CHUNK):
        rating.turn(run.conn, server.id)  # before reading: a newer revision must not be undone
        frame = trades.read(run.conn, server.id, tickets=tickets[start : start + CHUNK])
        total.add(book(run, server, frame, fresh=False))
        run.conn.commit()
    return total


def _one_request(run: Run) -> Booked | None:
    """Work on one chunk of the oldest request, in one transaction with its cursor."""
    run.current()
    claimed = rating.next_request(run.conn)
    if claimed is None:
        run.conn.commit()
        return None
    server = run.servers[claimed.server_id]
    rating.turn(run.conn, server.id)
    start, end = rating.whole_span(claimed)
    spares = may_spare(run, claimed.cause)
    frame = trades.read(
        run.conn, server.id, logins=claimed.logins, close_from_ms=start, close_to_ms=end,
        after_ticket=claimed.cursor_ticket, limit=CHUNK,
        columns=columns_of(run, claimed.cause) if spares else WINDOW_COLUMNS,
    )  # fmt: skip
    last = int(frame["ticket"][-1]) if len(frame) == CHUNK else None
    if spares:
        frame = changed(run, server, frame, claimed.cause)
    done = book(run, server, frame, fresh=False)
    rating.advance(run.conn, claimed, last)
    run.conn.commit()
    return done
