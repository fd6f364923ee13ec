"""Read what is booked: trades, partners, statements, explanations."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.http import HttpRequest
from ninja import Query, Router, Schema

from pipshare import market, partners, statements
from pipshare.api.access import key_of, needs, scope_of
from pipshare.api.problems import Problem
from pipshare.errors import Missing
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.explain import explain
from pipshare.pipeline.explain_json import as_dict as explanation_dict
from pipshare.pipeline.explained.worked import MOST_OF_A_PAGE
from pipshare.pipeline.statement_json import as_dict as statement_dict
from pipshare.statements import trade as one_trade
from pipshare.statements.found import Found
from pipshare.statements.search import STANDINGS, After, Asked, search
from pipshare.web import reading, trying

router = Router()
MOST = 200  # rows of a page
_NEVER_MS = 253_402_300_800_000  # the year 10000
_PARTNERS = """
SELECT p.id, p.code, p.name, e.code, p.currency FROM partners_partner p
  JOIN market_entity e ON e.id = p.entity_id
 WHERE p.id > %(after)s AND (%(scope)s::int[] IS NULL OR p.id = ANY(%(scope)s))
 ORDER BY p.id LIMIT %(limit)s"""


class TradeQuery(Schema):
    """What trades are asked for. Moments are ISO 8601, UTC unless they say otherwise."""

    server: str = ""
    ticket: int | None = None
    login: int | None = None
    symbol: str = ""
    standing: str = ""
    closed_from: datetime | None = None
    closed_to: datetime | None = None
    after: str = ""
    limit: int = 50


@router.get("/v1/trades", auth=needs("trades:read"), tags=["trades"], summary="Find trades")
def trades(request: HttpRequest, query: Query[TradeQuery]) -> dict[str, Any]:
    """Return trades as they now stand, the newest close first, a page at a time.

    Go on with `after` = the answer's `next`, until that is null. `ticket` may be a ticket, a
    position or an opening deal.
    """
    _check_limit(query.limit)
    if query.standing not in ("", "waiting", "unrated", *STANDINGS):
        raise Problem(422, "bad_parameter", f"standing: one of {', '.join(STANDINGS)}, waiting,"
                                            " unrated")  # fmt: skip
    with reading() as conn:
        asked = Asked(
            number=query.ticket,
            login=query.login,
            server_id=market.server(conn, query.server).id if query.server else None,
            symbol=query.symbol,
            standing=query.standing,
            from_ms=_ms(query.closed_from),
            to_ms=_ms(query.closed_to),
        )
        scope = scope_of(conn, key_of(request))
        page = search(conn, asked, _place(query.after), scope=scope, limit=query.limit)
    return {
        "trades": [_trade(one) for one in page.trades],
        "next": None if page.after is None else _cursor(page.after),
    }


@router.get("/v1/trades/{server}/{ticket}", auth=needs("trades:read"), tags=["trades"],
            summary="One trade")  # fmt: skip
def trade(request: HttpRequest, server: str, ticket: int) -> dict[str, Any]:
    """Return one trade with all its revisions."""
    with reading() as conn:
        held = market.server(conn, server)
        scope = scope_of(conn, key_of(request))
        page = search(conn, Asked(number=ticket, server_id=held.id), scope=scope, limit=MOST)
        found = [one for one in page.trades if one.ticket == ticket]
        if not found:
            raise Missing("no_trade", f"no trade {ticket} on server {server}")
        revisions = one_trade.revisions(conn, held.id, ticket)
    return {**_trade(found[0]), "revisions": [_revision(row) for row in revisions]}


@router.get("/v1/trades/{server}/{ticket}/explanation", auth=needs("explain:read"),
            tags=["explain"], summary="Why it earned that")  # fmt: skip
def explanation(
    request: HttpRequest, server: str, ticket: int, revision: int | None = None
) -> dict[str, Any]:
    """Work a trade out anew: chain, terms, rate, every factor, each level's amount."""
    with trying() as conn:
        held, scope = market.server(conn, server), scope_of(conn, key_of(request))
        if not one_trade.is_within(conn, held.id, ticket, scope):
            raise Missing("no_trade", f"no trade {ticket} on server {server}")
        told = explain(Run(conn), held, ticket, revision, most=MOST_OF_A_PAGE)
        return explanation_dict(told, scope)


@router.get("/v1/partners", auth=needs("partners:read"), tags=["partners"], summary="Partners")
def everyone(request: HttpRequest, after: int = 0, limit: int = 50) -> dict[str, Any]:
    """Return partners with their parents, in the order in which they were first loaded."""
    _check_limit(limit)
    with reading() as conn:
        scope = scope_of(conn, key_of(request))
        values = {"after": after, "limit": limit, "scope": scope}
        rows = conn.execute(_PARTNERS, values).fetchall()
        parents = {
            id_: parent for id_, above, parent in
            partners.tree(conn).select("id", "parent_id", "parent").iter_rows()
            if scope is None or above in scope
        }  # fmt: skip
    shown = [
        {"partner": code, "name": name, "entity": entity, "currency": currency,
         "parent": parents.get(id_)}
        for id_, code, name, entity, currency in rows
    ]  # fmt: skip
    return {"partners": shown, "next": rows[-1][0] if len(rows) == limit else None}


@router.get("/v1/partners/{code}/statements/{period}", auth=needs("statements:read"),
            tags=["statements"], summary="A statement")  # fmt: skip
def statement(
    request: HttpRequest, code: str, period: str, entity: str | None = None
) -> dict[str, Any]:
    """Return what a partner earned in a period such as 2026-11, with every line."""
    with reading() as conn:
        found = partners.partner(conn, code, entity)
        _within(conn, request, found.id, code)
        return statement_dict(statements.build(conn, found.id, found.code, period))


def _within(
    conn: psycopg.Connection[Any], request: HttpRequest, partner_id: int, code: str
) -> None:
    """Raise Missing for a partner whom the key does not see, as for one who does not exist."""
    scope = scope_of(conn, key_of(request))
    if scope is not None and partner_id not in scope:
        raise Missing("no_partner", f"no partner {code!r}")


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise Problem(422, "bad_parameter", f"limit: from 1 to {MOST}")


def _ms(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(known.timestamp() * 1000)


def _cursor(after: After) -> str:
    place = json.dumps([after.close_ms, after.server_id, after.ticket]).encode()
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _place(text: str) -> After | None:
    if not text:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(text + "=" * 3))
    except (ValueError, RecursionError):
        place = None
    if (
        isinstance(place, list)
        and len(place) == 3
        and all(type(one) is int and 0 <= one < 2**63 for one in place)
        and place[0] < _NEVER_MS
    ):
        return After(*place)
    raise Problem(422, "bad_parameter", "after: not the `next` of an answer")


def _trade(one: Found) -> dict[str, Any]:
    return {
        "server": one.server, "ticket": str(one.ticket), "revision": one.revision,
        "state": one.state, "login": str(one.login), "position": str(one.position),
        "symbol": one.symbol, "side": one.side, "lots": format_e8(one.lots_e8),
        "closed": from_ms(one.close_utc_ms).isoformat(), "standing": one.standing,
        "waits": list(one.waits),
        "earned": {currency: format_e8(e8) for currency, e8 in dict(one.earned).items()},
    }  # fmt: skip


def _revision(row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_e8"):
            told[name[:-3]] = format_e8(value, 0 if "price" in name else 2)
        elif name in ("open_ms", "close_ms"):
            local = from_ms(value).replace(tzinfo=None).isoformat() if value else None
            told[f"{name[:-3]}_server_time"] = local
        elif name == "close_utc_ms":
            told["closed"] = from_ms(value).isoformat()
        elif isinstance(value, datetime):
            told[name] = value.isoformat()
        elif name in ("login", "position"):
            told[name] = str(value)
        elif name != "file_id":
            told[name] = value
    return told
