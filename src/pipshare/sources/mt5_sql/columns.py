"""The export's column names, and its text cells as DEAL columns.

Names are MetaQuotes' own. Two volumes are told: Volume in 1/10,000 lot and, since VolumeExt
exists, 1/100,000,000 lot; the finer one counts where it is there (MT5 SDK).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from pipshare.facts import DEAL
from pipshare.sources.files.numbers import any_time_ms, e8, shown, time_ms, whole
from pipshare.sources.mt5_sql.faults import CAPTIONS, deal_fault

# Name in the file, lower case -> our text column.
NAMES = {
    "deal": "deal", "login": "login", "order": "order", "positionid": "position",
    "action": "action", "entry": "entry", "reason": "reason",
    "time": "time", "timemsc": "time_msc", "symbol": "symbol", "volume": "volume",
    "volumeext": "volume_ext", "volumeclosed": "closed", "volumeclosedext": "closed_ext",
    "price": "price", "priceposition": "position_price", "pricegateway": "gateway_price",
    "profit": "profit", "storage": "swap", "commission": "commission", "fee": "fee",
    "rateprofit": "rate_profit", "contractsize": "contract", "marketbid": "bid",
    "marketask": "ask",
}  # fmt: skip
COLUMNS = tuple(dict.fromkeys(NAMES.values()))
NEEDED = ("deal", "login", "action", "entry", "position", "symbol", "price")
_AMOUNTS = ("price", "position_price", "gateway_price", "profit", "swap", "commission", "fee",
            "rate_profit", "contract", "bid", "ask")  # fmt: skip
TIME_FORM = "%Y-%m-%d %H:%M:%S%.f"
SYMBOL_BYTES = 64
MAX_ENUM = 32_767
NULLS = {"NULL": "", "null": "", "\\N": ""}


def missing_columns(names: Mapping[str, int]) -> list[str]:
    """Return what a header lacks to be an export of deals, by MetaQuotes' names."""
    lacks = [CAPTIONS[name] for name in NEEDED if name not in names]
    if "time" not in names and "time_msc" not in names:
        lacks.append("Time")
    if "volume" not in names and "volume_ext" not in names:
        lacks.append("Volume")
    return lacks


def known_columns(header: list[str]) -> dict[str, int]:
    """Return {our name: place} of a header's cells; the first of two equal names counts."""
    places: dict[str, int] = {}
    for at, cell in enumerate(header):
        ours = NAMES.get(cell.strip().strip("`\"'[]").lower())
        if ours is not None:
            places.setdefault(ours, at)
    return places


def deals(frame: pl.DataFrame, refuse: Callable[[int, str, str], None]) -> pl.DataFrame:
    """Return the DEAL frame of text rows (our names); `refuse` is told line, code and reason."""
    missing = [name for name in COLUMNS if name not in frame.columns]
    frame = frame.with_columns(pl.lit("").alias(name) for name in missing)
    good, rest = _typed(frame, lambda name: time_ms(name, TIME_FORM))
    if not len(rest):
        return good
    rest = rest.with_columns(pl.col(COLUMNS).str.strip_chars().replace(NULLS))
    more, bad = _typed(rest, _tolerant_time)
    for cells in bad.iter_rows(named=True):
        code, reason = deal_fault(cells)
        refuse(int(cells["line"]), code, f"deal {shown(cells['deal'])[1:-1]}: {reason}")
    return pl.concat([good, more]).sort("line", maintain_order=True) if len(more) else good


def _typed(
    frame: pl.DataFrame, time: Callable[[str], pl.Expr]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    typed = frame.lazy().select(
        *(whole(name).alias(name) for name in ("deal", "login")),
        *(_enum(name) for name in ("order", "position", "action", "entry", "reason")),
        pl.coalesce(time("time_msc"), time("time")).alias("time_ms"),
        pl.col("symbol").str.strip_chars(),
        _lots("volume_ext", "volume").alias("volume_e8"),
        _lots("closed_ext", "closed").alias("closed_e8"),
        *(_amount(name).alias(f"{name}_e8") for name in _AMOUNTS),
        "line",
    ).collect()  # fmt: skip
    good = typed.select(_good()).to_series()
    return (
        typed.filter(good).select(pl.col(name).cast(type_) for name, type_ in DEAL.items()),
        frame.filter(~good),
    )


def _enum(name: str) -> pl.Expr:
    # A column that the export lacks, or an empty cell, tells nothing: reason -1, others 0.
    nothing = -1 if name == "reason" else 0
    return pl.when(pl.col(name) == "").then(nothing).otherwise(whole(name)).alias(name)


def _amount(name: str) -> pl.Expr:
    return pl.when(pl.col(name) == "").then(0).otherwise(e8(name))


def _lots(fine: str, coarse: str) -> pl.Expr:
    """Lots in e8: the fine volume counts 1e-8 lots already, the coarse one 1e-4."""
    has_fine = ~pl.col(fine).is_in(["", "0"])
    units = pl.when(pl.col(coarse) == "").then(0).otherwise(whole(coarse))
    return pl.when(has_fine).then(whole(fine)).otherwise(units * 10_000)


def _tolerant_time(name: str) -> pl.Expr:
    """Datetime text in any known spelling, or a count since 1970 (Time: s, TimeMsc: ms)."""
    factor = 1 if name == "time_msc" else 1000
    return pl.coalesce(any_time_ms(name), whole(name) * factor)


def _good() -> pl.Expr:
    trade = pl.col("action").is_in([0, 1])
    sound = (
        (pl.col("volume_e8") > 0) & (pl.col("closed_e8") >= 0) & (pl.col("price_e8") != 0)
        & (pl.col("symbol") != "") & pl.col("entry").is_between(0, 3)
    )  # fmt: skip
    return pl.all_horizontal(
        pl.col("deal") > 0, pl.col("login") > 0, pl.col("time_ms") > 0,
        pl.col("order", "position") >= 0,
        pl.col("action", "entry").is_between(0, MAX_ENUM),
        pl.col("reason").is_between(-1, MAX_ENUM),
        pl.col("volume_e8").is_not_null(), pl.col("closed_e8").is_not_null(),
        pl.col("symbol").str.len_bytes() <= SYMBOL_BYTES,
        ~pl.col("symbol").str.contains("\ufffd", literal=True),
        *(pl.col(f"{name}_e8").is_not_null() for name in _AMOUNTS),
        ~trade | sound,
    ).fill_null(False)  # fmt: skip
