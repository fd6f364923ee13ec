"""`pipshare agent`: accounts for which the platform pays an agent itself, and what of them."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipshare import clients, db
from pipshare.cli.options import (
    by_option,
    console,
    counted,
    json_option,
    moment_ms,
    say_booked,
    table,
)
from pipshare.pipeline import Run
from pipshare.pipeline.agents import decide


@click.group("agent")
def agent_command() -> None:
    """Agents whom the platform pays itself: paying a partner too would pay twice.

    Trades of such an account wait until somebody decides.
    """


@agent_command.command("list")
@click.option("--server", help="Only this trade server.")
@click.option("--undecided", is_flag=True, help="Only those that wait for a decision.")
@json_option
def list_agents(server: str | None, undecided: bool, as_json: bool) -> None:
    """List the accounts, how their agent was seen, and what was decided."""
    db.migrate()
    with db.connect() as conn:
        found = clients.agents(conn, server)
    found = [one for one in found if one.decision is None or not undecided]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2, default=str))
        return
    if not found:
        console.print("No account has an agent whom the platform pays, as far as was seen.")
        return
    shown = table("Native agents", "server", "login", "client", "agent", "since", "seen by",
                  "decision", right=(1, 3))  # fmt: skip
    for one in found:
        decision = "none yet: trades wait"
        if one.decision is not None:
            decision = f"{one.decision}, by {one.decided_by}: {one.reason}"
        shown.add_row(one.server, str(one.login), one.client or "-", str(one.agent),
                      f"{one.first_seen:%Y-%m-%d}", one.detail, decision)  # fmt: skip
    console.print(shown)
    if any(one.decision is None for one in found):
        console.print("  Decide with `pipshare agent decide LOGIN --server NAME --reason WHY` and")
        console.print("  --pay (we pay our partner all the same) or --none (nothing from us).")


@agent_command.command("decide")
@click.argument("logins", type=click.IntRange(min=1), nargs=-1, metavar="LOGIN...")
@click.option("--server", required=True, help="The trade server of the accounts.")
@click.option("--pay", "decision", flag_value="pay", help="We pay our partner all the same.")
@click.option("--none", "decision", flag_value="none", help="Nothing from us: the platform pays.")
@click.option("--all", "every", is_flag=True, help="All accounts that wait for a decision.")
@click.option("--from", "since", callback=moment_ms, help="For trades closed since; else always.")
@click.option("--reason", required=True, help="Why.")
@by_option
def decide_agents(
    logins: tuple[int, ...], server: str, decision: str | None, every: bool, since: int | None,
    reason: str, by: str,
) -> None:  # fmt: skip
    """Decide of accounts whose agent the platform pays; it takes effect at once."""
    if decision is None:
        raise click.UsageError("say --pay or --none")
    if bool(logins) == every:
        raise click.UsageError("name the accounts, or say --all")
    db.migrate()
    with db.connect() as conn:
        decided, booked = decide(Run(conn), server, logins, decision, by=by, reason=reason,
                                 valid_from_ms=since or 0)  # fmt: skip
    what = "paid all the same" if decision == "pay" else "paid by the platform alone"
    console.print(f"{counted(len(decided), 'account')} of {server}: {what}.")
    say_booked(booked, "Taken up")
