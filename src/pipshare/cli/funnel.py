"""`pipshare funnel`: from clicks to first trades, by partner, campaign and link."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import click

from pipshare import db, partners
from pipshare.cli.options import console, json_option, moment_ms, table
from pipshare.pipeline.funnel import BY, Funnel, funnel

_DAY_MS = 24 * 3600 * 1000


@click.command("funnel")
@click.option("--from", "since", callback=moment_ms, help="From this moment; 30 days ago.")
@click.option("--to", "until", callback=moment_ms, help="Until before this moment; now.")
@click.option("--partner", default="", help="His links only.")
@click.option("--subtree", is_flag=True, help="With --partner: of all below him, too.")
@click.option("--campaign", default=None, help="This campaign only.")
@click.option("--by", default="link", type=click.Choice(BY), show_default=True,
              help="A row for each.")  # fmt: skip
@json_option
def funnel_command(
    since: int | None, until: int | None, partner: str, subtree: bool, campaign: str | None,
    by: str, as_json: bool,
) -> None:  # fmt: skip
    """Count clicks, registrations, qualifying deposits and first trades, each on its own day."""
    db.migrate()
    end = until if until is not None else int(time.time() * 1000) + 1
    with db.connect() as conn:
        only = None
        if partner:
            who = partners.partner(conn, partner)
            only = partners.subtree(conn, who.id) if subtree else [who.id]
        chosen = next(one for one in BY if one == by)
        rows = funnel(conn, since if since is not None else end - 30 * _DAY_MS, end,
                      partner_ids=only, by=chosen)  # fmt: skip
    rows = [row for row in rows if campaign is None or row.campaign == campaign]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    if not rows:
        console.print("Nobody clicked or registered in this time.")
        return
    _show(rows)


def _show(rows: list[Funnel]) -> None:
    shown = table("", "partner", "campaign", "link", "clicks", "registered", "qualified",
                  "first trades", "programs", "looked ahead",
                  right=(3, 4, 5, 6, 7, 8))  # fmt: skip
    for row in rows:
        shown.add_row(
            row.partner, row.campaign, row.link, str(row.clicks), _of(row.registered, row.clicks),
            _of(row.qualified, row.registered), _of(row.first_trades, row.registered),
            str(row.bots), str(row.prefetches),
        )  # fmt: skip
    console.print(shown)


def _of(part: int, whole: int) -> str:
    """Write a number, with its share of the step before it: 12 (3 %)."""
    return f"{part} ({part * 100 // whole} %)" if part and whole >= part else str(part)
