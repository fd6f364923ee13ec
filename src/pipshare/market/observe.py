"""What a trade server says of its groups and symbols, kept as observed beside what was loaded.

A symbol that nobody loaded becomes known from the platform. What was loaded is never overwritten:
where the platform says something else, that is handed back in words, for somebody to decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, ms, read_columns
from pipshare.market.groups import groups, match_group
from pipshare.market.servers import Server
from pipshare.market.symbols import SymbolBook, SymbolRow, symbols
from pipshare.market.turn import take_turn
from pipshare.money import format_e8

GROUPS = {"group": pl.String, "currency": pl.String, "digits": pl.Int64, "margin_mode": pl.Int64,
          "company": pl.String}  # fmt: skip
SYMBOLS = {"symbol": pl.String, "path": pl.String, "digits": pl.Int64, "contract_e8": pl.Int64,
           "currency_base": pl.String, "currency_profit": pl.String, "currency_margin": pl.String,
           "calc_mode": pl.Int64}  # fmt: skip
MOST_DIGITS = 8
# EnCalcMode, as MetaQuotes numbers it; what is not here (shares, bonds) counts as cfd does.
_CALC = {0: "forex", 5: "forex", 1: "futures", 33: "futures", 34: "futures"}
_MOST = 2**31 - 1  # of a number that the platform has no reason to make large
_LAST_GROUPS = f"""
SELECT DISTINCT ON (name) name, currency, digits, margin_mode, company, {ms("observed_at")}
  FROM market_observed_group WHERE server_id = %s ORDER BY name, id DESC
"""
_LAST_SYMBOLS = f"""
SELECT DISTINCT ON (symbol) symbol, path, digits, contract_e8, currency_base, currency_profit,
       currency_margin, calc_mode, {ms("observed_at")}
  FROM market_observed_symbol WHERE server_id = %s ORDER BY symbol, id DESC
"""


@dataclass
class ObservedMarket:
    """What an observation of groups and symbols came to.

    `known_now`: symbols that became known from the platform. `symbols_differ`, `groups_differ`:
    sentences about what the platform says otherwise than what is known here.
    """

    groups: int = 0
    symbols: int = 0
    known_now: list[str] = field(default_factory=list)
    symbols_differ: list[str] = field(default_factory=list)
    groups_differ: list[str] = field(default_factory=list)


def observe_market(
    conn: psycopg.Connection[Any], server: Server, told_groups: pl.DataFrame,
    told_symbols: pl.DataFrame, moment_ms: int,
) -> ObservedMarket:  # fmt: skip
    """Keep what a server says of its groups (GROUPS) and symbols (SYMBOLS), where it is new.

    In the caller's transaction, which must not book. Nothing follows from absence.
    """
    take_turn(conn)
    report = ObservedMarket()
    named = _clean(told_groups, GROUPS, "group")
    priced = _clean(told_symbols, SYMBOLS, "symbol")
    new_groups = _news(named, observed_groups(conn, server.id), "group")
    new_symbols = _news(priced, observed_symbols(conn, server.id), "symbol")
    report.groups, report.symbols = len(new_groups), len(new_symbols)
    _store(conn, "market_observed_group", server, new_groups, GROUPS, moment_ms)
    _store(conn, "market_observed_symbol", server, new_symbols, SYMBOLS, moment_ms)
    report.known_now = _make_known(conn, server, priced)
    report.symbols_differ = symbols_differ(symbols(conn, server), priced)
    report.groups_differ = _groups_differ(conn, server, named, moment_ms)
    return report


def observed_groups(conn: psycopg.Connection[Any], server_id: int) -> pl.DataFrame:
    """Return what was last observed of each group: GROUPS and observed_ms."""
    schema = {**GROUPS, "observed_ms": pl.Int64}
    return read_columns(conn, _LAST_GROUPS, [server_id], schema=schema)


def observed_symbols(conn: psycopg.Connection[Any], server_id: int) -> pl.DataFrame:
    """Return what was last observed of each symbol: SYMBOLS and observed_ms."""
    schema = {**SYMBOLS, "observed_ms": pl.Int64}
    return read_columns(conn, _LAST_SYMBOLS, [server_id], schema=schema)


def _clean(told: pl.DataFrame, schema: dict[str, Any], key: str) -> pl.DataFrame:
    texts = [name for name, kind in schema.items() if kind == pl.String]
    money = [name for name in texts if name.startswith("currency")]
    usual = {"digits": 0, "contract_e8": 0, "margin_mode": -1, "calc_mode": -1}
    return (
        told.select(pl.col(name).cast(kind) for name, kind in schema.items())
        .with_columns(
            pl.col(texts).fill_null("").str.replace_all("\0", "").str.strip_chars(),
            *(
                pl.col(name).fill_null(value).clip(-1, None if name == "contract_e8" else _MOST)
                for name, value in usual.items()
                if name in schema
            ),
        )
        .with_columns(pl.col(money).str.to_uppercase())
        .filter(pl.col(key) != "")
        .unique(key, keep="last", maintain_order=True)
    )


def _news(told: pl.DataFrame, last: pl.DataFrame, key: str) -> pl.DataFrame:
    return told.join(
        last.select(told.columns), on=told.columns, how="anti", maintain_order="left"
    ).sort(key)  # fmt: skip


def _store(
    conn: psycopg.Connection[Any], table: str, server: Server, rows: pl.DataFrame,
    schema: dict[str, Any], moment_ms: int,
) -> None:  # fmt: skip
    same = np.ones(len(rows), np.int64)
    columns: dict[str, Any] = {}
    for name, kind in schema.items():
        column = "name" if name == "group" else name
        number = Int8 if name == "contract_e8" else Int4
        columns[column] = Text(rows[name]) if kind == pl.String else number(rows[name].to_numpy())
    times = {"server_id": Int4(same * server.id), "observed_at": Timestamp(same * moment_ms)}
    copy_in(conn, table, {**columns, **times})


def _make_known(conn: psycopg.Connection[Any], server: Server, told: pl.DataFrame) -> list[str]:
    """Record the symbols that no loaded one stands for; those that lack what counts stay out."""
    book = symbols(conn, server)
    new = told.filter(
        pl.Series(book.resolve_column(told["symbol"]) < 0, dtype=pl.Boolean),
        pl.col("contract_e8") > 0,
        pl.col("currency_profit") != "",
        pl.col("digits").is_between(0, MOST_DIGITS),
    ).unique(pl.col("symbol").str.to_lowercase(), keep="first", maintain_order=True)
    same = np.ones(len(new), np.int64)
    copy_in(conn, "market_symbol", {
        "server_id": Int4(same * server.id),
        "symbol": Text(new["symbol"]),
        "digits": Int4(new["digits"].to_numpy()),
        "contract_e8": Int8(new["contract_e8"].to_numpy()),
        "currency": Text(new["currency_profit"]),
        "calc": Text(_calc(new["calc_mode"])),
        "source": Text(pl.Series(["platform"] * len(new), dtype=pl.String)),
    })  # fmt: skip
    return sorted(new["symbol"].to_list())


def _calc(modes: pl.Series) -> pl.Series:
    told = modes.replace_strict(_CALC, default="cfd", return_dtype=pl.String)
    return told.set(modes < 0, "")


def symbols_differ(book: SymbolBook, told: pl.DataFrame) -> list[str]:
    """Return sentences about symbols (SYMBOLS) that are otherwise on the platform than here."""
    found = []
    for one in told.iter_rows(named=True):
        row = book.resolve(one["symbol"])
        if row is not None and (parts := _parts(row, one)):
            name = row.symbol if row.symbol == one["symbol"] else f"{row.symbol} ({one['symbol']})"
            found.append(f"{name}: " + ", ".join(parts))
    return sorted(found)


def _parts(row: SymbolRow, one: dict[str, Any]) -> list[str]:
    pairs = [
        ("contract size", format_e8(row.contract_e8, 0), format_e8(one["contract_e8"], 0)
         if one["contract_e8"] else ""),
        ("digits", str(row.digits), str(one["digits"])),
        ("currency", row.currency, one["currency_profit"]),
    ]  # fmt: skip
    return [f"{what} {ours} here, {theirs} there" for what, ours, theirs in pairs
            if theirs and ours != theirs]  # fmt: skip


def _groups_differ(
    conn: psycopg.Connection[Any], server: Server, told: pl.DataFrame, moment_ms: int
) -> list[str]:
    rows = groups(conn, server.id)
    found = []
    for name, currency in told.select("group", "currency").iter_rows():
        place = match_group(rows, name, moment_ms)
        if place >= 0 and currency and rows[place].currency not in ("", currency):
            mask = rows[place].mask
            found.append(f"{name}: {rows[place].currency} here (by {mask}), {currency} there")
    return sorted(found)
