"""The demonstration has a month that is over: it can be closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from broker_world import World

from pipshare import sandbox
from pipshare.cli.demo import SINCE
from pipshare.errors import Conflict
from pipshare.pipeline import Run
from pipshare.pipeline.closing import close_period

OVER = "2026-10"


def test_the_month_of_the_go_live_can_be_closed(db: Any, tmp_path: Path) -> None:
    broker = sandbox.make_broker(seed=7, trades=400, go_live=SINCE)
    with db.app() as conn:
        world = World(Run(conn), broker, sandbox.write_demo(tmp_path, broker))
        world.load_all()
        world.import_all()
        wanted = {code: total for code, total in sandbox.expected_totals(broker).items() if total}
        assert world.totals() == wanted
        now = 1_795_000_000_000  # November 2026
        with pytest.raises(Conflict, match="--leave-waiting"):
            close_period(world.run, "main", OVER, by="anna", now_ms=now)
        closed = close_period(world.run, "main", OVER, by="anna", now_ms=now, leave_waiting=True)
        assert set(closed.payable) == {"EUR", "JPY", "USD"}
        assert all(amount > 0 for amount in closed.payable.values())
        world.assert_whole()
