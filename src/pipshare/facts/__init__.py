"""Facts: what happened on a platform, as frozen values and as columns.

What comes in: nothing; this is vocabulary. What goes out: the names, types and units that every
stage and every file format shares. Guarantee: pure; signs are the client's, as platforms print
them (a commission of -7 is a charge); all amounts, prices and lots are integers in 1e-8.
"""

from pipshare.facts.columns import CASH, DEAL, QUOTED, TRADE, empty
from pipshare.facts.content import Verdict, deal_content, trade_content
from pipshare.facts.values import CashKind, Kind, Opening, Refusal, Side, State

__all__ = [
    "CASH",
    "DEAL",
    "QUOTED",
    "TRADE",
    "CashKind",
    "Kind",
    "Opening",
    "Refusal",
    "Side",
    "State",
    "Verdict",
    "deal_content",
    "empty",
    "trade_content",
]
