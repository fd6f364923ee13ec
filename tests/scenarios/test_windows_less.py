"""Net revenue in the database: what clients cost is taken from the period's sum, whenever told."""

from __future__ import annotations

from small_broker import SmallBroker, manager, manager_row
from window_plans import NET, QUALIFIED

from pipshare import audit, inbox, ledger, statements
from pipshare.pipeline.explain import explain
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.explained.of_window import explain_window
from pipshare.pipeline.loads import approve

E8 = 10**8
OVERRIDE = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "tiered"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "lots"
window = "quarter"
method = "retroactive"
[[component.rate]]
level = 1
amount = "3"
[[component.rate]]
level = 1
from = "2"
amount = "5"

[[component]]
code = "over"
basis = "lot"
mode = "override"
[[component.rate]]
level = 2
share = "10%"
of = "tiered"
"""


def _row(ticket: int, lots: str, when: str, **cells: str) -> list[str]:
    return manager_row(ticket, lots, **{"Close Time": f"2026.{when}", **cells})


def _whole(broker: SmallBroker) -> None:
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def test_a_bonus_and_a_chargeback_lower_the_sum_of_their_month(broker: SmallBroker) -> None:
    broker.plan(NET.format(per="month"))
    broker.events("d1,deposit,C-1,2026-02-20T10:00:00Z,500,USD,,crm",
            "b1,bonus,C-1,2026-03-10T10:00:00Z,200,USD,,crm")  # fmt: skip
    broker.bring("a.csv", manager(_row(1, "1.00", "03.02 11:00:00", Profit="-1000.00")))
    assert broker.totals() == {"P-2": 240 * E8}
    broker.events("r1,bonus_removed,C-1,2026-03-12T10:00:00Z,50,USD,,crm",
            "c1,chargeback_lost,C-1,2026-03-15T10:00:00Z,,,d1,crm",
            "f1,payment_fee,C-1,2026-03-16T10:00:00Z,10,USD,,crm")  # fmt: skip
    assert broker.totals() == {"P-2": 102 * E8}  # 30% of 1000 - 150 - 500 - 10
    broker.events("w1,chargeback_won,C-1,2026-04-15T10:00:00Z,,,d1,crm")
    assert broker.totals() == {"P-2": 252 * E8}
    _whole(broker)


def test_the_explanation_of_a_net_sum_agrees_with_the_books(broker: SmallBroker) -> None:
    broker.plan(NET.format(per="month"))
    broker.events("b1,bonus,C-1,2026-03-10T10:00:00Z,200,USD,,crm",
            "b2,bonus,C-1,2026-04-10T10:00:00Z,50,USD,,crm")  # fmt: skip
    broker.bring("a.csv", manager(_row(1, "1.00", "03.02 11:00:00", Profit="-1000.00")))
    told = explain(broker.run, broker.run.servers[1], 1)
    assert [part.window.agrees for part in told.parts] == [True]
    sums = [explain_window(broker.run, "net", "P-2", month) for month in ("2026-03", "2026-04")]
    assert [(one.agrees, one.sum_e8) for found in sums for one in found] == [
        (True, 240 * E8), (True, -15 * E8)]  # fmt: skip
    steps = [(one.label, one.text) for one in sums[0][0].lines[0].line.working]
    assert ("sum", "1000.00 USD") in steps
    assert ("less bonuses", "200.00 USD") in steps
    assert explain_event(broker.run, "b1")


def test_a_bonus_without_a_rate_lets_the_month_wait_until_there_is_one(
    broker: SmallBroker,
) -> None:
    broker.plan(NET.format(per="month"))
    early = _row(1, "1.00", "03.02 11:00:00", Profit="0.00")
    broker.bring("a.csv", manager(early, _row(2, "1.00", "04.20 11:00:00", Profit="-1000.00")))
    assert broker.totals() == {"P-2": 300 * E8}
    broker.events("b1,bonus,C-1,2026-04-10T10:00:00Z,100,CHF,,crm")
    assert broker.totals() == {}
    broker.load("fx", "base,quote,time,rate\nCHF,USD,2026-04-10T09:00:00Z,1.1\n")
    assert broker.totals() == {"P-2": 267 * E8}
    _whole(broker)


def test_a_month_of_nothing_but_a_cost_is_booked_when_it_can_be_converted(
    broker: SmallBroker,
) -> None:
    broker.plan(NET.format(per="month"))
    broker.bring("a.csv", manager(_row(1, "1.00", "03.02 11:00:00", Profit="-1000.00")))
    broker.events("b1,bonus,C-1,2026-05-10T10:00:00Z,100,CHF,,crm")
    assert broker.totals() == {"P-2": 300 * E8}
    broker.load("fx", "base,quote,time,rate\nCHF,USD,2026-05-10T09:00:00Z,1.1\n")
    assert broker.totals() == {"P-2": 267 * E8}
    broker.load("partners", "partner,name\nP-9,Other\n")
    broker.load("terms", "partner,programme\nP-9,std\n")
    broker.load("relations", "kind,code,partner,valid_from\nclient,C-1,P-9,2026-05-01\n",
                reason="moved")  # fmt: skip
    for one in audit.pending(broker.conn):
        approve(broker.run, one.id, by="ben")
    assert broker.totals() == {"P-2": 300 * E8, "P-9": -33 * E8}
    _whole(broker)


def test_an_override_on_a_quarters_tier_sees_the_whole_quarter(broker: SmallBroker) -> None:
    broker.plan(OVERRIDE)
    broker.bring("a.csv", manager(_row(1, "1.00", "04.15 11:00:00")))
    broker.bring("b.csv", manager(_row(2, "1.00", "06.05 11:00:00")))
    assert broker.totals() == {"P-2": 10 * E8, "P-1": 1 * E8}
    _whole(broker)


def test_a_deposit_that_nobody_can_convert_is_told_and_qualifies_when_the_rate_comes(
    broker: SmallBroker,
) -> None:
    broker.plan(QUALIFIED)
    broker.events("e1,registration,C-1,2026-02-01T00:00:00Z,,,,crm",
            "e2,deposit,C-1,2026-02-12T10:00:00Z,500,CHF,,crm")  # fmt: skip
    broker.bring("a.csv", manager(_row(1, "2.00", "03.02 11:00:00")))
    assert broker.totals() == {}
    [told] = [one for one in inbox.alerts(broker.conn) if one.code == "no_fx"]
    assert "CHF/USD" in told.message
    broker.load("fx", "base,quote,time,rate\nCHF,USD,2026-02-12T09:00:00Z,1.1\n")
    assert broker.totals() == {"P-2": 10 * E8}
    assert not [one for one in inbox.alerts(broker.conn) if one.code == "no_fx"]
    _whole(broker)
