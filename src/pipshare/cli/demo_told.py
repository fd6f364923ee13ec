"""What tracking came to in the demonstration: the funnel of its links, and what receivers got."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from datetime import datetime
from typing import Any

import psycopg
from rich.table import Table
from rich.text import Text

from pipshare.cli.demo_tracking import LINKS, VOLUUM, ours
from pipshare.cli.options import console, counted, table
from pipshare.pipeline import Run
from pipshare.pipeline.funnel import funnel

_DELIVERED = """
SELECT receiver_id, count(*) FILTER (WHERE state = 'delivered'),
       count(*) FILTER (WHERE state IN ('due', 'behind')), count(*) FILTER (WHERE state = 'dead')
  FROM outbox_delivery WHERE receiver_id = ANY(%s) GROUP BY 1
"""


def funnel_table(conn: psycopg.Connection, since: datetime) -> Table:
    """Return the funnel of the demonstration's links since a moment."""
    codes = {code for code, _, _ in LINKS}
    rows = funnel(conn, int(since.timestamp() * 1000), time.time_ns() // 1_000_000 + 1)
    shown = table("From click to first trade", "partner", "link", "clicks", "registered",
                  "qualified", "first trades", "programs", right=(2, 3, 4, 5, 6))  # fmt: skip
    for row in rows:
        if row.link in codes:
            numbers = (row.clicks, row.registered, row.qualified, row.first_trades,
                       row.bots + row.prefetches)  # fmt: skip
            shown.add_row(row.partner, row.link, *map(str, numbers))
    return shown


def receivers_line(run: Run) -> Text:
    """Return a line: what each receiver got, and what waits or was given up."""
    found = ours(run)
    counts = {row[0]: row[1:] for row in run.conn.execute(_DELIVERED, ([r.id for r in found],))}
    run.conn.commit()
    parts = []
    for one in found:
        done, waiting, dead = counts.get(one.id, (0, 0, 0))
        more = f", {waiting} waiting" * bool(waiting) + f", {dead} given up" * bool(dead)
        parts.append(f"{one.name} was told {counted(done, 'message')}{more}")
    return Text("; ".join(parts) + "." if parts else "")


def say_received(url: str) -> None:
    """Say what the sandbox tracker at `url` has received: it goes with the demonstration."""
    with urllib.request.urlopen(f"{url}/received?limit=10000", timeout=15) as answer:
        told: list[dict[str, Any]] = json.loads(answer.read())["received"]
    events = Counter(one["said"].get("status", "") for one in told if one["dialect"] == "voluum")
    hooks = [one for one in told if one["dialect"] == "webhook"]
    wrong = sum(bool(one["wrong"]) for one in told)
    said = ", ".join(f"{count} {event}" for event, count in sorted(events.items()))
    signed = sum(bool(one["verified"]) for one in hooks)
    console.print(f"The sandbox tracker took {counted(len(told), 'request')}, {wrong} of them with"
                  f" something wrong. {VOLUUM}: {said or 'nothing'}. Webhooks: {len(hooks)},"
                  f" {signed} with a signature that fits.")  # fmt: skip
