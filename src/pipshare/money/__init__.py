"""Exact money: amounts with eight decimal places, rates as fractions, currencies and their units.

What comes in: text and Decimal. What goes out: integers in units of 1e-8 ("e8"), Fractions and
text. Guarantee: no float, one rounding rule (half-even) and one place where it happens.
"""

from pipshare.money.amounts import (
    SCALE,
    format_e8,
    from_e8,
    half_even,
    parse_e8,
    parse_rate,
    payable_e8,
    to_e8,
)
from pipshare.money.currencies import is_currency, minor_units

__all__ = [
    "SCALE",
    "format_e8",
    "from_e8",
    "half_even",
    "is_currency",
    "minor_units",
    "parse_e8",
    "parse_rate",
    "payable_e8",
    "to_e8",
]
