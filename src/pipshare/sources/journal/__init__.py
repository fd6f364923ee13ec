"""The journal that a prop firm lets its traders download.

What comes in: an opened CSV file whose header names Price twice. What goes out: a Reading of TRADE
frames without a login. Guarantee: a ticket that is printed for several partial closes gives as
many trades, each with an identity of its own that is the same in every file.
"""

from pipshare.sources.journal.parse import find_shape, read

__all__ = ["find_shape", "read"]
