"""What the sandbox CRM needs in the demonstration: a partner paid per client, and two endpoints.

Northside is paid for each client who deposits enough. The CRM is polled for registrations, accounts
and deposits, as CurrentDesk is; reversals, chargebacks and KYC come as its signed webhooks. So what
was earned is taken back, and what was held until the client is verified is released.
"""

from __future__ import annotations

import json
import secrets
import urllib.request
from datetime import UTC, datetime
from typing import Any

import psycopg
from rich.table import Table

from pipshare import inbox, market, partners, settings
from pipshare.cli.demo_children import Children
from pipshare.cli.demo_tracking import BY
from pipshare.cli.options import console, money, table
from pipshare.crm import preset
from pipshare.inbox import Endpoint
from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, load
from pipshare.sandbox.cast import Partner

NORTH = Partner("IB-340", "Northside Media", None, "USD", "per-client", None)
POLLED, TOLD = "demo-crm-api", "demo-crm"  # the two endpoints
USER, AFFILIATE, PREFIX = "partner", "340", "IB-"
PORT = 8750  # where people look for it
FIRST = ("stays", "charged back", "verified late", "taken back", "dispute won", "declined")
LOST = "H-7000209"  # the first charge-back that is lost: what it led to can be explained
SHOWN = 6  # rows
DAY_S, EVERY_S = 0.4, 20.0  # a story's day, and the pause between later clients
_PLAN = f"""# Per client: written by the demonstration.
[programme]
code = "{NORTH.programme}"
name = "Per client"
currency = "USD"
kyc = "hold"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
clawback_days = 90
qualify.first_deposit = 200
rate = [{{ level = 1, amount = 150 }}]
"""
_LAST = "SELECT coalesce(max(code::int), 70000) FROM clients_client WHERE code ~ '^7[0-9]{4}$'"
# What stands booked for each client, and how much of what ever stood there was taken back.
_BOOKED = """
WITH told AS (
    SELECT w.client_id, w.booked_at, sum(w.amount_e8) AS moved,
           sum(w.amount_e8) FILTER (WHERE a.state = 'held') AS held
      FROM rating_window_line w JOIN ledger_account a ON a.id = w.account
      JOIN clients_client c ON c.id = w.client_id
     WHERE c.code ~ '^7[0-9]{4}$' AND c.code::int >= %(first)s GROUP BY 1, 2
), running AS (
    SELECT client_id, moved, held, sum(moved) OVER (PARTITION BY client_id ORDER BY booked_at)
           AS stood FROM told
), booked AS (
    SELECT client_id, sum(moved)::bigint AS worth, coalesce(sum(held), 0)::bigint AS held,
           (max(stood) - sum(moved))::bigint AS back FROM running GROUP BY 1
)"""
_CLIENTS = f"""{_BOOKED}
SELECT c.code, (SELECT string_agg(replace(t.kind, '_', ' '), ', ' ORDER BY t.first)
                  FROM (SELECT v.kind, min(v.at) AS first FROM clients_event_current v
                         WHERE v.client_id = c.id GROUP BY v.kind) t),
       coalesce(b.held, 0), coalesce(b.worth - b.held, 0), coalesce(b.back, 0)
  FROM clients_client c LEFT JOIN booked b ON b.client_id = c.id
 WHERE c.code ~ '^7[0-9]{{4}}$' AND c.code::int >= %(first)s
 ORDER BY c.code::int DESC LIMIT %(shown)s
"""
_THROUGH = f"""{_BOOKED}
SELECT count(*) FILTER (WHERE worth = 0), count(*) FILTER (WHERE worth > held) FROM booked
"""


def prepare(run: Run, server: str) -> None:
    """Make what is not there yet: the partner and his programme by files, the endpoints."""
    conn = run.conn
    if NORTH.code not in partners.all_partners(conn)["code"].to_list():
        _load_north(run)
    known = {one.code for one in inbox.endpoints(conn)}
    entity_id = next(iter(market.entities(conn)))
    filled = {"server": server, "zone": "UTC", "partner prefix": PREFIX}
    for code, kind, name in ((POLLED, "currentdesk", "currentdesk"),
                             (TOLD, "webhook", "sandbox-crm")):  # fmt: skip
        if code in known:
            continue
        one = preset(name)
        verify = one.verify if kind == "webhook" else []
        made = inbox.add_endpoint(conn, entity_id, code, kind, preset=name, verify=verify, by=BY)
        inbox.publish_mapping(conn, made, one.mapping_with(filled), note=f"preset {name}", by=BY)
    conn.commit()


def start(run: Run, children: Children, port: int, *, once: bool) -> Crm:
    """Start the sandbox CRM, and let the endpoints lead to it, with secrets of this run."""
    conn, password, secret = run.conn, secrets.token_urlsafe(12), inbox.new_endpoint_secret()
    first = int(conn.execute(_LAST).fetchone()[0]) + 1  # type: ignore[index]
    options = [
        "--port", str(port), "--first", str(first), "--at-once", "0", "--untagged", "0",
        "--every", "0" if once else str(EVERY_S), "--day", str(DAY_S), "--user", USER,
        "--password", password, "--affiliates", AFFILIATE, "--coins", "USD",
    ]  # fmt: skip
    url = children.crm(options).parts["url"]
    for code, wanted, key in ((POLLED, _polling(url), password), (TOLD, {}, secret)):
        found = _endpoint(conn, code)
        if found is not None:
            inbox.change_endpoint(conn, found, settings={**found.settings, **wanted}, by=BY)
            inbox.set_endpoint_secret(conn, found, key, by=BY, overlap_h=0)
    conn.commit()
    return Crm(url, first, secret)


class Crm:
    """The sandbox CRM that runs; `first` is the number of its first client in this run."""

    def __init__(self, url: str, first: int, secret: str) -> None:
        self.url, self.first, self._secret = url, first, secret

    def begin(self, url: str) -> None:
        """Tell it where our door is, and let the first clients come: everything is ready."""
        hooks = f"{url.rstrip('/')}/hooks/{TOLD}"
        self._control("hooks", {"url": hooks, "secret": self._secret})
        for plot in FIRST:
            self._control("trader", {"plot": plot})

    def is_through(self, conn: psycopg.Connection[Any]) -> bool:
        """Tell whether what came back has left nothing, and the others are earned."""
        row = conn.execute(_THROUGH, {"first": self.first}).fetchone()
        conn.commit()
        return bool(row and row[0] >= 2 and row[1] >= len(FIRST) - 2)

    def clients(self, conn: psycopg.Connection[Any]) -> Table:
        """Return what the CRM told of its newest clients, and what they are worth to Northside."""
        shown = table(f"What the CRM told, and what {NORTH.name} gets for it", "client", "told",
                      "held", "earned", "taken back", right=(2, 3, 4))  # fmt: skip
        for code, told, *amounts in conn.execute(_CLIENTS, {"first": self.first, "shown": SHOWN}):
            shown.add_row(code, told or "", *(money(one, NORTH.currency) if one else ""
                                              for one in amounts))  # fmt: skip
        conn.commit()
        return shown

    def _control(self, what: str, told: dict[str, str]) -> None:
        request = urllib.request.Request(f"{self.url}/control/{what}", json.dumps(told).encode())
        with urllib.request.urlopen(request, timeout=15) as answer:
            answer.read()


def say(crm: Crm) -> None:
    """Tell where to look."""
    console.print(f"CRM:     {crm.url}   polled for deposits; reversals, chargebacks and KYC come"
                  f" by webhook; a day of its stories takes {DAY_S} s")  # fmt: skip


def say_sent(crm: Crm) -> None:
    """Say what the CRM has sent, and how it was answered."""
    with urllib.request.urlopen(f"{crm.url}/sent?limit=1", timeout=15) as answer:
        told = json.loads(answer.read())
    counts = ", ".join(f"{told[state]} {state}" for state in ("taken", "waiting", "given up"))
    console.print(f"The sandbox CRM's webhooks: {counts}.")


def _polling(url: str) -> dict[str, Any]:
    since = datetime.now(UTC).date().isoformat()
    return {"url": f"{url}/api", "user": USER, "since": since, "poll_s": 1, "overlap_days": 0}


def _endpoint(conn: psycopg.Connection[Any], code: str) -> Endpoint | None:
    return next((one for one in inbox.endpoints(conn) if one.code == code), None)


def _load_north(run: Run) -> None:
    folder = settings.ENV.data / "demo" / "live"
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / f"{NORTH.programme}.toml"
    plan.write_text(_PLAN, encoding="utf-8")
    tables = {
        "partners": ("partner,name,currency", f"{NORTH.code},{NORTH.name},{NORTH.currency}"),
        "terms": ("partner,programme,card", f"{NORTH.code},{NORTH.programme},standard"),
    }  # fmt: skip
    for kind, lines in tables.items():
        path = folder / f"north_{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if kind == "terms":
            apply_plan(run, plan, by=BY)
        load(run, kind, path, by=BY)
