"""`pipshare rate`: plans, a tree, trades and events in files, rated without a database.

What comes in: files, in the field names of `load` (docs/reference/rate.md). What goes out: a line
per trade, event or period and payee, totals with what is payable, what waits, what was refused.
Guarantee: attribution, rating and the rules of periods are those that book, called with what the
files say in place of what the tables hold; nothing is stored.
"""

from pipshare.pipeline.from_files.outcome import Line, Result, Total, Waiting
from pipshare.pipeline.from_files.rate import rate_files
from pipshare.pipeline.from_files.world import Files

__all__ = ["Files", "Line", "Result", "Total", "Waiting", "rate_files"]
