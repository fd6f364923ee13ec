"""Freeze what each payee earned in a period, at the moment when it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare.statements.resting import Payee, Rests, resting

# Per payee and currency: what stood before the period, what it brought, and what stands now. What
# is paid is not payable any more, also where the payment's day is in a later period.
_EARNED = """
SELECT a.payee_kind, a.payee_id, a.currency,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period < %(period)s
                                           AND a.state NOT IN ('paid', 'forfeited')), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s
                                           AND t.kind = 'accrual'), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s
                                           AND t.kind = 'correction'), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s
                                           AND t.kind = 'adjustment'), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE a.state = 'accrued'), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE a.state = 'held'), 0)::bigint,
       COALESCE(sum(l.amount_e8) FILTER (WHERE a.state = 'payable'), 0)::bigint
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 WHERE a.entity_id = %(entity)s AND a.payee_kind <> 'house'
   AND (t.period <= %(period)s OR a.state = 'payable')
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_INSERT = """
INSERT INTO statements_frozen VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_FROZEN = """
SELECT payee_kind, payee_id, currency, opening_e8, accrued_e8, corrected_e8, adjusted_e8,
       payable_e8, carried_e8, held_e8, why
  FROM statements_frozen WHERE entity_id = %s AND period = %s ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Earned:
    """What a payee earned in a period and what stands at its end; amounts in 1e-8.

    `resting_e8`: what of it has to rest longer, 0 or more. `unpaid_e8`: what was made payable
    before and is not paid yet.
    """

    payee: Payee
    opening_e8: int
    accrued_e8: int
    corrected_e8: int
    adjusted_e8: int
    balance_e8: int
    held_e8: int
    unpaid_e8: int = 0
    resting_e8: int = 0

    @property
    def free_e8(self) -> int:
        """The part of the accrued balance that may become payable; below 0 a debt, which what
        rests does not meet before its day."""
        return self.balance_e8 - self.resting_e8


@dataclass(frozen=True)
class Frozen:
    """A frozen row of a closed period; amounts in 1e-8."""

    payee: Payee
    opening_e8: int
    accrued_e8: int
    corrected_e8: int
    adjusted_e8: int
    payable_e8: int
    carried_e8: int
    held_e8: int
    why: str


def earned_in(
    conn: psycopg.Connection[Any],
    entity_id: int,
    period: str,
    *,
    end: Any,
    rests: Sequence[Rests],
) -> list[Earned]:
    """Return what each payee of an entity earned in a period, and what stands.

    `end`: the date on which the period ends (its last day); `rests`: what has to rest.
    """
    rest_of = resting(conn, entity_id, period, end=end, rests=rests)
    found = []
    params = {"entity": entity_id, "period": period}
    for kind, number, currency, *sums in conn.execute(_EARNED, params).fetchall():
        opening, accrued, corrected, adjusted, balance, held, unpaid = sums
        payee = (kind, number, currency)
        rest = rest_of.get(payee, 0)
        found.append(
            Earned(payee, opening, accrued, corrected, adjusted, balance, held, unpaid, rest)
        )
    return found


def freeze(
    conn: psycopg.Connection[Any],
    entity_id: int,
    period: str,
    rows: Sequence[tuple[Earned, int, str, int]],
) -> None:
    """Write down (earned, payable_e8, why, transfer) by payee, in the closing's transaction."""
    with conn.cursor() as cursor:
        cursor.executemany(_INSERT, [
            (entity_id, period, *one.payee, one.opening_e8, one.accrued_e8, one.corrected_e8,
             one.adjusted_e8, payable, one.balance_e8 - payable, one.held_e8, why, transfer)
            for one, payable, why, transfer in rows
        ])  # fmt: skip


def frozen(conn: psycopg.Connection[Any], entity_id: int, period: str) -> list[Frozen]:
    """Return the frozen rows of a period, empty while it is open."""
    return [Frozen((row[0], row[1], row[2]), *row[3:])
            for row in conn.execute(_FROZEN, (entity_id, period))]  # fmt: skip
