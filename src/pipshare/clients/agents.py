"""Native agents: accounts for which the platform pays an agent itself, and what was decided.

A broker that lets MetaTrader pay agents and pays partners by pipshare pays twice. Until a person
has decided, attribution lets the trades of such an account wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import audit
from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, read_columns
from pipshare.errors import BadInput, Missing
from pipshare.period import from_ms

PAY, NONE = "pay", "none"
_KNOWN = """
SELECT login, agent, evidence = %(evidence)s FROM clients_agent WHERE server_id = %(server)s
"""
_LIST = """
SELECT s.code, g.login, g.agent, g.evidence, g.detail, g.first_seen, c.code, d.decision,
       d.recorded_by, d.reason, d.recorded_at
  FROM clients_agent g
  JOIN market_server s ON s.id = g.server_id
  LEFT JOIN clients_account a ON a.server_id = g.server_id AND a.login = g.login
  LEFT JOIN LATERAL (SELECT client_id FROM clients_owner WHERE account_id = a.id
                      ORDER BY id DESC LIMIT 1) o ON true
  LEFT JOIN clients_client c ON c.id = COALESCE(o.client_id, a.client_id)
  LEFT JOIN LATERAL (SELECT decision, recorded_by, reason, recorded_at FROM clients_agent_decision
                      WHERE server_id = g.server_id AND login = g.login AND valid_from <= now()
                      ORDER BY id DESC LIMIT 1) d ON true
 ORDER BY d.decision IS NOT NULL, s.code, g.login, g.agent, g.evidence
"""
_SEEN = "SELECT DISTINCT login FROM clients_agent WHERE server_id = %s AND login = ANY(%s)"
_DECIDE = """
INSERT INTO clients_agent_decision (server_id, login, decision, valid_from, recorded_by, reason)
SELECT %(server)s, l, %(decision)s,
       CASE WHEN %(from)s <= 0 THEN '-infinity'::timestamptz
            ELSE to_timestamp(%(from)s::bigint / 1000.0) END, %(by)s, %(reason)s
  FROM unnest(%(logins)s::bigint[]) l
"""


@dataclass(frozen=True)
class NativeAgent:
    """An account, the agent that the platform pays for it, how that was seen, what was decided.

    `evidence`: "user" (the account's record names the agent) or "deal" (a deal paid him).
    `decision`: "pay" (pipshare pays all the same), "none" (nothing from us), None (trades wait).
    """

    server: str
    login: int
    agent: int
    evidence: str
    detail: str
    first_seen: datetime
    client: str | None
    decision: str | None
    decided_by: str | None
    reason: str | None
    decided_at: datetime | None


def note_agents(
    conn: psycopg.Connection[Any], server_id: int, found: pl.DataFrame, evidence: str,
    moment_ms: int,
) -> list[int]:  # fmt: skip
    """Write down native agents (login, agent, detail) that were not known so.

    Returns the logins of which no agent was known before. In the caller's transaction, which must
    not book: bookings depend on it.
    """
    known = read_columns(
        conn, _KNOWN, {"server": server_id, "evidence": evidence},
        schema={"login": pl.Int64, "agent": pl.Int64, "same": pl.Boolean},
    )  # fmt: skip
    on = ["login", "agent"]
    rows = found.unique(on, keep="first", maintain_order=True).sort(on)
    new = rows.join(known.filter("same"), on=on, how="anti", maintain_order="left")
    same = np.ones(len(new), np.int64)
    copy_in(conn, "clients_agent", {
        "server_id": Int4(same * server_id),
        "login": Int8(new["login"].to_numpy()),
        "agent": Int8(new["agent"].to_numpy()),
        "evidence": Text(pl.Series([evidence] * len(new), dtype=pl.String)),
        "detail": Text(new["detail"]),
        "first_seen": Timestamp(same * moment_ms),
    })  # fmt: skip
    first = new.join(known, on="login", how="anti")
    return first["login"].unique().sort().to_list()


def agents(conn: psycopg.Connection[Any], server: str | None = None) -> list[NativeAgent]:
    """Return all native agents seen, the undecided first."""
    found = [NativeAgent(*row) for row in conn.execute(_LIST)]
    return [one for one in found if server in (None, one.server)]


def decide_agents(
    conn: psycopg.Connection[Any], server_id: int, server: str, logins: Sequence[int],
    decision: str, *, by: str, reason: str, valid_from_ms: int = 0,
) -> list[int]:  # fmt: skip
    """Decide whether pipshare pays for these accounts from a moment on (0: always).

    Returns the logins. A later decision replaces an earlier one from its moment on. Raises Missing
    for an account of which no native agent was seen, BadInput without a reason or a name.
    """
    if decision not in (PAY, NONE):
        raise BadInput("bad_decision", f"{decision!r} is no decision: say pay or none")
    if not reason.strip():
        raise BadInput("no_reason", "a decision about a native agent needs a reason: give --reason")
    if not by.strip():
        raise BadInput("no_name", "a decision about a native agent needs a name: give --by")
    wanted = sorted(set(logins))
    seen = {row[0] for row in conn.execute(_SEEN, (server_id, wanted))}
    unknown = [login for login in wanted if login not in seen]
    if unknown:
        raise Missing("no_agent", (
            f"account {unknown[0]} on {server} has no agent on the platform, as far as was seen;"
            " `pipshare agent list` shows those that have"
        ))  # fmt: skip
    conn.execute(_DECIDE, {
        "server": server_id, "logins": wanted, "decision": decision, "from": valid_from_ms,
        "by": " ".join(by.split()), "reason": reason.strip(),
    })  # fmt: skip
    since = {"from": from_ms(valid_from_ms).isoformat()} if valid_from_ms > 0 else {}
    for login in wanted:
        subject = f"account {login} on {server}"
        audit.record(conn, by, f"agent.{decision}", subject, reason.strip(), since)
    return wanted
