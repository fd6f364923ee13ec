"""What a file contains, as the object that `import --check --json` prints for it.

Only reads. Amounts are strings with at least two decimals, in the file's signs and its own lots.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipshare.errors import PipshareError
from pipshare.facts import Refusal
from pipshare.facts.content import closed_volume
from pipshare.money import format_e8
from pipshare.sources.files import read
from pipshare.sources.reading import Chunk, Reading

KEYS = (
    "file", "format", "encoding", "account", "currency", "closed_trades", "lots", "commission",
    "swap", "closed_pl_printed", "closed_pl_summed", "balance_rows", "cancelled",
    "compaction_rows", "refused", "error",
)  # fmt: skip
AMOUNTS = ("lots", "commission", "swap", "closed_pl_summed")
TRADE_ACTIONS = (0, 1)  # EnDealAction buy, sell
CANCELED_ACTIONS = (13, 14)
CLOSING_ENTRIES = (1, 2, 3)  # EnDealEntry out, in/out, out by


def summary(
    path: Path, *, mapping: Path | None = None, encoding: str | None = None
) -> dict[str, Any]:
    """Return the object with KEYS for one file; a refused file has only `file` and `error`."""
    try:
        return _summed(path, read(path, mapping=mapping, encoding=encoding))
    except PipshareError as error:
        return {**dict.fromkeys(KEYS), "file": str(path), "error": error.message}


def _summed(path: Path, reading: Reading) -> dict[str, Any]:
    meta = reading.meta
    totals = dict.fromkeys(AMOUNTS, 0)
    counts = dict.fromkeys(("closed_trades", "balance_rows", "cancelled", "compaction_rows"), 0)
    logins: set[int] = set()
    currencies: set[str] = set()
    refused: list[Refusal] = []
    for chunk in reading.chunks():
        closed = _closed_rows(chunk)
        for name, amount in _amounts(closed, chunk).items():
            totals[name] += amount
        counts["closed_trades"] += len(closed)
        counts["balance_rows"] += len(chunk.cash) + _balance_deals(chunk)
        counts["cancelled"] += chunk.cancelled
        counts["compaction_rows"] += chunk.compaction_rows
        refused += chunk.refused
        currencies.update(chunk.currencies.values())
        _add_logins(logins, chunk)
    found = {
        "file": str(path),
        "format": meta.format,
        "encoding": meta.encoding,
        "account": meta.account if meta.account is not None else _only(logins),
        "currency": meta.currency if meta.currency is not None else _only(currencies),
        **counts,
        **{name: format_e8(units) for name, units in totals.items()},
        "closed_pl_printed": (
            None if meta.closed_pl_printed_e8 is None else format_e8(meta.closed_pl_printed_e8)
        ),
        "refused": [{"line": one.line, "reason": one.reason} for one in refused],
        "error": None,
    }
    return {key: found[key] for key in KEYS}


def _closed_rows(chunk: Chunk) -> pl.DataFrame:
    """Return the market trades of a chunk: closed rows, and closing deals that are none of them."""
    columns = ("lots_e8", "commission_e8", "fee_e8", "swap_e8", "profit_e8")
    closing = chunk.deals.filter(
        pl.col("action").is_in(TRADE_ACTIONS) & pl.col("entry").is_in(CLOSING_ENTRIES)
    )
    if len(chunk.trades):
        closing = closing.filter(~pl.col("deal").is_in(chunk.trades["ticket"].implode()))
    # A reversal that does not tell how much of it closed counts with the volume it prints.
    lots = pl.Series("lots_e8", closed_volume(closing))
    deals = closing.with_columns(lots.zip_with(lots > 0, closing["volume_e8"]).alias("lots_e8"))
    return pl.concat([chunk.trades.select(columns), deals.select(columns)])


def _amounts(closed: pl.DataFrame, chunk: Chunk) -> dict[str, int]:
    # 128 bits: a column of large amounts may not fit 64 when it is added up.
    wide = closed.select(pl.all().cast(pl.Int128).sum()).row(0, named=True)
    commission, swap = wide["commission_e8"], wide["swap_e8"]
    others = chunk.compaction_pl_e8 + chunk.other_pl_e8
    return {
        "lots": wide["lots_e8"],
        "commission": commission + chunk.other_commission_e8,
        "swap": swap + chunk.other_swap_e8,
        "closed_pl_summed": commission + wide["fee_e8"] + swap + wide["profit_e8"] + others,
    }


def _balance_deals(chunk: Chunk) -> int:
    known = [*TRADE_ACTIONS, *CANCELED_ACTIONS]
    other = chunk.deals.filter(~pl.col("action").is_in(known))
    if len(chunk.cash):
        other = other.filter(~pl.col("deal").is_in(chunk.cash["ticket"].implode()))
    return len(other)


def _add_logins(logins: set[int], chunk: Chunk) -> None:
    if len(logins) > 1:
        return
    for frame in (chunk.trades, chunk.cash, chunk.deals):
        logins.update(frame["login"].filter(frame["login"] > 0).unique().to_list())


def _only(values: set[Any]) -> Any:
    return next(iter(values)) if len(values) == 1 else None
