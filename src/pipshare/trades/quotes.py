"""Quotes at both ends of trades: from their deals, or as they were told beside the trade.

The quote of an opening is that of its opening deals, each at its own execution. Where a closing
used several, the money in their spreads is kept: `open_spread_e16` is the exact sum of each leg's
lots x (ask - bid). `open_bid_e8` and `open_ask_e8` are then the price pair that stands for them,
rounded once: bids weighted by volume, and that bid plus the weighted spread. Without a good
quote (0 < bid <= ask) on every leg the opening has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import QUOTED
from pipshare.money import half_even
from pipshare.money.amounts import MAX_E8
from pipshare.trades.assemble import all_legs
from pipshare.trades.from_deals import deals_of
from pipshare.trades.read import read

Column = npt.NDArray[np.int64]
# One row per ticket asked for, in that order. `open_spread_e16`, `close_spread_e16`: lots x spread
# in 1e-16 of a lot and a price unit, 0 where there is no quote or it leaves 64 bits.
QUOTES: dict[str, Any] = {
    "ticket": pl.Int64,
    **QUOTED,
    "open_spread_e16": pl.Int64,
    "close_spread_e16": pl.Int64,
}
_PAIRS = (("open_bid_e8", "open_ask_e8"), ("close_bid_e8", "close_ask_e8"))
_TOLD = tuple(QUOTED)
_STORED = """
SELECT DISTINCT ON (ticket) ticket, {} FROM trades_quote
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
 ORDER BY ticket, revision DESC
""".format(", ".join(_TOLD))
_STAGE = "CREATE TEMP TABLE trades_quote_stage (LIKE trades_quote) ON COMMIT DROP"
_ADD = """
INSERT INTO trades_quote SELECT * FROM trades_quote_stage s
 WHERE NOT EXISTS (SELECT FROM trades_quote q
                    WHERE q.server_id = s.server_id AND q.ticket = s.ticket)
RETURNING ticket
"""
_ONE_LEG = ("ticket", "open_bid_e8", "open_ask_e8", "open_gateway_e8")


def quotes_of(
    conn: psycopg.Connection[Any], server_id: int, tickets: Sequence[int] | Column
) -> pl.DataFrame:
    """Return the quotes of a server's current trades as a QUOTES frame, a row per ticket, in order.

    Prices that nobody told are 0, so are bid and ask that are no good quote. What a trade's deals
    say goes before what came beside it.
    """
    asked = pl.DataFrame({"ticket": np.asarray(tickets, np.int64)})
    distinct = asked["ticket"].unique().sort()
    trades = read(conn, server_id, tickets=distinct.to_numpy(),
                  columns=("ticket", "login", "position", "lots_e8"))  # fmt: skip
    positions = trades.filter(pl.col("position") != 0).select("login", "position").unique()
    deals = deals_of(conn, server_id, positions.sort("position", "login"))
    of_deals = _without_bad(quotes_of_deals(deals, trades))
    listed = "{" + ",".join(map(str, distinct.to_list())) + "}"
    stored = db.read_columns(conn, _STORED, {"server": server_id, "tickets": listed},
                             schema={"ticket": pl.Int64, **QUOTED})  # fmt: skip
    return _spreads(asked, _either(of_deals, stored), trades)


def quotes_of_deals(deals: pl.DataFrame, trades: pl.DataFrame) -> pl.DataFrame:
    """Return ticket, QUOTED columns and `open_spread_e16` (null: one leg) of trades by their deals.

    `deals`: a DEAL frame with all deals of their positions; `trades`: ticket. Pure.
    """
    quoted = deals.select("deal", "bid_e8", "ask_e8", "gateway_price_e8")
    closing = quoted.join(trades.select("ticket"), left_on="deal", right_on="ticket").select(
        ticket="deal", close_bid_e8="bid_e8", close_ask_e8="ask_e8",
        close_gateway_e8="gateway_price_e8",
    )  # fmt: skip
    legs = all_legs(deals).join(closing.select("ticket"), on="ticket", how="semi",
                                maintain_order="left")  # fmt: skip
    legs = legs.join(quoted, on="deal", maintain_order="left")
    count = pl.len().over("ticket")
    single = legs.filter(count == 1).select(
        "ticket", open_bid_e8="bid_e8", open_ask_e8="ask_e8", open_gateway_e8="gateway_price_e8",
        open_spread_e16=pl.lit(None, pl.Int64),
    )  # fmt: skip
    several = [
        _merged(rows) for rows in legs.filter(count > 1).partition_by("ticket", maintain_order=True)
    ]
    opening = pl.concat([single, pl.DataFrame(several, schema=single.schema, orient="row")])
    found = closing.join(opening, on="ticket", how="left", maintain_order="left")
    return found.select("ticket", *(pl.col(name).fill_null(0) for name in _TOLD), "open_spread_e16")


def _merged(legs: pl.DataFrame) -> tuple[int, int, int, int, int]:
    """Return ticket, bid, ask, gateway price and exact spread money of several legs."""
    ticket = int(legs["ticket"][0])
    rows = legs.select("lots_e8", "bid_e8", "ask_e8", "gateway_price_e8").rows()
    lots = sum(row[0] for row in rows)
    gateway = 0
    if all(row[3] > 0 for row in rows):
        gateway = half_even(sum(row[0] * row[3] for row in rows), lots)
    if not all(0 < bid <= ask for _, bid, ask, _ in rows):
        return ticket, 0, 0, gateway, 0
    money = sum(size * (ask - bid) for size, bid, ask, _ in rows)
    bid = half_even(sum(size * bid for size, bid, _, _ in rows), lots)
    ask = bid + half_even(money, lots)
    return ticket, bid, ask, gateway, money if money <= MAX_E8 else 0


def _without_bad(quotes: pl.DataFrame) -> pl.DataFrame:
    """Put zeros where a bid and its ask are no quote, or a gateway price is none."""
    steps = []
    for bid, ask in _PAIRS:
        good = (pl.col(bid) > 0) & (pl.col(bid) <= pl.col(ask))
        steps += [pl.when(good).then(name).otherwise(0).alias(name) for name in (bid, ask)]
    gateways = ("open_gateway_e8", "close_gateway_e8")
    return quotes.with_columns(*steps, *(pl.col(name).clip(lower_bound=0) for name in gateways))


def _either(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Take each pair of the first that is told, else that of the second."""
    both = first.join(second, on="ticket", how="full", coalesce=True, suffix="_told")
    steps = []
    for *pair, mark in (*((*pair, pair[0]) for pair in _PAIRS),
                        ("open_gateway_e8", "open_gateway_e8"),
                        ("close_gateway_e8", "close_gateway_e8")):  # fmt: skip
        told = pl.col(mark).fill_null(0) > 0
        steps += [pl.when(told).then(name).otherwise(f"{name}_told").fill_null(0).alias(name)
                  for name in pair]  # fmt: skip
    return both.select("ticket", *steps, "open_spread_e16")


def _spreads(asked: pl.DataFrame, quotes: pl.DataFrame, trades: pl.DataFrame) -> pl.DataFrame:
    rows = quotes.join(trades.select("ticket", "lots_e8"), on="ticket")
    lots = rows["lots_e8"].to_numpy()
    made = {}
    for bid, ask in _PAIRS:
        spread = rows[ask].to_numpy() - rows[bid].to_numpy()
        # Too large for 64 bits means no spread that a market ever had.
        fits = lots <= MAX_E8 // np.maximum(spread, 1)
        made[bid.replace("_bid_e8", "_spread_e16")] = np.where(fits, lots * spread, 0)
    exact = rows["open_spread_e16"]
    made["open_spread_e16"] = np.where(
        exact.is_null().to_numpy(), made["open_spread_e16"], exact.fill_null(0).to_numpy()
    )
    rows = rows.with_columns(pl.Series(name, column) for name, column in made.items())
    found = asked.join(rows.drop("lots_e8"), on="ticket", how="left", maintain_order="left")
    return found.select("ticket", *(pl.col(n).fill_null(0) for n in QUOTES if n != "ticket"))


def gateway_points(quotes: pl.DataFrame, trades: pl.DataFrame, digits: Column) -> Column:
    """Return the broker's markup in points (1e-8) by the provider's prices; -1 where not known.

    |price - gateway price| at the opening and at the closing, added up. Both ends have to be
    known, or the markup would be of half a trade. `quotes`: open_gateway_e8 and close_gateway_e8;
    `trades`: open_price_e8 and close_price_e8; `digits` of each symbol, -1 unknown.
    """
    total = np.zeros(len(trades), np.int64)
    known = digits >= 0
    for end in ("open", "close"):
        price, gateway = (
            trades[f"{end}_price_e8"].to_numpy(),
            quotes[f"{end}_gateway_e8"].to_numpy(),
        )
        known = known & (price > 0) & (gateway > 0)
        total += np.abs(price - gateway)
    points = 10 ** np.clip(digits, 0, 8).astype(np.int64)
    known &= total <= MAX_E8 // points
    return np.where(known, np.where(known, total, 0) * points, -1)


def told_quotes(trades: pl.DataFrame) -> pl.DataFrame | None:
    """Return ticket and QUOTED columns of the trades that came with any, each ticket once."""
    if _TOLD[0] not in trades.columns:
        return None
    quotes = _without_bad(trades.select("ticket", *_TOLD))
    quotes = quotes.filter(pl.any_horizontal(pl.col(_TOLD) > 0))
    return quotes.unique("ticket", keep="first", maintain_order=True) if len(quotes) else None


def store_quotes(
    conn: psycopg.Connection[Any], server_id: int, quotes: pl.DataFrame, rows: pl.DataFrame
) -> pl.Series:
    """Store quotes of trades; return the tickets of known trades of which there was none before.

    `rows`: ticket, revision as it stands now, fresh (the revision is new). A known trade keeps the
    quotes that it has.
    """
    held = quotes.join(rows, on="ticket", maintain_order="left")
    _copy(conn, "trades_quote", server_id, held.filter("fresh"))
    known = held.filter(~pl.col("fresh"))
    if not len(known):
        return known["ticket"]
    conn.execute("DROP TABLE IF EXISTS pg_temp.trades_quote_stage")
    conn.execute(_STAGE)
    _copy(conn, "trades_quote_stage", server_id, known)
    return pl.Series("ticket", [row[0] for row in conn.execute(_ADD)], dtype=pl.Int64)


def _copy(
    conn: psycopg.Connection[Any], table: str, server_id: int, rows: pl.DataFrame
) -> None:  # fmt: skip
    db.copy_in(conn, table, {
        "server_id": db.Int4(np.full(len(rows), server_id, np.int32)),
        "ticket": db.Int8(rows["ticket"].to_numpy()),
        "revision": db.Int2(rows["revision"].to_numpy()),
        **{name: db.Int8(rows[name].to_numpy()) for name in _TOLD},
    })  # fmt: skip
