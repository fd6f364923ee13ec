"""Plain words for the working: "2.00 lots x 7.00 USD = 14.00 USD; IB-17 already took 10.00"."""

from __future__ import annotations

from fractions import Fraction

from pipshare.plans.terms import Component, RateRule
from pipshare.rating.twin_values import number_text


def short(value: Fraction) -> str:
    """Write a number with at least two decimals, a fraction that does not end with eight."""
    text = number_text(value, 2)
    if "/" not in text:
        return text
    scaled = abs(value) * 10**8
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**8)
    return f"{'-' if value < 0 else ''}about {whole}.{part:08d}"


def percent(share: Fraction) -> str:
    """Write a share: 35 %, 0.003 %."""
    return f"{number_text(share * 100)} %"


def rate_words(component: Component, rule: RateRule) -> str:
    """Say a rate in the words of its basis: "7.00 USD per lot", "35 % of the spread"."""
    if component.basis == "points":
        return f"{number_text(rule.amount)} {'pips' if component.unit == 'pips' else 'points'}"
    if rule.currency:
        each = {"lot": "lot", "fixed": "event"}.get(component.basis)
        each = each or f"{component.unit.removesuffix('s')} and lot"
        return f"{number_text(rule.amount, 2)} {rule.currency} per {each}"
    if component.basis == "notional":
        return f"{number_text(rule.amount * 10**6)} per million"
    return f"{percent(rule.amount)} of the {component.basis}"


def product(component: Component, value: Fraction, currency: str, rule: RateRule) -> str:
    """Say value x rate: "2.00 lots x 7.00 USD", "13.60 USD x 30 %"."""
    if component.basis == "lot":
        return f"{short(value)} lots x {short(rule.amount)} {rule.currency}"
    if component.basis == "points":
        each = "pips" if component.unit == "pips" else "points"
        return f"{number_text(rule.amount)} {each} x {short(value)} {currency}"
    if not currency or rule.currency:
        word = "" if component.basis == "fixed" else f" {component.unit}-lots"
        return f"{short(value)}{word} x {number_text(rule.amount, 2)} {rule.currency}"
    rate = percent(rule.amount)
    if component.basis == "notional":
        rate = f"{number_text(rule.amount * 10**6)} per million"
    return f"{short(value)} {currency} x {rate}"
