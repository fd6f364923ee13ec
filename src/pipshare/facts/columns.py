"""Columnar schemas of facts, as Polars types: what sources hand over and stages pass on.

Units: *_e8 are 1e-8 of a lot, a price unit or a currency unit; *_ms are milliseconds of the
server's wall clock as if UTC (0 = unknown); reason is the number of MT5's EnDealReason, -1 when
the file does not tell. `line` is the row's line in its file, 0 when it came from elsewhere.
"""

from __future__ import annotations

import polars as pl

# One closed trade. An MT4 row is one; an MT5 closing deal becomes one in the trades stage.
TRADE: dict[str, pl.DataType | type[pl.DataType]] = {
    "ticket": pl.Int64,  # MT4 ticket or MT5 closing deal; unique per server
    "login": pl.Int64,
    "position": pl.Int64,  # MT5 position id; a journal's printed ticket; 0 for MT4
    "symbol": pl.String,  # as printed by the platform, suffix and case included
    "side": pl.Int8,  # values.Side of the opened position
    "kind": pl.Int8,  # values.Kind
    "reason": pl.Int16,
    "lots_e8": pl.Int64,  # lots closed, > 0
    "open_ms": pl.Int64,
    "close_ms": pl.Int64,
    "open_price_e8": pl.Int64,
    "close_price_e8": pl.Int64,
    "commission_e8": pl.Int64,  # with the share of the opening commission
    "fee_e8": pl.Int64,  # MT5 fee, MT4 taxes
    "swap_e8": pl.Int64,
    "profit_e8": pl.Int64,
    "rate_profit_e8": pl.Int64,  # profit currency -> account currency at the close; 0 unknown
    "contract_e8": pl.Int64,  # contract size at the deal; 0 unknown
    "opening": pl.Int8,  # values.Opening
    "line": pl.Int32,
}

# Prices beside a trade, where a source tells them: quotes at both ends, and what the liquidity
# provider gave. A frame of trades has all of these columns or none; 0 = not told.
QUOTED: dict[str, pl.DataType | type[pl.DataType]] = {
    "open_bid_e8": pl.Int64,
    "open_ask_e8": pl.Int64,
    "close_bid_e8": pl.Int64,
    "close_ask_e8": pl.Int64,
    "open_gateway_e8": pl.Int64,
    "close_gateway_e8": pl.Int64,
}

# One MT5 deal, of any action. Names follow MetaQuotes' fields.
DEAL: dict[str, pl.DataType | type[pl.DataType]] = {
    "deal": pl.Int64,
    "login": pl.Int64,
    "order": pl.Int64,
    "position": pl.Int64,
    "action": pl.Int16,  # EnDealAction; 0 buy, 1 sell, 2 balance ...
    "entry": pl.Int16,  # EnDealEntry; 0 in, 1 out, 2 inout, 3 out_by
    "reason": pl.Int16,
    "time_ms": pl.Int64,
    "symbol": pl.String,
    "volume_e8": pl.Int64,
    "closed_e8": pl.Int64,  # VolumeClosedExt
    "price_e8": pl.Int64,
    "position_price_e8": pl.Int64,  # PricePosition: open price of what was closed
    "gateway_price_e8": pl.Int64,
    "profit_e8": pl.Int64,
    "swap_e8": pl.Int64,  # Storage
    "commission_e8": pl.Int64,
    "fee_e8": pl.Int64,
    "rate_profit_e8": pl.Int64,
    "contract_e8": pl.Int64,
    "bid_e8": pl.Int64,  # MarketBid; 0 before build 2890
    "ask_e8": pl.Int64,
    "line": pl.Int32,
}

# One balance operation of a statement or MT4 export (MT5 has them among its deals).
CASH: dict[str, pl.DataType | type[pl.DataType]] = {
    "ticket": pl.Int64,
    "login": pl.Int64,
    "time_ms": pl.Int64,
    "kind": pl.String,  # values.CashKind
    "amount_e8": pl.Int64,
    "comment": pl.String,
    "line": pl.Int32,
}


def empty(schema: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """Return a frame of `schema` without rows."""
    return pl.DataFrame(schema=schema)
