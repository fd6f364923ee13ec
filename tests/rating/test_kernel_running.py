"""Tiers, caps, netting and conditions by columns: published examples, and the order of trades."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from deal_stories import DAY, NOON, Deal, paid, rated, told, total
from hypothesis import given, settings
from hypothesis import strategies as st
from twin_stories import part, rate, share

from pipshare.period import Clock
from pipshare.plans.conditions import Bonus, Conditions, Hedged
from pipshare.plans.periods import Cap, Tier
from pipshare.rating.measured import History
from pipshare.rating.totals import windows

BANDS = (rate("3"), rate("5", start="100"), rate("7", start="500"))


def tier(measure: str = "lots", **known: object) -> Tier:
    """Write a tier by month."""
    return Tier(1, measure, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "amount"), [("marginal", "3000"), ("retroactive", "4200")])
def test_six_hundred_lots(method: str, amount: str) -> None:
    tiered = part("lot", *BANDS, tier=tier(method=method))
    assert total(tiered, Deal("600")) == amount
    deals = [Deal("60", NOON + n) for n in range(10)]
    assert total(tiered, *deals) == amount


def test_opening_and_closing_climb_each_by_its_own_bands() -> None:
    opening = rate("1", side="open"), rate("2", side="open", start="100")
    closing = rate("10", side="close"), rate("20", side="close", start="200")
    for promotion in ("free", "stepwise"):
        known = tier(method="retroactive", promotion=promotion)
        tiered = part("lot", *opening, *closing, tier=known)
        # One band up each: 2 + 20, not the second of three steps that both would share.
        assert total(tiered, Deal("250")) == "5500"
        assert total(tiered, Deal("150")) == "1800"
    forgiving = part("lot", *opening, *closing, tier=tier(method="retroactive", grace=1))
    months = Deal("250"), Deal("150", NOON + 31 * DAY), Deal("50", NOON + 62 * DAY)
    # 22, then 2 + 20 forgiven; in the third month the closing has failed twice, the opening once.
    assert total(forgiving, *months) == str(250 * 22 + 150 * 22 + 50 * (2 + 10))


def test_thirty_percent_and_forty_five_above() -> None:
    shares = share("0.30"), share("0.45", start="20000")
    tiered = part("commission", *shares, tier=tier("value", currency="USD"))
    assert total(tiered, Deal(commission="-12000"), Deal(commission="-13000")) == "8250"


def test_measured_by_conversions() -> None:
    rates = rate("250"), rate("275", start="3"), rate("300", start="5")
    tiered = part("fixed", *rates, event="trade", tier=tier("trades", method="retroactive"))
    for count, amount in enumerate(("250", "500", "825", "1100", "1500"), 1):
        assert total(tiered, *[Deal(close=NOON + n) for n in range(count)]) == amount


def test_a_rolling_average_pays_the_last_month_only() -> None:
    bands = share("1"), share("1.08", start="5000")
    rolling = part("commission", *bands, tier=tier(
        "value", window="rolling", length=3, average=True, method="retroactive"))  # fmt: skip
    months = [Deal(commission=text, close=NOON + n * 31 * DAY)
              for n, text in enumerate(("-5500", "-4800", "-6800"))]  # fmt: skip
    assert paid(rolling, *months)[2] == "7344"


def test_what_earlier_windows_came_to_may_be_told_instead_of_their_trades() -> None:
    known = {"window": "rolling", "length": 3, "average": True, "method": "retroactive"}
    rolling = part(
        "commission", share("1"), share("1.08", start="5000"), tier=tier("value", **known)
    )
    months = windows(np.array([NOON, NOON + 31 * DAY]), "month", Clock("UTC", 0))
    one = np.ones(2, np.int64)
    history = History(one, one, months, np.array([550_000_000_000, 480_000_000_000]))
    last = Deal(commission="-6800", close=NOON + 62 * DAY)
    assert paid(rolling, last, history=history) == ["7344"]
    assert paid(rolling, last) == ["6800"]


def test_own_volume_and_that_of_the_network() -> None:
    bands = rate("1"), rate("2", start="10")
    for of, amounts in (("own", ["20", "10"]), ("network", ["20", "20"])):
        tiered = part("lot", *bands, tier=tier(of=of, method="retroactive"))
        assert paid(tiered, Deal("10"), cards=("a", "b")) == amounts


def test_the_band_of_the_month_before() -> None:
    bands = rate("1"), rate("2", start="10")
    tiered = part("lot", *bands, tier=tier(applies="following"))
    months = [Deal(lots, NOON + n * 31 * DAY) for n, lots in enumerate(("10", "1", "1"))]
    assert paid(tiered, *months) == ["10", "2", "1"]


def test_measures_are_told() -> None:
    found = rated(part("lot", *BANDS, tier=tier()), Deal("60"), Deal("70", NOON + 1))
    assert found.measures is not None
    assert found.measures.select("component_id", "partner_id", "measure_e8").rows() == [
        (1, 1, 130 * 10**8)
    ]


def test_caps_per_order_and_per_client_and_day() -> None:
    caps = (Cap(1, Fraction(100), "order", "money", "USD"),
            Cap(2, Fraction(250), "client_day", "money", "USD"))  # fmt: skip
    capped = part("lot", rate("60"), caps=caps)
    deals = [Deal("2", NOON + n) for n in range(4)]
    assert paid(capped, *deals) == ["100", "100", "50", "capped"]
    other = Deal("2", NOON + 9, client=2)
    assert paid(capped, *deals, other)[-1] == "100"
    assert paid(capped, *deals, Deal("2", NOON + DAY))[-1] == "100"


def test_hedged_volume_counts_once() -> None:
    netted = part("lot", rate("1"), conditions=Conditions(hedged=Hedged()))
    deals = [Deal("1.5", side=1), Deal("0.4", NOON + 1, side=-1), Deal("0.6", NOON + 2, side=-1)]
    assert paid(netted, *deals) == ["1.5", "netted", "netted"]
    turned = [Deal("0.4", side=-1), Deal("0.6", NOON + 1, side=-1), Deal("1.5", NOON + 2, side=1)]
    assert paid(netted, *turned) == ["0.4", "0.6", "0.5"]


@pytest.mark.parametrize(
    ("seconds", "points", "says"),
    [(179, 30, "too_short"), (180, 30, "2"), (180, 29, "too_few_points")],
)
def test_held_and_moved_for_long_enough(seconds: int, points: int, says: str) -> None:
    asked = part("lot", rate("2"), min_hold_s=180, conditions=Conditions(min_points=Fraction(30)))
    deal = Deal(hold_s=seconds, open_price="1.10000", close_price=f"1.100{points}")
    assert paid(asked, deal) == [says]


def test_five_pips_are_met_by_a_fall() -> None:
    asked = part("lot", rate("2"), conditions=Conditions(min_pips=Fraction(5)))
    assert paid(asked, Deal(open_price="1.1015", close_price="1.1010")) == ["2"]


def test_each_exclusion_has_its_reason() -> None:
    assert paid(part("lot", rate("2")), Deal(reason=6), Deal(reason=2)) == ["excluded_reason", "2"]
    assert paid(part("lot", rate("2")), Deal(close_by=1), Deal(close_by=2)) == ["2", "close_by"]
    asked = part("lot", rate("2"), conditions=Conditions(partial_close="none", zero_result="none"))
    assert paid(asked, Deal(partial=True), Deal(), Deal(profit="1")) == [
        "partial",
        "zero_result",
        "2",
    ]
    bonus = part("lot", rate("2"), conditions=Conditions(bonus=Bonus()))
    assert paid(bonus, Deal(bonus=(3, 4)), Deal(bonus=(0, 4))) == ["1.5", "bonus_funded"]


ANY = (
    part("lot", *BANDS[:1], rate("5", start="2"), tier=tier(of="network")),
    part("lot", rate("60"), caps=(Cap(1, Fraction(99), "client_day", "money", "USD"),)),
    part("lot", rate("60"), caps=(Cap(1, Fraction("1.7"), "partner_week", "lots"),)),
    part("lot", rate("7"), conditions=Conditions(hedged=Hedged("client", "week"))),
)


@given(st.integers(0, 2**32), st.sampled_from(ANY))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_trades_come_changes_nothing(seed: int, asked: object) -> None:
    rnd = Random(seed)
    deals = [
        Deal(f"0.{rnd.randint(1, 99):02d}", NOON + rnd.randrange(9 * DAY), ticket=n,
             client=rnd.randint(1, 3), side=rnd.choice((-1, 1)))
        for n in range(12)
    ]  # fmt: skip
    order = rnd.sample(range(len(deals)), len(deals))
    straight = told(rated(asked, *deals, cards=("a", "b")))  # type: ignore[arg-type]
    shuffled = told(rated(asked, *[deals[n] for n in order], cards=("a", "b")))  # type: ignore[arg-type]
    pairs = [straight[2 * n : 2 * n + 2] for n in order]
    assert [text for pair in pairs for text in pair] == shuffled


@given(st.integers(1, 9), st.sampled_from(ANY))
@settings(max_examples=30, deadline=None)
def test_blocks_of_any_size_come_to_the_same(size: int, asked: object) -> None:
    from pipshare.rating import wide

    rnd = Random(size)
    deals = [Deal(f"0.{rnd.randint(1, 99):02d}", NOON + 1000 * n, side=rnd.choice((-1, 1)))
             for n in range(20)]  # fmt: skip
    usual = told(rated(asked, *deals))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wide, "_BLOCK", size)
        assert told(rated(asked, *deals)) == usual  # type: ignore[arg-type]
