"""Why a client belongs to a partner: the relation, what made it, and everything that was claimed.

Read anew from what is stored: relations with who recorded them, claims with what was decided of
each, the clicks and links behind them, and the postbacks about him that were refused or wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import psycopg

from pipshare import attribution, inbox, partners
from pipshare.attribution.claims import REASONS
from pipshare.errors import BadInput, Missing
from pipshare.period import from_ms
from pipshare.pipeline.explained.of_identity import who_is

_FIND = """
SELECT c.id, c.code, e.code FROM clients_client c JOIN market_entity e ON e.id = c.entity_id
 WHERE c.code = %(code)s AND (%(entity)s::text IS NULL OR e.code = %(entity)s) ORDER BY e.id
"""
_LIKE = "SELECT code FROM clients_client WHERE code ILIKE %s ORDER BY code LIMIT 50"
_MOST = 100  # postbacks


def explain_client(
    conn: psycopg.Connection[Any], code: str, entity: str | None = None
) -> dict[str, Any]:
    """Explain whose client somebody is, ready for JSON; moments are texts in UTC.

    `sentence` says it in words. Who he is, is as of of_identity.who_is: of somebody merged into
    another client the relation is that other's. `claims` are all that were decided, `refused` and
    `waiting` the postbacks about him that came to nothing so far, `records` every relation ever
    recorded. Raises Missing for an unknown client, BadInput when several entities have one of this
    code.
    """
    id_, code, entity = find_client(conn, code, entity)
    who = who_is(conn, id_, code)
    why = attribution.why_client(conn, who.pop("same_as_id") or id_)
    logged = inbox.postbacks(conn, client=code, entity=entity, limit=_MOST)
    claims = [{**one, "sentence": REASONS.get(one["reason"], ""), **behind}
              for one, behind in _with_clicks(conn, why["claims"])]  # fmt: skip
    told: dict[str, Any] = {
        "client": code,
        "entity": entity,
        "relation": _shown(why["relation"]),
        "chain": why["chain"],
        "claims": claims,
        "refused": [_postback(one) for one in logged if one.verdict == "rejected"],
        "waiting": [_postback(one) for one in logged if one.outcome == "waits"],
        "records": [_shown(one) for one in why["records"]],
        **who,
    }
    return {**told, "sentence": " ".join([*who["who"], _sentence(told)])}


def moment_words(text: str) -> str:
    """Write a moment as a person reads it: to the minute, in UTC, which it names.

    `text`: as the database or `isoformat` writes it in UTC, an infinity included.
    """
    words = {"-infinity": "always", "infinity": "further on"}
    return words.get(text) or f"{text[:16].replace('T', ' ')} UTC"


def find_client(
    conn: psycopg.Connection[Any], code: str, entity: str | None
) -> tuple[int, str, str]:  # fmt: skip
    """Return a client's number, code and entity. Raises Missing, BadInput when it is ambiguous."""
    rows = conn.execute(_FIND, {"code": code, "entity": entity}).fetchall()
    if len(rows) > 1:
        where = ", ".join(row[2] for row in rows)
        raise BadInput("ambiguous", f"client {code} exists in {where}: name the --entity")
    if rows:
        id_, found, where = rows[0]
        return id_, found, where
    known = [row[0] for row in conn.execute(_LIKE, (f"%{code[:2]}%",))]
    close = get_close_matches(code, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ": no registration of his came, and no load"
    raise Missing("no_client", f"no client {code!r}{hint}")


def _with_clicks(
    conn: psycopg.Connection[Any], claims: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:  # fmt: skip
    """Add to each claim by a click the link that was clicked."""
    ids = sorted({one["evidence"] for one in claims if one["via"] == "click"})
    clicks = inbox.clicks_of(conn, ids) if ids else {}
    links = partners.links_by_id(conn, sorted({one.link_id for one in clicks.values()}))
    found: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for one in claims:
        click = clicks.get(one["evidence"])
        behind: dict[str, Any] = {}
        if click is not None and (link := links.get(click.link_id)) is not None:
            behind = {"link": link.code, "campaign": link.campaign,
                      "clicked": from_ms(click.at_ms).isoformat(),
                      "subs": [sub for sub in click.subs if sub]}  # fmt: skip
        found.append((one, behind))
    return found


def _shown(record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return None
    left_out = ("id", "covers_now")
    return {name: value for name, value in record.items() if name not in left_out}


def _postback(one: inbox.LoggedPostback) -> dict[str, Any]:
    waits = one.outcome == "waits"
    return {
        "id": one.id, "at": from_ms(one.at_ms).isoformat(), "tracker": one.tracker,
        "event": one.event, "txid": one.txid, "click": one.click, "partner": one.partner,
        "reason": one.outcome_reason if waits else one.reason,
        "detail": one.outcome_detail if waits else one.detail,
    }  # fmt: skip


def _sentence(told: Mapping[str, Any]) -> str:
    relation, code = told["relation"], told["same_as"] or told["client"]
    if relation is None:
        if not told["claims"]:
            return f"{code} belongs to nobody yet: nobody has said who introduced him."
        return f"{code} belongs to nobody yet: none of the claims below could be followed."
    since = "from ever on" if "infinity" in relation["valid_from"] else (
        f"since {moment_words(relation['valid_from'])}"
    )  # fmt: skip
    if relation["partner"] is None:
        return f"{code} is direct {since}: {_recorded(relation)}. Nobody earns."
    made = next((one for one in told["claims"] if one["decision"] == "attributed"
                 and one["partner"] == relation["partner"]
                 and one["told_by"] == relation["recorded_by"]), None)  # fmt: skip
    why = _recorded(relation) if made is None else _made(made)
    return f"{code} belongs to {relation['partner']} {since}: {why}."


def _recorded(relation: Mapping[str, Any]) -> str:
    by = f" by {relation['recorded_by']}" if relation["recorded_by"] else ""
    reason = f" ({relation['reason']})" if relation["reason"] else ""
    return f"recorded{by} at {moment_words(relation['recorded_at'])}{reason}"


def _made(claim: Mapping[str, Any]) -> str:
    what = "event" if claim["told_by"].startswith("crm:") else "postback"
    told = f"told by {what} {claim['told_id']} of {claim['told_by']}"
    if claim["via"] != "click":
        return f"the {claim['via'].replace('_', ' ')} {claim['evidence']} was {told}"
    link = f" on link {claim['link']}" if claim.get("link") else ""
    campaign = f", campaign {claim['campaign']}" if claim.get("campaign") else ""
    made = moment_words(claim["moment"])
    return f"click {claim['evidence']}{link}{campaign}, made {made}, was {told}"
