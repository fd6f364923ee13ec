"""The order that drove an account below zero, told by the compensation that followed."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker, manager, manager_row

from pipshare import market
from pipshare.pipeline.explain import explain

PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
when = { negative_balance = "none" }
rate = [{ level = 1, amount = "5" }, { level = 2, amount = "1" }]
"""
EVENT = "event,kind,server,login,at,amount,currency,source\n"


@pytest.fixture
def broker(broker: SmallBroker) -> SmallBroker:
    broker.plan(PLAN)
    return broker


def _trades() -> str:
    return manager(
        manager_row(11, "1.00", **{"Close Time": "2026.03.02 10:30:00"}),
        manager_row(12, "1.00", **{"Close Time": "2026.03.02 11:00:00"}),
        manager_row(13, "1.00", **{"Close Time": "2026.03.04 11:00:00"}),
    )


@pytest.mark.parametrize("first", ["trades", "event"])
def test_only_the_last_trade_before_the_compensation_pays_nothing(
    broker: SmallBroker, first: str
) -> None:
    compensated = EVENT + "k-1,compensation,Live-4,1001,2026-03-02T12:00:00Z,80,USD,crm\n"
    if first == "trades":
        broker.bring("a.csv", _trades())
        broker.assert_paid(300)
    assert not broker.load("events", compensated)[0].refused
    if first == "event":
        broker.bring("a.csv", _trades())
    broker.assert_paid(200)
    told = str(explain(broker.run, market.server(broker.conn, "Live-4"), 12))
    assert "negative_balance" in told or "below zero" in told
