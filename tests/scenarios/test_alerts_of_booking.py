"""Unpriced symbols, missing rates and quotes, margin guards: alerts, not zeros."""

from __future__ import annotations

from small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare import inbox
from pipshare.pipeline.loads import apply_plan

GUARD = """[programme.guard]
action = "{}"
of = ["commission"]
[[component]]"""


def told(broker: SmallBroker) -> dict[tuple[str, str], str]:
    return {(one.code, one.subject): one.message for one in inbox.alerts(broker.conn)}


def plan(broker: SmallBroker, text: str) -> None:
    apply_plan(broker.run, broker.file("std.toml", text), by="anna")


def test_an_unpriced_symbol_is_one_alert_until_it_is_priced(broker: SmallBroker) -> None:
    rows = [manager_row(ticket, Symbol="NEWPAIR") for ticket in (1, 2)]
    broker.bring("a.csv", manager(*rows, manager_row(3, Symbol="OTHER")))
    assert set(told(broker)) == {("unpriced", "NEWPAIR"), ("unpriced", "OTHER")}
    assert told(broker)["unpriced", "NEWPAIR"].startswith(
        "Live-4: 2 trades wait, as 1: no rate fits the symbol"
    )
    broker.bring("b.csv", manager(manager_row(4, Symbol="NEWPAIR")))
    again = {one.subject: one.count for one in inbox.alerts(broker.conn)}
    assert again == {"NEWPAIR": 2, "OTHER": 1}
    broker.load("symbols", "symbol,symbol_group\nNEWPAIR,forex\n")
    assert set(told(broker)) == {("unpriced", "OTHER")}, "nothing waits for it any more"


def test_a_missing_rate_of_exchange(broker: SmallBroker) -> None:
    plan(broker, PLAN.replace('currency = "USD"', 'currency = "EUR"'))
    broker.bring("a.csv", manager(manager_row(1)))
    assert set(told(broker)) == {("no_fx", "EUR/USD")}
    broker.load("fx", "base,quote,time,rate\nEUR,USD,2026-03-02T00:00:00Z,1.10\n")
    assert told(broker) == {}
    assert broker.totals() == {"P-1": 11_000_000, "P-2": 55_000_000}


def test_missing_quotes(broker: SmallBroker) -> None:
    spread = PLAN.replace('"lot"', '"spread"').replace('amount = "5.00"', 'share = "35%"')
    plan(broker, spread.replace('amount = "1.00"', 'share = "5%"'))
    broker.bring("a.csv", manager(manager_row(1), manager_row(2)))
    assert {code for code, _ in told(broker)} <= {"no_quote", "no_contract"}
    assert told(broker)


def test_a_warning_guard_pays_and_tells(broker: SmallBroker) -> None:
    plan(broker, PLAN.replace("[[component]]", GUARD.format("warn"), 1))
    broker.bring("a.csv", manager(manager_row(1), manager_row(2, "0.20", Commission="-9.00")))
    broker.assert_paid(30)
    message = told(broker)["margin_guard", "std"]
    assert "1 paid all the same; as trade 1, the chain 0.60 USD where 0.00 is kept" in message


def test_a_capping_guard_cuts_in_the_books(broker: SmallBroker) -> None:
    plan(broker, PLAN.replace("[[component]]", GUARD.format("cap"), 1))
    broker.bring("a.csv", manager(manager_row(1, Commission="-0.30")))
    assert broker.totals() == {"P-1": 5_000_000, "P-2": 25_000_000}
    assert "1 cut to what is kept" in told(broker)["margin_guard", "std"]


def test_a_blocking_guard_lets_the_trade_wait(broker: SmallBroker) -> None:
    plan(broker, PLAN.replace("[[component]]", GUARD.format("block"), 1))
    broker.bring("a.csv", manager(manager_row(1, Commission="-0.30"), manager_row(2)))
    assert broker.totals() == {}
    assert broker.waiting() == {"blocked": 2}
    assert "2 stopped, and waiting" in told(broker)["margin_guard", "std"]
    plan(broker, PLAN)
    broker.assert_paid(20)
    assert broker.waiting() == {}


def test_what_is_fine_raises_nothing(broker: SmallBroker) -> None:
    broker.bring("a.csv", manager(manager_row(1)))
    assert told(broker) == {}
