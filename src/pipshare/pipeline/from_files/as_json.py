"""The result of rating files, ready for JSON: amounts as strings."""

from __future__ import annotations

from typing import Any

from pipshare.money import format_e8
from pipshare.pipeline.from_files.outcome import Line, Result


def as_dict(result: Result) -> dict[str, Any]:
    """Return the shape that docs/reference/rate.md describes."""
    return {
        "lines": [_line(line) for line in result.lines],
        "totals": [
            {"partner": one.payee, "payee": one.kind, "currency": one.currency,
             "amount": format_e8(one.amount_e8), "payable": format_e8(one.payable_e8),
             "carried": format_e8(one.carried_e8)}
            for one in result.totals
        ],
        "waiting": [
            {"trade": _ticket(one.trade), "event": one.event, "reason": one.reason,
             "component": one.component, "level": one.level, "partner": one.partner, "key": one.key}
            for one in result.waiting
        ],
        "guarded": [
            {"trade": _ticket(one.trade), "programme": one.programme, "action": one.action,
             "currency": one.currency, "revenue": format_e8(one.revenue_e8),
             "limit": format_e8(one.limit_e8), "paid": format_e8(one.paid_e8)}
            for one in result.guarded
        ],
        "unrated": [{"trade": _ticket(name), "reason": why} for name, why in result.unrated],
        "refused": [
            {"file": one.file, "line": one.line, "code": one.code, "reason": one.reason}
            for one in result.refused
        ],
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    return {
        "trade": _ticket(line.trade), "event": line.event, "period": line.period,
        "partner": line.payee, "payee": line.kind, "level": line.level, "component": line.component,
        "amount": format_e8(line.amount_e8), "currency": line.currency, "rule": line.rule,
        "reason": line.reason, "held": line.held_by or None,
    }  # fmt: skip


def _ticket(name: str | None) -> int | str | None:
    """Return a ticket as the number that it is, or as the word that a file has for it."""
    return int(name) if name is not None and name.isdigit() else name
