"""Record a payment made outside: proposed by one person, booked by the approval of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from pipshare import audit, ledger, partners
from pipshare.errors import BadInput, Conflict
from pipshare.ledger.accounts import Key
from pipshare.money import format_e8, minor_units, payable_e8

KIND = "payout"
# What a partner's accrued balance comes to without what rests, in 1e-8; below 0: a debt.
Free = Callable[[psycopg.Connection[Any], partners.Partner], int]
_PAYABLE = """
SELECT COALESCE(sum(l.amount_e8), 0)::bigint
  FROM ledger_leg l
  JOIN ledger_account a ON a.id = l.account_id
 WHERE a.entity_id = %s AND a.payee_kind = 'partner' AND a.payee_id = %s AND a.currency = %s
   AND a.state = 'payable'
"""
_KNOWN = "SELECT id FROM payouts_payment WHERE entity_id = %s AND reference = %s"
_INSERT = """
INSERT INTO payouts_payment (entity_id, partner_id, currency, amount_e8, reference, paid_on,
                             transfer_id, recorded_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_OF = """
SELECT amount_e8, currency, reference, paid_on, recorded_by FROM payouts_payment
 WHERE partner_id = %s ORDER BY id
"""


@dataclass(frozen=True)
class Payment:
    """A recorded payment; the amount in 1e-8 of the partner's currency."""

    amount_e8: int
    currency: str
    reference: str
    paid_on: date
    recorded_by: str


def payable(conn: psycopg.Connection[Any], partner: partners.Partner, free: Free) -> int:
    """Return what may be paid to a partner now, in 1e-8 of his wallet's currency.

    What was made payable, less a debt that came up since (a chargeback, a correction), in whole
    minor units and never below 0. `free` says what he has earned that meets a debt: what rests
    (hold days) does not, as in a closing.
    """
    # Free first: a closing that commits in between can then but make less payable than there is.
    debt = min(free(conn, partner), 0)
    row = conn.execute(_PAYABLE, (partner.entity_id, partner.id, partner.currency)).fetchone()
    assert row is not None
    return payable_e8(int(row[0]) + debt, partner.currency)


def payments(conn: psycopg.Connection[Any], partner_id: int) -> list[Payment]:
    """Return the payments recorded for a partner, the first one first."""
    return [Payment(*row) for row in conn.execute(_OF, (partner_id,))]


def propose_payment(
    conn: psycopg.Connection[Any],
    partner: partners.Partner,
    amount_e8: int,
    *,
    reference: str,
    paid_on: date,
    by: str,
    free: Free,
) -> int:
    """Put a payment before a second person; return the proposal's number.

    Raises BadInput for an amount that cannot be paid, Conflict for more than what is payable or a
    reference that is recorded already.
    """
    _check(conn, partner, amount_e8, reference, free)
    payload = {
        "partner": partner.code, "entity": partner.entity, "amount": format_e8(amount_e8),
        "amount_e8": amount_e8, "currency": partner.currency, "reference": reference,
        "paid_on": paid_on.isoformat(),
    }  # fmt: skip
    subject = f"{format_e8(amount_e8)} {partner.currency} to {partner.code}, {reference}"
    return audit.propose(conn, KIND, subject, payload, f"payment {reference}", by)


def _check(
    conn: psycopg.Connection[Any],
    partner: partners.Partner,
    amount_e8: int,
    reference: str,
    free: Free,
) -> None:
    currency = partner.currency
    if amount_e8 <= 0:
        raise BadInput("bad_amount", "a payment has to be more than 0")
    if payable_e8(amount_e8, currency) != amount_e8:
        raise BadInput("bad_amount", f"{format_e8(amount_e8)} {currency} cannot be paid: {currency}"
                       f" is paid with {minor_units(currency)} decimals")  # fmt: skip
    if not reference.strip():
        raise BadInput("no_reference", "give the payment's reference, by which finance finds it")
    if conn.execute(_KNOWN, (partner.entity_id, reference)).fetchone():
        raise Conflict("recorded", f"a payment with the reference {reference} is recorded already")
    owed = payable(conn, partner, free)
    if amount_e8 > owed:
        raise Conflict(
            "not_payable",
            f"{format_e8(owed, 2)} {currency} is payable to {partner.code}, not"
            f" {format_e8(amount_e8, 2)}: pay no more than that; what has accrued becomes payable"
            " when its period is closed (`pipshare period close`)",
        )


def book_payment(
    conn: psycopg.Connection[Any], payload: dict[str, Any], by: str, free: Free
) -> None:
    """Book an approved payment: payable to paid. Raises as propose_payment does."""
    partner = partners.partner(conn, payload["partner"], payload["entity"])
    # Two approvals of one partner at once must not both see the same payable.
    conn.execute("SELECT pg_advisory_xact_lock(7105, %s)", (partner.id,))
    _check(conn, partner, payload["amount_e8"], payload["reference"], free)
    keys = [
        Key(partner.entity_id, "partner", partner.id, partner.currency, state)
        for state in ("payable", "paid")
    ]
    source, target = ledger.Accounts().ids(conn, keys)
    paid_on = date.fromisoformat(payload["paid_on"])
    transfer = ledger.move(
        conn, entity_id=partner.entity_id, kind="payout", cause=f"payment {payload['reference']}",
        day=paid_on, moves=[ledger.Move(source, target, payload["amount_e8"])],
    )  # fmt: skip
    conn.execute(_INSERT, (partner.entity_id, partner.id, partner.currency, payload["amount_e8"],
                           payload["reference"], paid_on, transfer, by))  # fmt: skip
