"""Attribute a batch of trades: read what is missing, ask the kernel, store new chains."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.attribution.directory import Directory
from pipshare.attribution.kernel import Columns, Int32, attribute_columns
from pipshare.attribution.result import Attributed
from pipshare.attribution.store_chains import store_chains
from pipshare.market import Server


def attribute(
    conn: psycopg.Connection[Any],
    server: Server,
    frame: pl.DataFrame,
    directory: Directory | None = None,
) -> Attributed:
    """Attribute trades (columns login and close_utc, UTC ms) in the caller's transaction.

    The moment is the close. `directory` keeps what was read for the next batch of the same run; one
    that does not store chains leaves the database as it is, and the chains without a number.
    """
    known = Directory() if directory is None else directory
    login = frame["login"].to_numpy()
    snapshot = known.extend(conn, server.id, login)
    found = attribute_columns(snapshot, login, frame["close_utc"].to_numpy())
    if known.stores:
        used = np.bincount(found.chain + 1, minlength=1)[1:]
        store_chains(conn, known, np.flatnonzero(used))
    return _attributed(known, found)


def attribute_known(directory: Directory, frame: pl.DataFrame) -> Attributed:
    """Attribute trades by a directory that has read everything already; no chain is stored."""
    assert directory.snapshot is not None
    login, close_utc = frame["login"].to_numpy(), frame["close_utc"].to_numpy()
    return _attributed(directory, attribute_columns(directory.snapshot, login, close_utc))


def chain_numbers(known: Directory, chain: Int32) -> Int32:
    """Return the numbers of chains in the database; 0 where there is none."""
    return np.where(chain >= 0, _at(known.chain_ids, chain), 0).astype(np.int32)


def _attributed(known: Directory, found: Columns) -> Attributed:
    return Attributed(
        standing=found.standing,
        why=found.why,
        chain=found.chain,
        chain_id=chain_numbers(known, found.chain),
        group=found.group,
        currency=found.currency,
        group_name=found.group_name,
        client_id=np.where(found.client >= 0, _at(known.client_ids, found.client), -1),
        account_id=np.where(found.account >= 0, _at(known.account_ids, found.account), -1),
        early=found.early,
        chains=known.book.chains,
        groups=known.groups,
        currencies=known.currencies,
        group_names=known.group_names,
    )


def _at(values: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Take values by place; any value where the place is -1."""
    if not len(values):
        return np.full(len(places), -1, np.int64)
    return np.asarray(values[np.maximum(places, 0)])
