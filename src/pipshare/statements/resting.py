"""What of the accrued money has to rest longer, and what a payee has free of it at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

Payee = tuple[str, int, str]  # kind, id, currency


@dataclass(frozen=True)
class Rests:
    """What a component earns from the day `since` to before `until` rests for so many days."""

    component: int
    days: int
    since: date
    until: date


# What rests of the accrued money: components with hold days, by the last days on which they earned.
# What takes back meets what it took back (of one client, one window, or one day of trades), never
# what rests beside it: that might be taken back itself.
_RESTING = """
WITH rests AS (
    SELECT * FROM unnest(%(components)s::int[], %(days)s::int[], %(since)s::date[],
                         %(until)s::date[]) AS r(component, days, since, until)
), lines AS (
    SELECT l.account, l.component, l.level, 'day ' || l.day AS what, l.day, l.transfer_id,
           l.amount_e8, true AS rests
      FROM rating_line l JOIN rests r ON r.component = l.component AND l.day + r.days > %(end)s
                                     AND l.day >= r.since AND l.day < r.until
     UNION ALL
    SELECT w.account, w.component, w.level,
           CASE WHEN w.client_id <> 0 THEN 'client ' || w.client_id
                ELSE 'window ' || w.window_start END,
           w.day, w.transfer_id, w.amount_e8, COALESCE(w.day + r.days > %(end)s, false)
      FROM rating_window_line w
      LEFT JOIN rests r ON r.component = w.component AND w.day >= r.since AND w.day < r.until
     WHERE w.component = ANY(%(components)s::int[])
), by_day AS (
    SELECT a.payee_kind, a.payee_id, a.currency, l.component, l.level, l.what, l.rests,
           sum(l.amount_e8) AS amount_e8
      FROM lines l
      JOIN ledger_account a ON a.id = l.account AND a.state = 'accrued'
                           AND a.entity_id = %(entity)s
                           AND (%(payee)s::int IS NULL
                                OR (a.payee_kind = 'partner' AND a.payee_id = %(payee)s))
      JOIN ledger_transfer t ON t.id = l.transfer_id
                            AND (%(period)s::text IS NULL OR t.period <= %(period)s)
     GROUP BY a.payee_kind, a.payee_id, a.currency, l.component, l.level, l.what, l.rests, l.day
), left_of AS (
    SELECT payee_kind, payee_id, currency,
           LEAST(sum(amount_e8) FILTER (WHERE rests AND amount_e8 > 0), sum(amount_e8)) AS amount_e8
      FROM by_day GROUP BY payee_kind, payee_id, currency, component, level, what
    HAVING bool_or(rests AND amount_e8 > 0)
)
SELECT payee_kind, payee_id, currency, sum(amount_e8)::bigint AS amount_e8
  FROM left_of WHERE amount_e8 > 0
 GROUP BY 1, 2, 3
"""
# One statement, so that nothing is booked between what is accrued and what of it rests.
_FREE = f"""
SELECT (COALESCE((SELECT sum(l.amount_e8)
                    FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
                   WHERE a.entity_id = %(entity)s AND a.payee_kind = 'partner'
                     AND a.payee_id = %(payee)s AND a.currency = %(currency)s
                     AND a.state = 'accrued'), 0)
      - COALESCE((SELECT amount_e8 FROM ({_RESTING}) AS resting
                   WHERE currency = %(currency)s), 0))::bigint
"""


def resting(
    conn: psycopg.Connection[Any],
    entity_id: int,
    period: str,
    *,
    end: date,
    rests: Sequence[Rests],
) -> dict[Payee, int]:
    """Return what of each payee's accrued balance still rests when a period ends, in 1e-8.

    `end`: the date on which the period ends (its last day); `rests`: what has to rest.
    """
    if not rests:
        return {}
    params = {**_rests(rests), "entity": entity_id, "period": period, "end": end, "payee": None}
    return {(kind, number, currency): amount
            for kind, number, currency, amount in conn.execute(_RESTING, params)}  # fmt: skip


def free_now(
    conn: psycopg.Connection[Any],
    entity_id: int,
    partner_id: int,
    currency: str,
    *,
    day: date,
    rests: Sequence[Rests],
) -> int:
    """Return a partner's accrued balance less what of it rests on a day, in 1e-8.

    Below 0 it is a debt, as a closing at the end of that day would have it.
    """
    params = {**_rests(rests), "entity": entity_id, "payee": partner_id, "currency": currency,
              "period": None, "end": day}  # fmt: skip
    row = conn.execute(_FREE, params).fetchone()
    assert row is not None
    return int(row[0])


def _rests(rests: Sequence[Rests]) -> dict[str, list[Any]]:
    return {
        "components": [one.component for one in rests], "days": [one.days for one in rests],
        "since": [one.since for one in rests], "until": [one.until for one in rests],
    }  # fmt: skip
