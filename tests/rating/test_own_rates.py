"""Where no exchange rate is recorded, the rate that the trade itself came with stands in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_settled_frames import PARTNERS, Told, book, facts_of, frame, rate, told

from pipshare import rating
from pipshare.market import DEAL_ID, FxRow, FxTable
from pipshare.rating.own_rates import OwnRates
from pipshare.rating.twin.fx import own_rate
from pipshare.rating.twin_values import OwnRate, TwinResult

LOT = 10**8
NAMES = ("USD", "EUR", "USC", "EUC", "JPY", "")
RATES = st.one_of(st.sampled_from([0, -1, 1, 92_000_000, 2**63 - 1]), st.integers(1, 2**62))
PAIRS = [("USD", "EUR"), ("EUC", "USD"), ("USC", "EUC"), ("JPY", "USC"), ("GBP", "USD")]
MONEY = st.integers(-1, len(NAMES) - 1)
# Wallets in euros; the direct IB earns 6.50 USD a lot, the one above 1/3 EUR.
EUROS = replace(PARTNERS, currencies=("EUR",))


@given(st.lists(st.tuples(RATES, MONEY, MONEY), max_size=8), st.sampled_from(PAIRS))
@example([(92_000_000, 0, 1), (92_000_000, 3, 2), (92_000_000, -1, 1)], ("USD", "EUR"))
def test_columns_equal_fractions(rows: list[tuple[int, int, int]], pair: tuple[str, str]) -> None:
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    own = OwnRates(columns[0], columns[1].astype(np.int32), columns[2].astype(np.int32),
                   NAMES, NAMES)  # fmt: skip
    places = np.arange(len(rows))[::-1]
    found = own.find_pair(*pair, places)
    for at, (rate_e8, base, quote) in enumerate(reversed(rows)):
        wanted = None
        if rate_e8 > 0 and base >= 0 and quote >= 0:
            facts = OwnRate(NAMES[base], NAMES[quote], Fraction(rate_e8, LOT), DEAL_ID, "")
            wanted = own_rate(facts, *pair)
        assert bool(found.found[at]) == (wanted is not None)
        if wanted is not None:
            assert Fraction(int(found.top[at]), int(found.bottom[at])) == wanted[0]
            assert int(found.id[at]) == wanted[1]


@pytest.mark.parametrize(
    ("own", "wanted", "rate", "sign"),
    [
        (("USD", "EUR", "0.92"), ("USD", "EUR"), Fraction("0.92"), 1),
        (("USD", "EUR", "0.92"), ("EUR", "USD"), 1 / Fraction("0.92"), -1),
        (("USD", "EUC", "92"), ("USD", "EUR"), Fraction("0.92"), 1),  # 1 USD is 92 euro cents
        (("USD", "EUC", "92"), ("EUC", "USD"), Fraction(1, 92), -1),
        (("USD", "EUR", "0.92"), ("USC", "EUC"), Fraction("0.92"), 1),
        (("USD", "EUR", "0.92"), ("USC", "EUR"), Fraction("0.0092"), 1),
    ],
)
def test_a_pair_may_be_turned_round_or_be_in_cents(
    own: tuple[str, str, str], wanted: tuple[str, str], rate: Fraction, sign: int
) -> None:
    base, quote, text = own
    found = own_rate(OwnRate(base, quote, Fraction(text), DEAL_ID, "ticket 1"), *wanted)
    assert found is not None
    assert found[:2] == (rate, sign * DEAL_ID)


def rated(trades: pl.DataFrame, fx: FxTable, currency: str = "EUR") -> list[Any]:
    """Rate trades of accounts in one currency, by kernel and twin alike; return lines and waits."""
    result = rate(trades, _introduced(trades, currency), fx, EUROS)
    lines = result.lines
    kernel = [(row, level, amount, number) for row, level, amount, number in zip(*(
        c.tolist() for c in (lines.trade_row, lines.level, lines.amount_e8, lines.fx_id)
    ), strict=True)]  # fmt: skip
    kernel += [(row, level, reason, key)
               for row, _, level, _, reason, key in result.waits.rows()]  # fmt: skip
    assert sorted(kernel, key=repr) == sorted(
        ((row, line.level, line.wait.word, line.key) if line.wait else
         (row, line.level, line.amount_e8, line.fx_id)
         for row in range(len(trades)) for line in by_hand(trades, row, fx, currency).lines),
        key=repr,
    )  # fmt: skip
    return sorted(kernel, key=repr)


def _introduced(trades: pl.DataFrame, currency: str) -> Told:
    return replace(told(*[[0] * len(trades)] * 3, [1] * len(trades)), currencies=[currency])


def by_hand(trades: pl.DataFrame, row: int, fx: FxTable, currency: str) -> TwinResult:
    facts = facts_of(trades, _introduced(trades, currency), row)

    def find(base: str, quote: str, utc_ms: int) -> tuple[Fraction, int, str] | None:
        found = fx.find(base, quote, utc_ms)
        return None if found is None else (*found, "file")

    return rating.rate_one(facts, rating.chain_facts((30, 20), book(), EUROS), find)


TRADE = {"rate_profit_e8": 92_000_000, "ticket": 501}
NO_FX = FxTable([])


def test_a_euro_account_brings_the_rate_of_its_trade() -> None:
    """A plan in dollars, a wallet and an account in euros, a profit in dollars at 0.92."""
    trades = frame(TRADE)
    assert rated(trades, NO_FX) == [
        (0, 1, 8 * 92 * LOT // 100, DEAL_ID),
        (0, 2, 33_333_333, 0),
    ]
    direct = by_hand(trades, 0, NO_FX, "EUR").lines[0]
    assert [(step.label, step.text) for step in direct.working][-3:] == [
        ("=", "8.00 USD"),
        ("FX", "USD/EUR 0.92 (the deal's own rate USD/EUR 0.92, ticket 501)"),
        ("=", "7.36 EUR"),
    ]


def test_a_recorded_rate_comes_first_and_only_where_it_holds() -> None:
    day = 86_400_000
    fx = FxTable([FxRow(7, "EUR", "USD", 100_000, Fraction("1.25"))])
    before, late = {"close_utc": 99_999}, {"close_utc": 100_001 + 7 * day}
    trades = frame(TRADE, {**TRADE, **before}, {**TRADE, **late})
    assert [line[2:] for line in rated(trades, fx) if line[1] == 1] == [
        (640_000_000, -7), (736_000_000, DEAL_ID), (736_000_000, DEAL_ID),
    ]  # fmt: skip


def test_each_trade_has_its_own_rate_or_none() -> None:
    trades = frame(TRADE, {}, {**TRADE, "rate_profit_e8": 91_000_000}, {"rate_profit_e8": -1})
    assert [line[2:] for line in rated(trades, NO_FX) if line[1] == 1] == [
        (736_000_000, DEAL_ID), ("no_fx", "USD/EUR"), (728_000_000, DEAL_ID), ("no_fx", "USD/EUR"),
    ]  # fmt: skip


@pytest.mark.parametrize("currency", ["", "GBP", "USD"])
def test_a_rate_of_an_account_in_another_or_no_currency_is_of_no_use(currency: str) -> None:
    assert rated(frame(TRADE), NO_FX, currency)[0] == (0, 1, "no_fx", "USD/EUR")


def test_a_symbol_nobody_has_loaded_has_no_profit_currency() -> None:
    # The account's group has a rate for whatever symbol; what the profit was in nobody knows.
    assert rated(frame({**TRADE, "symbol": "GBPUSD"}), NO_FX) == [
        (0, 1, "no_fx", "USD/EUR"),
        (0, 2, 33_333_333, 0),
    ]
