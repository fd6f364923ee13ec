"""MT4 Manager exports: closed deals (comma) and the raw report (semicolon).

What comes in: an opened CSV file. What goes out: a Reading with TRADE and CASH frames, block by
block, so that a file of any size needs little memory. Guarantee: a row is a trade, a balance row,
a cancelled order, an open trade, a compaction row, a total, or refused with line and reason;
printed totals are shown and never enforced.
"""

from pipshare.sources.mt4_manager.header import Header, find_header
from pipshare.sources.mt4_manager.parse import read

__all__ = ["Header", "find_header", "read"]
