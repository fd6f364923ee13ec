"""MT4 statements: Statement and Detailed Statement as HTML, in any language.

What comes in: an opened HTML file. What goes out: a Reading of one Chunk: closed trades, balance
operations, counts of cancelled orders and compaction rows, refused rows. Guarantee: commission +
taxes + swap + profit of everything understood adds up exactly, so that the printed Closed P/L can
be checked; provenance is CLIENT, because a client can edit the document.
"""

from pipshare.sources.mt4_statement.parse import parse_statement, read

__all__ = ["parse_statement", "read"]
