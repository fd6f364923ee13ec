"""MT5 trade history reports: XLSX and HTML, in any language.

What comes in: an opened report. What goes out: a Reading of one Chunk: one trade per closing deal
of the Deals section, with its opening leg where the Positions section shows it beyond doubt,
balance operations, the count of cancelled orders, refused rows. Guarantee: figures are taken as
text, never through a float; provenance is CLIENT, because a client can edit the document.
"""

from pipshare.sources.mt5_report.parse import read

__all__ = ["read"]
