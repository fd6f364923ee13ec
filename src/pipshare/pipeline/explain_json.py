"""An explanation as JSON: amounts as strings, moments in UTC, server times without a zone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pipshare.facts import Kind, State
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline.explain import Explanation, held_of
from pipshare.pipeline.explained.as_json import part_dict
from pipshare.rating.twin_values import TwinLine
from pipshare.trades import Leg


def as_dict(result: Explanation, scope: Collection[int] | None = None) -> dict[str, Any]:
    """Return an explanation ready for JSON; of partners outside of `scope` (None = all) nothing."""
    who = result.who if scope is None else _seen(result.who, scope)
    names = {level["id"]: level["partner"] for level in who["chain"]}
    twin = result.result
    lines = twin.lines if twin else ()
    posted, parts = result.posted, result.parts
    if scope is not None:
        lines = tuple(line for line in lines if line.partner_id in scope)
        posted = [row for row in posted if row["partner_id"] in scope]
        parts = [one for one in parts if one.window.payee.is_within(scope)]
    return {
        "server": result.server,
        "ticket": result.trade["ticket"],
        "status": result.status,
        "closed_utc": result.closed_utc,
        "trade": _trade(result.trade),
        "revisions": result.revisions,
        "legs": [_leg(leg) for leg in result.legs],
        "attribution": _attribution(who),
        "programme": _working(twin.working if twin else ()),
        "lines": [_line(line, names, held_of(result, line)) for line in lines],
        "posted": [_posted(row) for row in posted],
        "windows": [part_dict(one, whole=scope is None) for one in parts],
        "agrees": result.agrees,
    }


def _seen(who: dict[str, Any], scope: Collection[int]) -> dict[str, Any]:
    """Return an attribution without who stands above those in scope, or beside them."""

    def known(row: dict[str, Any] | None) -> dict[str, Any] | None:
        return row if row is not None and row["id"] in scope else None

    chain = [{**level, "parent": known(level["parent"])}
             for level in who["chain"] if level["id"] in scope]  # fmt: skip
    return {**who, "relation": known(who["relation"]), "chain": chain}


def _attribution(who: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in who.items() if name != "chain_ms"}
    return {**told, "chain_utc": from_ms(who["chain_ms"]).isoformat()}


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "deal": leg.deal, "time": _server_time(leg.time_ms), "price": format_e8(leg.price_e8, 0),
        "lots": format_e8(leg.lots_e8), "commission": format_e8(leg.commission_e8),
        "fee": format_e8(leg.fee_e8),
    }  # fmt: skip


def _trade(trade: dict[str, Any]) -> dict[str, Any]:
    told = {
        name.removesuffix("_e8"): format_e8(value, 0 if "price" in name else 2)
        if name.endswith("_e8") else value
        for name, value in trade.items() if name != "line" and not name.endswith("_ms")
    }  # fmt: skip
    return told | {
        "side": "buy" if trade["side"] > 0 else "sell",
        "kind": Kind(trade["kind"]).name.lower(),
        "state": State(trade["state"]).name.lower(),
        "opening_known": bool(told.pop("opening")),
        "open_time": _server_time(trade["open_ms"]) if trade["open_ms"] else None,
        "close_time": _server_time(trade["close_ms"]),
    }


def _line(line: TwinLine, names: dict[int, str], held_by: str) -> dict[str, Any]:
    return {
        "component": line.component, "level": line.level, "partner": names.get(line.partner_id),
        "payee_kind": "partner" if line.partner_id else "client",
        "amount": format_e8(line.amount_e8), "currency": line.wallet,
        "original_amount": format_e8(line.orig_e8), "original_currency": line.currency,
        "held": line.held, "held_by": held_by or None, "capped": line.capped,
        "reason": line.reason.name.lower(),
        "waits": line.wait.word if line.wait else None,
        "working": _working(line.working),
    }  # fmt: skip


def _posted(row: dict[str, Any]) -> dict[str, Any]:
    left_out = ("amount_e8", "standing", "partner_id", "cause")
    rest = {name: value for name, value in row.items() if name not in left_out}
    return {**rest, "amount": format_e8(row["amount_e8"])}


def _working(steps: Any) -> list[dict[str, str]]:
    return [{"step": step.label, "value": step.text} for step in steps]


def _server_time(ms: int) -> str:
    """Write a time of the server's clock: ISO 8601 without a zone."""
    return from_ms(ms).replace(tzinfo=None).isoformat()
