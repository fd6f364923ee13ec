"""`pipshare explain --client`: why a client belongs to a partner, with everything claimed."""

from __future__ import annotations

import json
from typing import Any

import click
import psycopg

from pipshare.cli.options import console, table
from pipshare.pipeline.explained.of_client import explain_client, moment_words


def client_command(
    conn: psycopg.Connection[Any], code: str, entity: str | None, *, as_json: bool
) -> None:
    """Explain whose client somebody is."""
    told = explain_client(conn, code, entity)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _say(told)


def _say(told: dict[str, Any]) -> None:
    console.print(told["sentence"])
    if len(told["chain"]) > 1:
        above = " -> ".join(level["partner"] for level in told["chain"])
        console.print(f"  His chain, the direct IB first: {above}")
    if told["claims"]:
        shown = table("Claims", "claimed", "by", "partner", "made", "told by", "became")
        for one in told["claims"]:
            what = one["evidence"] + (f" (link {one['link']})" if one.get("link") else "")
            became = f"{one['decision']}: {one['detail']}"
            shown.add_row(what, one["via"].replace("_", " "), one["partner"] or "nobody",
                          moment_words(one["moment"]), one["told_by"], became)  # fmt: skip
        console.print(shown)
    if told["words"]:
        shown = table("Who he is, and whose: as CRMs told", "event", "of", "told", "says", "reason",
                      "became", "people")  # fmt: skip
        for one in told["words"]:
            says = one["says"] + (f", from {one['from'][:10]}" if one["from"] else "")
            people = " + ".join(who for who in (one["proposed_by"], one["decided_by"]) if who)
            became = f"{one['state']}: {one['detail']}" if one["detail"] else one["state"]
            shown.add_row(f"{one['event']} ({one['source']})", one["client"],
                          moment_words(one["at"]), says, one["reason"], became, people)  # fmt: skip
        console.print(shown)
    for name, title in (("refused", "Postbacks refused"), ("waiting", "Postbacks that wait")):
        if told[name]:
            shown = table(title, "id", "came", "tracker", "event", "why")
            for one in told[name]:
                shown.add_row(one["id"], moment_words(one["at"]), one["tracker"] or "",
                              one["event"], f"{one['reason']}: {one['detail']}")  # fmt: skip
            console.print(shown)
    if len(told["records"]) > 1:
        shown = table("Relations ever recorded, the newest first", "partner", "from", "to",
                      "recorded", "by", "reason")  # fmt: skip
        for one in told["records"]:
            when = [moment_words(one[name]) for name in ("valid_from", "valid_to", "recorded_at")]
            shown.add_row(one["partner"] or "direct", *when, one["recorded_by"], one["reason"])
        console.print(shown)
