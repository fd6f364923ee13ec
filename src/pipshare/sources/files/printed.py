"""Figures and times as MetaTrader prints them in documents, a column at a time.

MetaTrader groups thousands with a blank (plain, no-break, thin), writes a point for decimals and
"2026.07.01 00:05:08" for times. Anything else is no figure: "1,000.50" stays unread.
"""

from __future__ import annotations

import polars as pl

from pipshare.period import server_text_to_ms

_BLANKS = "[ \u00a0\u2009\u202f]"
_GROUPED = rf"^[+-]?{_BLANKS}?\d{{1,3}}({_BLANKS}\d{{3}})*(\.\d*)?$"
_SPACED = rf"^[+-]?{_BLANKS}?\d+(\.\d*)?$"
_E8 = pl.Decimal(38, 8)


def e8_column(texts: pl.Series) -> pl.Series:
    """Read amounts, prices or lots as e8 (Int64), half-even; null where the text is no figure."""
    plain = _exact(texts)
    odd = (plain.is_null() & texts.is_not_null()).arg_true()
    if not len(odd):
        return plain
    trimmed = texts.gather(odd).str.strip_chars()
    figures = trimmed.str.contains(_GROUPED) | trimmed.str.contains(_SPACED)
    closed_up = _exact(trimmed.str.replace_all(_BLANKS, ""))
    return plain.scatter(odd, closed_up.zip_with(figures, pl.Series([None], dtype=pl.Int64)))


def int_column(texts: pl.Series) -> pl.Series:
    """Read tickets and logins as Int64; null where the text is no whole number."""
    return texts.str.strip_chars().cast(pl.Int64, strict=False)


def ms_column(texts: pl.Series) -> pl.Series:
    """Read server times as ms (Int64); null where the text is no time after 1970-01-01."""
    plain = texts.str.to_datetime("%Y.%m.%d %H:%M:%S", strict=False).dt.epoch("ms")
    odd = (plain.is_null() & texts.is_not_null()).arg_true()
    if len(odd):
        rest = texts.gather(odd).to_frame("time").select(server_text_to_ms(pl.col("time")))
        plain = plain.scatter(odd, rest.to_series())
    return plain.zip_with(plain > 0, pl.Series([None], dtype=pl.Int64))


def _exact(texts: pl.Series) -> pl.Series:
    # Polars parses into a 128-bit decimal and rounds half-even; the physical value is the e8.
    return texts.cast(_E8, strict=False).to_physical().cast(pl.Int64, strict=False)
