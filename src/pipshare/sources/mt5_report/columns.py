"""Deals and positions of a report as checked columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipshare.facts import CASH, CashKind, Refusal, Side
from pipshare.sources.files.cash_kinds import cash_kind
from pipshare.sources.files.markup import MAX_CELL
from pipshare.sources.files.printed import e8_column, int_column, ms_column
from pipshare.sources.mt5_report.sections import Table

MONEY = ("commission", "fee", "swap", "profit")
SIDES = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
ENTRIES = {"in": 0, "out": 1, "in/out": 2, "out by": 3}  # EnDealEntry
# Type words of deals that move money without a trade; "balance" is told by its comment.
_CASH = {
    "balance": CashKind.BALANCE, "credit": CashKind.CREDIT, "bonus": CashKind.BONUS,
    "charge": CashKind.FEE, "correction": CashKind.CORRECTION,
    "commission": CashKind.COMMISSION, "daily commission": CashKind.COMMISSION,
    "monthly commission": CashKind.COMMISSION, "agent": CashKind.AGENT,
    "agent commission": CashKind.AGENT, "daily agent commission": CashKind.AGENT,
    "monthly agent commission": CashKind.AGENT, "interest": CashKind.INTEREST,
    "dividend": CashKind.DIVIDEND, "franked dividend": CashKind.DIVIDEND, "tax": CashKind.TAX,
    "so compensation": CashKind.COMPENSATION, "so compensation credit": CashKind.COMPENSATION,
}  # fmt: skip
_CANCELLED = ("buy canceled", "sell canceled", "buy cancelled", "sell cancelled")
_col = pl.col
_trade = _col("side").is_not_null()
Rule = tuple[str, str, pl.Expr]
_AMOUNTS = pl.any_horizontal(_col(name).is_null() for name in MONEY)
_PRICE = _col("price").fill_null(0) <= 0
_DEAL_RULES: tuple[Rule, ...] = (
    ("cell_too_long", "a cell is longer than any real one (1,024 characters)", _col("long")),
    ("bad_number", "the deal is no number above zero", _col("ticket").fill_null(0) <= 0),
    ("bad_time", "the time is no time", _col("time").is_null()),
    ("not_a_number", "commission, fee, swap or profit is no number", _AMOUNTS),
    ("unknown_type", "the type is neither buy nor sell, but the row names a symbol",
     ~_trade & _col("symbol").is_not_null() & ~_col("type").is_in(_CANCELLED)),
    ("empty_field", "the symbol is missing", _trade & _col("symbol").is_null()),
    ("unknown_direction", "the direction is none of in, out, in/out, out by",
     _trade & _col("entry").is_null()),
    ("not_a_number", "the volume is no number", _trade & _col("volume").is_null()),
    ("volume_not_positive", "the volume is not more than zero", _trade & (_col("volume") <= 0)),
    ("price_not_positive", "the price is no number above zero", _trade & _PRICE),
)  # fmt: skip
_POSITION_RULES: tuple[Rule, ...] = (
    ("cell_too_long", "a cell is longer than any real one (1,024 characters)", _col("long")),
    ("bad_number", "the position is no number above zero", _col("ticket").fill_null(0) <= 0),
    ("unknown_type", "the type is neither buy nor sell", ~_trade),
    ("bad_time", "the open or close time is no time",
     _col("time").is_null() | _col("close").is_null()),
    ("close_before_open", "it closes before it opens", _col("close") < _col("time")),
    ("price_not_positive", "a price is no number above zero",
     _PRICE | (_col("close_price").fill_null(0) <= 0)),
    ("not_a_number", "the commission is no number", _col("commission").is_null()),
)  # fmt: skip


def deal_columns(table: Table, places: dict[str, int]) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the understood deals, trades and balance operations alike, and the refused rows.

    Columns: ticket, time (ms), symbol, type, side (null for no trade), entry, volume, price, order,
    commission, fee, swap, profit (e8), comment, line.
    """
    blank = pl.Series([None], dtype=pl.String).new_from_index(0, len(table.rows))
    texts = {name: table.column(places[name]) if name in places else blank
             for name in (*MONEY, "comment")}  # fmt: skip
    type_ = table.column(3).str.to_lowercase()
    frame = pl.DataFrame(
        {
            "ticket": int_column(table.column(1)),
            "time": ms_column(table.column(0)),
            "symbol": table.column(2),
            "type": type_,
            "side": type_.replace_strict(SIDES, default=None, return_dtype=pl.Int8),
            "entry": table.column(4)
            .str.to_lowercase()
            .replace_strict(ENTRIES, default=None, return_dtype=pl.Int8),
            "volume": e8_column(table.column(5)),
            "price": e8_column(table.column(6)),
            "order": int_column(table.column(7)),
            **{name: _amount(texts[name]) for name in MONEY},
            "comment": texts["comment"].fill_null(""),
            "line": pl.Series(table.lines, dtype=pl.Int32),
            "long": _long(table),
        }
    )
    return _checked(frame, table, _DEAL_RULES, "deal")


def position_columns(table: Table) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the understood positions and the refused rows.

    Columns: ticket, time, close (ms), symbol, side, volume, price, close_price, commission (e8),
    line. A position whose volume reads "0.05 / 0.10" was closed in parts and joins with no deal.
    """
    frame = pl.DataFrame(
        {
            "ticket": int_column(table.column(1)),
            "time": ms_column(table.column(0)),
            "close": ms_column(table.column(8)),
            "symbol": table.column(2).fill_null(""),
            "side": table.column(3)
            .str.to_lowercase()
            .replace_strict(SIDES, default=None, return_dtype=pl.Int8),
            "volume": e8_column(table.column(4)).fill_null(0),
            "price": e8_column(table.column(5)),
            "close_price": e8_column(table.column(9)),
            "commission": _amount(table.column(10)),
            "line": pl.Series(table.lines, dtype=pl.Int32),
            "long": _long(table),
        }
    )
    return _checked(frame, table, _POSITION_RULES, "position")


def cash_columns(deals: pl.DataFrame, login: int) -> pl.DataFrame:
    """Return the deals that are no trades as a CASH frame."""
    rows = deals.filter(_col("side").is_null() & ~_col("type").is_in(_CANCELLED))
    told = cash_kind(_col("comment"), pl.lit(False))
    kinds = {word: str(kind) for word, kind in _CASH.items() if word != "balance"}
    named = _col("type").replace_strict(kinds, default=str(CashKind.OTHER), return_dtype=pl.String)
    frame = rows.with_columns(
        login=pl.lit(login, pl.Int64),
        time_ms="time",
        kind=pl.when(_col("type") == "balance").then(told).otherwise(named),
        amount_e8=pl.sum_horizontal(MONEY),
    )
    return frame.select(_col(name).cast(kind) for name, kind in CASH.items())


def _amount(texts: pl.Series) -> pl.Series:
    """Read an amount; a blank cell is nought, anything else that is no figure is null."""
    return e8_column(texts.fill_null("0"))


def _long(table: Table) -> pl.Series:
    return pl.Series([max(map(len, row)) > MAX_CELL for row in table.rows], dtype=pl.Boolean)


def _checked(
    frame: pl.DataFrame, table: Table, rules: Sequence[Rule], what: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    code = pl.coalesce(pl.when(test).then(pl.lit(rank)) for rank, (_, _, test) in enumerate(rules))
    broken = frame.select(code).to_series()
    refused = []
    for place in broken.is_not_null().arg_true():
        rule, _, _ = sentence = rules[broken[place]]
        cells = [cell if len(cell) <= 60 else f"{cell[:40]}..." for cell in table.rows[place]]
        reason = f"{what} {cells[1]}: {sentence[1]}"
        refused.append(Refusal(table.lines[place], rule, reason, " | ".join(cells)))
    return frame.filter(broken.is_null()).drop("long"), refused
