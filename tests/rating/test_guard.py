"""The margin guard: revenue of a trade against what its chain is paid, kernel and twin alike."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rating_worlds import Line, Person, World, kernel_lines
from twin_stories import fx, part, rate, share

from pipshare.market.fx import FxRow, FxTable
from pipshare.plans.periods import Guard
from pipshare.plans.terms import Component, Programme, Rebate, Rounding, Split
from pipshare.rating import twin_values as tv
from pipshare.rating.columns import TradeColumns
from pipshare.rating.guard_parts import cut, totals
from pipshare.rating.payees import payees
from pipshare.rating.places import Dated, GroupPlace, SymbolPlace
from pipshare.rating.rate import rate_trades
from pipshare.rating.rated import Rated
from pipshare.rating.twin import rate_one

LOT = 10**8
SPOT = SymbolPlace("EURUSD", "forex", currency="USD", digits=5, contract_e8=100_000 * LOT)
GROUPS = [GroupPlace("real", "ecn", Fraction(1))]
TWO_LEVELS = part("lot", rate("7", level=1), rate("2", level=2), code="lots")


class Story:
    """A world of quoted and charged trades: `trades` are dicts of columns, by their names."""

    def __init__(
        self, guard: Guard | None, *parts: Component, symbol: SymbolPlace = SPOT,
        wallets: tuple[str, ...] = ("USD", "USD"), rates: tuple[FxRow, ...] = (),
    ) -> None:  # fmt: skip
        everyone = [
            Person(i, wallet, terms=[(0, (1, "std"))]) for i, wallet in enumerate(wallets, 1)
        ]
        plan = Programme("p", "main", "P", 0, "USD", 9, "wait", parts or (TWO_LEVELS,), guard=guard)
        self.symbol, self.table = symbol, FxTable(rates)
        self.world = World(
            {1: [(0, plan)]}, everyone, [symbol], GROUPS, [tuple(p.id for p in everyone)], []
        )

    def rated(self, *trades: dict[str, Any]) -> Rated:
        people = payees([(p.id, p.currency, p.own_client, p.go_live_ms, p.statuses)
                         for p in self.world.persons])  # fmt: skip
        return rate_trades(
            _columns(trades), [self.symbol], GROUPS, self.world.chains, book=self.world.book(),
            payees=people, fx=self.table,
        )  # fmt: skip

    def twin(self, *trades: dict[str, Any]) -> list[Line]:
        out: list[Line] = []
        versions = tuple(
            (v.valid_from_ms, tv.Version(v.number, v.programme, v.component_ids, v.rate_ids))
            for v in self.world.versions()
        )
        terms = ((0, tv.TermsFacts(tv.ProgrammeHistory(1, "p", versions), "std")),)
        chain = tuple(
            tv.Partner(p.id, f"IB{p.id}", p.currency, (), terms) for p in self.world.persons
        )
        for row, trade in enumerate(trades):
            for x in rate_one(_facts(trade, self.symbol), chain, self._fx).lines:
                if x.wait is not None:
                    out.append((row, x.component_id, x.level, x.partner_id, x.wait.word, x.key))
                else:
                    out.append((row, x.component_id, x.level, x.partner_id, x.reason.name,
                                x.rate_id, x.currency, x.orig_e8, x.wallet, x.amount_e8, x.fx_id,
                                x.held, ""))  # fmt: skip
        return sorted(out, key=repr)

    def _fx(self, base: str, quote: str, ms: int, side: str = "mid") -> Any:
        found = self.table.find(base, quote, ms)
        return None if found is None else (*found, "test")

    def told(self, *trades: dict[str, Any]) -> list[tuple[object, ...]]:
        """Rate; returns (trade, level, reason or wait, original amount or key) of each line."""
        lines = kernel_lines(self.rated(*trades))
        assert lines == self.twin(*trades)
        return [(x[0], x[2], x[4], x[7] if len(x) > 6 else x[5]) for x in lines]


def trade(lots: str = "1", commission: str | None = "0", **known: Any) -> dict[str, Any]:
    """A trade with a spread of 0.4 points (4 USD per lot) at both ends, and this commission."""
    values = {
        "lots_e8": int(Fraction(lots) * LOT), "swap_e8": 0, "currency": "USD",
        "commission_e8": None if commission is None else int(Fraction(commission) * LOT),
        "open_bid_e8": 117521000, "open_ask_e8": 117525000, "close_bid_e8": 117612000,
        "close_ask_e8": 117616000,
    }  # fmt: skip
    return values | known


def _columns(trades: tuple[dict[str, Any], ...]) -> TradeColumns:
    count = len(trades)

    def column(name: str, kind: Any = np.int64) -> Any:
        held = [one.get(name) for one in trades]
        return None if all(one is None for one in held) else np.array(held, kind)

    zeros = np.zeros(count, np.int32)
    names = tuple(dict.fromkeys(one["currency"] for one in trades))
    return TradeColumns(
        column("lots_e8"), np.full(count, 3_600_000), np.full(count, 1000),
        np.ones(count, np.int64), zeros, zeros, zeros,
        **{name: column(name) for name in ("commission_e8", "swap_e8", "open_bid_e8",
           "open_ask_e8", "close_bid_e8", "close_ask_e8")},
        currency=np.array([names.index(one["currency"]) for one in trades], np.int32),
        account_currencies=names,
    )  # fmt: skip


def _facts(one: dict[str, Any], symbol: SymbolPlace) -> tv.TradeFacts:
    usual = symbol.typical[0].points if symbol.typical else None
    quoted: dict[str, Any] = {"open_quote": "deal", "close_quote": "deal"}
    kept = {name: value for name, value in one.items() if name not in ("lots_e8", "currency")}
    return tv.TradeFacts(
        one["lots_e8"], 3_600_000, 1000, 1, False, symbol.name, symbol.symbol_group, True,
        "real", "ecn", Fraction(1), currency=one["currency"], digits=symbol.digits,
        contract_e8=symbol.contract_e8, profit_currency=symbol.currency, typical_points=usual,
        **quoted, **kept,
    )  # fmt: skip


def test_within_the_limit_nothing_changes() -> None:
    assert Story(Guard(1, "cap")).told(trade(commission="-5")) == [
        (0, 1, "PAID", 7 * LOT), (0, 2, "PAID", 2 * LOT),
    ]  # fmt: skip
    assert Story(None).told(trade(commission="0"))[0] == (0, 1, "PAID", 7 * LOT)


def test_cap_cuts_in_proportion_to_the_limit_exactly() -> None:
    # Spread 4 USD and commission 2: 6 for 9, so 4.66666666 and 1.33333333, and one digit is left.
    told = Story(Guard(1, "cap")).told(trade(commission="-2"))
    assert told == [(0, 1, "PAID", 466_666_667), (0, 2, "PAID", 133_333_333)]


def test_a_limit_below_one_and_other_kinds_of_revenue() -> None:
    told = Story(Guard(1, "cap", Fraction(1, 2), ("commission", "swap"))).told(
        trade(commission="-7", swap_e8=-3 * LOT)
    )
    assert [one[3] for one in told] == [388_888_889, 111_111_111]


def test_warn_pays_and_tells() -> None:
    rated = Story(Guard(1, "warn")).rated(trade(), trade(commission="-9"))
    assert rated.guarded is not None
    assert rated.guarded.to_dicts() == [{
        "trade_row": 0, "version_id": 110_000, "programme": "p", "action": "warn",
        "currency": "USD", "revenue_e8": 4 * LOT, "limit_e8": 4 * LOT, "paid_e8": 9 * LOT,
    }]  # fmt: skip
    assert rated.lines.orig_e8.tolist() == [7 * LOT, 2 * LOT] * 2


def test_block_lets_the_trade_wait() -> None:
    assert Story(Guard(1, "block")).told(trade(), trade(commission="-5")) == [
        (0, 1, "blocked", ""), (0, 2, "blocked", ""),
        (1, 1, "PAID", 7 * LOT), (1, 2, "PAID", 2 * LOT),
    ]  # fmt: skip


def test_a_broker_who_loses_pays_nothing() -> None:
    told = Story(Guard(1, "cap", of=("commission",))).told(trade(commission="1"))
    assert told == [(0, 1, "OVER_REVENUE", 0), (0, 2, "OVER_REVENUE", 0)]


@pytest.mark.parametrize("action", ["cap", "block"])
def test_revenue_that_cannot_be_told_waits(action: str) -> None:
    story = Story(Guard(1, action))  # type: ignore[arg-type]
    assert [one[2] for one in story.told(trade(open_bid_e8=0))] == ["no_quote"] * 2
    assert [one[2] for one in story.told(trade(commission=None))] == ["no_money"] * 2
    assert [one[2:] for one in story.told(trade(commission="-1", currency="JPY"))] == [
        ("no_fx", "JPY/USD")
    ] * 2


def test_revenue_that_cannot_be_told_is_warned_of() -> None:
    rated = Story(Guard(1, "warn")).rated(trade(open_bid_e8=0))
    assert rated.guarded is not None
    assert rated.guarded["action"].to_list() == ["unclear"]
    assert rated.lines.reason.tolist() == [0, 0]


def test_currencies_are_brought_together() -> None:
    rates = (FxRow(7, "EUR", "USD", 0, Fraction("1.25")),)
    story = Story(Guard(1, "cap"), wallets=("USD", "EUR"), rates=rates)
    told = kernel_lines(story.rated(trade(commission="-1.6", currency="EUR")))
    assert told == story.twin(trade(commission="-1.6", currency="EUR"))
    # Revenue is 4 + 1.6 x 1.25 = 6 USD; the second wallet is in euros.
    assert [one[9] for one in told] == [466_666_667, 106_666_666]


def test_clients_and_what_builds_up() -> None:
    rebated = part("lot", rate("8", level=1), code="lots", rebate=Rebate(Fraction(1, 4)))
    counted = part("lot", rate("50", level=1), per="day", code="later")
    told = Story(Guard(1, "cap"), rebated, counted).told(trade())
    assert told == [(0, 0, "PAID", LOT), (0, 1, "PAID", 3 * LOT)]


def test_parts_are_cut_to_the_last_digit() -> None:
    values, number = np.array([3, 3, 3, 7]), np.array([0, 0, 0, 1])
    assert cut(values, number, np.array([5, 0])).tolist() == [3, 1, 1, 0]
    large = np.array([2**62, 2**62])
    assert totals(large, np.zeros(2, np.int64), 1).tolist() == [2**63 - 1]
    assert cut(large, np.array([0, 1]), np.array([2**61, 5])).tolist() == [2**61, 5]


@given(st.integers(0, 2**63))
@settings(max_examples=60, deadline=None)
def test_kernel_and_twin_agree_and_caps_are_met(seed: int) -> None:
    rnd = Random(seed)
    story, trades = _random(rnd)
    rated = story.rated(*trades)
    assert kernel_lines(rated) == story.twin(*trades)
    _caps_are_met(story, rated)


def _caps_are_met(story: Story, rated: Rated) -> None:
    """Where every line has the first line's currency, those that were cut sum to the limit."""
    if rated.guarded is None:
        return
    lines = rated.lines
    for one in rated.guarded.filter(action="cap").to_dicts():
        mine = lines.trade_row == one["trade_row"]
        codes = set(lines.currency[mine & (lines.reason == 0)].tolist())
        if {rated.currencies[code] for code in codes} <= {one["currency"]}:
            assert int(lines.orig_e8[mine].sum()) == one["limit_e8"]


def _random(rnd: Random) -> tuple[Story, list[dict[str, Any]]]:
    kinds = [kind for kind in ("spread", "commission", "swap") if rnd.random() < 0.6]
    guard = Guard(
        1, rnd.choice(("warn", "cap", "cap", "block")), Fraction(rnd.choice(("1", "0.3", "1/3"))),
        tuple(kinds) or ("commission",),  # type: ignore[arg-type]
    )  # fmt: skip
    how = rnd.choice((Rounding(), Rounding(wallet=2), Rounding(amount=1, wallet=3, how="up")))
    parts = [
        part("lot", rate(rnd.choice(("7", "1/3")), rnd.choice(("USD", "EUR")), level=1),
             rate("2", level=2), code="lots", rounding=how,
             rebate=rnd.choice((None, Rebate(Fraction(1, 3))))),
        part("spread", share("0.35"), code="spread", mode="per_level"),
        part("commission", share("0.5", level=1), code="paid", mode="share_up",
             splits=(Split(1, "*", None, Fraction(1, 5)),)),
    ]  # fmt: skip
    typical = (Dated(Fraction("1.5")),) if rnd.random() < 0.5 else ()
    story = Story(
        guard, *parts[: rnd.randint(1, 3)], symbol=replace(SPOT, typical=typical),
        wallets=tuple(rnd.choice(("USD", "EUR", "JPY")) for _ in range(rnd.randint(1, 3))),
        rates=(FxRow(7, "EUR", "USD", 0, Fraction("1.25")),
               FxRow(8, "USD", "JPY", 0, Fraction("151.3"))),
    )  # fmt: skip
    trades = [
        trade(rnd.choice(("1", "0.01", "3")), rnd.choice(("0", "-3", "-20", "2", "-0.33333333")),
              swap_e8=rnd.choice((0, -LOT, LOT // 3)), currency=rnd.choice(("USD", "EUR", "GBP")),
              open_bid_e8=rnd.choice((117521000, 117521000, 0)))
        for _ in range(rnd.randint(1, 6))
    ]  # fmt: skip
    return story, trades


def test_the_working_says_what_the_guard_did() -> None:
    story = Story(Guard(1, "cap"))
    versions = story.world.versions()
    terms = tv.TermsFacts(
        tv.ProgrammeHistory(1, "p", ((0, tv.Version(1, versions[0].programme,
                                                    versions[0].component_ids,
                                                    versions[0].rate_ids)),)), "std")  # fmt: skip
    chain = (tv.Partner(1, "IB1", "USD", (), ((0, terms),)),)
    line = rate_one(_facts(trade(commission="-1"), SPOT), chain, fx()).lines[0]
    said = {step.label: step.text for step in line.working}
    assert said["margin guard"] == (
        "spread 4.00 USD + commission 1.00 USD, of that 100 %: 5.00 USD; the chain would be paid"
        " 7.00 USD"
    )
    assert line.working[-1].text == "cut to 5.00 USD"
