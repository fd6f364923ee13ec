"""A statement as JSON: amounts as strings, moments in UTC."""

from __future__ import annotations

from typing import Any

from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.rating import Reason
from pipshare.statements.build import Statement


def line_dicts(statement: Statement) -> list[dict[str, Any]]:
    """Return a statement's lines, ready for JSON or CSV."""
    rows = []
    for row in statement.lines.iter_rows(named=True):
        rows.append({
            "server": row["server"], "ticket": row["ticket"], "login": row["login"],
            "symbol": row["symbol"], "lots": format_e8(row["lots_e8"]),
            "closed": from_ms(row["close_ms"]).isoformat(), "earned_day": row["earned_day"],
            "programme": row["programme"], "component": row["component"], "level": row["level"],
            "kind": row["kind"], "amount": format_e8(row["amount_e8"]),
            "currency": row["currency"], "reason": Reason(row["reason"]).name.lower(),
        })  # fmt: skip
    return rows


def window_dicts(statement: Statement) -> list[dict[str, Any]]:
    """Return what windows and clients came to, ready for JSON."""
    return [
        {
            "programme": one.programme, "component": one.component,
            "from": from_ms(one.start_ms).isoformat(), "to": from_ms(one.end_ms).isoformat(),
            "client": one.client, "level": one.level, "kind": one.kind, "earned_day": one.day,
            "amount": format_e8(one.amount_e8), "currency": one.currency,
            "reason": Reason(one.reason).name.lower(), "causes": dict(one.causes),
        }
        for one in statement.windows
    ]  # fmt: skip


def as_dict(statement: Statement) -> dict[str, Any]:
    """Return a statement ready for JSON."""
    return {
        "partner": statement.partner,
        "period": statement.period,
        "balances": [
            {"currency": one.currency, "state": one.state, "opening": format_e8(one.opening_e8),
             "accrued": format_e8(one.accrued_e8), "corrections": format_e8(one.corrected_e8),
             "adjustments": format_e8(one.adjusted_e8), "moved": format_e8(one.moved_e8),
             "closing": format_e8(one.closing_e8)}
            for one in statement.balances
        ],
        "lines": line_dicts(statement),
        "windows": window_dicts(statement),
        "waiting": statement.waiting,
    }  # fmt: skip
