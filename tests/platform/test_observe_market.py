"""Groups and symbols as seen on a platform: known where nobody loaded them, never overwritten."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from platform_world import at, build, groups, load, symbols

from pipshare import market

SEEN = symbols(("EURUSD.z", 5, 10**13, "USD"), ("XAUUSD.z", 2, 10**10, "USD"))


@pytest.fixture
def conn(db: Any) -> Any:
    with db.app() as conn:
        build(conn)
        yield conn


def observe(conn: Any, told: pl.DataFrame, moment: str = "2026-03-01", **kwargs: Any) -> Any:
    named = kwargs.get("groups", groups(("real\\ecn", "USD")))
    return market.observe_market(conn, market.server(conn, "Live"), named, told, at(moment))


def book(conn: Any) -> market.SymbolBook:
    return market.symbols(conn, market.server(conn, "Live"))


def test_a_symbol_nobody_loaded_becomes_known(conn: Any) -> None:
    report = observe(conn, SEEN)
    assert (report.known_now, report.symbols, report.groups) == (["EURUSD.z", "XAUUSD.z"], 2, 1)
    gold = book(conn).resolve("xauusd.z")
    assert gold is not None
    assert (gold.contract_e8, gold.digits, gold.currency, gold.source) == (
        10**10, 2, "USD", "platform",
    )  # fmt: skip
    again = observe(conn, SEEN, "2026-03-02")
    assert (again.known_now, again.symbols, again.groups, again.symbols_differ) == ([], 0, 0, [])


def test_the_platforms_way_to_work_out_profit_is_kept(conn: Any) -> None:
    modes = {"A": 0, "B": 5, "C": 1, "D": 33, "E": 2, "F": 32, "EURUSD": -1}
    told = symbols(*((name, 5, 10**13, "USD") for name in modes))
    observe(conn, told.with_columns(calc_mode=pl.Series(list(modes.values()))))
    assert {row.symbol: row.mode for row in book(conn).rows} == {
        "A": "forex", "B": "forex", "C": "futures", "D": "futures", "E": "cfd", "F": "cfd",
        "EURUSD": "forex",
    }  # fmt: skip


def test_a_loaded_symbol_stands_for_its_names_and_is_not_overwritten(conn: Any) -> None:
    load(conn, "symbols", "symbol,symbol_group,alias\nEURUSD,forex,EURUSD.z\n")
    report = observe(conn, symbols(("EURUSD.z", 4, 10**10, "EUR")))
    assert report.known_now == []
    assert report.symbols_differ == [
        "EURUSD (EURUSD.z): contract size 100000 here, 100 there, digits 5 here, 4 there,"
        " currency USD here, EUR there"
    ]
    found = book(conn).resolve("EURUSD.z")
    assert found is not None
    assert (found.symbol, found.contract_e8, found.source) == ("EURUSD", 10**13, "load")


def test_cents_are_another_currency_than_their_dollars(conn: Any) -> None:
    """A deal's own rate is one of its symbol's currency: a factor of a hundred must be told."""
    load(conn, "symbols", "symbol,symbol_group,alias\nEURUSD,forex,EURUSD.z EURUSD.c\n")
    told = symbols(("EURUSD.z", 5, 10**13, "USD"), ("EURUSD.c", 5, 10**13, "USC"))
    wrong = ["EURUSD (EURUSD.c): currency USD here, USC there"]
    assert observe(conn, told).symbols_differ == wrong


def test_a_later_load_goes_before_what_was_seen(conn: Any) -> None:
    observe(conn, SEEN)
    report = load(conn, "symbols", "symbol,symbol_group,alias\nEURUSD,forex,EURUSD.z\n")
    assert (report.added, report.refused, report.from_ms) == (1, [], 0)
    found = book(conn).resolve("EURUSD.z")
    assert found is not None
    assert (found.symbol, found.symbol_group) == ("EURUSD", "forex")
    same_server = "symbol,server,symbol_group,alias\nGOLD,Live,metals,XAUUSD.z\n"
    assert not load(conn, "symbols", same_server).refused
    gold = book(conn).resolve("XAUUSD.z")
    assert gold is not None
    assert gold.symbol == "GOLD"


def test_a_suffix_told_later_goes_before_what_was_seen(conn: Any) -> None:
    observe(conn, SEEN)
    load(conn, "symbols", "symbol,symbol_group\nEURUSD,forex\n")
    conn.execute("INSERT INTO market_suffixes (server_id, suffixes) VALUES (1, '.z')")
    found = book(conn).resolve("EURUSD.z")
    assert found is not None
    assert found.symbol == "EURUSD"


def test_a_load_that_leaves_things_out_keeps_the_platforms(conn: Any) -> None:
    observe(conn, SEEN)
    load(conn, "symbols", "symbol,server,symbol_group\nXAUUSD.z,Live,metals\n")
    gold = book(conn).resolve("XAUUSD.z")
    assert gold is not None
    assert (gold.contract_e8, gold.digits, gold.symbol_group, gold.source) == (
        10**10, 2, "metals", "load",
    )  # fmt: skip


def test_what_changes_on_the_platform_is_told_and_not_followed(conn: Any) -> None:
    observe(conn, SEEN)
    changed = symbols(("EURUSD.z", 5, 10**13, "USD"), ("XAUUSD.z", 2, 10**9, "USD"))
    report = observe(conn, changed, "2026-03-02")
    assert report.symbols == 1
    assert report.symbols_differ == ["XAUUSD.z: contract size 100 here, 10 there"]
    last = market.observed_symbols(conn, 1).filter(symbol="XAUUSD.z")
    assert last.select("contract_e8", "observed_ms").row(0) == (10**9, at("2026-03-02"))


def test_symbols_that_lack_what_counts_stay_unknown(conn: Any) -> None:
    odd = symbols(("A", 5, 0, "USD"), ("B", 9, 1, "USD"), ("C", 5, 1, ""), ("d", 5, 1, "usd"),
                  ("D", 5, 1, "USD"), ("", 5, 1, "USD"))  # fmt: skip
    report = observe(conn, odd)
    assert report.known_now == ["d"]
    assert report.symbols == 5


def test_a_group_in_another_currency_is_told(conn: Any) -> None:
    load(conn, "groups", "server,group,currency\nLive,real\\*,USD\nLive,real\\ecn,\n")
    named = groups(("real\\ecn", "EUR"), ("real\\std", "EUR"), ("demo", "EUR"))
    report = observe(conn, SEEN, groups=named)
    assert report.groups_differ == ["real\\std: USD here (by real\\*), EUR there"]
    seen = market.observed_groups(conn, 1)
    assert seen["group"].to_list() == ["demo", "real\\ecn", "real\\std"]
