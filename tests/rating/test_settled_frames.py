"""A frame of settled trades and its attribution, rated by name: kernel and twin read it alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipshare import rating
from pipshare.errors import Missing
from pipshare.market.fx import FxRow, FxTable
from pipshare.market.groups import GroupRow
from pipshare.market.symbols import SymbolBook, SymbolRow
from pipshare.partners.info import PartnerInfo
from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.parse import parse
from pipshare.rating.placed import placed
from pipshare.rating.reasons import Reason
from pipshare.rating.twin_values import TradeFacts

LOT = 10**8
PLAN = """
[programme]
code = "ecn"
currency = "USD"
levels = 2
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
min_hold_seconds = 60
[[component.rate]]
level = 1
symbol_group = "forex"
amount = "6.50"
[[component.rate]]
level = 1
account_group = 'real\\vip-*'
amount = "8"
[[component.rate]]
level = 2
amount = "1/3"
currency = "EUR"
"""
SYMBOLS = SymbolBook([SymbolRow(4, "EURUSD", "forex", 5, 10**13, "USD")], [".m"])
GROUPS = [
    GroupRow(1, "real\\*", "ecn", Fraction(1), "normal", "", 0),
    GroupRow(2, "cent", "cent", Fraction(1, 100), "normal", "USC", 0),
]
NAMES = ["real\\vip-eu", "cent", "lost"]


def longs(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@dataclass
class Told:
    """Attribution as rating takes it."""

    standing: np.ndarray
    chain: np.ndarray
    group: np.ndarray
    group_name: np.ndarray
    currency: np.ndarray
    client_id: np.ndarray
    chains: list[tuple[int, ...]] = field(default_factory=lambda: [(30, 20)])
    groups: list[GroupRow] = field(default_factory=lambda: GROUPS)
    group_names: list[str] = field(default_factory=lambda: NAMES)
    currencies: list[str] = field(default_factory=lambda: ["USD", "USC"])


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    plain = {"symbol": "eurusd.M", "lots_e8": LOT, "open_ms": 1_000, "close_ms": 100_000,
             "close_utc": 100_000, "opening": 1, "state": 1, "ticket": 77,
             "rate_profit_e8": 0}  # fmt: skip
    return pl.DataFrame([{**plain, **row} for row in rows])


def told(group: list[int], name: list[int], currency: list[int], standing: list[int]) -> Told:
    count = len(group)
    introduced = np.array(standing) == 1
    return Told(
        np.array(standing, np.int8), np.where(introduced, 0, -1).astype(np.int32),
        np.array(group, np.int32), np.array(name, np.int32), np.array(currency, np.int32),
        np.full(count, 9, np.int64),
    )  # fmt: skip


def book() -> Book:
    programme = parse(PLAN, "ecn.toml")
    version = Version(1, 1, 1, 0, programme, (11,), ((101, 102, 103),))
    return Book([version], [Terms(1, 1, "standard")], (longs(1), longs(0), longs(0)),
                (longs(20, 30), longs(0, 0), longs(0, 0)))  # fmt: skip


PARTNERS = PartnerInfo(
    longs(20, 30), ("up", "ib"), longs(1, 1), np.array([0, 0], np.int32), ("USD",), longs(-1, -1),
    longs(0, 0), (longs(20), longs(0), longs(1)),
)  # fmt: skip
FX = FxTable([FxRow(7, "EUR", "USD", 0, Fraction("1.0850"))])


def rate(
    trades: pl.DataFrame, who: Told, fx: FxTable = FX, partners: PartnerInfo = PARTNERS
) -> rating.Rated:
    made = placed(trades, who, SYMBOLS)
    return rating.rate_trades(
        made.trades, made.symbols, made.groups, made.chains, book=book(),
        payees=rating.payees_of(partners), fx=fx,
    )  # fmt: skip


def facts_of(trades: pl.DataFrame, who: Told, row: int) -> TradeFacts:
    """The values of an introduced trade, as the twin is given them."""
    made = placed(trades, who, SYMBOLS)
    return rating.column_facts(made.trades, made.symbols, made.groups, row)


def test_names_find_their_rates() -> None:
    trades = frame({}, {}, {"symbol": "GBPUSD"}, {"close_ms": 60_999}, {}, {"state": 0})
    who = told([0, 1, 1, 1, -1, 0], [0, 1, 1, 1, 2, 0], [0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 2, 1])
    rated = rate(trades, who)
    lines = rated.lines
    found = list(zip(*(c.tolist() for c in (
        lines.trade_row, lines.level, lines.partner_id, lines.rate_id, lines.reason,
        lines.orig_e8, lines.amount_e8, lines.fx_id, lines.held)), strict=True))  # fmt: skip
    third = 36_166_667  # 1.085 / 3
    assert found == [
        (0, 1, 30, 102, Reason.PAID, 8 * LOT, 8 * LOT, 0, False),
        (0, 2, 20, 103, Reason.PAID, 33_333_333, third, 7, True),
        (1, 1, 30, 101, Reason.PAID, 6_500_000, 6_500_000, 0, False),
        (1, 2, 20, 103, Reason.PAID, 333_333, 361_667, 7, True),
        (2, 2, 20, 103, Reason.PAID, 333_333, 361_667, 7, True),
        (3, 1, 30, 0, Reason.TOO_SHORT, 0, 0, 0, False),
        (3, 2, 20, 0, Reason.TOO_SHORT, 0, 0, 0, True),
        (5, 1, 30, 0, Reason.CANCELLED, 0, 0, 0, False),
        (5, 2, 20, 0, Reason.CANCELLED, 0, 0, 0, True),
    ]
    assert [rated.currencies[c] for c in lines.currency[:2]] == ["USD", "EUR"]
    assert rated.waits.rows() == [(2, 11, 1, 30, "unpriced", "GBPUSD")]


def test_a_cent_account_in_no_known_group_waits() -> None:
    waits = rate(frame({}), told([-1], [2], [1], [1])).waits
    assert waits["reason"].to_list() == ["no_lot_factor", "no_lot_factor"]
    assert waits["key"].to_list() == ["lost", "lost"]


def test_an_account_without_group_counts_its_lots_as_they_are() -> None:
    assert rate(frame({}), told([-1], [-1], [0], [1])).lines.amount_e8[0] == 650_000_000


def test_nothing_introduced_is_nothing_rated() -> None:
    rated = rate(frame({}, {}), told([0, 0], [0, 0], [0, 0], [2, 3]))
    assert len(rated.lines) == 0
    assert len(rated.waits) == 0
    assert len(rate(frame({}).clear(), told([], [], [], [])).lines) == 0


def test_a_partner_nobody_has_read_is_missing() -> None:
    stale = replace(PARTNERS, ids=longs(20, 31))
    with pytest.raises(Missing, match="30"):
        rate(frame({}), told([0], [0], [0], [1]), partners=stale)
    with pytest.raises(Missing, match="30"):
        rating.chain_facts((30, 20), book(), stale)


def test_holding_time_is_measured_in_utc_where_it_is_known() -> None:
    # The clock went back an hour while the trade was open: its walls say less than nothing.
    walls = {"open_ms": 4_000_000, "close_ms": 1_000_000, "close_utc": 5_000_000}
    assert rating.hold(frame(walls)).tolist() == [0]
    moments = frame({**walls, "open_utc": 4_400_000}, {**walls, "open_utc": 1, "opening": 0})
    assert rating.hold(moments).tolist() == [600_000, -1]


def twin(trades: pl.DataFrame, group: GroupRow, name: str) -> Any:
    who = replace(told([0], [0], [0], [1]), groups=[group], group_names=[name])
    facts = facts_of(trades, who, 0)

    def fx(base: str, quote: str, utc_ms: int) -> tuple[Fraction, int, str] | None:
        found = FX.find(base, quote, utc_ms)
        return None if found is None else (*found, "2026-11-20 source file")

    return rating.rate_one(facts, rating.chain_facts((30, 20), book(), PARTNERS), fx)


def test_the_twin_shows_its_working() -> None:
    result = twin(frame({"lots_e8": 3 * LOT // 2}), GROUPS[1], "cent")
    assert [(s.label, s.text) for s in result.working] == [
        ("programme", "ecn version 1, by the terms of ib")
    ]
    direct, above = result.lines
    assert [(s.label, s.text) for s in direct.working] == [
        ("held", "99 s, at least 60 s needed: yes"),
        ("lots", "1.50"),
        ("lot factor", "0.01 (group cent)"),
        ("rate", "6.50 USD per lot (plan ecn line 11, level 1, symbol group forex)"),
        ("=", "0.0975 USD"),
    ]
    assert [(s.label, s.text) for s in above.working][3:] == [
        ("rate", "1/3 EUR per lot (plan ecn line 19, level 2)"),
        ("=", "0.005 EUR"),
        ("FX", "EUR/USD 1.085 2026-11-20 source file"),
        ("=", "0.005425 USD"),
    ]
    assert (direct.amount_e8, above.amount_e8, above.held) == (9_750_000, 542_500, True)


def test_the_twin_says_why_nothing_is_paid() -> None:
    short = twin(frame({"close_ms": 2_000}), GROUPS[0], "real\\x")
    assert [line.reason.name for line in short.lines] == ["TOO_SHORT", "TOO_SHORT"]
    assert short.lines[0].working[-1].text == "the trade was not held long enough"
    waits = twin(frame({"symbol": "DAX"}), GROUPS[1], "cent")
    assert [(x.wait and x.wait.word, x.key) for x in waits.lines] == [
        ("unpriced", "DAX"), (None, ""),
    ]  # fmt: skip
