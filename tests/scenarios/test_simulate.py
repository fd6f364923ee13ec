"""What-if: other plans over stored trades; nothing is written, and what is recorded is what is
booked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from broker_world import World
from small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare.errors import BadInput, Missing
from pipshare.pipeline.simulate import Answer, Question, simulate
from pipshare.plans import BadPlan

LOT = 10**8
TIERED = (
    PLAN.replace(
        'mode = "per_level"\n',
        """mode = "per_level"
[component.tier]
measure = "lots"
window = "month"
""",
    )
    + """[[component.rate]]
level = 1
from = "0.15"
symbol_group = "forex"
amount = "8.00"
"""
)
GUARDED = PLAN.replace(
    "[[component]]",
    """[programme.guard]
action = "cap"
of = ["commission"]
[[component]]""",
    1,
)
_WRITES = """
SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables
 WHERE schemaname = 'public' AND n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname"""


def _trades(broker: SmallBroker) -> None:
    cost = {"Commission": "-0.70"}
    rows = [
        manager_row(1, **cost),
        manager_row(2, "0.20", **cost),
        manager_row(3, "1.00", **cost, **{"Close Time": "2026.04.02 11:00:00"}),
    ]
    broker.bring("trades.csv", manager(*rows))


@pytest.fixture
def small(ready: Any) -> Any:
    """Two booked trades of March: 0.10 and 0.20 lots; a third of April with 1.00 lots."""
    return ready(SmallBroker, then=_trades)


def ask(broker: SmallBroker, *texts: str, against: tuple[str, ...] = (), **known: Any) -> Answer:
    """Simulate plans given as text; everything is as before afterwards."""
    paths = [broker.file(f"plan{n}.toml", text) for n, text in enumerate(texts)]
    others = [broker.file(f"other{n}.toml", text) for n, text in enumerate(against)]
    partner = known.pop("partner", None)
    before = broker.conn.execute(_WRITES).fetchall()
    answer = simulate(broker.run, Question(paths, others, **known), partner)
    assert broker.conn.execute(_WRITES).fetchall() == before, "something was written"
    broker.conn.rollback()
    return answer


def told(answer: Answer) -> dict[str, tuple[int, int]]:
    return {one.partner: (one.now_e8, one.then_e8) for one in answer.partners}


def test_the_recorded_plan_says_what_is_booked(small: SmallBroker) -> None:
    answer = ask(small, PLAN)
    booked = small.totals()
    assert told(answer) == {code: (amount, amount) for code, amount in booked.items()}
    assert (answer.trades, answer.introduced) == (3, 3)
    assert answer.winners(5) == answer.losers(5) == []


def test_other_rates_win_and_lose(small: SmallBroker) -> None:
    changed = PLAN.replace('"5.00"', '"4.00"').replace('"1.00"', '"3.00"')
    answer = ask(small, changed)
    lots = 130 * LOT // 100
    assert told(answer) == {"P-1": (lots, 3 * lots), "P-2": (5 * lots, 4 * lots)}
    assert [one.partner for one in answer.winners(5)] == ["P-1"]
    assert [one.partner for one in answer.losers(5)] == ["P-2"]
    total = answer.totals()[0]
    assert (total.now_e8, total.then_e8, total.difference_e8) == (6 * lots, 7 * lots, lots)
    assert told(ask(small, changed, partner="P-1")) == {"P-1": (lots, 3 * lots)}
    assert told(ask(small, changed, against=(changed,)))["P-1"] == (3 * lots, 3 * lots)


def test_days_are_the_brokers_own_and_included(small: SmallBroker) -> None:
    lots = 30 * LOT // 100
    answer = ask(small, PLAN, first=date(2026, 3, 1), last=date(2026, 3, 2))
    assert told(answer) == {"P-1": (lots, lots), "P-2": (5 * lots, 5 * lots)}
    assert ask(small, PLAN, first=date(2026, 5, 1)).partners == []
    with pytest.raises(BadInput, match="is after --to"):
        ask(small, PLAN, first=date(2026, 3, 2), last=date(2026, 3, 1))


def test_a_tier_is_settled_by_its_windows(small: SmallBroker) -> None:
    # March: 0.15 at 5 and 0.15 at 8 = 1.95; April: 0.15 at 5 and 0.85 at 8 = 7.55.
    answer = ask(small, TIERED)
    assert told(answer)["P-2"] == (650_000_000, 950_000_000)
    march = ask(small, TIERED, last=date(2026, 3, 31))
    assert told(march)["P-2"] == (150_000_000, 195_000_000)


def test_a_guard_and_what_the_broker_keeps(small: SmallBroker) -> None:
    # Commissions are 0.70 a trade; 0.10 and 0.20 and 1.00 lots pay 0.60, 1.20 and 6.00.
    answer = ask(small, GUARDED)
    assert dict(answer.then.guarded) == {"cap": 2}
    assert answer.totals()[0].then_e8 == 60_000_000 + 2 * 70_000_000
    margin = answer.margins[0]
    assert margin.unknown == {"no_quote": 3}
    assert (margin.paid_now_e8, margin.paid_then_e8) == (780_000_000, 200_000_000)


def test_what_would_wait_is_counted(small: SmallBroker) -> None:
    answer = ask(small, PLAN.replace('symbol_group = "forex"', 'symbol = "XAUUSD"'))
    assert dict(answer.then.waiting) == {"unpriced": 6}
    assert dict(answer.now.waiting) == {}


def test_trades_of_before_the_go_live_only_when_asked(small: SmallBroker) -> None:
    small.bring("old.csv", manager(manager_row(9, "1.00", **{
        "Open Time": "2025.12.02 10:00:00", "Close Time": "2025.12.02 11:00:00"})))  # fmt: skip
    assert told(ask(small, PLAN))["P-1"] == (130_000_000, 130_000_000)
    assert told(ask(small, PLAN, before_go_live=True))["P-1"] == (230_000_000, 230_000_000)


def test_plans_and_servers_that_are_not_there(small: SmallBroker) -> None:
    with pytest.raises(Missing, match="there is no programme other"):
        ask(small, PLAN.replace('"std"', '"other"'))
    small.conn.rollback()
    with pytest.raises(BadInput, match="given twice"):
        ask(small, PLAN, PLAN.replace('"5.00"', '"4.00"'))
    small.conn.rollback()
    with pytest.raises(Missing, match="there is no server X; known: Live-4, Live-5"):
        ask(small, PLAN, server="X")
    small.conn.rollback()
    with pytest.raises(BadPlan):
        ask(small, PLAN.replace('"lot"', '"lots"'))
    small.conn.rollback()
    assert ask(small, PLAN, server="Live-5").trades == 0


def test_the_demonstration_broker_is_what_is_booked(world: World) -> None:
    world.load_all()
    world.import_all()
    before = world.counts()
    texts = [path for kind, path in world.paths.items() if kind.startswith("programme ")]
    answer = simulate(world.run, Question(texts[:1]))
    assert {one.partner: one.now_e8 for one in answer.partners if one.now_e8} == world.totals()
    assert all(one.difference_e8 == 0 for one in answer.partners)
    assert answer.now.waiting == answer.then.waiting
    world.run.conn.rollback()
    assert world.counts() == before
