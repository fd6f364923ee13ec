"""The ledger: balanced transfers that nobody can edit.

What comes in: lines (who earned how much on which day, in which wallet), adjustments, payouts.
What goes out: accounts, transfers and legs; balances are their sums. Guarantee: append-only, every
transfer sums to zero per currency, both held by the database for every role.
"""

from pipshare.ledger.accounts import Accounts
from pipshare.ledger.post import Posting, post
from pipshare.ledger.verify import Break, verify

__all__ = ["Accounts", "Break", "Posting", "post", "verify"]
