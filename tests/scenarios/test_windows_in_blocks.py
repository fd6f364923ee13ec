"""Windows with more trades than are read at a time come to the same, in the database."""

from __future__ import annotations

from typing import Any

import pytest
from small_broker import SmallBroker, manager, manager_row

from pipshare import ledger, statements
from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.windows import counts, work

PLAN = """[programme]
code = "std"
currency = "USD"
kyc = "hold"

[[component]]
code = "volume"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "lots"
of = "network"
method = "retroactive"
window = "quarter"
[[component.rate]]
level = 1
amount = "3"
[[component.rate]]
level = 1
from = "4"
amount = "5"

[[component]]
code = "capped"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "trades"
window = "month"
[[component.rate]]
level = 1
amount = "1"
[[component.rate]]
level = 1
from = "3"
amount = "2"
[[component.cap]]
per = "partner_month"
amount = "5"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
[component.qualify]
lots = "5"
[[component.rate]]
level = 1
amount = "20"

[[component]]
code = "result"
basis = "commission"
mode = "per_level"
per = "month"
[component.carry]
negative = "carry"
[[component.rate]]
level = 1
share = "30%"
"""
FIRST = [
    (1, "0.50", "03.02 11:00:00"), (2, "2.00", "03.30 12:00:00"), (3, "1.50", "04.01 10:00:00"),
    (4, "0.25", "04.01 10:00:00"), (5, "3.00", "05.05 09:30:00"), (6, "1", "05.05 09:31:00"),
]  # fmt: skip
LATE = [(7, "1.00", "03.02 10:30:00"), (8, "0.75", "04.20 08:00:00")]
KYC = ("event,kind,client,at,amount,currency,reference,source\n"
       "k1,kyc_approved,C-1,2026-04-10T00:00:00Z,,,,crm\n")  # fmt: skip


@pytest.mark.parametrize("most", [1, 3, 200_000])
def test_windows_come_to_the_same_however_few_trades_are_read_at_a_time(
    ready: Any, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(counts, "AT_ONCE", most)
    monkeypatch.setattr(work, "AT_ONCE", most)
    broker = ready(SmallBroker)
    apply_plan(broker.run, broker.file("std.toml", PLAN), by="anna")
    assert not broker.load("events", KYC)[0].refused
    broker.bring("a.csv", manager(*map(_row, FIRST)))
    # 2.5 lots at 3, 5.75 at 5; 8.25 of them by trades; the client; 30 % of 12.
    assert broker.totals() == {"P-2": 6_810_000_000}
    broker.bring("b.csv", manager(*map(_row, LATE)))
    # 3.5 lots at 3, 6.5 at 5; 5.5 in March is cut to 5, 3.25 and 4; 20; 30 % of 16.
    assert broker.totals() == {"P-2": 8_005_000_000}
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def _row(told: tuple[int, str, str]) -> list[str]:
    ticket, lots, close = told
    return manager_row(ticket, lots, Commission="-2.00", **{
        "Close Time": f"2026.{close}", "Open Time": "2026.03.01 10:00:00"})  # fmt: skip
