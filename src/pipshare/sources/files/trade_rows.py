"""Rows that print one closed trade each (MT4 exports, journals): text columns to TRADE columns.

`closed_trades` reads the rows that are as they should be, a column at a time. `leftovers` sorts
out the others: cancelled orders, open trades, compaction rows, and what has to be refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipshare.facts import TRADE, Kind, Opening, Side
from pipshare.period import FOREVER_MS
from pipshare.sources.files.csv_rows import Rows
from pipshare.sources.files.numbers import any_time_ms, e8, time_ms, whole
from pipshare.sources.files.trade_faults import trade_fault
from pipshare.sources.reading import Chunk

# The text columns a format hands over; those it has not are filled with "".
COLUMNS = (
    "ticket", "login", "open_time", "type", "symbol", "volume", "open_price", "close_time",
    "close_price", "reason", "commission", "taxes", "swap", "profit", "comment",
)  # fmt: skip
MONEY = {"commission": "commission_e8", "taxes": "fee_e8", "swap": "swap_e8",
         "profit": "profit_e8"}  # fmt: skip
SYMBOL_BYTES = 64
DAY_MS = 86_400_000  # a time on 1970-01-01 says that there is none
SIDES = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
PENDING = ("buy limit", "sell limit", "buy stop", "sell stop")
# Words of the Manager's Reason column -> MT5's EnDealReason.
REASONS = {"Client": 0, "Expert": 1, "Dealer": 2, "Gateway": 9, "Signal": 10, "Mobile": 16,
           "Web": 17}  # fmt: skip
_PARTIAL = r"(?i)^\s*(?:to|from) #\d"
_CLOSE_BY = r"(?i)close hedge by #"
_NEVER = r"^(?:1970[./-]01[./-]01.*)?$"


@dataclass(frozen=True)
class Leftovers:
    """What is no closed market trade, and the trades that took a second, tolerant look."""

    trades: pl.DataFrame
    others: pl.DataFrame
    cancelled: int
    open_rows: int


def with_all(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the text columns of COLUMNS that a format does not have."""
    missing = [name for name in COLUMNS if name not in frame.columns]
    return frame.with_columns(pl.lit("").alias(name) for name in missing)


def closed_trades(
    frame: pl.DataFrame, form: str | None, *, lossy: bool = False, has_login: bool = True
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Split text rows into (TRADE frame, the rows for leftovers, how many cancelled orders).

    `form` is the strptime pattern of times, None for any known spelling; `lossy` says that some
    characters were lost, which a symbol must not contain.
    """
    typed = frame.lazy().select(*_columns(form), *_marks(lossy, form)).collect()
    good = typed.select(_good(has_login)).to_series()
    trades = typed.filter(good).select(pl.col(n).cast(t) for n, t in TRADE.items())
    # Some exports hold more cancelled orders than trades: they are counted before all else.
    cancelled = typed["cancelled"]
    return trades, frame.filter(~good & ~cancelled), int(cancelled.sum())


def _columns(form: str | None) -> list[pl.Expr]:
    comment, kind = pl.col("comment"), pl.col("type")
    return [
        whole("ticket").alias("ticket"),
        whole("login").alias("login"),
        pl.lit(0).alias("position"),
        pl.col("symbol").str.strip_chars(),
        pl.when(kind == "buy").then(1).when(kind == "sell").then(-1).alias("side"),
        pl.when(comment.str.contains(_PARTIAL)).then(int(Kind.PARTIAL))
        .when(comment.str.contains(_CLOSE_BY)).then(int(Kind.CLOSE_BY))
        .otherwise(int(Kind.WHOLE)).alias("kind"),
        pl.col("reason").replace_strict(REASONS, default=-1, return_dtype=pl.Int16),
        e8("volume").alias("lots_e8"),
        *(_time(name, form).alias(f"{name[:-5]}_ms") for name in ("open_time", "close_time")),
        *(e8(name).alias(f"{name}_e8") for name in ("open_price", "close_price")),
        *(_money(name).alias(alias) for name, alias in MONEY.items()),
        pl.lit(0).alias("rate_profit_e8"),
        pl.lit(0).alias("contract_e8"),
        pl.lit(int(Opening.KNOWN)).alias("opening"),
        pl.col("line"),
    ]  # fmt: skip


def _time(name: str, form: str | None) -> pl.Expr:
    return any_time_ms(name) if form is None else time_ms(name, form)


def _money(name: str) -> pl.Expr:
    # An empty money cell is nought; anything else that is no number refuses the row.
    return pl.when(pl.col(name) == "").then(0).otherwise(e8(name))


def _marks(lossy: bool, form: str | None) -> list[pl.Expr]:
    """Say of each row whether its symbol is one, and whether it is a cancelled order."""
    symbol = pl.col("symbol")
    named = symbol.str.len_bytes().is_between(1, SYMBOL_BYTES) & ~_compaction(symbol)
    if lossy:
        named &= ~symbol.str.contains("\ufffd", literal=True)
    cancelled = pl.col("type").is_in(PENDING) & (_time("close_time", form) >= DAY_MS)
    return [named.alias("named"), cancelled.fill_null(False).alias("cancelled")]


def _compaction(symbol: pl.Expr) -> pl.Expr:
    # History compaction leaves pseudo-trades whose item is the word profit.
    return symbol.is_in(["profit", "Profit", "PROFIT"])


def _good(has_login: bool) -> pl.Expr:
    login = pl.col("login") > 0 if has_login else pl.lit(True)
    return pl.all_horizontal(
        "named", login, pl.col("ticket") > 0, pl.col("side").is_not_null(),
        pl.col("lots_e8") > 0, pl.col("open_price_e8") > 0, pl.col("close_price_e8") > 0,
        pl.col("open_ms") > 0, pl.col("close_ms") >= pl.col("open_ms"),
        pl.col("close_ms") < FOREVER_MS,
        *(pl.col(alias).is_not_null() for alias in MONEY.values()),
    ).fill_null(False)  # fmt: skip


def leftovers(
    rest: pl.DataFrame, rows: Rows, captions: Mapping[str, str], *, has_login: bool = True
) -> Leftovers:
    """Sort out rows that closed_trades did not take; refused ones are noted in `rows`.

    `captions` gives each text column the name that the file's header gives it.
    """
    rest = rest.with_columns(pl.col(COLUMNS).str.strip_chars())
    rest = rest.with_columns(_type_word(pl.col("type")))
    market = pl.col("type").is_in(list(SIDES))
    pending = pl.col("type").is_in(PENDING)
    strange = rest.filter(~market & ~pending)
    orders, rest = rest.filter(pending), rest.filter(market)
    never = pl.col("close_time").str.contains(_NEVER)
    open_rows, rest = rest.filter(never), rest.filter(~never)
    others, rest = _others(rest)
    trades, bad, _ = closed_trades(rest, None, lossy=rows.lossy, has_login=has_login)
    _refuse(pl.concat([bad, strange]), rows, captions, has_login)
    cancelled = len(orders.filter(~never))
    still_open = len(open_rows) + len(orders) - cancelled
    return Leftovers(trades, others, cancelled, still_open)


def add_leftovers(chunk: Chunk, left: Leftovers) -> None:
    """Put leftovers into a chunk that has the other trades already."""
    if len(left.trades):
        chunk.trades = pl.concat([chunk.trades, left.trades]).sort("line", maintain_order=True)
    chunk.cancelled += left.cancelled
    chunk.open_rows += left.open_rows
    chunk.others = left.others
    count_others(chunk, left.others, 1)


def count_others(chunk: Chunk, others: pl.DataFrame, sign: int) -> None:
    """Add (sign 1) rows that are no trades to the chunk's sums, or take them off (sign -1)."""
    compacted = _compaction(pl.col("symbol"))
    pl_e8 = pl.sum_horizontal("commission_e8", "fee_e8", "swap_e8", "profit_e8")
    rows, compaction, other, commission, swap = others.select(
        compacted.sum().alias("rows"),
        pl_e8.filter(compacted).sum().alias("compaction"),
        pl_e8.filter(~compacted).sum().alias("other"),
        pl.col("commission_e8").sum(),
        pl.col("swap_e8").sum(),
    ).row(0)
    chunk.compaction_rows += sign * rows
    chunk.compaction_pl_e8 += sign * compaction
    chunk.other_pl_e8 += sign * other
    chunk.other_commission_e8 += sign * commission
    chunk.other_swap_e8 += sign * swap


def _type_word(kind: pl.Expr) -> pl.Expr:
    return kind.str.to_lowercase().str.replace_all(r"[\s_]+", " ")


def _others(rest: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take out compaction rows and the empty half of a close-by, as far as they can be read."""
    compacted = _compaction(pl.col("symbol"))
    emptied = (e8("volume") == 0) & pl.col("comment").str.contains(_CLOSE_BY)
    found = rest.lazy().select(*_columns(None), compacted=compacted, emptied=emptied).collect()
    taken = found.select(
        (pl.col("compacted") | pl.col("emptied"))
        & pl.all_horizontal(pl.col(alias).is_not_null() for alias in MONEY.values())
        & (pl.col("ticket") > 0) & (pl.col("close_ms") > 0)
    ).to_series().fill_null(False)  # fmt: skip
    others = found.filter(taken)
    frame = others.with_columns(
        pl.col("side", "lots_e8", "open_price_e8", "close_price_e8", "open_ms", "login")
        .fill_null(0)
    ).select(pl.col(n).cast(t) for n, t in TRADE.items())  # fmt: skip
    return frame, rest.filter(~taken)


def _refuse(
    bad: pl.DataFrame, rows: Rows, captions: Mapping[str, str], has_login: bool
) -> None:  # fmt: skip
    if not len(bad):
        return
    times = bad.lazy().select(
        any_time_ms("open_time").alias("open_ms"), any_time_ms("close_time").alias("close_ms")
    ).collect()  # fmt: skip
    for cells, opened, closed in zip(
        bad.iter_rows(named=True), times["open_ms"], times["close_ms"], strict=True
    ):
        rows.refuse(int(cells["line"]), *trade_fault(cells, opened, closed, captions, has_login))
