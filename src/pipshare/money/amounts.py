"""Amounts as integers in units of 1e-8, and the one rounding rule.

An amount is quantised once, to eight decimal places, half-even (docs/decisions/0003). An e8
value always fits a signed 64-bit integer: 92 thousand million units of any currency.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from pipshare.errors import BadInput
from pipshare.money.currencies import minor_units

SCALE = 10**8
MAX_E8 = 2**63 - 1
_PLAIN = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?)0*(\d{1,18}))?")
_RATE = re.compile(r"[+-]?\d+(\.\d+)?(/\d+(\.\d+)?)?")


def half_even(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to an integer, half to even. Denominator > 0."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def to_e8(value: Decimal | int | Fraction) -> int:
    """Quantise an exact value to units of 1e-8, half-even. Raises BadInput when out of range."""
    exact = Fraction(value)
    units = half_even(exact.numerator * SCALE, exact.denominator)
    if abs(units) > MAX_E8:
        raise BadInput("amount_too_large", f"{value} is larger than an amount can be (9.2e10)")
    return units


def parse_e8(text: str) -> int:
    """Read a plain decimal ("12.5", "-0.07") as e8. No thousands separators, no currency sign."""
    cleaned = text.strip()
    found = _PLAIN.fullmatch(cleaned)
    if not found:
        raise BadInput("not_a_number", f"{text!r} is not a plain decimal number such as 1000.50")
    digits, sign, power = found.groups()
    # A longer power changes nothing: the amount is 0 already, or larger than an amount can be.
    power = min(int(power or "0"), len(cleaned) + 99)
    return to_e8(Decimal(f"{digits}e{sign or ''}{power}"))


def parse_rate(text: str) -> Fraction:
    """Read a rate written as a decimal ("6.5") or a fraction ("1/3") and keep it exact."""
    cleaned = text.strip()
    if not _RATE.fullmatch(cleaned):
        raise BadInput("not_a_rate", f"{text!r} is not a rate such as 6.5 or 1/3")
    top, _, bottom = cleaned.partition("/")
    if bottom and not Fraction(bottom):
        raise BadInput("not_a_rate", f"{text!r} divides by zero")
    return Fraction(top) / Fraction(bottom or "1")


def from_e8(units: int) -> Decimal:
    """Return the exact Decimal of an e8 integer."""
    return Decimal(units).scaleb(-8)


def format_e8(units: int, places: int = 2) -> str:
    """Write an e8 amount without losing a digit: at least `places` decimals, more when needed."""
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), SCALE)
    digits = f"{part:08d}".rstrip("0").ljust(places, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def payable_e8(units: int, currency: str) -> int:
    """Cut an amount toward zero to the currency's minor unit, never below zero."""
    step: int = 10 ** max(0, 8 - minor_units(currency))
    return max(0, units) // step * step
