"""What waits and is of no trade: bonuses of clients, costs and sums of periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

_WAITING = """
SELECT g.code, c.code, w.reason, COALESCE(n.code, w.key), count(*), COALESCE(min(p.code), ''),
       COALESCE(min(k.code), ''), min(w.since)
  FROM rating_window_waiting w
  JOIN plans_component c ON c.id = w.component
  JOIN plans_programme g ON g.id = c.programme_id
  LEFT JOIN partners_partner p ON p.id = w.partner
  LEFT JOIN partners_partner n ON w.reason IN ('no_terms', 'not_in_force') AND n.id::text = w.key
  LEFT JOIN clients_client k ON k.id = w.client_id
 WHERE %(scope)s::int[] IS NULL OR w.partner = ANY(%(scope)s)
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 5 DESC, 4
"""


@dataclass(frozen=True)
class WaitingPeriod:
    """Lines of one component, of no trade, that wait for the same thing.

    `partner` and `client` are examples of whom they are of: "" where nobody can say yet.
    """

    programme: str
    component: str
    reason: str
    key: str
    lines: int
    partner: str
    client: str
    since: str
    trades: int = 0


def waiting_periods(
    conn: psycopg.Connection[Any], scope: Sequence[int] | None = None
) -> list[WaitingPeriod]:
    """Return what waits and is of no trade; with a `scope` of partners only what is theirs."""
    values = {"scope": None if scope is None else list(scope)}
    return [
        WaitingPeriod(
            programme, component, reason, key, lines, partner, client,
            since.isoformat(" ", "seconds"),
        )
        for programme, component, reason, key, lines, partner, client, since
        in conn.execute(_WAITING, values)
    ]  # fmt: skip
