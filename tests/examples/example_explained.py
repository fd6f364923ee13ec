"""An example explained from its database: by trade, by event, by window."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from example_files import files_of

from pipshare.pipeline import Run
from pipshare.pipeline.explain import explain
from pipshare.pipeline.explain_json import as_dict
from pipshare.pipeline.explained.as_json import event_dict, window_dict
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.explained.of_window import explain_window

MANY = 12  # trades and events that are explained, of examples that have more
_WINDOWS = """
SELECT DISTINCT c.code, coalesce(p.code, k.code), to_char(w.day, 'YYYY-MM'), e.code
  FROM rating_window_line w JOIN plans_component c ON c.id = w.component
  LEFT JOIN partners_partner p ON w.payee_kind = 'partner' AND p.id = w.payee_id
  LEFT JOIN clients_client k ON w.payee_kind = 'client' AND k.id = w.payee_id
  JOIN market_entity e ON e.id = coalesce(p.entity_id, k.entity_id)
"""


def unlike(run: Run, case: str) -> list[str]:
    """Return the explanations that do not come to what is booked."""
    files = files_of(case)
    wrong = []
    for ticket in _first(files.trades, "ticket"):
        told = explain(run, run.servers[1], int(ticket))
        if told.agrees is not True:
            wrong.append(json.dumps(as_dict(told), indent=1))
    for event in _first(files.events, "event"):
        found = explain_event(run, event)
        if found.agrees is False:
            wrong.append(json.dumps(event_dict(found), indent=1))
    for component, payee, period, entity in run.conn.execute(_WINDOWS).fetchall():
        for window in explain_window(run, component, payee, period, entity):
            if window.agrees is not True:
                wrong.append(json.dumps(window_dict(window), indent=1))
    return wrong


def _first(path: Path | None, name: str) -> list[str]:
    if path is None:
        return []
    with path.open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)][:MANY]
