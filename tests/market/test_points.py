"""Markups, typical spreads, pips, books, and quotes at a moment: loaded and looked up."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from django.core.exceptions import ImproperlyConfigured
from market_files import counts, load

from pipshare import market, settings
from pipshare.period import to_ms

SERVERS = "server,platform,clock\nLive,mt5,+02:00\nCent,mt4,UTC\n"
SYMBOLS = """
    symbol,symbol_group,digits,contract_size,pip_points,calc,tick_size,tick_value,currency
    EURUSD,forex,5,100000,,,,,USD
    USDJPY,forex,3,100000,,,,,JPY
    EURTRY,forex,4,100000,,,,,TRY
    XAUUSD,metals,2,100,1,,,,USD
    XAGUSD,metals,3,5000,,,,,USD
    ES,futures,2,50,,futures,0.25,12.5,USD
    NZDXXX,odd,5,1,,forex,,,USD
"""
MARKUPS = """
    server,symbol,symbol_group,group,points,valid_from
    ,,forex,,6,
    *,EURUSD,,,8,
    Live,EURUSD,,real\\std*,12,
    Live,EURUSD,,real\\std*,10.5,2026-03-01
    ,EURUSD,,real\\std-vip,3,
"""


def utc(*parts: int) -> int:
    return to_ms(datetime(*parts, tzinfo=UTC))


@pytest.fixture
def conn(db):
    with db.app() as conn:
        for kind, text in {"servers": SERVERS, "symbols": SYMBOLS}.items():
            report = load(conn, kind, text)
            assert counts(report) == (report.rows, 0, 0, 0, 0)
        yield conn


def live(conn) -> market.Server:
    return market.server(conn, "Live")


def test_a_pip_is_what_was_told_else_ten_points_of_forex_only(conn):
    book = market.symbols(conn, live(conn))
    found = {row.symbol: (row.mode, row.pip) for row in book.rows}
    assert found == {
        "EURUSD": ("forex", 10), "USDJPY": ("forex", 10), "EURTRY": ("forex", 0),
        "XAUUSD": ("cfd", 1), "XAGUSD": ("cfd", 0), "ES": ("futures", 0), "NZDXXX": ("forex", 10),
    }  # fmt: skip
    future = book.resolve("es")
    assert (future.tick_size_e8, future.tick_value_e8) == (25 * 10**6, 125 * 10**7)
    assert counts(load(conn, "symbols", SYMBOLS)) == (0, 0, 7, 0, 0)
    other = load(conn, "symbols", "symbol,pip_points\nXAUUSD,10\n")
    assert counts(other) == (0, 1, 0, 0, 0)
    assert other.from_ms == 0  # symbols have no moments: everything is rated again
    again = market.symbols(conn, live(conn)).resolve("XAUUSD")
    assert (again.pip, again.digits, again.contract_e8) == (10, 2, 100 * 10**8)


def test_symbols_that_cannot_be(conn):
    text = "symbol,pip_points,calc,tick_size\nA,-1,,\nB,,stock,\nC,,,-1\n"
    report = load(conn, "symbols", text)
    assert sorted(one.code for one in report.refused) == ["bad_pip_points", "bad_tick",
                                                          "not_a_choice"]  # fmt: skip


def test_an_account_groups_book_is_a_history(conn):
    text = "server,group,book,valid_from\nLive,*,passed,\nLive,*,made,2026-02-01\nLive,x,A-book,\n"
    report = load(conn, "groups", text)
    assert counts(report) == (2, 0, 0, 1, 0)
    assert "none of: made, passed" in report.refused[0].reason
    rows = market.groups(conn, live(conn).id)
    held = [rows[market.match_group(rows, "real", utc(2026, month, 15))] for month in (1, 2)]
    assert [row.book for row in held] == ["passed", "made"]
    load(conn, "groups", "server,group,type\nLive,*,std\n")
    later = load(conn, "groups", "server,group,type,valid_from\nLive,*,ecn,2026-03-01\n")
    assert later.from_ms == utc(2026, 3, 1)
    rows = market.groups(conn, live(conn).id)
    last = rows[market.match_group(rows, "real", utc(2026, 4, 1))]
    assert (last.book, last.type) == ("made", "ecn")  # one thing told leaves the others


@pytest.mark.parametrize("kind", ["markups", "spreads"])
def test_points_are_looked_up_by_symbol_then_group_then_mask(conn, kind):
    report = load(conn, kind, MARKUPS)
    assert counts(report) == (5, 0, 0, 0, 0)
    assert report.from_ms == 0
    assert counts(load(conn, kind, MARKUPS)) == (0, 0, 5, 0, 0)
    rows = getattr(market, kind)(conn)
    book = market.symbols(conn, live(conn))
    groups = ["real\\std", "REAL\\STD-VIP", "real\\ecn"]

    def found(symbol: str, server: str = "Live") -> list[tuple[Fraction, str, int]]:
        server_id = market.server(conn, server).id
        points = market.points_of(rows, book.resolve(symbol), server_id, groups)
        return [(one.points, one.group, one.from_ms) for one in points]

    march = utc(2026, 3, 1)
    assert found("EURUSD") == [
        (Fraction(12), groups[0], 0), (Fraction("10.5"), groups[0], march),
        (Fraction(12), groups[1], 0), (Fraction("10.5"), groups[1], march),  # the server's own
        (Fraction(8), groups[2], 0),
    ]  # fmt: skip
    assert found("EURUSD", "Cent")[:2] == [(Fraction(8), groups[0], 0), (Fraction(3), groups[1], 0)]
    assert found("USDJPY") == [(Fraction(6), group, 0) for group in groups]
    assert found("XAUUSD") == []


def test_points_that_cannot_be(conn):
    text = """
        server,symbol,symbol_group,points,valid_from
        Nope,EURUSD,,1,
        ,EURUSD,forex,1,
        ,EURUSD,,-1,
        ,EURUSD,,1,2026-01-01
        ,eurusd,,2,2026-01-01
        ,EURUSD,,abc,
    """
    report = load(conn, "markups", text)
    assert counts(report) == (0, 0, 0, 6, 0)
    assert sorted(one.code for one in report.refused) == [
        "bad_points", "not_a_number", "said_twice", "said_twice", "two_names", "unknown_server",
    ]  # fmt: skip
    load(conn, "markups", "symbol,points,valid_from\nEURUSD,1,2026-01-01\n")
    changed = load(conn, "markups", "symbol,points,valid_from\nEURUSD,2,2026-01-01\n")
    assert counts(changed) == (0, 1, 0, 0, 0)
    assert changed.from_ms == utc(2026, 1, 1)


def test_the_last_quote_before_a_moment_unless_it_is_too_old(conn):
    load(conn, "quotes", """
        server,symbol,time,bid,ask
        Live,EURUSD,2026.07.01 10:00:00,1.1,1.1002
        Live,EURUSD,2026.07.01 10:00:30,1.2,1.2002
        Live,USDJPY,2026.07.01 10:00:00,150,150.02
        Cent,EURUSD,2026.07.01 08:00:40,9,9
    """)  # fmt: skip
    at = utc(2026, 7, 1, 8)  # the server's clock is two hours ahead
    asked = [
        ("EURUSD", at), ("EURUSD", at - 1), ("EURUSD", at + 29_999), ("EURUSD", at + 90_000),
        ("EURUSD", at + 90_001), ("USDJPY", at + 60_000), ("XAUUSD", at), (None, at),
        ("EURUSD", 0), ("EURUSD", at),
    ]  # fmt: skip
    names = pl.Series([one[0] for one in asked], dtype=pl.String)
    moments = np.array([one[1] for one in asked], np.int64)
    found = market.quotes_at(conn, live(conn).id, names, moments)
    first, second, yen = 110_000_000, 120_000_000, 15_000_000_000
    assert found.bid_e8.tolist() == [first, 0, first, second, 0, yen, 0, 0, 0, first]
    assert found.ask_e8.tolist()[:2] == [110_020_000, 0]
    assert found.age_ms.tolist() == [0, -1, 29_999, 60_000, -1, 60_000, -1, -1, -1, 0]
    older = market.quotes_at(conn, live(conn).id, names[4:5], moments[4:5], 3_600_000)
    assert older.age_ms.tolist() == [60_001]
    none = market.quotes_at(conn, live(conn).id, names[:0], moments[:0])
    assert len(none.bid_e8) == 0


def test_how_long_a_quote_holds_is_a_setting():
    assert settings.load({}).quote_age_s == 60
    assert settings.load({"PIPSHARE_QUOTE_AGE": "5"}).quote_age_s == 5
    with pytest.raises(ImproperlyConfigured, match="PIPSHARE_QUOTE_AGE is '1m'"):
        settings.load({"PIPSHARE_QUOTE_AGE": "1m"})
