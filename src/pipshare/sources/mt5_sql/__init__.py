"""MT5 SQL export rows: as CSV with a header, or as the INSERT statements of a dump.

What comes in: an opened file. What goes out: a Reading of DEAL frames, every action kept. The
statements are read by a small tokenizer; nothing of them is ever run. Guarantee: a row becomes a
deal or is refused with line and reason; unknown actions and reasons pass through as numbers.
"""

from pipshare.sources.mt5_sql.parse import read

__all__ = ["read"]
