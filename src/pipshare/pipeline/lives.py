"""What clients' events say of their trades: qualified since when, held until KYC is approved."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from pipshare import clients
from pipshare.facts.events import cleared
from pipshare.period import FOREVER_MS
from pipshare.pipeline.enrich import asked
from pipshare.pipeline.read_placed import read_placed
from pipshare.pipeline.run import Run
from pipshare.plans.book import Book
from pipshare.rating.placed import Placed
from pipshare.rating.qualify import asks_trades
from pipshare.rating.settled import payees_of
from pipshare.rating.windows.given import Given, MomentsOf
from pipshare.rating.windows.standing import FORFEITED, HELD, of_clients


def with_lives(
    run: Run,
    entity_id: int,
    made: Placed,
    *,
    moments: MomentsOf | None = None,
    as_of_ms: int | None = None,
) -> Placed:
    """Add what the clients' events (and, where a plan asks for them, their trades) say.

    Returns the trades as they are where no plan asks. `moments` says since when clients' trades are
    enough; without it all their trades are read. What is forfeited is by `as_of_ms`, None = now.
    """
    if not asked(run.book).lives or not len(made):
        return made
    who = np.unique(made.trades.client[made.trades.client >= 0]).tolist()
    known = made
    if moments is None and asks_of_trades(run.book):
        logins = clients.logins_of(run.conn, who)
        known = read_placed(run, entity_id, start_ms=0, end_ms=FOREVER_MS, logins=logins).placed
    now_ms = time.time_ns() // 1_000_000 if as_of_ms is None else as_of_ms
    given = Given(
        placed=known, book=run.book, payees=payees_of(run.partners), fx=run.fx,
        clock=run.clock(entity_id), events=cleared(clients.events_of(run.conn, who), now_ms),
        as_of_ms=now_ms, moments=moments,
    )  # fmt: skip
    said = of_clients(given)
    at = slice(None) if known is made else _places(made, known)
    columns = {"qualified_ms": said.qualified_ms[at], "registered_ms": said.registered_ms[at],
               "kyc_held": said.kyc[at] == HELD}  # fmt: skip
    return replace(made, trades=replace(made.trades, **columns), lost=said.kyc[at] == FORFEITED,
                   lacks=said.lacks[at])  # fmt: skip


def asks_of_trades(book: Book) -> bool:
    """Tell whether a programme asks for its clients' trades before they qualify."""
    asked_of = [version.programme.qualify for version in book.versions]
    return any(one is not None and asks_trades(one) for one in asked_of)


def _places(some: Placed, every: Placed) -> np.ndarray:
    """Return where each of some trades stands among all of their clients' trades."""
    rows: list[list[tuple[int, int]]] = []
    for one in (some, every):
        assert one.trades.server is not None
        assert one.trades.ticket is not None
        keys = zip(one.trades.server.tolist(), one.trades.ticket.tolist(), strict=True)
        rows.append(list(keys))
    place = {key: row for row, key in enumerate(rows[1])}
    return np.array([place[key] for key in rows[0]], np.int64)
