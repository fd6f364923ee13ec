"""A partner's lines of a period that come from windows: tiers, caps, period sums, CPA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db

_LINES = f"""
SELECT p.code, c.code, {db.ms("w.window_start")}, {db.ms("w.window_end")}, k.code, w.level,
       w.amount_e8, a.currency, a.state, t.kind, t.earned_day::text, w.reason, w.causes,
       w.transfer_id, w.component
  FROM rating_window_line w
  JOIN ledger_account a ON a.id = w.account
  JOIN ledger_transfer t ON t.id = w.transfer_id
  JOIN plans_component c ON c.id = w.component
  JOIN plans_programme p ON p.id = c.programme_id
  LEFT JOIN clients_client k ON k.id = w.client_id
 WHERE a.payee_kind = 'partner' AND a.payee_id = %s AND t.period = %s
 ORDER BY w.id
"""


@dataclass(frozen=True)
class WindowLine:
    """What a window, or a client, came to for a payee: the difference to what was booked before.

    `start_ms` and `end_ms` in UTC; `client` is "" unless it is about one client (CPA). `causes`
    names what brought the difference: trades, events, because.
    """

    programme: str
    component: str
    start_ms: int
    end_ms: int
    client: str
    level: int
    amount_e8: int
    currency: str
    state: str
    kind: str
    day: str
    reason: int
    causes: Mapping[str, Any]
    transfer: int
    component_id: int = 0


def window_lines(conn: psycopg.Connection[Any], partner_id: int, period: str) -> list[WindowLine]:
    """Return a partner's window lines of a period such as 2026-11, in the order of booking."""
    rows = conn.execute(_LINES, (partner_id, period)).fetchall()
    return [
        WindowLine(programme, component, start, end, client or "", *rest)
        for programme, component, start, end, client, *rest in rows
    ]
