"""Parallel run: another system's commission report against what is booked, or a plan would book.

What comes in: a report (CSV or JSON) with, where its columns have other names, a mapping; days.
What goes out: per partner what either says, and the tickets that differ most with the reason in our
words. Guarantee: the report is only read, nothing of it is stored; a partner passes when the
difference is below the tolerance, and the whole when every partner does and every row was read.
"""

from pipshare.pipeline.compare.compare import Asked, compare
from pipshare.pipeline.compare.result import Compared, PartnerRow, TicketRow

__all__ = ["Asked", "Compared", "PartnerRow", "TicketRow", "compare"]
