"""A corrected plan looks only at the trades that it rates otherwise; the books end up the same."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare import plans, rating
from pipshare.pipeline import rest, to_rest
from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.spared import may_spare, plan_cause

TWO = (
    PLAN
    + """[[component.rate]]
level = 1
symbol = "GBPUSD"
amount = "2.00"
"""
)


def _traded(small: SmallBroker) -> None:
    small.load("symbols", "symbol,symbol_group\nGBPUSD,forex\n")
    apply_plan(small.run, small.file("std.toml", TWO), by="anna")
    symbols = ("EURUSD", "GBPUSD", "EURUSD", "NEWPAIR")
    rows = [manager_row(n, "1.00", Symbol=symbol) for n, symbol in enumerate(symbols, 1)]
    small.bring("a.csv", manager(*rows))


@pytest.fixture
def broker(ready: Any) -> Any:
    return ready(SmallBroker, then=_traded)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The tickets of each frame that is compared with the books."""
    frames: list[list[int]] = []
    book = rest.book

    def spy(run: Any, server: Any, frame: pl.DataFrame, **known: Any) -> Any:
        frames.append(frame["ticket"].to_list())
        return book(run, server, frame, **known)

    monkeypatch.setattr(rest, "book", spy)
    return frames


def _apply(broker: SmallBroker, text: str) -> None:
    apply_plan(broker.run, broker.file("std.toml", text), by="anna")


def _recorded(broker: SmallBroker, text: str) -> None:
    """Record a version and ask for it, as a killed command leaves it."""
    report = plans.apply(broker.conn, text, "std.toml", "anna")
    for server in broker.run.servers:
        rating.request(broker.conn, server, plan_cause(report.code, report.number))
    broker.conn.commit()


E8 = 10**8
BOOKED = {"P-1": 3 * E8, "P-2": 12 * E8}


def test_only_what_is_rated_otherwise_is_looked_up(
    broker: SmallBroker, seen: list[list[int]]
) -> None:
    assert broker.totals() == BOOKED
    _apply(broker, TWO.replace('"2.00"', '"2.50"'))
    assert [tickets for tickets in seen if tickets] == [[2], [4]], "and what waits, as always"
    assert broker.totals() == BOOKED | {"P-2": 1250_000_000}


def test_a_version_that_changes_nothing_looks_at_nothing(
    broker: SmallBroker, seen: list[list[int]]
) -> None:
    _apply(broker, TWO.replace('"Standard"', '"Other name"'))
    assert [tickets for tickets in seen if tickets] == [[4]]
    assert broker.totals() == BOOKED


def test_what_waited_is_priced_and_the_other_way_round(broker: SmallBroker) -> None:
    _apply(broker, TWO.replace('"GBPUSD"', '"NEWPAIR"'))
    assert broker.waiting() == {"unpriced": 1}, "no rate of the master fits"
    assert broker.totals() == {"P-1": 3 * E8, "P-2": 17 * E8}
    _apply(broker, TWO.replace('symbol_group = "forex"\n', 'symbol = "EURUSD"\n'))
    assert broker.totals() == {"P-1": 2 * E8, "P-2": 12 * E8}


def test_two_versions_in_the_queue_come_to_the_last_one(broker: SmallBroker) -> None:
    _recorded(broker, TWO.replace('"2.00"', '"9.00"').replace('"5.00"', '"7.00"'))
    _recorded(broker, TWO.replace('"5.00"', '"7.00"'))
    to_rest(broker.run)
    assert broker.totals() == {"P-1": 3 * E8, "P-2": 16 * E8}
    _recorded(broker, TWO.replace('"2.00"', '"9.00"'))
    _recorded(broker, TWO)
    to_rest(broker.run)
    assert broker.totals() == BOOKED


def test_a_relation_beside_a_plan(broker: SmallBroker) -> None:
    broker.load("partners", "partner,name\nP-3,Other\n")
    broker.load("terms", "partner,programme\nP-3,std\n")
    _recorded(broker, TWO.replace('"2.00"', '"4.00"'))
    reports = broker.load("relations", "kind,code,partner,valid_from\nclient,C-1,P-3,2026-01-01\n",
                          reason="wrong partner")  # fmt: skip
    assert reports[0].proposed
    to_rest(broker.run)
    assert broker.totals() == BOOKED | {"P-2": 14 * E8}


def test_when_nothing_may_be_spared(broker: SmallBroker) -> None:
    assert not may_spare(broker.run, "go-live")
    assert may_spare(broker.run, plan_cause("std", 2))
    tiered = TWO.replace("[[component.rate]]", """[component.tier]
measure = "lots"
[[component.rate]]""", 1)  # fmt: skip
    _apply(broker, tiered)
    assert not may_spare(broker.run, plan_cause("std", 3))
