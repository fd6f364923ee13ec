"""Who earns, who waits and for what: one small story each, told by kernel and twin alike."""

from __future__ import annotations

from fractions import Fraction

import pytest
from rating_worlds import Person, Row, World, kernel_lines, twin_lines

from pipshare.market.fx import FxRow
from pipshare.plans.terms import Component, Programme, RateRule
from pipshare.rating import deals
from pipshare.rating.places import GroupPlace, SymbolPlace

LOT = 10**8
EVERY = [(0, (1, "standard"))]


def rule(ordinal: int = 0, amount: str = "2", **known: object) -> RateRule:
    values = {"card": "*", "level": None, "currency": "USD", **known}
    return RateRule(ordinal=ordinal, line=ordinal + 1, amount=Fraction(amount), **values)  # type: ignore[arg-type]


def programme(*rules: RateRule, min_hold_s: int | None = None, **known: object) -> Programme:
    values = {"depth": 9, "unknown_opening": "wait", **known}
    part = Component("lots", "lot", "per_level", min_hold_s, rules or (rule(),))
    return Programme("p", "main", "P", 0, "USD", components=(part,), **values)  # type: ignore[arg-type]


def told(
    people: list[Person], *trades: Row, plan: Programme | None = None,
    history: list[tuple[int, Programme]] | None = None, **known: object,
) -> list[tuple[object, ...]]:  # fmt: skip
    """Rate; returns (trade, level, reason or wait, amount or key) of each line."""
    world = World(
        {1: history or [(0, plan or programme())], 2: [(0, programme())]},
        people,
        [SymbolPlace("EURUSD", "forex"), SymbolPlace("GBPUSD.x", "", known=False)],
        [GroupPlace("real", "", Fraction(1)), GroupPlace("cents", "", None)],
        [tuple(person.id for person in people)],
        list(trades),
        [FxRow(7, "EUR", "USD", 0, Fraction("1.0850")), FxRow(8, "USD", "GBP", 0, Fraction(3, 4))],
    )
    lines = kernel_lines(world.rated())
    assert lines == twin_lines(world)
    return [(x[0], x[2], x[4], x[9] if len(x) > 6 else x[5]) for x in lines]


def test_a_direct_ib_without_terms_makes_the_whole_trade_wait() -> None:
    people = [Person(5), Person(6, terms=EVERY)]
    assert told(people, Row(LOT)) == [(0, 0, "no_terms", "5")]


def test_an_upline_without_terms_waits_alone() -> None:
    people = [Person(5, terms=EVERY), Person(6), Person(7, terms=EVERY)]
    assert told(people, Row(LOT)) == [
        (0, 1, "PAID", 2 * LOT),
        (0, 2, "no_terms", "6"),
        (0, 3, "PAID", 2 * LOT),
    ]


def test_an_upline_without_terms_does_not_wait_where_no_card_pays_his_level() -> None:
    people = [Person(5, terms=EVERY), Person(6)]
    assert told(people, Row(LOT), plan=programme(rule(level=1))) == [(0, 1, "PAID", 2 * LOT)]


def test_earning_nothing_on_purpose_is_no_line() -> None:
    nothing = [(0, (None, ""))]
    assert told([Person(5, terms=nothing), Person(6, terms=EVERY)], Row(LOT)) == []
    people = [Person(5, terms=EVERY), Person(6, terms=nothing)]
    assert told(people, Row(LOT)) == [(0, 1, "PAID", 2 * LOT)]


@pytest.mark.parametrize(("says", "count"), [("none", 1), ("pay", 2)])
def test_an_upline_in_another_programme(says: str, count: int) -> None:
    people = [Person(5, terms=EVERY), Person(6, terms=[(0, (2, "gold"))])]
    plan = programme(rule(), rule(1, "9", card="gold"), other_programmes=says)
    lines = told(people, Row(LOT), plan=plan)
    assert [line[3] for line in lines] == [2 * LOT] * count


def test_before_the_first_version_the_trade_waits() -> None:
    history = [(1000, programme())]
    lines = told([Person(5, terms=EVERY)], Row(LOT, close=999), Row(LOT), history=history)
    assert lines == [(0, 0, "not_in_force", "5"), (1, 1, "PAID", 2 * LOT)]


def test_status_terms_and_version_hold_from_their_moment() -> None:
    person = Person(
        5, go_live_ms=100, statuses=[(300, "suspended"), (400, "terminated")],
        terms=[(0, (1, "a")), (200, (1, "b"))],
    )  # fmt: skip
    plan = programme(rule(0, "1", card="a"), rule(1, "2", card="b"))
    later = programme(rule(0, "1", card="a"), rule(1, "3", card="b"))
    moments = [99, 100, 199, 200, 249, 250, 300, 399, 400]
    lines = told([person], *(Row(LOT, close=m) for m in moments), history=[(0, plan), (250, later)])
    assert [line[2] for line in lines] == [
        "BEFORE_PARTNER_GO_LIVE", *["PAID"] * 7, "TERMINATED",
    ]  # fmt: skip
    assert [line[3] for line in lines] == [n * LOT for n in (0, 1, 1, 2, 2, 3, 3, 3, 0)]


def test_many_changes_are_searched_and_few_are_compared() -> None:
    terms = [(100 * i, (1, f"card{i}")) for i in range(12)]
    plan = programme(*(rule(i, str(i + 1), card=f"card{i}") for i in range(12)))
    rows = [Row(LOT, close=100 * i + d) for i in range(12) for d in (0, 99)]
    expected = [(i + 1) * LOT for i in range(12) for _ in range(2)]
    lines = told([Person(5, terms=terms)], *rows, plan=plan)
    assert sorted(lines) == [(i, 1, "PAID", amount) for i, amount in enumerate(expected)]
    assert deals._LOOKED_AT < 12


def test_suspended_accrues_held() -> None:
    people = [Person(5, terms=EVERY, statuses=[(0, "suspended")]), Person(6, terms=EVERY)]
    world = World({1: [(0, programme())]}, people, [SymbolPlace("EURUSD", "")],
                  [GroupPlace("", "", Fraction(1))], [(5, 6)], [Row(LOT)])  # fmt: skip
    lines = world.rated().lines
    assert lines.held.tolist() == [True, False]
    assert lines.amount_e8.tolist() == [2 * LOT, 2 * LOT]


def test_a_cancelled_trade_has_lines_of_zero_and_waits_for_nothing() -> None:
    people = [Person(5, terms=EVERY), Person(6)]
    row = Row(LOT, cancelled=True, symbol=1)
    assert told(people, row) == [(0, 1, "CANCELLED", 0), (0, 2, "CANCELLED", 0)]
    assert told([Person(5), Person(6)], row) == []


def test_own_trading_pays_unless_the_programme_says_none() -> None:
    people = [Person(5, own_client=77, terms=EVERY), Person(6, terms=EVERY)]
    assert [x[2] for x in told(people, Row(LOT, client=77))] == ["PAID", "PAID"]
    plan = programme(own_trading="none")
    assert [x[2] for x in told(people, Row(LOT, client=77), plan=plan)] == ["OWN_TRADING", "PAID"]
    assert [x[2] for x in told(people, Row(LOT, client=78), plan=plan)] == ["PAID", "PAID"]


def test_an_unknown_opening_waits_or_is_paid_as_the_programme_says() -> None:
    people, row = [Person(5, terms=EVERY)], Row(LOT, hold_ms=-1)
    assert told(people, row, plan=programme(min_hold_s=180)) == [(0, 1, "opening_unknown", "")]
    pays = programme(min_hold_s=180, unknown_opening="pay")
    assert told(people, row, plan=pays) == [(0, 1, "PAID", 2 * LOT)]


def test_unpriced_is_not_nothing() -> None:
    plan = programme(rule(symbol="XAUUSD", level=1))
    people = [Person(5, terms=EVERY), Person(6, terms=EVERY)]
    assert told(people, Row(LOT), plan=plan) == [(0, 1, "unpriced", "EURUSD")]


def test_an_unknown_symbol_is_paid_only_when_knowing_it_could_not_matter() -> None:
    people, row = [Person(5, terms=EVERY)], Row(LOT, symbol=1)
    assert told(people, row) == [(0, 1, "PAID", 2 * LOT)]
    metals = programme(rule(), rule(1, "9", symbol_group="metals"))
    assert told(people, row, plan=metals) == [(0, 1, "unpriced", "GBPUSD.x")]
    named = programme(rule(), rule(1, "9", symbol="gbpusd.X"))
    assert told(people, row, plan=named) == [(0, 1, "PAID", 9 * LOT)]
    card = programme(rule(0, "3", card="standard"), rule(1, "9", symbol_group="metals"))
    assert told(people, row, plan=card) == [(0, 1, "PAID", 3 * LOT)]


def test_nobody_guesses_the_lots_of_a_cent_account() -> None:
    row = Row(LOT, group=1)
    assert told([Person(5, terms=EVERY)], row) == [(0, 1, "no_lot_factor", "cents")]


def test_wallets_are_converted_from_the_exact_product() -> None:
    euros = [Person(5, currency="USD", terms=EVERY), Person(6, currency="EUR", terms=EVERY)]
    plan = programme(rule(0, "1/3", currency="EUR"))
    # 1/3 EUR is 0.33333333 EUR; in dollars it is 1.085 / 3, not 1.085 x 0.33333333.
    assert told(euros, Row(LOT), plan=plan) == [
        (0, 1, "PAID", 36_166_667),
        (0, 2, "PAID", 33_333_333),
    ]


def test_a_missing_fx_rate_waits() -> None:
    people = [Person(5, currency="JPY", terms=EVERY), Person(6, currency="GBP", terms=EVERY)]
    late = 8 * 86_400_000
    lines = told(people, Row(LOT), Row(LOT, close=late))
    assert lines == [
        (0, 1, "no_fx", "USD/JPY"),
        (0, 2, "PAID", 3 * LOT // 2),
        (1, 1, "no_fx", "USD/JPY"),
        (1, 2, "no_fx", "USD/GBP"),
    ]


def test_an_amount_that_cannot_be_stops_no_other() -> None:
    huge = programme(rule(0, "1000000"))
    rows = [Row(10**15), Row(LOT)]
    assert told([Person(5, terms=EVERY)], *rows, plan=huge) == [
        (0, 1, "too_large", ""),
        (1, 1, "PAID", 10**6 * LOT),
    ]
