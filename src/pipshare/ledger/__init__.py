"""The ledger: balanced transfers that nobody can edit.

What comes in: lines (who earned how much on which day, in which wallet), adjustments, payouts.
What goes out: accounts, transfers and legs; balances are their sums. Guarantee: append-only, every
transfer sums to zero per currency, and a closed period takes nothing more: all held by the
database for every role.
"""

from pipshare.ledger.accounts import Accounts
from pipshare.ledger.move import Move, move
from pipshare.ledger.periods import check_closable, close_period, closed_periods, open_period
from pipshare.ledger.post import Posting, post
from pipshare.ledger.verify import Break, verify

__all__ = [
    "Accounts",
    "Break",
    "Move",
    "Posting",
    "check_closable",
    "close_period",
    "closed_periods",
    "move",
    "open_period",
    "post",
    "verify",
]
