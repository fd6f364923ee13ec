"""Text cells named as facts.fields names them, to TRADE and DEAL frames.

facts.reading types the cells; here stands what only trades and deals need: choices to numbers,
unknown openings, and the checks across cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from pipshare.facts import DEAL, QUOTED, TRADE, Kind, Opening, Refusal, Side
from pipshare.facts.reading import read_fields
from pipshare.money import format_e8
from pipshare.sources.files.trade_rows import SYMBOL_BYTES
from pipshare.sources.mapped.mapping import TIMES, Mapping

_SIDES = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
_KINDS = {"whole": int(Kind.WHOLE), "partial": int(Kind.PARTIAL),
          "close_by": int(Kind.CLOSE_BY), "reversal": int(Kind.REVERSAL)}  # fmt: skip
# Field of facts.fields -> column of the frame, where it is not "<field>_e8" or the same.
_RENAMED = {"open_time": "open_ms", "close_time": "close_ms", "time": "time_ms",
            "contract_size": "contract_e8", "volume_closed": "closed_e8",
            "gateway_open_price": "open_gateway_e8",
            "gateway_close_price": "close_gateway_e8"}  # fmt: skip
_TEXTS = {"open_time", "close_time", "time"}
_KEPT = {"opening", "side", "kind", "line", "ticket", "login", "position", "symbol", "reason",
         "deal", "order", "action", "entry"}  # fmt: skip
Refuse = Callable[[int, str, str], Refusal]
# Code, test that a bad row passes, sentence with the row's values.
_Check = tuple[str, pl.Expr, str]

_IDS: tuple[_Check, ...] = (
    ("bad_number", pl.col("login") <= 0, "login {login} is not above zero"),
    ("bad_symbol", pl.col("symbol").str.len_bytes() > SYMBOL_BYTES, "symbol is too long"),
    ("wrong_encoding", pl.col("symbol").str.contains("\ufffd", literal=True),
     "symbol {symbol} is not written in the file's encoding; name the right one"),
    ("bad_number", (pl.col("reason") < -1) | (pl.col("reason") > 32_767),
     "reason {reason} is no MT5 deal reason"),
)  # fmt: skip
_TRADE: tuple[_Check, ...] = (
    ("bad_number", pl.col("ticket") <= 0, "ticket {ticket} is not above zero"),
    *_IDS,
    ("volume_not_positive", pl.col("lots_e8") <= 0, "lots {lots_e8} is not more than zero"),
    ("price_not_positive", pl.col("close_price_e8") == 0, "close_price is 0"),
    ("price_not_positive", pl.col("price_told") & (pl.col("open_price_e8") == 0),
     "open_price is 0; leave it empty when it is unknown"),
    ("close_before_open",
     (pl.col("open_ms") > 0) & (pl.col("close_ms") < pl.col("open_ms")),
     "close_time lies before open_time"),
    ("price_not_positive", pl.any_horizontal(pl.col(name) < 0 for name in QUOTED),
     "a quote or gateway price is below zero; leave it empty when it is not known"),
)  # fmt: skip
_IS_TRADE = pl.col("action").is_in([0, 1])
_DEAL: tuple[_Check, ...] = (
    ("bad_number", pl.col("deal") <= 0, "deal {deal} is not above zero"),
    *_IDS,
    ("bad_number", (pl.col("action") < 0) | (pl.col("action") > 32_767),
     "action {action} is no EnDealAction"),
    ("unknown_entry", (pl.col("entry") < 0) | (pl.col("entry") > 255)
     | (_IS_TRADE & (pl.col("entry") > 3)), "entry {entry} is none of 0, 1, 2, 3"),
    ("empty_field", _IS_TRADE & (pl.col("symbol") == ""), "symbol is empty"),
    ("volume_not_positive", (_IS_TRADE & (pl.col("volume_e8") <= 0)) | (pl.col("closed_e8") < 0),
     "volume {volume_e8} is not more than zero"),
    ("price_not_positive", _IS_TRADE & (pl.col("price_e8") == 0), "price is 0"),
)  # fmt: skip


def facts(
    cells: pl.DataFrame, mapping: Mapping, refuse: Refuse
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the TRADE (and QUOTED) or DEAL frame of text cells, as mapping.format says, and the
    refusals.

    `cells` has String columns named as the fields plus `line`. `refuse` makes a Refusal of line,
    code and reason with the row as it stands in the file.
    """
    fields, wrong = read_fields(_translated(cells, mapping), mapping.format)
    refused = [refuse(one.line, one.code, one.reason.partition(", ")[2]) for one in wrong]
    is_trades = mapping.format == "trades"
    named = _named(fields, is_trades)
    checks = _TRADE if is_trades else _DEAL
    tests = [pl.when(test.fill_null(False)).then(pl.lit(at)) for at, (_, test, _) in
             enumerate(checks)]  # fmt: skip
    broken = named.select(pl.coalesce(tests).alias("broken"))["broken"]
    bad = broken.is_not_null()
    for row, at in zip(named.filter(bad).iter_rows(named=True), broken.filter(bad), strict=True):
        code, _, sentence = checks[at]
        refused.append(refuse(row["line"], code, sentence.format(**_printable(row))))
    schema = {**TRADE, **QUOTED} if is_trades else DEAL
    good = named.filter(~bad).select(pl.col(name).cast(kind) for name, kind in schema.items())
    return good, sorted(refused, key=lambda refusal: refusal.line)


def _printable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: format_e8(value) if name.endswith("_e8") else value
            for name, value in row.items()}  # fmt: skip


def _named(fields: pl.DataFrame, is_trades: bool) -> pl.DataFrame:
    """Give typed fields the names and numbers of the frames."""
    if is_trades:
        known = pl.col("open_time").is_not_null() & pl.col("open_price").is_not_null()
        fields = fields.with_columns(
            pl.col("side").replace_strict(_SIDES, return_dtype=pl.Int8),
            pl.col("kind").replace_strict(_KINDS, return_dtype=pl.Int8),
            opening=pl.when(known).then(int(Opening.KNOWN)).otherwise(int(Opening.UNKNOWN)),
            price_told=pl.col("open_price").is_not_null(),
        )
    names = {
        name: _RENAMED.get(name, name if name in _KEPT else f"{name}_e8")
        for name in fields.columns if name != "price_told"
    }  # fmt: skip
    numbers = [name for name, kind in fields.schema.items() if kind == pl.Int64]
    return fields.with_columns(pl.col(numbers).fill_null(0)).rename(names)


def _translated(cells: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Put cells into the words, units and times that facts.reading reads."""
    cells = cells.with_columns(pl.exclude("line").str.strip_chars())
    steps: dict[str, pl.Expr] = {}
    for name in cells.columns:
        if name == "line":
            continue
        cell = pl.col(name)
        if name in mapping.values:
            cell = cell.replace(mapping.values[name])
        if mapping.decimal == "," and name not in _KEPT and name not in _TEXTS:
            # A point in such a file would be a thousands separator: two points are no number.
            cell = cell.str.replace_all(".", "..", literal=True).str.replace(",", ".", literal=True)
        if places := mapping.units.get(name):
            cell = pl.when(cell == "").then(cell).otherwise(cell + f"e-{places}")
        if mapping.time and name in ("open_time", "close_time", "time"):
            cell = _time(cell, mapping.time)
        steps[name] = cell
    return cells.with_columns(**steps).with_columns(
        pl.lit(value).alias(name) for name, value in mapping.constants.items()
    )


def _time(cell: pl.Expr, form: str) -> pl.Expr:
    """Rewrite times to the spelling that facts.reading knows; what is none stays as it is."""
    if form in TIMES:
        count = cell.cast(pl.Int64, strict=False) * (1000 if form == "unix" else 1)
        moment = count.cast(pl.Datetime("ms"))
    else:
        moment = cell.str.to_datetime(form, strict=False, time_unit="ms")
    return pl.coalesce(moment.dt.to_string("%Y-%m-%d %H:%M:%S%.3f"), cell)
