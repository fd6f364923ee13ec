"""Groups, symbols, quotes and FX rates: histories, refusals, the same file again."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from market_files import LOADERS, counts, load

from pipshare import market
from pipshare.period import to_ms

SERVERS = """
    server,platform,clock,suffixes
    Live,mt5,+02:00,.m
    Cent,mt4,UTC,
"""
GROUPS = """
    server,group,type,lot_factor,treatment,currency,valid_from
    Live,*,std,,,,
    Live,real\\cent*,cent,0.01,,USC,
    Live,demo*,,,excluded,,
    Cent,*,,1/100,,USC,
"""
SYMBOLS = """
    symbol,server,alias,symbol_group,digits,contract_size,currency
    EURUSD,,EURUSDX EU,forex,5,100000,USD
    XAUUSD,,GOLD,metals,2,100,USD
    EURUSD,Cent,,forex,5,1000,USD
"""
QUOTES = """
    server,symbol,time,bid,ask
    Live,eurusd.m,2026.07.01 10:00:00,1.1,1.1001
    Live,GOLD,2026.07.01 10:00:00,4000,4000.2
"""
FX = """
    base,quote,time,rate
    EUR,USD,2026-07-01T00:00:00Z,1.1
    EUR,USD,2026-07-02T00:00:00Z,1.2
    USD,JPY,2026-07-01T00:00:00Z,150
"""
FILES = {"servers": SERVERS, "groups": GROUPS, "symbols": SYMBOLS, "quotes": QUOTES, "fx": FX}


def utc(*parts: int) -> int:
    return to_ms(datetime(*parts, tzinfo=UTC))


@pytest.fixture
def conn(db):
    with db.app() as conn:
        for kind, text in FILES.items():
            report = load(conn, kind, text)
            assert counts(report) == (report.rows, 0, 0, 0, 0)
        yield conn


@pytest.mark.parametrize("kind", FILES)
def test_the_same_file_again_is_all_same(conn, kind):
    report = load(conn, kind, FILES[kind])
    assert counts(report) == (0, 0, report.rows, 0, 0)
    assert report.from_ms is None


@pytest.mark.parametrize("kind", FILES)
def test_a_dry_run_rolled_back_leaves_nothing(db, kind):
    with db.app() as conn:
        if kind != "servers":
            load(conn, "servers", SERVERS)
        if kind == "quotes":
            load(conn, "symbols", SYMBOLS)
        conn.commit()
        assert load(conn, kind, FILES[kind], dry_run=True).added
        conn.rollback()
        first = load(conn, kind, FILES[kind])
        assert counts(first) == (first.rows, 0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["groups", "symbols", "quotes"])
def test_unknown_server(conn, kind):
    lines = [line.strip() for line in FILES[kind].strip().splitlines()]
    wrong = lines[-1].replace("Live", "Liv").replace("Cent,", "Liv,")
    report = load(conn, kind, "\n".join([lines[0], *lines[1:-1], wrong]))
    (refused,) = report.refused
    assert refused.code == "unknown_server"
    assert refused.line == len(lines)
    assert "server 'Liv' is not known (did you mean Live?); load it first" in refused.reason


@pytest.mark.parametrize("kind", LOADERS)
def test_a_file_without_rows(conn, kind):
    required = {"entities": "entity", "servers": "server,platform", "groups": "server,group",
                "symbols": "symbol", "quotes": "server,symbol,time,bid,ask",
                "fx": "base,quote,time", "markups": "points", "spreads": "points"}  # fmt: skip
    assert counts(load(conn, kind, required[kind])) == (0, 0, 0, 0, 0)


def test_group_rows_and_their_history(conn):
    live = market.server(conn, "Live")
    rows = market.groups(conn, live.id)
    cent = rows[market.match_group(rows, "Real\\Cent-1", 0)]
    assert (cent.type, cent.lot_factor, cent.currency) == ("cent", Fraction(1, 100), "USC")
    text = """
        server,group,lot_factor,valid_from
        Live,REAL\\CENT*,0.02,2026-08-01T00:00:00Z
        Live,real\\cent*,1/100,
    """
    report = load(conn, "groups", text)
    assert counts(report) == (0, 1, 1, 0, 0)
    assert report.from_ms == utc(2026, 8, 1)
    rows = market.groups(conn, live.id)
    held = [rows[market.match_group(rows, "real\\cent-1", utc(2026, m, 1))] for m in (7, 8)]
    assert [(row.lot_factor, row.type) for row in held] == [
        (Fraction(1, 100), "cent"), (Fraction(2, 100), "cent")
    ]  # fmt: skip
    undated = load(conn, "groups", "server,group,lot_factor\nLive,real\\cent*,0.5\n")
    assert undated.refused[0].code == "no_valid_from"


def test_a_new_mask_counts_as_a_change_from_its_moment(conn):
    text = "server,group,treatment,valid_from\nLive,vip*,direct,2026-08-01T00:00:00Z\n"
    report = load(conn, "groups", text)
    assert (report.added, report.from_ms) == (1, utc(2026, 8, 1))
    report = load(conn, "groups", text.replace("direct", "excluded").replace("08-01", "07-01"))
    assert (report.added, report.changed, report.from_ms) == (1, 0, utc(2026, 7, 1))


@pytest.mark.parametrize("factor", ["0", "-1", "0.00000000000000001"])
def test_lot_factors_that_are_none(conn, factor):
    report = load(conn, "groups", f"server,group,lot_factor\nLive,x,{factor}\nLive,y,2\n")
    assert counts(report) == (1, 0, 0, 1, 0)
    assert f"field lot_factor: {factor} is not a factor" in report.refused[0].reason


def test_symbols_of_a_server_go_before_those_of_all(conn):
    books = {one.code: market.symbols(conn, one) for one in market.servers(conn)}
    assert books["Live"].resolve("eurusd.m").contract_e8 == 10**13
    assert books["Cent"].resolve("eurusdx").contract_e8 == 10**13
    assert books["Cent"].resolve("EURUSD").contract_e8 == 10**11
    assert books["Cent"].resolve("EURUSD.m") is None


def test_a_changed_symbol_is_a_new_record_and_touches_everything(conn):
    report = load(conn, "symbols", "symbol,alias\nEURUSD,EU\nGBPUSD,\n")
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.from_ms == 0
    book = market.symbols(conn, market.server(conn, "Live"))
    assert book.resolve("EURUSDX") is None
    assert book.resolve("EU").symbol_group == "forex"
    assert load(conn, "symbols", "symbol,alias\nNZDUSD,-\n").from_ms is None


def test_a_new_symbol_that_takes_a_name_from_another_touches_everything(conn):
    report = load(conn, "symbols", "symbol\nEURUSD.m\n")
    assert (report.added, report.changed, report.from_ms) == (1, 0, 0)


def test_no_name_may_mean_two_symbols(conn):
    text = """
        symbol,alias,server
        GOLDX,gold,
        XAUUSD,GLD,
        SILVER,XAG,
        XAGUSD,xag,
        EU,,Cent
    """
    report = load(conn, "symbols", text)
    assert counts(report) == (2, 1, 0, 2, 0)
    assert [(r.line, r.code) for r in report.refused] == [(4, "ambiguous_name"),
                                                          (5, "ambiguous_name")]  # fmt: skip
    assert "the name xag would mean several symbols (silver, xagusd)" in report.refused[0].reason
    clash = load(conn, "symbols", "symbol,alias\nXAUUSD,goldx\nEURUSD,GLD\n")
    assert counts(clash) == (0, 0, 0, 2, 0)


def test_symbols_that_cannot_be(conn):
    text = "symbol,digits,contract_size\nA,9,1\nB,5,0\nC,-1,1\nD,0,0.1\nD,0,0.2\n"
    report = load(conn, "symbols", text)
    assert counts(report) == (0, 0, 0, 5, 0)
    assert [r.code for r in report.refused] == [
        "bad_digits", "bad_contract", "bad_digits", "said_twice", "said_twice"
    ]  # fmt: skip


def test_quotes(conn):
    stored = conn.execute("SELECT symbol, at, bid_e8 FROM market_quote ORDER BY symbol").fetchall()
    assert stored == [
        ("EURUSD", datetime(2026, 7, 1, 8, tzinfo=UTC), 110_000_000),
        ("XAUUSD", datetime(2026, 7, 1, 8, tzinfo=UTC), 400_000_000_000),
    ]
    text = """
        server,symbol,time,bid,ask
        Live,EURUSD,2026.07.01 10:00:00,1.1,1.2
        Live,EURUSD,2026.07.01 10:00:01,1.1,1.09
        Live,EURUSD,2026.07.01 10:00:02,0,1.09
        Live,NOPE,2026.07.01 10:00:02,1,1
        Live,XAUUSD,2026.07.01 10:00:03,1,2
        Live,XAUUSD,2026.07.01 10:00:03,1,3
        Live,XAUUSD,2026.07.01 10:00:04,1,3
        Live,GOLD,2026.07.01 10:00:04,1,3
    """
    report = load(conn, "quotes", text)
    assert counts(report) == (1, 0, 1, 6, 0)
    assert [r.code for r in report.refused] == [
        "other_quote", "bad_quote", "bad_quote", "unknown_symbol", "said_twice", "said_twice"
    ]  # fmt: skip


def test_fx_rates_are_added_and_the_latest_recorded_holds(conn):
    text = """
        base,quote,time,rate,source
        EUR,USD,2026-07-01T00:00:00Z,1.10,ecb
        EUR,USD,2026-07-02T00:00:00Z,1.25,ecb
        EUR,USD,2026-07-03T00:00:00Z,5/4,ecb
        USD,EUR,2026-07-04T00:00:00Z,0.8,ecb
        GBP,USD,2026-07-01T00:00:00Z,1.3,ecb
    """
    report = load(conn, "fx", text)
    assert counts(report) == (3, 1, 1, 0, 0)
    assert report.from_ms == utc(2026, 7, 1)  # of GBP too: trades may have used their own rate
    table = market.fx_table(conn)
    assert table.find("EUR", "USD", utc(2026, 7, 2, 12))[0] == Fraction("1.25")
    assert table.find("EUR", "USD", utc(2026, 7, 1, 12))[0] == Fraction("1.1")
    again = "base,quote,time,rate\nUSD,JPY,2026-07-11,152\n"
    assert load(conn, "fx", again).from_ms == utc(2026, 7, 11)
    assert load(conn, "fx", again).from_ms is None
    only_new = "base,quote,time,rate\nGBP,CHF,2026-07-01,1.1\nEUR,USD,2025-01-01,1.1\n"
    assert load(conn, "fx", only_new).from_ms == utc(2025, 1, 1)


def test_fx_rates_that_cannot_be(conn):
    text = """
        base,quote,time,rate
        EUR,EUR,2026-07-05,1
        USC,USD,2026-07-05,0.01
        EUR,USD,2026-07-05,0
        EUR,USD,2026-07-05,-1
        EUR,USD,2026-07-05,1.23456789012345678
        EUR,USD,2026-07-06,1.1
        EUR,USD,2026-07-06,1.2
        EUR,CHF,2026-07-06,"1,1"
    """
    report = load(conn, "fx", text)
    assert counts(report) == (0, 0, 0, 8, 0)
    assert [r.code for r in report.refused] == [
        "same_currency", "cent_currency", "bad_rate", "bad_rate", "bad_rate", "said_twice",
        "said_twice", "not_a_rate",
    ]  # fmt: skip


def test_fx_rates_with_both_sides(conn):
    text = """
        base,quote,time,rate,bid,ask
        EUR,CHF,2026-07-01T00:00:00Z,,0.9,1.1
        EUR,CHF,2026-07-02T00:00:00Z,1,0.99,1.01
        EUR,CHF,2026-07-03T00:00:00Z,1,,1.01
    """
    assert counts(load(conn, "fx", text)) == (3, 0, 0, 0, 0)
    assert counts(load(conn, "fx", text)) == (0, 0, 3, 0, 0)
    table = market.fx_table(conn)
    first, third = utc(2026, 7, 1), utc(2026, 7, 3)
    assert [table.find("EUR", "CHF", first, side)[0] for side in ("mid", "bid", "ask")] == [
        1, Fraction("0.9"), Fraction("1.1")]  # fmt: skip
    assert table.find("EUR", "CHF", third, "bid")[0] == 1
    other = "base,quote,time,rate,bid,ask\nEUR,CHF,2026-07-02T00:00:00Z,1,0.98,1.01\n"
    report = load(conn, "fx", other)
    assert counts(report) == (0, 1, 0, 0, 0)
    assert report.from_ms == utc(2026, 7, 2)


def test_fx_sides_that_cannot_be(conn):
    text = """
        base,quote,time,rate,bid,ask
        EUR,CHF,2026-07-01T00:00:00Z,,0.9,
        EUR,CHF,2026-07-02T00:00:00Z,,1.1,0.9
        EUR,CHF,2026-07-03T00:00:00Z,2,0.9,1.1
        EUR,CHF,2026-07-04T00:00:00Z,1,0,1.1
        EUR,CHF,2026-07-05T00:00:00Z,,,
    """
    report = load(conn, "fx", text)
    assert counts(report) == (0, 0, 0, 5, 0)
    assert sorted(one.code for one in report.refused) == [
        "bad_rate", "crossed", "crossed", "no_rate", "no_rate",
    ]  # fmt: skip


def test_the_pairs_of_entities_chain_through_their_own_currency(conn):
    load(conn, "entities", "entity,currency\nnordic,SEK\n")
    load(conn, "fx", "base,quote,time,rate\nNOK,SEK,2026-07-01,0.9\nDKK,SEK,2026-07-01,1.5\n")
    found = market.fx_table(conn).find("NOK", "DKK", utc(2026, 7, 2))
    assert found == (Fraction("0.6"), market.CHAIN_ID)
