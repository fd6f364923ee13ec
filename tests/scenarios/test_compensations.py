"""MT5's compensations of balances below zero lower the sum of their period, each once."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker
from tests.sources.test_mt5_sql import CLOSING, DEPOSIT, OPENING, csv_text
from window_plans import NET

from pipshare import ledger, statements
from pipshare.pipeline import to_rest
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.explained.of_window import explain_window

E8 = 10**8
PLAN = NET.replace('"bonuses", "chargebacks", "fees"', '"compensation"').format(per="month")


@pytest.fixture
def broker(broker: SmallBroker) -> SmallBroker:
    broker.plan(PLAN)
    return broker


def _deal(row: dict[str, str], number: int, when: str, **cells: str) -> dict[str, str]:
    moment = f"2026-03-{when}"
    return row | {"Deal": str(number), "Login": "5001", "Symbol": row["Symbol"] and "EURUSD",
                  "Time": moment, "TimeMsc": f"{moment}.000000", **cells}  # fmt: skip


def _export(*more: dict[str, str], login: str = "5001") -> str:
    """A position that lost 1,000: the house kept it; whatever else stands in the account."""
    rows = [_deal(OPENING, 10, "02 10:00:00", Commission="0", Fee="0"),
            _deal(CLOSING, 11, "02 11:00:00", Profit="-1000", Storage="0", Commission="0"),
            *more]  # fmt: skip
    return csv_text(*(row | {"Login": login} for row in rows))


ZEROED = _deal(DEPOSIT, 12, "02 11:00:05", Action="19", Profit="400", Comment="so compensation")


def test_a_compensation_is_taken_from_the_sum_once(broker: SmallBroker) -> None:
    broker.bring("a.csv", _export(), "Live-5")
    assert broker.totals() == {"P-2": 300 * E8}
    broker.bring("b.csv", _export(ZEROED), "Live-5")
    assert broker.totals() == {"P-2": 180 * E8}
    broker.bring("c.csv", _export(ZEROED) + "\n", "Live-5")
    to_rest(broker.run)
    assert broker.count("clients_event") == 1
    assert broker.totals() == {"P-2": 180 * E8}
    told = explain_event(broker.run, "Live-5:12")
    assert (told.event["kind"], told.event["source"]) == ("compensation", "mt5")
    [window] = explain_window(broker.run, "net", "P-2", "2026-03")
    assert window.agrees is True
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def test_a_crm_that_tells_it_by_the_same_name_tells_nothing_new(broker: SmallBroker) -> None:
    broker.bring("b.csv", _export(ZEROED), "Live-5")
    head = "event,kind,client,at,amount,currency,reference,source\n"
    broker.load("events", f"{head}Live-5:12,compensation,C-1,2026-03-02T11:00:05Z,400,USD,,mt5\n")
    assert broker.totals() == {"P-2": 180 * E8}


def test_what_only_a_comment_calls_so_is_none(broker: SmallBroker) -> None:
    by_comment = ZEROED | {"Action": "2", "Comment": "negative balance compensation"}
    credit = ZEROED | {"Deal": "13", "Action": "20", "Profit": "-50"}
    broker.bring("b.csv", _export(by_comment, credit), "Live-5")
    assert broker.count("clients_event") == 0
    assert broker.totals() == {"P-2": 300 * E8}


def test_an_account_that_becomes_known_later(broker: SmallBroker) -> None:
    broker.bring("b.csv", _export(ZEROED, login="5002"), "Live-5")
    assert broker.totals() == {}
    broker.load("accounts", "server,login,client,currency\nLive-5,5002,C-1,EUR\n")
    assert broker.waiting() == {"no_fx": 1}, "the account is in euros"
    broker.load("fx", "base,quote,time,rate\nEUR,USD,2026-03-02T00:00:00Z,1.10\n")
    assert broker.totals() == {"P-2": 198 * E8}
