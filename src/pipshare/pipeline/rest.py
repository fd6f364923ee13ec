"""Bring everything to rest: rate again what was asked for, and take up what waited."""

from __future__ import annotations

from pipshare import attribution, rating, trades
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


def to_rest(run: Run) -> Booked:
    """Work until no request is open and no waiting trade can be taken up; commits as it goes.

    Returns what was settled by it; what goes on waiting is not counted again. Posting the same
    amounts again posts nothing, so this may be run at any time, and after a kill it continues.
    """
    total = Booked()
    settle_claims(run)
    settle_payloads(run)
    settle_identity(run)
    take_compensations(run)
    close_told(run)
    while take_up_clients(run) or take_up_traders(run):
        pass
    while (done := _one_request(run)) is not None:
        total.add(done)
    for server in list(run.servers.values()):
        tickets = {*attribution.takeable(run.conn, server.id)}
        tickets.update(rating.waiting_tickets(run.conn, server.id))
        total.add(rate_again(run, server.id, sorted(tickets)))
    settle_lasting_again(run.conn)
    total.lines += settle_windows(run).lines
    total.waiting.clear()
    return total


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
