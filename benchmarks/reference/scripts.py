"""The two SQL yardsticks, the naive script and the set-based statement, and their tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg

from benchmarks.market_of_trades import SYMBOLS
from benchmarks.world import SERVERS, SUFFIXES, World
from pipshare import db
from pipshare.period import FOREVER_MS

HERE = Path(__file__).parent
Rows = dict[str, db.Column]


def make_tables(conn: psycopg.Connection[Any], broker: World) -> None:
    """Create and fill the scripts' tables; `conn` is the owner's."""
    conn.execute((HERE / "tables.sql").read_text())
    conn.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO pipshare_app")
    tables: dict[str, Callable[[World], Rows]] = {
        "script_symbol": _symbols, "script_group": _groups, "script_account": _accounts,
        "script_client": _clients, "script_partner": _partners, "script_chain": _chains,
        "script_rate": _rates, "script_balance": _nothing_yet,
    }  # fmt: skip
    for name, columns in tables.items():
        db.copy_in(conn, name, columns(broker))


def rate_by_sql(conn: psycopg.Connection[Any]) -> None:
    """Rate all stored trades in one statement and commit."""
    conn.execute((HERE / "sql_rating.sql").read_text())
    conn.commit()


def line_sums(conn: psycopg.Connection[Any], partners: int) -> np.ndarray:
    """Return what the scripts' lines give each partner, in 1e-8."""
    sums = np.zeros(partners, np.int64)
    query = "SELECT partner, sum(amount_e8)::bigint FROM script_line GROUP BY 1"
    for partner, amount in conn.execute(query):
        sums[partner] = amount
    return sums


def _symbols(broker: World) -> Rows:
    names = [name + suffix for suffix in SUFFIXES for name in broker.symbols]
    return {
        "server_id": db.Int4(np.repeat(np.arange(len(SERVERS)) + 1, SYMBOLS)),
        "name": db.Text(pl.Series(names)),
        "symbol": db.Int4(np.tile(np.arange(SYMBOLS), len(SERVERS))),
    }


def _groups(broker: World) -> Rows:
    factor = broker.market.factor_percent
    return {"grp": db.Int4(np.arange(len(factor))), "factor_percent": db.Int4(factor)}


def _accounts(broker: World) -> Rows:
    place = np.arange(broker.size.logins)
    return {
        "server_id": db.Int4(place % len(SERVERS) + 1),
        "login": db.Int8(broker.login),
        "client": db.Int4(place),
        "grp": db.Int4(broker.login_group),
    }


def _clients(broker: World) -> Rows:
    return {
        "client": db.Int4(np.arange(broker.size.logins)),
        "partner": db.Int4(broker.login_partner),
    }


def _partners(broker: World) -> Rows:
    parent = [chain[1] if len(chain) > 1 else -1 for chain in broker.market.chains]
    return {
        "partner": db.Int4(np.arange(len(parent))),
        "parent": db.Int4(np.array(parent)),
        "card": db.Int4(broker.market.card),
    }


def _chains(broker: World) -> Rows:
    length = np.array([len(chain) for chain in broker.market.chains])
    first = np.cumsum(length) - length
    partner = np.concatenate([np.array(chain) for chain in broker.market.chains])
    return {
        "direct": db.Int4(np.repeat(np.arange(len(length)), length)),
        "level": db.Int2(np.arange(length.sum()) - np.repeat(first, length) + 1),
        "partner": db.Int4(partner),
        "card": db.Int4(broker.market.card[partner]),
    }


def _rates(broker: World) -> Rows:
    rates = broker.market.rate_micro
    version, card, symbol, group = np.indices(rates.shape).reshape(rates.ndim, -1)
    since = np.where(version == 0, 0, broker.market.new_version_ms)
    until = np.where(version == 0, broker.market.new_version_ms, FOREVER_MS)
    return {
        "card": db.Int4(card),
        "symbol": db.Int4(symbol),
        "grp": db.Int4(group),
        "valid_from": db.Timestamp(since, unbounded=True),
        "valid_to": db.Timestamp(until, unbounded=True),
        "rate_micro": db.Int8(rates.ravel()),
    }


def _nothing_yet(broker: World) -> Rows:
    return {"partner": db.Int4(np.arange(broker.size.partners))}
