"""Make closed trades of MT5 deals, a column at a time; what is odd, position by position.

Most positions are opened by one deal and closed by one: they are joined as columns. Positions
with several openings, partial closes or reversals go through walk.py. Pure; the result depends
on the set of deals only, not on their order. Rules: docs/decisions/0006.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import TRADE, Kind, Opening, Side, State
from pipshare.facts.content import closed_volume
from pipshare.trades.walk import (
    BUY,
    BUY_CANCELED,
    IN,
    INOUT,
    OUT_BY,
    SELL,
    SELL_CANCELED,
    Closing,
    Leg,
    Step,
    walk,
)

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

ASSEMBLED: dict[str, pl.DataType | type[pl.DataType]] = {**TRADE, "state": pl.Int8}
_SMALL = 2**62  # two charges below this add up inside 64 bits
_STEP = ("deal", "action", "entry", "time_ms", "volume_e8", "closed_e8", "price_e8",
         "position_price_e8", "commission_e8", "fee_e8")  # fmt: skip
_MADE = ("side", "kind", "lots_e8", "open_ms", "open_price_e8", "commission_e8", "fee_e8",
         "opening", "state")  # fmt: skip


def assemble(deals: pl.DataFrame) -> pl.DataFrame:
    """Return the closed trades of `deals`, one per closing deal, ordered by ticket.

    Shapes: a DEAL frame with each deal once, in any order, holding all that is known of its
    positions -> an ASSEMBLED frame (TRADE columns and `state`). Deals that are no trades (balance,
    credit, actions yet unknown) are passed over. A trade whose opening is not there has opening
    UNKNOWN, open_ms 0 and the opening price that its own deal states, if any; `lots_e8` 0 says
    that its volume is not known either. Raises BadInput when charges leave 64 bits.
    """
    deals = _trade_deals(deals)
    cancelled = deals.filter((pl.col("action") >= BUY_CANCELED) & (pl.col("entry") != IN))
    standing = _Deals(deals.filter(pl.col("action") < BUY_CANCELED))
    parts = [*standing.closings(), _cancelled(cancelled)]
    trades = pl.concat([part for part in parts if len(part)] or parts[-1:])
    return trades.sort("ticket")


def _trade_deals(deals: pl.DataFrame) -> pl.DataFrame:
    return deals.filter(
        pl.col("action").is_in([BUY, SELL, BUY_CANCELED, SELL_CANCELED])
        & pl.col("entry").is_between(IN, OUT_BY)
        & ((pl.col("volume_e8") > 0) | (pl.col("entry") != IN))
    ).sort("login", "position", "time_ms", "deal")


def all_legs(deals: pl.DataFrame) -> pl.DataFrame:
    """Return which opening deal each closing deal closed, and how much of it.

    Shapes: as assemble -> ticket (the closing deal), deal, lots_e8; the oldest leg of a ticket
    first. Closings whose opening is not known have no rows.
    """
    deals = _trade_deals(deals)
    return _Deals(deals.filter(pl.col("action") < BUY_CANCELED)).legs()


def legs(deals: pl.DataFrame, ticket: int) -> list[Leg]:
    """Return the opening legs of one closing deal, oldest first; [] when they are not known.

    `deals` is a DEAL frame with all known deals of its position, and maybe of others. Raises
    BadInput as assemble.
    """
    own = deals.filter((pl.col("deal") == ticket) & (pl.col("position") != 0))
    whole = deals.join(own.select("login", "position"), on=["login", "position"], how="semi")
    book = _Deals(whole.filter(pl.col("action").is_in([BUY, SELL]) & (pl.col("volume_e8") > 0)))
    closings = walk(book.steps(np.arange(len(book.frame))))
    return next((list(closing.legs) for closing in closings if closing.deal == ticket), [])


@dataclass
class _Made:
    """What a closing deal does not say by itself: columns parallel to `row`, its row in a frame."""

    row: Column
    side: Column
    kind: Column
    lots_e8: Column
    open_ms: Column
    open_price_e8: Column
    commission_e8: Column
    fee_e8: Column
    opening: Column
    state: Column


class _Deals:
    """Standing trade deals sorted by position and time, and the positions they fall into."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.closed = np.maximum(closed_volume(frame), 0)
        self.col = {name: frame[name].cast(pl.Int64).to_numpy() for name in _STEP}
        self.position = frame["position"].to_numpy()
        login = frame["login"].to_numpy()
        # Without a position id nothing tells which deals belong together: each stands alone.
        new = np.ones(len(frame), np.bool_)
        new[1:] = np.diff(login).astype(np.bool_) | np.diff(self.position).astype(np.bool_)
        new |= self.position == 0
        self.start = np.flatnonzero(new)
        self.count = np.diff(np.append(self.start, len(frame)))

    def closings(self) -> Iterator[pl.DataFrame]:
        """Yield the trades of the three sorts of positions that have a closing."""
        entry = self.col["entry"]
        opens = self._per_position((entry == IN) | (entry == INOUT))
        closes = self._per_position(entry != IN)
        pair = self._pairs(opens, closes)
        orphan = opens == 0
        yield _trades(self.frame, self._joined(self.start[pair]))
        yield _trades(self.frame, self._orphans(orphan))
        yield _trades(self.frame, self._walked((closes > 0) & ~pair & ~orphan))

    def legs(self) -> pl.DataFrame:
        """Return ticket, deal, lots_e8 of every leg of every closing."""
        entry, deal = self.col["entry"], self.col["deal"]
        opens = self._per_position((entry == IN) | (entry == INOUT))
        closes = self._per_position(entry != IN)
        pair = self._pairs(opens, closes)
        first = self.start[pair]
        others = (closes > 0) & (opens > 0) & ~pair
        steps = iter(self.steps(self._rows(others)))
        found = [
            (closing.deal, leg.deal, leg.lots_e8)
            for count in self.count[others].tolist()
            for closing in walk(list(islice(steps, count)))
            for leg in closing.legs
        ]
        told = np.array(found, np.int64).reshape(-1, 3)
        return pl.DataFrame({
            "ticket": np.append(deal[first + 1], told[:, 0]),
            "deal": np.append(deal[first], told[:, 1]),
            "lots_e8": np.append(self.closed[first + 1], told[:, 2]),
        })  # fmt: skip

    def steps(self, rows: Column) -> list[Step]:
        """Return the deals of `rows` as scalars."""
        columns = [self.col[name][rows].tolist() for name in _STEP]
        columns[_STEP.index("closed_e8")] = self.closed[rows].tolist()
        return [Step(*values) for values in zip(rows.tolist(), *columns, strict=True)]

    def _per_position(self, mask: Mask) -> Column:
        if not len(self.start):
            return np.zeros(0, np.int64)
        return np.add.reduceat(mask.astype(np.int64), self.start)

    def _rows(self, positions: Mask) -> Column:
        return np.flatnonzero(np.repeat(positions, self.count))

    def _pairs(self, opens: Column, closes: Column) -> Mask:
        """Tell which positions are one IN and then one close of all of it, the other way."""
        pair: Mask = (self.count == 2) & (opens == 1) & (closes == 1)
        first = self.start[pair]
        last = first + 1
        col = self.col
        charges = np.maximum.reduce([np.abs(col[name][at] >> 1) for at in (first, last)
                                     for name in ("commission_e8", "fee_e8")])  # fmt: skip
        fits: Mask = (
            (col["entry"][first] == IN)
            & (col["entry"][last] != INOUT)
            & (col["action"][first] != col["action"][last])
            & (col["volume_e8"][first] == self.closed[last])
            & (charges < _SMALL >> 1)
        )
        pair[pair] = fits
        return pair

    def _joined(self, first: Column) -> _Made:
        last, col = first + 1, self.col
        return _Made(
            row=last,
            side=_sides(col["action"][last]),
            kind=np.where(col["entry"][last] == OUT_BY, Kind.CLOSE_BY, Kind.WHOLE),
            lots_e8=self.closed[last],
            open_ms=col["time_ms"][first],
            open_price_e8=col["price_e8"][first],
            commission_e8=col["commission_e8"][first] + col["commission_e8"][last],
            fee_e8=col["fee_e8"][first] + col["fee_e8"][last],
            opening=np.full(len(last), Opening.KNOWN),
            state=np.full(len(last), State.CLOSED),
        )

    def _orphans(self, positions: Mask) -> _Made:
        return _alone(self.col, self.closed, self._rows(positions), State.CLOSED)

    def _walked(self, positions: Mask) -> _Made:
        steps = iter(self.steps(self._rows(positions)))
        found: list[Closing] = []
        for count in self.count[positions].tolist():
            found += walk(list(islice(steps, count)))
        return _Made(
            row=_column([c.row for c in found]),
            side=_column([c.side for c in found]),
            kind=_column([c.kind for c in found]),
            lots_e8=_column([c.lots_e8 for c in found]),
            open_ms=_column([c.open_ms for c in found]),
            open_price_e8=_column([c.open_price_e8 for c in found]),
            commission_e8=_column([c.commission_e8 for c in found]),
            fee_e8=_column([c.fee_e8 for c in found]),
            opening=_column([Opening.KNOWN if c.known else Opening.UNKNOWN for c in found]),
            state=np.full(len(found), State.CLOSED),
        )


def _cancelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Trades of cancelled closing deals. They close nothing, so they have no opening either."""
    col = {name: frame[name].cast(pl.Int64).to_numpy() for name in _STEP}
    lots = np.maximum(closed_volume(frame), 0)
    lots = np.where(lots == 0, np.maximum(col["volume_e8"], 0), lots)
    return _trades(frame, _alone(col, lots, np.arange(len(frame)), State.CANCELLED))


def _alone(col: dict[str, Column], closed: Column, rows: Column, state: State) -> _Made:
    """Closing deals without an opening: only what they say themselves."""
    entry = col["entry"][rows]
    kinds = [Kind.WHOLE, Kind.WHOLE, Kind.REVERSAL, Kind.CLOSE_BY]  # by entry
    return _Made(
        row=rows,
        side=_sides(col["action"][rows]),
        kind=np.array(kinds, np.int64)[entry],
        lots_e8=closed[rows],
        open_ms=np.zeros(len(rows), np.int64),
        open_price_e8=col["position_price_e8"][rows],
        commission_e8=col["commission_e8"][rows],
        fee_e8=col["fee_e8"][rows],
        opening=np.full(len(rows), Opening.UNKNOWN),
        state=np.full(len(rows), state),
    )


def _sides(closing_action: Column) -> Column:
    """A selling deal closes what was bought."""
    sold = (closing_action == SELL) | (closing_action == SELL_CANCELED)
    return np.where(sold, Side.BUY, Side.SELL)


def _trades(frame: pl.DataFrame, made: _Made) -> pl.DataFrame:
    closing = frame[made.row] if len(made.row) else frame.clear()
    return closing.select(
        "login", "position", "symbol", "reason", "swap_e8", "profit_e8", "rate_profit_e8",
        "contract_e8", "line",
        ticket="deal", close_ms="time_ms", close_price_e8="price_e8",
    ).with_columns(
        pl.Series(name, getattr(made, name), dtype=ASSEMBLED[name]) for name in _MADE
    ).select(list(ASSEMBLED))  # fmt: skip


def _column(values: list[int]) -> Column:
    return np.array(values, np.int64)
