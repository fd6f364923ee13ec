"""Whose trades are: the chain at the close, or at the opening where the programme says so.

The direct IB at the close names the programme, as always. Where that says `moment = "open"`, the
chain is the one at the trade's opening; terms, account group and rates stay those at the close.
What has no known opening keeps the chain of the close: `unknown_opening` says whether it is paid.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import attribution
from pipshare.attribution import Attributed, Directory, Standing, Why
from pipshare.market import Server
from pipshare.pipeline.run import Run
from pipshare.pipeline.twin_facts import with_open
from pipshare.plans.book import Book
from pipshare.rating.deciding import deciding
from pipshare.rating.settled import hold

Bools = npt.NDArray[np.bool_]
_openings: WeakKeyDictionary[Book, Bools] = WeakKeyDictionary()


def attributed(run: Run, server: Server, frame: pl.DataFrame) -> Attributed:
    """Attribute a frame of settled trades, by the run's plans."""
    known = run.directory(server)
    who = attribution.attribute(run.conn, server, frame, known)
    return at_openings(run.book, known, who, server, frame, run.conn)


def asks_openings(book: Book) -> bool:
    """Tell whether any programme of a book pays the chain of the opening."""
    return bool(_of_openings(book).any())


def at_openings(
    book: Book, known: Directory, who: Attributed, server: Server, frame: pl.DataFrame,
    conn: psycopg.Connection | None = None,
) -> Attributed:  # fmt: skip
    """Return what `known` attributed, with the chains of the opening where programmes ask for it.

    The IB at the opening then is level 1, and his terms name the programme that is paid by. If that
    pays those of the close, or if nobody had introduced the client, nobody earns.
    """
    opens = _of_openings(book)
    if not opens.any() or not len(frame):
        return who
    if "open_utc" not in frame.columns:
        frame = with_open(server, frame)
    close = frame["close_utc"].to_numpy()
    chain = np.where(who.standing == Standing.INTRODUCED, who.chain, -1)
    asks = opens[deciding(book, who.chains, chain, close)] & (hold(frame) >= 0)
    rows = np.flatnonzero(asks)
    if not len(rows):
        return who
    login, opened = frame["login"].to_numpy()[rows], frame["open_utc"].to_numpy()[rows]
    then = attribution.chains_at(known, login, opened)
    decides = deciding(book, who.chains, then, close[rows])
    other = (decides >= 0) & ~opens[decides]
    why = np.where(then < 0, Why.NOT_INTRODUCED_AT_OPENING,
                   np.where(other, Why.OTHER_PROGRAMME_AT_OPENING, Why.INTRODUCED))  # fmt: skip
    return attribution.with_chains(conn, known, who, rows, then, why.astype(np.int8))


def _of_openings(book: Book) -> Bools:
    """Return for each version whether it pays the chain of the opening; one more for "none"."""
    found = _openings.get(book)
    if found is None:
        said = [version.programme.moment == "open" for version in book.versions]
        found = _openings[book] = np.array([*said, False], np.bool_)
    return found
