"""What waits inside of a window is listed, alerted, and settled when what was missing comes."""

from __future__ import annotations

from small_broker import PLAN, SmallBroker, manager, manager_row
from window_plans import CARRIED, TIERS

from pipshare import inbox

E8 = 10**8
FOREX = TIERS.format(method="marginal").replace("amount", 'symbol_group = "forex"\namount')


def _alerts(broker: SmallBroker) -> set[tuple[str, str]]:
    return {(one.code, one.subject) for one in inbox.alerts(broker.conn)}


def _two(broker: SmallBroker) -> None:
    broker.bring("a.csv", manager(manager_row(1, "1.00"), manager_row(2, "2.00", Symbol="NEW")))


def test_an_unpriced_trade_of_a_tier_waits_and_is_taken_up(broker: SmallBroker) -> None:
    broker.plan(FOREX)
    _two(broker)
    # Its volume counts in the tier, whatever it is paid by: the first lot is at 3 all the same.
    assert broker.totals() == {"P-2": 3 * E8}
    assert broker.waiting() == {"unpriced": 1}
    assert _alerts(broker) == {("unpriced", "NEW")}
    broker.load("symbols", "symbol,symbol_group\nNEW,forex\n")
    assert broker.totals() == {"P-2": (2 * 3 + 1 * 5) * E8}
    assert broker.waiting() == {}
    assert _alerts(broker) == set()


def test_a_missing_rate_waits_in_its_window(broker: SmallBroker) -> None:
    broker.plan(FOREX.replace('currency = "USD"', 'currency = "EUR"'))
    _two(broker)
    assert broker.waiting() == {"no_fx": 1, "unpriced": 1}
    broker.load("fx", "base,quote,time,rate\nEUR,USD,2026-03-02T00:00:00Z,1.10\n")
    assert broker.waiting() == {"unpriced": 1}
    assert broker.totals() == {"P-2": 330_000_000}
    assert _alerts(broker) == {("unpriced", "NEW")}


def test_another_plan_or_a_cancelled_relation_leaves_nothing_waiting(broker: SmallBroker) -> None:
    broker.plan(FOREX)
    _two(broker)
    assert broker.waiting() == {"unpriced": 1}
    broker.plan(PLAN.replace('symbol_group = "forex"\n', ""))
    assert broker.waiting() == {}
    assert broker.totals() == {"P-1": 3 * E8, "P-2": 15 * E8}


def test_rating_again_keeps_what_waits_and_since_when(broker: SmallBroker) -> None:
    broker.plan(FOREX)
    _two(broker)
    since = broker.conn.execute("SELECT since FROM rating_waiting").fetchall()
    broker.load("symbols", "symbol,symbol_group\nGBPUSD,forex\n")
    assert broker.conn.execute("SELECT since FROM rating_waiting").fetchall() == since


def test_the_sum_of_a_period_waits_by_its_last_trade(broker: SmallBroker) -> None:
    broker.plan(CARRIED.replace('per = "month"', 'per = "month"\ncurrency = "EUR"'))
    broker.bring("a.csv", manager(manager_row(1, Profit="-10.00"), manager_row(2, Profit="-90.00")))
    assert broker.waiting() == {"no_fx": 2}, "each trade, into the component's currency"
    broker.load("fx", "base,quote,time,rate\nEUR,USD,2026-03-02T00:00:00Z,1.25\n")
    assert broker.waiting() == {"no_fx": 1}, "the sum, at the end of March, into the wallet's"
    broker.load("fx", "base,quote,time,rate\nEUR,USD,2026-03-31T00:00:00Z,1.50\n")
    assert broker.waiting() == {}
    assert broker.totals() == {"P-2": 36 * E8}
    assert _alerts(broker) == set()
