"""MT5's own compensations of balances below zero become events of their clients, each once.

Of all balance operations only this type says by itself what it is: money of the broker's, which
plans may take from a period's sum (`less = ["compensation"]`). A comment's word is not enough.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare import clients
from pipshare.facts.reading import schema
from pipshare.pipeline.run import Run

SOURCE = "mt5"  # of the events; their names are SERVER:DEAL
# The newest content of each, of known accounts; the currency is the account's then, else its first.
_NEW = """
SELECT s.code AS server, n.code AS entity, d.deal, d.revision::bigint AS version, d.login,
       d.time_ms, d.profit_e8 AS amount,
       (SELECT t.currency FROM clients_account_state t WHERE t.account_id = a.id
         ORDER BY (t.valid_from <= to_timestamp(d.time_ms / 1000.0)) DESC,
                  CASE WHEN t.valid_from <= to_timestamp(d.time_ms / 1000.0)
                       THEN t.valid_from END DESC, t.valid_from, t.id DESC LIMIT 1) AS currency
  FROM inbox_deal d
  JOIN market_server s ON s.id = d.server_id
  JOIN market_entity n ON n.id = s.entity_id
  JOIN clients_account a ON a.server_id = d.server_id AND a.login = d.login
 WHERE d.action = 19 AND d.profit_e8 > 0
   AND NOT EXISTS (SELECT FROM inbox_deal m
                    WHERE m.server_id = d.server_id AND m.deal = d.deal
                      AND m.revision > d.revision AND m.revision > 1)
   AND NOT EXISTS (SELECT FROM clients_event e
                    WHERE e.source = %s AND e.event = s.code || ':' || d.deal
                      AND e.version >= d.revision)
 ORDER BY 1, 3
"""
_NAMES = ("server", "entity", "deal", "version", "login", "time_ms", "amount", "currency")


def take_compensations(run: Run) -> int:
    """Tell clients' events of compensations that are new; return how many. Commits."""
    found = [dict(zip(_NAMES, row, strict=True)) for row in run.conn.execute(_NEW, (SOURCE,))]
    told = 0
    if found:
        types = schema("events")
        rows = [_event(run, row, line) for line, row in enumerate(found, 1)]
        frame = pl.DataFrame([{name: row.get(name) for name in types} for row in rows],
                             schema=types)  # fmt: skip
        report = clients.take_events(run.conn, frame, by=SOURCE).report
        told = len(rows) - len(report.refused)
    run.conn.commit()
    return told


def _event(run: Run, row: dict[str, object], line: int) -> dict[str, object]:
    """Return a deal as a row of the `events` of facts.fields."""
    server = next(one for one in run.servers.values() if one.code == row["server"])
    moment = server.to_utc(np.array([row["time_ms"]], np.int64))
    return {
        "event": f"{row['server']}:{row['deal']}", "kind": "compensation", "source": SOURCE,
        "at": int(moment[0]), "client": "", "entity": row["entity"], "server": row["server"],
        "login": row["login"], "amount": row["amount"], "currency": row["currency"] or "USD",
        "reference": "", "country": "", "method": "", "document": "", "status": "",
        "version": row["version"], "line": line,
    }  # fmt: skip
