"""Rating: attributed trades to lines, one per component and level, exact and with their reasons.

What comes in: settled trades with their chains, the book of plans and terms, symbols, FX rates,
partners. What goes out: lines (settled, each with its amount, rate and reason) and waits (with
what is missing). Guarantee: exact, quantised once; the same for any order and batch size; nothing
that is missing becomes 0 or 1; `rate_one`, written independently, gives the same digits.
"""

from pipshare.rating.differences import Before, before, difference, next_seq, untouched
from pipshare.rating.payees import Payees
from pipshare.rating.rate import TradeColumns, rate_trades
from pipshare.rating.rated import Lines, Rated
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.requests import (
    Request,
    advance,
    next_request,
    request,
    store_waiting,
    store_window_waiting,
    turn,
    waiting_tickets,
    waits_for,
    whole_span,
    window_waiting,
)
from pipshare.rating.settled import hold, payees_of
from pipshare.rating.store import Entries, store
from pipshare.rating.twin import rate_one
from pipshare.rating.twin_intake import chain_facts, column_facts

__all__ = [
    "Before",
    "Entries",
    "Lines",
    "Payees",
    "Rated",
    "Reason",
    "Request",
    "TradeColumns",
    "Wait",
    "advance",
    "before",
    "chain_facts",
    "column_facts",
    "difference",
    "hold",
    "next_request",
    "next_seq",
    "payees_of",
    "rate_one",
    "rate_trades",
    "request",
    "store",
    "store_waiting",
    "store_window_waiting",
    "turn",
    "untouched",
    "waiting_tickets",
    "waits_for",
    "whole_span",
    "window_waiting",
]
