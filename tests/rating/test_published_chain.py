"""Published examples of how levels share, by hand and by the kernel."""

from __future__ import annotations

from fractions import Fraction

from twin_stories import lines, paid, part, plan, rate, share, split, trade

from pipshare.plans.periods import Cap
from pipshare.plans.terms import Rebate

TEN = rate("10")
UPWARD = [
    "Bronze", "Gold", "Gold", "Diamond", "Silver", "Gold", "Diamond", "Platinum", "Platinum",
]  # fmt: skip


def test_share_up() -> None:
    up = part("lot", rate("5"), mode="share_up", splits=(split("0.2", 1), split("0.1")))
    assert paid(up, trade(), ["a"] * 4) == ["4", "0.9", "0.09", "0.01"]


def test_difference_of_shares() -> None:
    rates = [share(x, card=c) for x, c in (("0.6", "D"), ("0.7", "C"), ("0.8", "B"))]
    component = part("commission", *rates, mode="difference")
    fee = trade(commission="-10")
    assert paid(plan(component, depth=2), fee, ["D", "C", "B"]) == ["6", "1"]
    assert paid(plan(component), fee, ["D", "C", "B"]) == ["6", "1", "1"]


def test_per_level_shares() -> None:
    component = part("commission", share("0.3", level=1), share("0.2", level=2))
    assert paid(component, trade(commission="-10"), ["a", "a", "a"]) == ["3", "2"]


def test_five_levels() -> None:
    shares = [share(f"{x}/100", level=i) for i, x in enumerate((100, 20, 15, 7, 3), 1)]
    assert paid(part("commission", *shares), trade(commission="-10"), ["a"] * 5) == [
        "10", "2", "1.5", "0.7", "0.3",
    ]  # fmt: skip


def test_pot_split() -> None:
    component = part("lot", TEN, mode="pot_split", splits=(split("0.7", 1), split("0.3", 2)))
    assert paid(component, trade(), ["a", "b"]) == ["7", "3"]
    thirds = part("lot", rate("1"), mode="pot_split", splits=(split("1/3"),))
    assert paid(thirds, trade(), ["a"] * 3) == ["0.33333334", "0.33333333", "0.33333333"]
    assert paid(thirds, trade(), ["a"] * 4) == ["shares_over_one", *["child_waits"] * 3]


def test_override_on_top() -> None:
    lots = part("lot", rate("10", level=1), code="lots")
    head = part("lot", share("0.2", level=2, of="lots"), mode="override", code="head")
    assert paid(plan(lots, head), trade(), ["a", "b"]) == ["10", "2"]


def test_master_and_sub() -> None:
    component = part("lot", rate("7", card="master"), rate("5", card="sub"), mode="difference")
    assert paid(component, trade(), ["sub", "master"]) == ["5", "2"]
    assert paid(component, trade(), ["master", "sub"]) == ["7", "nothing_left"]


def test_rank_roll_up() -> None:
    ranks = ("Bronze", "Silver", "Gold", "Diamond", "Platinum")
    component = part("lot", *(rate("1", card=c) for c in ranks), mode="rank", ranks=ranks)
    found = paid(component, trade(), UPWARD)
    # Cumulated rates of 1 are 1, 2, 3, 4, 5.
    none = "nothing_left"
    assert found == ["1", "2", none, "1", none, none, none, "1", none]


def test_rank_roll_up_as_published() -> None:
    ranks = ("Bronze", "Silver", "Gold", "Diamond", "Platinum")
    rates = [rate(str(i), card=c) for i, c in enumerate(ranks, 1)]
    component = part("lot", *rates, mode="rank", ranks=ranks)
    found = lines(plan(component), trade(), UPWARD)
    assert [x.amount_e8 // 10**8 for x in found] == [1, 5, 0, 4, 0, 0, 0, 5, 0]
    assert sum(x.amount_e8 for x in found) == 15 * 10**8


def test_percent_of_child_gross_or_net_of_the_rebate() -> None:
    known = {"mode": "percent_of_child", "splits": (split("0.2"),)}
    assert paid(part("lot", TEN, **known), trade(), ["a"] * 3) == ["10", "2", "0.4"]
    before = part("lot", TEN, rebate=Rebate(Fraction("0.5"), "before"), **known)
    assert paid(before, trade(), ["a"] * 3) == ["5", "5", "1", "0.2"]
    after = part("lot", TEN, rebate=Rebate(Fraction("0.5"), "after"), **known)
    assert paid(after, trade(), ["a"] * 3) == ["5", "5", "2", "0.4"]


def test_caps_per_order() -> None:
    component = part("lot", rate("60"), caps=(Cap(1, Fraction(100), "order", currency="USD"),))
    assert paid(component, trade("1")) == ["60"]
    assert paid(component, trade("2")) == ["100"]
    assert lines(plan(component), trade("2"))[0].capped


def test_a_level_skipped_keeps_the_numbers_above() -> None:
    component = part("lot", rate("1", level=1), rate("2", level=2), rate("3", level=3),
                     skip_levels=(2,))  # fmt: skip
    assert paid(component, trade(), ["a"] * 3) == ["1", "3"]


def test_a_level_without_terms_makes_those_above_wait() -> None:
    component = part("lot", rate("7", card="m"), rate("5", card="s"), mode="difference")
    assert paid(component, trade(), ["s", None, "m"]) == ["5", "no_terms", "child_waits"]


def test_the_words_of_a_difference() -> None:
    rates = [rate("5", card="sub"), rate("7", card="master")]
    component = part("lot", *rates, mode="difference")
    _, upper = lines(plan(component), trade("2"), ["sub", "master"])
    steps = dict(upper.working)
    assert steps["in words"] == (
        "2.00 lots x 7.00 USD = 14.00 USD; IB-1 already took 10.00 USD; your difference 4.00 USD"
    )
