"""The chain at a trade's opening, for programmes that pay those who stood above the client then.

Which trades these are, plans say; here are only the chains. See docs/decisions/0013.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from pipshare.attribution.attribute import chain_numbers
from pipshare.attribution.directory import Directory
from pipshare.attribution.kernel import Int8, Int32, chain_columns
from pipshare.attribution.result import Attributed
from pipshare.attribution.standing import STANDING_OF_WHY, Why
from pipshare.attribution.store_chains import store_chains
from pipshare.period import Millis


def chains_at(directory: Directory, login: Millis, moment_ms: Millis) -> Int32:
    """Return the chain above the clients of some logins at some moments; -1 = there was none.

    The logins are those of trades that `directory` attributed as introduced; chains are places in
    its book, as `Attributed.chain`.
    """
    assert directory.snapshot is not None
    return chain_columns(directory.snapshot, login, moment_ms)


def with_chains(
    conn: psycopg.Connection[Any] | None,
    directory: Directory,
    who: Attributed,
    rows: npt.NDArray[np.intp],
    chain: Int32,
    why: Int8,
) -> Attributed:
    """Give the trades at `rows` these chains and reasons; the others stay as they are.

    A trade whose reason is not INTRODUCED has no chain. Without a connection, or where the
    directory does not store chains, new ones stay without a number.
    """
    kept = np.where(why == Why.INTRODUCED, chain, -1)
    if conn is not None and directory.stores:
        store_chains(conn, directory, np.unique(kept[kept >= 0]).astype(np.int64))
    chains, whys, standing = who.chain.copy(), who.why.copy(), who.standing.copy()
    chains[rows], whys[rows] = kept, why
    standing[rows] = np.array(STANDING_OF_WHY, np.int8)[why]
    return replace(who, standing=standing, why=whys, chain=chains,
                   chain_id=chain_numbers(directory, chains))  # fmt: skip
