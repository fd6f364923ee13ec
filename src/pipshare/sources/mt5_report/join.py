"""Closing deals joined with their positions: what a report lets us know of the opening.

A deal does not name its position, and the opening deal may be older than the report. A closing
deal belongs to the position of the other side with the same symbol, close time, close price and
volume; where that is not exactly one of each, the opening stays unknown and the trade waits.
"""

from __future__ import annotations

import polars as pl

from pipshare.facts import TRADE, Kind, Opening, Refusal

_KEY = ["symbol", "time", "price", "volume", "side"]
# What the server itself writes into the comment of a deal, as EnDealReason.
_REASONS = ((r"^\[sl\b", 3), (r"^\[tp\b", 4), (r"^\[so\b", 5))
_KINDS = {1: int(Kind.WHOLE), 2: int(Kind.REVERSAL), 3: int(Kind.CLOSE_BY)}
_MOMENT = ["symbol", "time", "price", "side"]


def closed_trades(
    deals: pl.DataFrame, positions: pl.DataFrame, login: int
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return one TRADE row per closing deal, in the order of the file, and what has to be refused.

    Refused are reversals (in/out) without a position row: their volume also holds what they
    opened, and the report does not say how much of it closed.
    """
    closing = deals.filter(pl.col("side").is_not_null() & (pl.col("entry") > 0))
    closing = closing.with_columns(side=-pl.col("side"))  # the side of what was opened
    closed = positions.select(
        "symbol", "side", "volume", "ticket", open_time="time", time="close", open_price="price",
        price="close_price", whole_commission="commission",
    )  # fmt: skip
    straight = _joined(closing.filter(pl.col("entry") != 2), closed, _KEY)
    reversing = _joined(closing.filter(pl.col("entry") == 2), closed, _MOMENT)
    told = (pl.col("whole_volume") <= pl.col("volume")).fill_null(False)
    lost = reversing.filter(~told)
    reversing = reversing.filter(told).with_columns(volume="whole_volume")
    every = pl.concat([straight, reversing]).sort("line", maintain_order=True)
    return _trades(_with_opening_costs(every, deals), login), [
        Refusal(
            line,
            "closed_volume_unknown",
            f"deal {ticket}: it reverses a position, and the report has no row in Positions that "
            "says how much of it closed",
        )
        for line, ticket in lost.select("line", "ticket").iter_rows()
    ]


def _joined(closing: pl.DataFrame, closed: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Add the position's columns where it is one to one; null elsewhere."""
    one = closed.filter(pl.len().over(key) == 1).rename({"ticket": "position"})
    if "volume" not in key:
        one = one.rename({"volume": "whole_volume"})
    else:
        one = one.with_columns(whole_volume="volume")
    alone = closing.with_columns(alone=pl.len().over(key) == 1)
    found = alone.join(one, on=key, how="left", maintain_order="left")
    known = pl.col("alone") & pl.col("position").is_not_null()
    names = ("position", "open_time", "open_price", "whole_commission", "whole_volume")
    return found.with_columns(pl.when(known).then(name).alias(name) for name in names).select(
        *closing.columns, *names
    )


def _with_opening_costs(trades: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """Add what the opening cost: from its own deal, else from the position row's commission.

    The opening deal is the one of the same symbol, side, time, price and volume, if it is one.
    """
    opening = deals.filter((pl.col("entry") == 0) & pl.col("side").is_not_null())
    key = ["symbol", "side", "open_time", "open_price", "volume"]
    opening = opening.select(
        "symbol", "side", "volume", open_time="time", open_price="price",
        in_commission="commission", in_fee="fee",
    ).filter(pl.len().over(key) == 1)  # fmt: skip
    found = trades.join(opening, on=key, how="left", maintain_order="left")
    alone = pl.len().over(key) == 1
    commission = (
        pl.when(alone & pl.col("in_commission").is_not_null())
        .then(pl.col("commission") + pl.col("in_commission"))
        .when((pl.col("entry") != 2) & pl.col("whole_commission").is_not_null())
        .then("whole_commission")
        .otherwise("commission")
    )
    fee = pl.col("fee") + pl.when(alone).then("in_fee").fill_null(0)
    return found.with_columns(commission=commission, fee=fee)


def _trades(found: pl.DataFrame, login: int) -> pl.DataFrame:
    comment = pl.col("comment")
    reason = pl.coalesce(
        [*(pl.when(comment.str.contains(p)).then(pl.lit(r)) for p, r in _REASONS), pl.lit(-1)]
    )
    known = pl.col("position").is_not_null()
    frame = found.with_columns(
        login=pl.lit(login),
        kind=pl.col("entry").replace_strict(_KINDS, return_dtype=pl.Int8),
        reason=reason,
        opening=pl.when(known).then(int(Opening.KNOWN)).otherwise(int(Opening.UNKNOWN)),
        lots_e8="volume",
        open_ms=pl.col("open_time").fill_null(0),
        close_ms="time",
        open_price_e8=pl.col("open_price").fill_null(0),
        close_price_e8="price",
        position=pl.col("position").fill_null(0),
        commission_e8="commission",
        fee_e8="fee",
        swap_e8="swap",
        profit_e8="profit",
        rate_profit_e8=pl.lit(0),
        contract_e8=pl.lit(0),
    )
    return frame.select(pl.col(name).cast(kind) for name, kind in TRADE.items())
