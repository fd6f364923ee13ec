"""`pipshare payout`: record what was paid to a partner outside, by two people."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from pipshare import db, partners, payouts
from pipshare.cli.options import by_option, console, money
from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.pipeline import paying

_entity = click.option("--entity", help="Code of the entity, when several have such a partner.")


@click.group("payout")
def payout_command() -> None:
    """Record payments to partners, and list them."""


@payout_command.command("record")
@click.argument("partner")
@click.argument("amount")
@click.option("--reference", required=True, help="The payment's own reference; used once.")
@click.option("--paid-on", help="Date of the payment, 2026-11-30; today if left out.")
@_entity
@by_option
def record_command(
    partner: str, amount: str, reference: str, paid_on: str | None, entity: str | None, by: str
) -> None:
    """Record that AMOUNT was paid to PARTNER; it is booked when a second person approves."""
    db.migrate()
    with db.connect() as conn:
        found = partners.partner(conn, partner, entity)
        number = paying.propose_payment(
            conn, found, parse_e8(amount), reference=reference, paid_on=_day(paid_on), by=by
        )
        conn.commit()
    console.print(f"Proposed as {number}: {amount} {found.currency} to {found.code}, {reference}."
                  f" A second person books it: pipshare approve {number} --by NAME")  # fmt: skip


@payout_command.command("list")
@click.argument("partner")
@_entity
def list_command(partner: str, entity: str | None) -> None:
    """Show what is payable to PARTNER and what was paid."""
    db.migrate()
    with db.connect() as conn:
        found = partners.partner(conn, partner, entity)
        owed = paying.payable(conn, found)
        paid = payouts.payments(conn, found.id)
    console.print(f"Payable to {found.code} {found.name}: {money(owed, found.currency)}")
    for one in paid:
        console.print(f"  {one.paid_on}  {money(one.amount_e8, one.currency)}  {one.reference}"
                      f"  ({one.recorded_by})")  # fmt: skip


def _day(text: str | None) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("bad_date", f"{text!r} is no date: write 2026-11-30") from error
