"""Market: entities, trade servers and their clocks, account groups, symbols, quotes, FX rates.

What comes in: load files as typed columns (facts.reading). What goes out: what held at a moment:
a server's clock, the group row of an account group, the symbol of a printed name, the rate of a
pair, the quote and the points of a symbol. Guaranteed: histories are only added to; the same file
loaded again changes nothing; a rate is a recorded one, or the product of two.
"""

from pipshare.market.authority import apply_authority, record_authority
from pipshare.market.fx import (
    CENT_ID,
    CHAIN_ID,
    DEAL_ID,
    MAX_AGE_MS,
    FxColumn,
    FxLeg,
    FxRow,
    FxTable,
)
from pipshare.market.go_live import apply_go_live
from pipshare.market.groups import GroupRow, group_history, groups, match_group, matches
from pipshare.market.load_entities import load_entities
from pipshare.market.load_fx import load_fx
from pipshare.market.load_groups import load_groups
from pipshare.market.load_points import load_markups, load_spreads
from pipshare.market.load_quotes import load_quotes
from pipshare.market.load_servers import load_servers
from pipshare.market.load_symbols import load_symbols
from pipshare.market.observe import (
    ObservedMarket,
    observe_market,
    observed_groups,
    observed_symbols,
    symbols_differ,
)
from pipshare.market.points import PointsRow, Since, markups, points_of, spreads
from pipshare.market.quotes import QUOTE_AGE_MS, QuoteColumns, quotes_at
from pipshare.market.read_fx import fx_table
from pipshare.market.servers import Entity, Server, day_clocks, entities, server, servers
from pipshare.market.symbols import SymbolBook, SymbolRow, symbols

__all__ = [
    "CENT_ID",
    "CHAIN_ID",
    "DEAL_ID",
    "MAX_AGE_MS",
    "QUOTE_AGE_MS",
    "Entity",
    "FxColumn",
    "FxLeg",
    "FxRow",
    "FxTable",
    "GroupRow",
    "ObservedMarket",
    "PointsRow",
    "QuoteColumns",
    "Server",
    "Since",
    "SymbolBook",
    "SymbolRow",
    "apply_authority",
    "apply_go_live",
    "day_clocks",
    "entities",
    "fx_table",
    "group_history",
    "groups",
    "load_entities",
    "load_fx",
    "load_groups",
    "load_markups",
    "load_quotes",
    "load_servers",
    "load_spreads",
    "load_symbols",
    "markups",
    "match_group",
    "matches",
    "observe_market",
    "observed_groups",
    "observed_symbols",
    "points_of",
    "quotes_at",
    "record_authority",
    "server",
    "servers",
    "spreads",
    "symbols",
    "symbols_differ",
]
