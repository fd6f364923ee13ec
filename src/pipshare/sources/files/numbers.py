"""Text columns to numbers and times, exactly and fast: the expressions that every format shares.

The quick expressions read what platforms print; null = not read so. The slow scalar readers
decide about the few cells that are left, and say what is wrong with them.
"""

from __future__ import annotations

import polars as pl

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.period import FOREVER_MS, server_text_to_ms

SHOWN = 60  # characters of a cell that a message repeats
_EXACT = pl.Decimal(38, 8)


def e8(column: str | pl.Expr) -> pl.Expr:
    """Plain decimals to e8 (Int64). Polars rounds half-even, as money does; a test holds it."""
    cell = pl.col(column) if isinstance(column, str) else column
    return cell.cast(_EXACT, strict=False).to_physical().cast(pl.Int64, strict=False)


def whole(column: str | pl.Expr) -> pl.Expr:
    """Whole numbers to Int64."""
    cell = pl.col(column) if isinstance(column, str) else column
    return cell.cast(pl.Int64, strict=False)


def time_ms(column: str, form: str) -> pl.Expr:
    """Server times printed as `form` says (strptime) to milliseconds."""
    parsed = pl.col(column).str.to_datetime(form, strict=False, time_unit="ms")
    return parsed.dt.epoch("ms")


def any_time_ms(column: str) -> pl.Expr:
    """Server times in any of the spellings that period.server_text_to_ms knows."""
    return server_text_to_ms(pl.col(column))


def shown(cell: str) -> str:
    """Write a cell into a message, cut to a readable length."""
    return repr(cell if len(cell) <= SHOWN else cell[:SHOWN] + "…")


def number_fault(field: str, cell: str) -> tuple[str, str] | None:
    """Return (code, sentence) when `cell` is no amount, else None."""
    if len(cell) > 100:
        return "not_a_number", f"{field} has {len(cell)} characters, too many for a number"
    if not cell:
        return "empty_field", f"{field} is empty"
    try:
        parse_e8(cell)
    except BadInput as error:
        return error.code, f"{field}: {error.message}"
    return None


def whole_fault(field: str, cell: str) -> tuple[str, str] | None:
    """Return (code, sentence) when `cell` is no whole number above zero, else None."""
    digits = cell.removeprefix("+")
    good = digits.isascii() and digits.isdigit() and len(digits) < 20
    if good and 0 < int(digits) < 2**63:
        return None
    return "bad_number", f"{field} {shown(cell)} is not a whole number above zero"


def time_fault(field: str, cell: str, ms: int | None) -> tuple[str, str] | None:
    """Return (code, sentence) when `cell` was no time in 1970 to 2109, else None."""
    if ms is not None and 0 < ms < FOREVER_MS:
        return None
    return "bad_time", f"{field} {shown(cell)} is not a time such as 2026.07.01 13:05:08"
