"""MT5 over HTTPS: MetaQuotes' Web API of an access server, read by polling.

What comes in: a Config (address, manager login, groups, certificate). What goes out: DEAL frames
window by window with each deal's own JSON text, and the users, groups, symbols and clock of the
server. Guarantee: exact; a bad value costs its own deal and nothing beside it; an answer that is
not whole is not used at all; every error says in words what a MetaTrader administrator has to do.
"""

from pipshare.sources.mt5_web.access import Access
from pipshare.sources.mt5_web.client import Mt5Web
from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.connection import Answer, Connection
from pipshare.sources.mt5_web.values import (
    GROUPS,
    REMARKS,
    SYMBOLS,
    USERS,
    DealsAnswer,
    ServerTime,
    TimeSettings,
)

__all__ = [
    "GROUPS",
    "REMARKS",
    "SYMBOLS",
    "USERS",
    "Access",
    "Answer",
    "Config",
    "Connection",
    "DealsAnswer",
    "Mt5Web",
    "ServerTime",
    "TimeSettings",
]
