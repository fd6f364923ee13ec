"""Closed trades: one per closing deal or MT4 row, with its opening.

What comes in: MT4 rows as they are, and MT5 positions with all their stored deals. What goes out:
trades as they now stand, ready for attribution. Guaranteed: the same for any order of arrival and
any batching; a known trade changes nothing; a late or changed deal makes a new revision of the
trades it touches; a close without a known opening is kept and waits. Rules: docs/decisions/0006.
"""

from pipshare.trades.assemble import ASSEMBLED, all_legs, assemble, legs
from pipshare.trades.below_zero import drove_below_zero
from pipshare.trades.close_by import (
    CLOSED_BY_COUNTS,
    CLOSED_BY_OTHER,
    NOT_CLOSED_BY,
    close_by_of,
    close_by_sides,
)
from pipshare.trades.compare import Comparison, Difference, compare
from pipshare.trades.from_deals import deals_of, from_deals
from pipshare.trades.quotes import QUOTES, gateway_points, quotes_of
from pipshare.trades.read import SETTLED, read
from pipshare.trades.reclock import reclock
from pipshare.trades.revision import revision
from pipshare.trades.take_in import Intake, take_in
from pipshare.trades.walk import Leg

__all__ = [
    "ASSEMBLED",
    "CLOSED_BY_COUNTS",
    "CLOSED_BY_OTHER",
    "NOT_CLOSED_BY",
    "QUOTES",
    "SETTLED",
    "Comparison",
    "Difference",
    "Intake",
    "Leg",
    "all_legs",
    "assemble",
    "close_by_of",
    "close_by_sides",
    "compare",
    "deals_of",
    "drove_below_zero",
    "from_deals",
    "gateway_points",
    "legs",
    "quotes_of",
    "read",
    "reclock",
    "revision",
    "take_in",
]
