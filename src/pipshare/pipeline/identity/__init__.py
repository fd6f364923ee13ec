"""Who clients are and whose, as CRMs find out: merges followed, re-assignments proposed.

What comes in: words told as events, in any order and any number of times. What goes out: whom each
client ends up as (and his trades and events with him), and proposals for a second person.
Guarantee: what holds depends on the words, on whose the clients are and on what people decided,
never on the order of arrival; nobody is moved to another partner by a CRM alone.
"""

from __future__ import annotations

from pipshare import clients
from pipshare.pipeline.identity.merged import settle_merges
from pipshare.pipeline.identity.proposals import withdraw
from pipshare.pipeline.identity.reassigned import settle_reassigned
from pipshare.pipeline.run import Run

__all__ = ["settle_identity"]


def settle_identity(run: Run) -> None:
    """Bring merges and proposals in line with the words that hold. Commits, also what was open.

    Books nothing: what follows is taken up by `to_rest`.
    """
    run.conn.commit()  # a booking must not be open: what is settled here is watched
    clients.take_turn(run.conn)
    for proposal in clients.replaced_words(run.conn):
        withdraw(run.conn, proposal)
    settle_merges(run)
    settle_reassigned(run)
    run.conn.commit()
