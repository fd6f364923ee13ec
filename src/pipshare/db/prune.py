"""Rows that may be deleted once they are old: a condition each, and deleting in short transactions.

What may go is said by the stage that owns the table; the owner's role deletes, as the application's
has no right to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

AT_ONCE = 10_000  # rows looked at in one transaction
BEFORE = "to_timestamp(%(before_ms)s::bigint / 1000.0)"
_NEXT = """
SELECT max(key), count(*) FROM (SELECT {key} AS key FROM {table} t WHERE {key} > %(after)s
                                 ORDER BY {key} LIMIT %(many)s) stretch"""
_COUNT = "SELECT count(*) FROM {table} t WHERE {gone}"
DELETE = "DELETE FROM {table} t WHERE {key} > %(after)s AND {key} <= %(last)s AND {gone}"


@dataclass(frozen=True)
class Old:
    """Something that may be pruned: `what` goes, `stays` all the same.

    `gone` is the condition on table `t`, which may use BEFORE and what `told` of the functions
    below holds; `key` is walked along, from `start`, which is below every one.
    """

    name: str
    what: str
    stays: str
    table: str
    key: str
    gone: str
    delete: str = DELETE
    start: str | int = ""

    def _sql(self, statement: str) -> str:
        return statement.format(table=self.table, key=self.key, gone=self.gone)

    def count(self, conn: psycopg.Connection[Any], told: dict[str, Any]) -> int:
        """Return how many rows would go."""
        row = conn.execute(self._sql(_COUNT), told).fetchone()
        return int(row[0]) if row else 0

    def prune(self, conn: psycopg.Connection[Any], told: dict[str, Any]) -> int:
        """Delete them, a transaction for each stretch of keys; return how many went."""
        rows, after = 0, self.start
        while True:
            stretch = {**told, "after": after, "many": AT_ONCE}
            found = conn.execute(self._sql(_NEXT), stretch).fetchone()
            if found is None or not found[1]:
                return rows
            after = found[0]
            rows += conn.execute(self._sql(self.delete), {**stretch, "last": after}).rowcount
            conn.commit()
