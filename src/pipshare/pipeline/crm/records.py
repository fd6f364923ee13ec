"""Who takes in what is no event of a client: a kind of record, and the function that owns it.

An owner is called with the connection of the transaction that settles, and a Row; it returns what
became of it: outcome, reason and a sentence. It raises nothing for what a CRM may say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from pipshare.pipeline.crm import ibs
from pipshare.pipeline.crm.rows import Row

Take = Callable[[psycopg.Connection[Any], Row], tuple[str, str, str]]
OWNERS: dict[str, Take] = dict.fromkeys(ibs.KINDS, ibs.take)


def take_record(conn: psycopg.Connection[Any], row: Row) -> tuple[str, str, str]:
    """Hand a record to its owner; return outcome, reason, detail."""
    return OWNERS[row.kind](conn, row)
