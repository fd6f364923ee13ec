"""Writes exact numbers for people: as a decimal where eight places hold it, else as a fraction."""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.amounts import SCALE, format_e8


def amount_text(amount: Fraction, places: int = 2) -> str:
    """Write an exact amount: as a decimal where eight places hold it, else as a fraction."""
    scaled = amount * SCALE
    return format_e8(scaled.numerator, places) if scaled.denominator == 1 else str(amount)


def percent(share: Fraction) -> str:
    """Write a share: "20%"."""
    return f"{amount_text(share * 100, 0)}%"
