"""Give every distinct chain of partners its number, once for all runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg

from pipshare import db
from pipshare.attribution.directory import Directory
from pipshare.period import Millis

_TRANSACTION = "SELECT txid_current()"
_STORED = "SELECT id FROM attribution_chain WHERE id = ANY(%s::integer[])"
_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS attribution_told (place integer, partners integer[])
    ON COMMIT DELETE ROWS
"""
# In one order for all workers: two that store the same chains wait for each other, never both.
_STORE = """
INSERT INTO attribution_chain (partners) SELECT t.partners FROM attribution_told t
 WHERE NOT EXISTS (SELECT FROM attribution_chain c WHERE c.partners = t.partners)
 ORDER BY t.partners
ON CONFLICT DO NOTHING
"""
_NUMBERS = """
SELECT t.place, c.id FROM attribution_told t JOIN attribution_chain c ON c.partners = t.partners
"""


def store_chains(conn: psycopg.Connection[Any], directory: Directory, used: Millis) -> None:
    """Store the chains at these places of the directory's book that have no number yet.

    A directory that lasts has all that it knows of stored at once, when the first is needed.
    Numbers stay in `directory.chain_ids`. Those of a transaction that was rolled back are
    forgotten when the next batch comes.
    """
    if not len(used):
        return
    _forget_rolled_back(conn, directory)
    if directory.chain_ids[used].all():
        return
    if directory.lasting:  # one trade after the other would bring one chain after the other
        used = np.arange(len(directory.book.chains))
    new = used[directory.chain_ids[used] == 0].tolist()
    chains = [directory.book.chains[place] for place in new]
    conn.execute(_TEMPORARY)
    conn.execute("DELETE FROM attribution_told")
    db.copy_in(conn, "attribution_told", {
        "place": db.Int4(np.array(new, np.int64)),
        "partners": db.Int4Array(
            np.array([partner for chain in chains for partner in chain], np.int64),
            np.array([len(chain) for chain in chains], np.int64),
        ),
    })  # fmt: skip
    conn.execute(_STORE)
    for place, number in conn.execute(_NUMBERS):
        directory.chain_ids[place] = number
    directory.unsure = (_transaction(conn), new + directory.unsure[1])


def _forget_rolled_back(conn: psycopg.Connection[Any], directory: Directory) -> None:
    stored_in, places = directory.unsure
    if not places or stored_in == _transaction(conn):
        return
    numbers = directory.chain_ids[places]
    kept = [row[0] for row in conn.execute(_STORED, (numbers.tolist(),))]
    directory.chain_ids[places] = np.where(np.isin(numbers, kept), numbers, 0)
    directory.unsure = (0, [])


def _transaction(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute(_TRANSACTION).fetchone()
    assert row is not None
    return int(row[0])
