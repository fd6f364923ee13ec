"""Quotes of trades: their own, and where they have none the last imported one before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pipshare.market import QUOTE_AGE_MS, Server, SymbolBook
from pipshare.partners.wording import hint
from pipshare.pipeline.from_files.places import Refuser
from pipshare.pipeline.from_files.trades import only_server, server_times
from pipshare.rating.columns import DEAL, IMPORTED, NO_QUOTE
from pipshare.trades import close_by_sides, gateway_points

QUOTES = {"server": pl.String, "place": pl.Int64, "at": pl.Int64, "bid": pl.Int64, "ask": pl.Int64}


def take_quotes(
    frame: pl.DataFrame, known: Mapping[str, Server], books: Mapping[str, SymbolBook],
    refuse: Refuser,
) -> pl.DataFrame:  # fmt: skip
    """Return good quotes as columns of QUOTES, sorted; one without a time holds at all times."""
    only, some = only_server(known), next(iter(known))
    frame = frame.with_columns(pl.col("server").fill_null(only).replace("", only))
    rows = []
    utc = server_times(frame["time"], frame["server"].replace(_strangers(frame, known), some),
                       known)[1]  # fmt: skip
    for moment, row in zip(utc.tolist(), frame.iter_rows(named=True), strict=True):
        if row["server"] not in known:
            refuse(row, "unknown_server", f"field server: {row['server']!r} is not known"
                   f"{hint(row['server'], known)}: add it to the table servers")  # fmt: skip
        elif row["bid"] <= 0 or row["ask"] < row["bid"]:
            refuse(row, "bad_quote", "bid has to be more than 0, and ask not below bid")
        elif row["time"] and moment < 0:
            refuse(row, "bad_time", f"field time: {row['time']!r} is not a time")
        else:
            place = books[row["server"]].place(row["symbol"])
            if place < 0:
                refuse(row, "unknown_symbol", f"field symbol: {row['symbol']} is not known: add"
                       " it to the symbols")  # fmt: skip
                continue
            rows.append((row["server"], place, max(moment, 0), row["bid"], row["ask"]))
    return pl.DataFrame(rows, schema=QUOTES, orient="row").sort("place", "at")


def _strangers(frame: pl.DataFrame, known: Mapping[str, Server]) -> list[str]:
    return [name for name in frame["server"].unique() if name not in known] or [""]


def with_quotes(
    frame: pl.DataFrame, rows: pl.DataFrame, server: Server, book: SymbolBook, quotes: pl.DataFrame
) -> pl.DataFrame:
    """Add bid, ask and where they are from at both ends, the liquidity provider's prices as a
    markup, and which side of a close-by each trade is."""
    place = book.resolve_column(frame["symbol"]).astype(np.int64)
    added = []
    for end in ("open", "close"):
        bid, ask = (rows[f"{end}_{side}"].to_numpy().copy() for side in ("bid", "ask"))
        own = (bid > 0) & (ask > 0)
        source = np.where(own, DEAL, NO_QUOTE).astype(np.int8)
        moment = frame[f"{end}_utc"].to_numpy()
        mine = quotes.filter(server=server.code) if len(quotes) else quotes
        if len(mine):
            at = _last_before(mine, place, moment)
            found = ~own & (at >= 0) & (moment > 0)
            bid[found], ask[found] = (mine[side].to_numpy()[at[found]] for side in ("bid", "ask"))
            source[found] = IMPORTED
        for name, values in (("bid_e8", bid), ("ask_e8", ask), ("quote", source)):
            added.append(pl.Series(f"{end}_{name}", values))
    gateway = rows.select(open_gateway_e8="gateway_open_price",
                          close_gateway_e8="gateway_close_price")  # fmt: skip
    digits = np.array([*(row.digits for row in book.rows), -1], np.int64)[place]
    points = gateway_points(gateway, frame, digits)
    added.append(pl.Series("gateway_markup_points_e8", points))
    added.append(pl.Series("close_by", close_by_sides(frame)))
    return frame.with_columns(added)


def _last_before(quotes: pl.DataFrame, place: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Return the row of the last quote of each symbol at or before each moment, -1 = none."""
    keys = (quotes["place"].to_numpy() << 43) | quotes["at"].to_numpy()
    wanted = (np.maximum(place, 0) << 43) | np.maximum(moment, 0)
    at = np.searchsorted(keys, wanted, side="right") - 1
    held = np.maximum(at, 0)
    when = quotes["at"].to_numpy()[held]
    fresh = (when == 0) | (moment - when <= QUOTE_AGE_MS)
    good = (at >= 0) & (place >= 0) & (quotes["place"].to_numpy()[held] == place) & fresh
    return np.where(good, at, -1)
