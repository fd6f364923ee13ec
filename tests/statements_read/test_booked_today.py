"""Trades booked today: each once, whether its pay is booked with it or builds up in a window."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare.pipeline.loads import apply_plan
from pipshare.statements.arrivals import arrivals

TIER = '[component.tier]\nmeasure = "lots"\nwindow = "month"\nmethod = "retroactive"\n'
BUILDS_UP = PLAN.replace('mode = "per_level"\n', f'mode = "per_level"\n{TIER}')
BOTH = PLAN + BUILDS_UP[BUILDS_UP.index("[[component]]") :].replace('"lots"', '"tiered"', 1)


@pytest.mark.parametrize("plan", [PLAN, BUILDS_UP, BOTH], ids=["at once", "builds up", "both"])
def test_trades_booked_today_are_counted_once(db: Any, tmp_path: Path, plan: str) -> None:
    before = time.time_ns() // 1_000_000
    with db.app() as conn:
        broker = SmallBroker(conn, tmp_path)
        apply_plan(broker.run, broker.file("std.toml", plan), by="anna")
        broker.bring("a.csv", manager(manager_row(1), manager_row(2)))
        broker.bring("b.csv", manager(manager_row(3), manager_row(4, Login="7")))
        assert sum(broker.totals().values()) > 0
        today = datetime.now(UTC).date()
        whole = arrivals(conn, today=today, midnight_ms=before, now_ms=before)
        assert whole.booked == 3, "the account of the fourth is unknown: it waits"
        who = [broker.run.partners.ids[broker.run.partners.codes.index("P-1")]]
        assert (
            arrivals(
                conn, today=today, midnight_ms=before, now_ms=before, scope=[int(who[0])]
            ).booked
            == 3
        )
        broker.bring("c.csv", manager(manager_row(1, "0.20")))
        later = arrivals(conn, today=today, midnight_ms=before, now_ms=before)
        assert later.booked == 3, "a correction is no further trade"
        broker.load("accounts", "server,login,client\nLive-4,7,\n")
        after = arrivals(conn, today=today, midnight_ms=before, now_ms=before)
        assert after.booked == 3, "the trade of a client whom nobody introduced pays nobody"
        tomorrow = time.time_ns() // 1_000_000 + 1
        assert arrivals(conn, today=today, midnight_ms=tomorrow, now_ms=tomorrow).booked == 0
