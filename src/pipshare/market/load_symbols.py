"""Load symbols: canonical names, what platforms call them, contract, digits, group."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.db import Int4, Int8, Text, copy_in, read_columns
from pipshare.facts import history
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal
from pipshare.market.load_groups import LOAD_SERVER
from pipshare.market.servers import servers
from pipshare.market.turn import take_turn
from pipshare.money import parse_e8

VALUES = {"alias": "", "symbol_group": "", "digits": 5, "contract_size": parse_e8("100000"),
          "currency": "USD", "pip_points": 0, "calc": "", "tick_size": 0,
          "tick_value": 0}  # fmt: skip
_KNOWN = """
SELECT id, coalesce(server_id, 0), symbol, aliases, symbol_group, digits, contract_e8, currency,
       pip_points, calc, tick_size_e8, tick_value_e8, source
  FROM market_symbol
"""
_SCHEMA = {"id": pl.Int64, "scope": pl.Int32, "symbol": pl.String, "alias": pl.String,
           "symbol_group": pl.String, "digits": pl.Int64, "contract_size": pl.Int64,
           "currency": pl.String, "pip_points": pl.Int64, "calc": pl.String,
           "tick_size": pl.Int64, "tick_value": pl.Int64, "source": pl.String}  # fmt: skip
_KEY = ["scope", "folded"]


def load_symbols(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `symbols` frame of read_table in the caller's transaction.

    Symbols have no moments: the newest record of one holds for all time. No name or alias may
    mean two symbols of one server, whatever its case. What was seen on the platform stands in for
    what a row leaves out.
    """
    take_turn(conn)
    report = LoadReport("symbols", rows=len(frame))
    known_servers = {one.code: one.id for one in servers(conn)}
    frame = frame.with_columns(server=pl.when(pl.col("server") != "").then("server"))
    frame, report.refused = look_up(frame, "server", known_servers, "server", LOAD_SERVER)
    frame, bad = _checked(frame)
    report.refused += bad
    folded = pl.col("symbol").str.to_lowercase().alias("folded")
    known = read_columns(conn, _KNOWN, schema=_SCHEMA).with_columns(folded, from_ms=0)
    rows = frame.with_columns(
        folded, scope=pl.col("server_id").fill_null(0), from_ms=pl.lit(None, pl.Int64)
    )
    keys = pl.concat([known.select(_KEY), rows.select(_KEY)]).unique(maintain_order=True)
    keys = keys.with_row_index("subject").with_columns(pl.col("subject").cast(pl.Int64))
    known = known.join(keys, on=_KEY, maintain_order="left").with_columns(
        pl.col("from_ms").cast(pl.Int64)
    )
    known = history.resolve(known)
    merged = history.merge(known, rows.join(keys, on=_KEY, maintain_order="left"), VALUES)
    history.report(report, merged, lambda subject: f"symbol {keys['folded'][subject]}")
    records = merged.records.join(
        rows.select("line", "symbol", *_KEY), on="line", maintain_order="left"
    )
    records = _unclashed(report, merged, known, records)
    _store(conn, records)
    if _renames(known, records):
        report.touch(0)
    report.refused.sort(key=lambda one: one.line)
    return report


def _checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    frame, first = refuse(
        frame, ~pl.col("digits").is_between(0, 8), "bad_digits",
        "field digits: {digits} is not a number of decimals from 0 to 8",
    )  # fmt: skip
    frame, second = refuse(
        frame, pl.col("contract_size") <= 0, "bad_contract",
        "field contract_size: the units in one lot have to be more than 0",
    )  # fmt: skip
    frame, third = refuse(
        frame, ~pl.col("pip_points").is_between(0, 10**6), "bad_pip_points",
        "field pip_points: {pip_points} is not a number of points in one pip, such as 10",
    )  # fmt: skip
    frame, fourth = refuse(
        frame, (pl.col("tick_size") < 0) | (pl.col("tick_value") < 0), "bad_tick",
        "a tick's size and value are not below 0",
    )  # fmt: skip
    # One spelling per list of names, so that order and spaces are no change; "-" empties it.
    names = pl.col("alias").str.replace(r"^-$", "").str.split(" ").list.eval(
        pl.element().filter(pl.element() != "").unique().sort()
    )  # fmt: skip
    return frame.with_columns(alias=names.list.join(" ")), first + second + third + fourth


def _names(symbols: pl.DataFrame) -> pl.DataFrame:
    """Return one row per folded name or alias."""
    spelled = pl.concat_str("folded", "alias", separator=" ").str.to_lowercase().str.split(" ")
    return symbols.with_columns(name=spelled).explode("name").filter(pl.col("name") != "")


def _unclashed(
    report: LoadReport, merged: history.Merged, known: pl.DataFrame, records: pl.DataFrame
) -> pl.DataFrame:
    """Refuse records with a name that another symbol of the same server has; keep the rest."""
    # A name that was only seen on the platform gives way.
    known = known.filter(source="load").with_columns(line=pl.lit(0, pl.Int32))
    while len(records):
        book = pl.concat([known.join(records, on="subject", how="anti"), records], how="diagonal")
        owners = pl.col("folded").n_unique().over("scope", "name")
        others = pl.col("folded").sort().unique(maintain_order=True).implode().over("scope", "name")
        clashing = _names(book).filter(owners > 1).with_columns(others=others)
        wrong = clashing.filter(pl.col("line") > 0).unique("line", maintain_order=True)
        if wrong.is_empty():
            break
        for row in wrong.sort("line").iter_rows(named=True):
            who = ", ".join(row["others"])
            why = (
                f"line {row['line']}, symbol {row['symbol']}: the name {row['name']} would mean "
                f"several symbols ({who}); give each name to one"
            )
            report.refused.append(Refusal(row["line"], "ambiguous_name", why))
        _uncount(report, merged, wrong["line"])
        records = records.join(wrong.select("line"), on="line", how="anti", maintain_order="left")
    return records


def _uncount(report: LoadReport, merged: history.Merged, lines: pl.Series) -> None:
    taken = merged.rows.filter(pl.col("line").is_in(lines.to_list()))["verdict"].to_list()
    report.added -= taken.count(history.ADDED)
    report.changed -= taken.count(history.CHANGED)


def _renames(known: pl.DataFrame, records: pl.DataFrame) -> bool:
    """Tell whether a record touches a name that meant something before, suffixes included."""
    before = set(_names(known)["name"].to_list())
    told = _names(records)["name"].to_list()
    return any(name[:end] in before for name in told for end in range(1, len(name) + 1))


def _store(conn: psycopg.Connection[Any], records: pl.DataFrame) -> None:
    scope = records["scope"]
    copy_in(conn, "market_symbol", {
        "server_id": Int4(scope.to_numpy(), valid=(scope != 0).to_numpy()),
        "symbol": Text(records["symbol"]),
        "aliases": Text(records["alias"]),
        "symbol_group": Text(records["symbol_group"]),
        "digits": Int4(records["digits"].to_numpy()),
        "contract_e8": Int8(records["contract_size"].to_numpy()),
        "currency": Text(records["currency"]),
        "pip_points": Int4(records["pip_points"].to_numpy()),
        "calc": Text(records["calc"]),
        "tick_size_e8": Int8(records["tick_size"].to_numpy()),
        "tick_value_e8": Int8(records["tick_value"].to_numpy()),
    })  # fmt: skip
