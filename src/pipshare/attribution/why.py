"""Why one trade has its chain: every record that decided, read anew and walked one by one.

Shares nothing with the kernel but the words and the matching of group masks, so that each can be
held against the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipshare import market
from pipshare.attribution.standing import Why
from pipshare.market import GroupRow, Server
from pipshare.partners.faults import DEEPEST

_MOMENT = "to_timestamp(%(at)s / 1000.0)"
_ACCOUNT = """
SELECT a.id, c.id AS client_id, c.code AS client
  FROM clients_account a
  LEFT JOIN LATERAL (SELECT client_id FROM clients_owner WHERE account_id = a.id
                      ORDER BY id DESC LIMIT 1) o ON true
  LEFT JOIN clients_same m ON m.client_id = COALESCE(o.client_id, a.client_id)
  JOIN clients_client c ON c.id = COALESCE(m.into_id, o.client_id, a.client_id)
 WHERE a.server_id = %(server)s AND a.login = %(login)s
"""
_STATE = """
SELECT group_name AS "group", currency, status, valid_from::text, recorded_at::text, source
  FROM clients_account_state WHERE account_id = %(account)s AND valid_from {when}
 ORDER BY {order} LIMIT 1
"""
_OBSERVED = _STATE.format(when=f"<= {_MOMENT}", order="valid_from DESC, id DESC")
_FIRST = _STATE.format(when=f"> {_MOMENT}", order="valid_from, id DESC")
_AGENT = """
SELECT g.agent, g.evidence, g.detail, g.first_seen::text, d.decision, d.recorded_by, d.reason,
       d.valid_from::text
  FROM clients_agent g
  LEFT JOIN LATERAL (SELECT * FROM clients_agent_decision
                      WHERE server_id = g.server_id AND login = g.login
                        AND valid_from <= to_timestamp(%(at)s / 1000.0)
                      ORDER BY id DESC LIMIT 1) d ON true
 WHERE g.server_id = %(server)s AND g.login = %(login)s ORDER BY g.id DESC LIMIT 1
"""
_RECORD = """
SELECT r.id AS record, p.id, p.code AS partner, p.name, r.valid_from::text, r.valid_to::text,
       r.recorded_at::text, r.recorded_by, r.reason
  FROM {table} r LEFT JOIN partners_partner p ON p.id = r.{above}
 WHERE {subject} AND r.valid_from <= {moment} AND {moment} < r.valid_to
 ORDER BY {first} r.id DESC LIMIT 1
"""
# His own record goes before those of clients who were merged into him.
_RELATION = _RECORD.format(
    table="partners_client", above="partner_id", moment=_MOMENT,
    subject="(r.client_id = %(subject)s OR r.client_id IN (SELECT client_id FROM clients_same"
            " WHERE into_id = %(subject)s))",
    first="r.client_id = %(subject)s DESC,",
)  # fmt: skip
_PARENT = _RECORD.format(
    table="partners_parent", above="parent_id", moment=_MOMENT,
    subject="r.partner_id = %(subject)s", first="",
)  # fmt: skip
Row = dict[str, Any]


def why_one(
    conn: psycopg.Connection[Any], server: Server, trade: Mapping[str, Any]
) -> dict[str, Any]:
    """Explain a trade's standing; `trade` needs login and close_utc (UTC ms).

    Returns standing, why and its sentence; account, client, state (with `first_known` when it was
    observed only later) and group row; the client's relation and, per partner of the chain from
    the direct IB upward, the record that says who is above him; and the agent whom the platform
    pays for the account, with what was decided. Records that do not exist are None. `chain_moment`
    and `chain_ms` say of when relation and chain are: "close", or "open" (see why_at_opening).
    """
    asked = {"server": server.id, "login": int(trade["login"]), "at": int(trade["close_utc"])}
    account = _one(conn, _ACCOUNT, asked)
    state = _state(conn, account, asked)
    group = _group(conn, server, state, asked["at"])
    relation = (
        _one(conn, _RELATION, {**asked, "subject": account["client_id"]}) if account else None
    )
    agent = _one(conn, _AGENT, asked)
    why = _decide(account, state, group, relation, agent)
    introduced = why is Why.INTRODUCED and relation is not None
    return {
        **of_why(why),
        "login": asked["login"],
        "client": account["client"] if account else None,
        "client_id": account["client_id"] if account else None,
        "state": state,
        "group": _group_words(group),
        "relation": relation if account else None,
        "agent": agent,
        "chain": _chain(conn, relation, asked) if introduced and relation else [],
        "chain_moment": "close",
        "chain_ms": asked["at"],
    }


def why_at_opening(
    conn: psycopg.Connection[Any], told: Mapping[str, Any], open_ms: int
) -> dict[str, Any]:
    """Return what why_one told of an introduced trade with relation and chain of its opening."""
    asked = {"subject": told["client_id"], "at": open_ms}
    relation = _one(conn, _RELATION, asked)
    introduced = relation is not None and relation["partner"] is not None
    chain = _chain(conn, relation, asked) if introduced and relation else []
    why = Why.INTRODUCED if introduced else Why.NOT_INTRODUCED_AT_OPENING
    return {**told, **of_why(why), "relation": relation, "chain": chain, "chain_moment": "open",
            "chain_ms": open_ms}  # fmt: skip


def of_why(why: Why) -> dict[str, str]:
    """Return what decided a standing in words."""
    return {"standing": why.standing.name.lower(), "why": why.name.lower(),
            "sentence": why.sentence}  # fmt: skip


def _one(conn: psycopg.Connection[Any], query: str, values: Mapping[str, Any]) -> Row | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchone()


def _state(conn: psycopg.Connection[Any], account: Row | None, asked: Row) -> Row | None:
    if account is None:
        return None
    values = {**asked, "account": account["id"]}
    observed = _one(conn, _OBSERVED, values)
    state = observed or _one(conn, _FIRST, values)
    if state is None:
        return None
    source = state.pop("source")
    return {**state, "first_known": observed is None or source == "first_known"}


def _group(
    conn: psycopg.Connection[Any], server: Server, state: Row | None, at: int
) -> GroupRow | None:
    if state is None:
        return None
    rows = market.groups(conn, server.id)
    place = market.match_group(rows, state["group"], at)
    return rows[place] if place >= 0 else None


def _decide(
    account: Row | None, state: Row | None, group: GroupRow | None, relation: Row | None,
    agent: Row | None,
) -> Why:  # fmt: skip
    if account is None:
        return Why.UNKNOWN_ACCOUNT
    status = state["status"] if state else "active"
    treatment = group.treatment if group else "normal"
    if status == "excluded":
        return Why.ACCOUNT_EXCLUDED
    if treatment == "excluded":
        return Why.GROUP_EXCLUDED
    if status == "direct":
        return Why.ACCOUNT_DIRECT
    if treatment == "direct":
        return Why.GROUP_DIRECT
    if relation is None:
        return Why.NO_RELATION
    if relation["partner"] is None:
        return Why.CLIENT_DIRECT
    if agent is None or agent["decision"] == "pay":
        return Why.INTRODUCED
    return Why.AGENT_PAID if agent["decision"] == "none" else Why.NATIVE_AGENT


def _group_words(group: GroupRow | None) -> Row | None:
    if group is None:
        return None
    return {
        "mask": group.mask, "type": group.type, "lot_factor": str(group.lot_factor),
        "treatment": group.treatment, "currency": group.currency,
    }  # fmt: skip


def _chain(conn: psycopg.Connection[Any], relation: Row, asked: Row) -> list[Row]:
    chain: list[Row] = []
    at = relation
    while at["id"] is not None and len(chain) < DEEPEST:
        if at["id"] in [level["id"] for level in chain]:
            break
        above = _one(conn, _PARENT, {**asked, "subject": at["id"]})
        chain.append({
            "level": len(chain) + 1, "id": at["id"], "partner": at["partner"],
            "name": at["name"], "parent": above,
        })  # fmt: skip
        if above is None:
            break
        at = above
    return chain
