"""`pipshare ib`: applications to become a partner, and what is decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import polars as pl

from pipshare import db, market, outbox, partners
from pipshare.cli.options import by_option, console, table
from pipshare.partners.applications import OPEN, SCREENING, STATES
from pipshare.pipeline import onboarding
from pipshare.pipeline.onboarding import Approval
from pipshare.pipeline.said.ibs import subject_of
from pipshare.statements.partner import profile

_number = click.argument("number", type=int)


@click.group("ib")
def ib_command() -> None:
    """Introducing brokers who apply: list, look, screen, approve, reject, erase."""


@ib_command.command("applications")
@click.option("--state", type=click.Choice([*STATES, "all"]), help="Only these; by default those"
              " that are to be decided.")  # fmt: skip
@click.option("--search", default="", help="In names, e-mail, company, website, codes.")
def applications_command(state: str | None, search: str) -> None:
    """List applications, newest first."""
    db.migrate()
    states = None if state == "all" else [state] if state else OPEN
    with db.connect() as conn:
        found = partners.applications(conn, states=states, text=search, limit=200)
        people = partners.people_of(conn, [one.id for one in found])
    if not found:
        console.print("No application" + (" waits to be decided." if states is OPEN else "."))
        return
    shown = table("", "number", "who", "country", "brought by", "came by", "state", "when")
    for one in found:
        person = people.get(one.id)
        source = one.source if not one.external else f"{one.source}: {one.external}"
        shown.add_row(str(one.id), person.name if person else "erased",
                      person.country if person else "", one.parent, source, one.state,
                      _when(one.at_ms))  # fmt: skip
    console.print(shown)


@ib_command.command("show")
@_number
def show_command(number: int) -> None:
    """Show application NUMBER: who, what he accepted, notes, what happened, the CRM's ids."""
    db.migrate()
    with db.connect() as conn:
        one = partners.application(conn, number)
        person = partners.person_of(conn, number)
        agreed = partners.acceptances(conn, application_id=number, partner_id=one.partner_id)
        notes, steps = partners.notes(conn, number), partners.steps(conn, number)
        like = partners.alike(conn, number)
        ids = outbox.externals(conn, [subject_of(number)])
        known = partners.all_partners(conn)
        made = known.filter(pl.col("id").eq_missing(one.partner_id)).select("code", "name").rows()
        terms = profile(conn, one.partner_id).terms if one.partner_id else []
    console.print(f"Application {one.id}: {one.state}{': ' + one.reason if one.reason else ''}")
    told = {} if person is None else {
        "who": person.name, "e-mail": person.email, "company": person.company,
        "country": person.country, "telephone": person.phone, "website": person.website,
        "sent from": person.address, "says": person.about,
    }  # fmt: skip
    told |= {"brought by": one.parent, "wallet": one.currency}
    for name, value in told.items():
        if value:
            console.print(f"  {name}: {value}")
    for code, called in made:
        console.print(f"  partner: {code} {called}".rstrip())
        console.print(f"  programme: {_programme(terms)}")
    for accepted in agreed:
        who = f"{accepted.name or 'erased'} from {accepted.address or 'elsewhere'}"
        console.print(f"  accepted {accepted.code} version {accepted.version},"
                      f" {_when(accepted.at_ms)}: {who}, SHA-256 {accepted.digest}")  # fmt: skip
    for each in ids:
        console.print(f"  id at {each.receiver}: {each.crm_id}")
    for other, same in like:
        console.print(f"  application {other} has the same {', '.join(same)}")
    for step in steps:
        why = f": {step.reason}" if step.reason else ""
        console.print(f"  {_when(step.at_ms)} {step.state} by {step.by}{why}")
    for note in notes:
        console.print(f"  {_when(note.at_ms)} {note.by}: {note.note}")


@ib_command.command("screen")
@_number
@click.option("--note", default="", help="What was found out.")
@by_option
def screen_command(number: int, note: str, by: str) -> None:
    """Take application NUMBER into screening, or note what was found out."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.application(conn, number)
        if one.state != SCREENING:
            one = partners.add_step(conn, one, SCREENING, by=by)
        if note:
            partners.add_note(conn, number, note, by=by)
    console.print(f"Application {number} is being screened.")


@ib_command.command("approve")
@_number
@click.option("--code", help="His code, for good; by default the next one.")
@click.option("--name", help="By default his company's, or his own.")
@click.option("--parent", help="The partner above, `root` = nobody; by default who brought him.")
@click.option("--currency", help="His wallet's; by default what he asked for.")
@click.option("--programme", default="", help="He takes part in it; without it he earns nothing"
              " yet: what he would earn waits.")  # fmt: skip
@click.option("--tier", default="standard", show_default=True, help="His card in the programme.")
@click.option("--reason", default="", help="A remark, kept with the decision.")
@by_option
def approve_command(
    number: int, code: str | None, name: str | None, parent: str | None, currency: str | None,
    programme: str, tier: str, reason: str, by: str,
) -> None:  # fmt: skip
    """Make the applicant of NUMBER a partner."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.application(conn, number)
        person = partners.person_of(conn, number)
        own = (person.company or person.name) if person else ""
        above = one.parent if parent is None else "" if parent.lower() == "root" else parent
        what = Approval(
            code or onboarding.free_code(conn, one.entity_id), own if name is None else name,
            (currency or one.currency).upper(), above, programme, tier, reason,
        )  # fmt: skip
        made = onboarding.approve(conn, one, what, by=by)
    console.print(f"Application {number} is approved: partner {made.code}.")
    if not programme:
        console.print("He has no terms yet: pipshare load terms terms.csv")


@ib_command.command("reject")
@_number
@click.option("--reason", required=True, help="The applicant reads it, and your CRM is told.")
@by_option
def reject_command(number: int, reason: str, by: str) -> None:
    """Reject application NUMBER."""
    db.migrate()
    with db.transaction() as conn:
        onboarding.reject(conn, partners.application(conn, number), reason, by=by)
    console.print(f"Application {number} is rejected.")


@ib_command.command("erase")
@_number
@click.option("--reason", required=True, help="Why, as: asked for on 23 November.")
@by_option
def erase_command(number: int, reason: str, by: str) -> None:
    """Erase the person of application NUMBER; what was decided and accepted stays."""
    db.migrate()
    with db.transaction() as conn:
        onboarding.erase(conn, partners.application(conn, number), by=by, reason=reason)
    console.print(f"The person of application {number} is erased.")


@ib_command.command("accepted")
@_number
@click.argument("agreement")
@click.option("--version", type=int, help="The newest by default.")
@click.option("--name", required=True, help="Who accepted it.")
@by_option
def accepted_command(number: int, agreement: str, version: int | None, name: str, by: str) -> None:
    """Record that the applicant of NUMBER accepted AGREEMENT elsewhere, as on paper."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.application(conn, number)
        agreed = partners.agreement(conn, one.entity_id, agreement, version)
        is_new = onboarding.accept(conn, one, agreed, name, by=by)
        entity = market.entities(conn)[one.entity_id].code
    word = "is recorded" if is_new else "was recorded before"
    console.print(f"That {name} accepted {agreed.code} version {agreed.version} ({entity}) {word}.")


def _programme(terms: Sequence[tuple[Any, ...]]) -> str:
    """Write the terms that hold now; `terms` as in statements.Profile, the newest record first."""
    held = next((one for one in terms if one[4]), None)
    if held is None:
        return "none yet: pipshare load terms terms.csv"
    return f"{held[0]}, card {held[1]}" if held[0] else "none: he earns nothing"


def _when(utc_ms: int) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000, UTC):%Y-%m-%d %H:%M}"
