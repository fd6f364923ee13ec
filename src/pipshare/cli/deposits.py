"""`pipshare deposits`: whose word on money and KYC counts, and what matches what."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import click

from pipshare import clients, db
from pipshare.cli.options import SHOWN, by_option, console, json_option, moment_ms, money, table
from pipshare.errors import Missing
from pipshare.facts.counted import FACTS, Authority
from pipshare.period import from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.deposits import Compared, compare_deposits
from pipshare.pipeline.deposits.matching import MATCHED, NO_DEPOSIT, Pair
from pipshare.pipeline.rest import to_rest

_DAY_MS = 24 * 3600 * 1000
_ANY = "any"
_SIDES = {
    "platform": "the platforms' balance operations",
    "sources": "events of other sources, which do not count",
    "postbacks": "postbacks that are no events",
}
entity_option = click.option("--entity", default="main", show_default=True, help="Of this entity.")


@click.group("deposits")
def deposits_command() -> None:
    """Deposits that several sides tell: whose word counts, what matches what."""


@deposits_command.command("authority")
@entity_option
@click.option("--fact", type=click.Choice(FACTS), help="money (paid in and out) or kyc.")
@click.option("--source", help=f"Whose events count from now on; `{_ANY}` = everybody's.")
@click.option("--from", "since", callback=moment_ms, help="From this moment on; always.")
@click.option("--reason", default="", help="Why.")
@by_option
@json_option
def authority(
    entity: str, fact: str | None, source: str | None, since: int | None, reason: str, by: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Show whose events count, or say it; where events are known a second person approves."""
    db.migrate()
    with db.connect() as conn:
        if source is None:
            _show(conn, entity, as_json)
            return
        if fact is None:
            raise click.UsageError("--source needs --fact: money or kyc")
        said = Authority(entity, fact, since or 0, "" if source == _ANY else source)
        number = clients.say_authority(conn, said, by=by, reason=reason)
        conn.commit()
        if number is None:
            to_rest(Run(conn))
    whose = "everybody's" if source == _ANY else f"{source}'s"
    if number is None:
        console.print(f"From now on {whose} {fact} counts in entity {entity}.")
    else:
        console.print(f"Proposed as {number}: {whose} {fact} counts in entity {entity}. Somebody"
                      f" else takes it up: `pipshare approve {number} --by NAME`.")  # fmt: skip


def _show(conn: Any, entity: str, as_json: bool) -> None:
    recorded = [one for one in clients.recorded_authorities(conn) if one.entity == entity]
    known = {fact: clients.telling(conn, entity, fact) for fact in FACTS}
    if as_json:
        shown = [{**asdict(one), "recorded_at": one.recorded_at.isoformat()} for one in recorded]
        click.echo(json.dumps({"recorded": shown, "told_by": known}, indent=2))
        return
    for fact, told in known.items():
        by = ", ".join(f"{source} ({count})" for source, count in told.items()) or "nobody yet"
        console.print(f"{fact} of entity {entity} was told by {by}.")
    if not recorded:
        console.print("All of it counts; what two sources tell of one deposit counts once."
                      " `--fact`, `--source` and `--reason` say whose counts.")  # fmt: skip
        return
    rows = table("Whose counts: of records that have begun the last one holds", "fact", "source",
                 "from", "recorded", "by", "reason")  # fmt: skip
    for one in recorded:
        since = from_ms(one.from_ms).strftime("%Y-%m-%d %H:%M") if one.from_ms else "always"
        rows.add_row(one.fact, one.source or "everybody", since,
                     one.recorded_at.strftime("%Y-%m-%d %H:%M"), one.recorded_by,
                     one.reason)  # fmt: skip
    console.print(rows)


@deposits_command.command("match")
@entity_option
@click.option("--from", "since", callback=moment_ms, help="From this moment; 30 days ago.")
@click.option("--to", "until", callback=moment_ms, help="Until before this moment; now.")
@click.option("--all", "every", is_flag=True, help="Also what matches and what is no deposit.")
@json_option
def match_command(
    entity: str, since: int | None, until: int | None, every: bool, as_json: bool
) -> None:
    """Match what counts with the platforms' balance operations, other sources and postbacks."""
    db.migrate()
    end = until if until is not None else int(time.time() * 1000) + 1
    start = since if since is not None else end - 30 * _DAY_MS
    with db.connect() as conn:
        ids = {one.code: number for number, one in Run(conn).entities.items()}
        if entity not in ids:
            raise Missing("unknown_entity", f"entity {entity!r} is not known")
        found = compare_deposits(conn, ids[entity], start, end)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
        return
    for side, counts in found.counts().items():
        said = ", ".join(f"{count} {verdict.replace('_', ' ')}"
                         for verdict, count in sorted(counts.items()))  # fmt: skip
        console.print(f"Beside {_SIDES[side]}: {said or 'nothing'}.")
    for side in _SIDES:
        pairs: list[Pair] = getattr(found, side)
        quiet = (NO_DEPOSIT,) if side == "sources" else (MATCHED, NO_DEPOSIT)
        _print(side, [one for one in pairs if every or one.verdict not in quiet], found)


def _print(side: str, pairs: list[Pair], found: Compared) -> None:
    if not pairs:
        return
    title = f"Beside {_SIDES[side]}" + (f", the first {SHOWN}" if len(pairs) > SHOWN else "")
    rows = table(title, "", "counts", "at", "amount", "client", "the other side", "at", "amount",
                 "why", right=(3, 7))  # fmt: skip
    for pair in pairs[:SHOWN]:
        one, other = pair.crm, pair.platform
        client = (one or other).client if (one or other) else 0  # type: ignore[union-attr]
        cells = [
            (each.key, from_ms(each.at_ms).strftime("%Y-%m-%d %H:%M"),
             money(each.amount_e8, each.currency)) if each else ("", "", "")
            for each in (one, other)
        ]  # fmt: skip
        words = " ".join(other.words) if other and side == "platform" else ""
        rows.add_row(pair.verdict.replace("_", " "), *cells[0], found.codes.get(client, ""),
                     *cells[1], "; ".join(filter(None, (pair.why, words))))  # fmt: skip
    console.print(rows)


def _as_json(found: Compared) -> dict[str, Any]:
    return {
        "counts": found.counts(),
        **{side: [_pair(one, found) for one in getattr(found, side)] for side in _SIDES},
    }


def _pair(pair: Pair, found: Compared) -> dict[str, Any]:
    told: dict[str, Any] = {"verdict": pair.verdict, "why": pair.why}
    for name, one in (("counts", pair.crm), ("other", pair.platform)):
        told[name] = None if one is None else {
            "key": one.key, "at": from_ms(one.at_ms).isoformat(), "account": one.account,
            "amount": money(one.amount_e8, "").strip(), "currency": one.currency,
            "client": found.codes.get(one.client, ""), "words": list(one.words), "note": one.note,
        }  # fmt: skip
    return told
