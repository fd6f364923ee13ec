"""Windows and parts of them as JSON: amounts as strings, moments in UTC."""

from __future__ import annotations

from typing import Any

from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline.explained.of_event import EventExplanation
from pipshare.pipeline.explained.of_trade import Part
from pipshare.pipeline.explained.sums import Window
from pipshare.pipeline.explained.worked import Earned


def part_dict(part: Part, *, whole: bool = True) -> dict[str, Any]:
    """Return a trade's part of a window; `whole` False leaves out what names others' clients."""
    window = window_dict(part.window, whole=whole)
    count = len(window.pop("lines"))
    own = [earned_dict(one, whole=whole) for one in part.lines]
    return {"adds": part.adds, "lines": own, "window": {**window, "lines_in_all": count}}


def window_dict(window: Window, *, whole: bool = True) -> dict[str, Any]:
    """Return all that a window came to: every line, what follows from their sum, the books."""
    is_client = window.payee.kind == "client"
    return {
        "component": window.component,
        "programme": window.programme,
        "partner": None if is_client else window.payee.code,
        "client": window.payee.code if is_client else None,
        "period": window.period,
        "from": from_ms(window.start_ms).isoformat(),
        "to": from_ms(window.end_ms).isoformat(),
        "currency": window.currency,
        "measure": window.measure or None,
        "lines": [earned_dict(one, whole=whole) for one in window.lines],
        "sum": format_e8(window.sum_e8),
        "working": [{"step": step.label, "value": step.text} for step in window.working],
        "carried": format_e8(window.carried_e8),
        "amount": format_e8(window.payable_e8),
        "carried_on": format_e8(window.left_e8),
        "netted_with": list(window.netted_with),
        "booked": [booked_dict(row, whole=whole) for row in window.booked],
        "booked_amount": format_e8(window.booked_e8),
        "settled": window.settled,
        "too_many_trades": window.trades or None,
        "agrees": window.agrees,
    }


def earned_dict(one: Earned, *, whole: bool = True) -> dict[str, Any]:
    """Return one line of the twin and what it is earned by."""
    line = one.line
    return {
        "component": line.component, "level": line.level,
        "server": one.on or None, "ticket": one.ticket or None, "event": one.event or None,
        "client": (one.client or None) if whole else None,
        "earned_utc": from_ms(one.moment_ms).isoformat(),
        "amount": format_e8(line.amount_e8), "currency": line.wallet,
        "original_amount": format_e8(line.orig_e8), "original_currency": line.currency,
        "held": one.held_by or None, "capped": line.capped, "reason": line.reason.name.lower(),
        "waits": line.wait.word if line.wait else None,
        "working": [{"step": step.label, "value": step.text} for step in line.working],
    }  # fmt: skip


def booked_dict(row: dict[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return one booked line; its causes may name trades of the whole tree."""
    told = {name: row[name] for name in ("component", "level", "seq", "currency", "state", "reason",
                                         "transfer", "day", "booked_at")}  # fmt: skip
    told["held_for"] = row["cause"] or None if row["state"] == "held" else None
    causes = {"causes": row["causes"], "client": row["client"]} if whole else {}
    return {**told, "amount": format_e8(row["amount_e8"]), **causes}


def event_dict(found: EventExplanation) -> dict[str, Any]:
    """Return an event and what it led to."""
    told = found.event
    names = ("entity", "source", "event", "kind", "client", "at", "currency", "reference", "waits",
             "waits_for")  # fmt: skip
    return {
        "event": {name: told[name] for name in names} | {"amount": format_e8(told["amount_e8"])},
        "about": found.about,
        "lines": [part_dict(part) for part in found.parts],
        "booked": [{**booked_dict(row), "payee": row["payee"]} for row in found.booked],
        "held": [{"payee": row["payee"], "amount": format_e8(row["amount_e8"]),
                  "currency": row["currency"]} for row in found.held],
        "agrees": found.agrees,
        "effects": found.effects,
    }  # fmt: skip
