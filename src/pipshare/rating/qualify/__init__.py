"""Qualification: when a client counts, out of all that happened to him and all his trades.

What comes in: events (facts.events), trades by client, what a plan asks. What goes out: rows to pay
and to undo, spans in which a client qualified, and who waits for an exchange rate. Guarantee: a
pure function of the facts in canonical order; what arrives late or early changes nothing but what
it says.
"""

from pipshare.rating.qualify.life import Life, lives
from pipshare.rating.qualify.reached import ClientTrades, asks_trades, reached
from pipshare.rating.qualify.steps import Ladder, Row, rows_of
from pipshare.rating.qualify.stretches import Asked, NoRate
from pipshare.rating.qualify.table import ROWS, WAITS, Spans, qualification_rows, qualified_spans

__all__ = [
    "ROWS",
    "WAITS",
    "Asked",
    "ClientTrades",
    "Ladder",
    "Life",
    "NoRate",
    "Row",
    "Spans",
    "asks_trades",
    "lives",
    "qualification_rows",
    "qualified_spans",
    "reached",
    "rows_of",
]
