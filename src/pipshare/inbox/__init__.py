"""The inbox: everything received, once, kept as it came; and facts that are not yet trades.

What comes in: files and what a source read of them (deals, balance operations, refused rows).
What goes out: the numbers of stored files and batches, and the positions that new deals touch.
Guaranteed: nothing received is lost; the same again changes nothing; a deal that comes with other
content is a new revision beside the old, or refused by name when nobody can tell which is newer.
"""

from pipshare.inbox.batch import open_batch
from pipshare.inbox.cash import store_cash
from pipshare.inbox.deals import DealIntake, store_deals
from pipshare.inbox.receive import raw, receive_file
from pipshare.inbox.refuse import store_refused

__all__ = [
    "DealIntake",
    "open_batch",
    "raw",
    "receive_file",
    "store_cash",
    "store_deals",
    "store_refused",
]
