"""Says in words what one part of a plan is: a rate, a share, a cap, a setting."""

from __future__ import annotations

from fractions import Fraction

from pipshare.plans.exact_text import amount_text, percent
from pipshare.plans.periods import Cap
from pipshare.plans.ranks import whom
from pipshare.plans.terms import Component, RateRule, Split

_OF = {
    "spread": "the spread", "markup": "the markup", "commission": "the commission",
    "profit": "the client's profit", "loss": "the client's loss", "result": "the client's result",
    "revenue": "the revenue",
}  # fmt: skip
_DEPOSITS = {"all": "the deposits", "net": "the net deposits", "first": "the first deposit"}
_POTS = {
    "pot_split": "of the pot", "share_up": "passed upward",
    "percent_of_child": "of what the level below earned",
}  # fmt: skip
_EVENTS = {"qualified": "per qualified client", "registration": "per registration"}


def earning(rule: RateRule, component: Component) -> str:
    """Return what a rate earns in words: "6.50 USD per lot", "20% of lots"."""
    if rule.of is not None:
        whose = " (own earnings)" if component.basis == "earned" else ""
        return f"{percent(rule.amount)} of {rule.of}{whose}"
    basis, unit = component.basis, component.unit
    if basis == "notional":
        return f"{amount_text(rule.amount * 1_000_000, 0)} per million"
    if basis == "points":
        return f"{amount_text(rule.amount, 0)} {'pips' if unit == 'pips' else 'points'} per lot"
    if basis in ("spread", "markup") and unit != "money":
        return f"{amount_text(rule.amount)} {rule.currency} per {unit.removesuffix('s')} and lot"
    if basis == "fixed":
        what = _EVENTS.get(component.event or "", "per trade")
        return f"{amount_text(rule.amount)} {rule.currency} {what}"
    if basis == "deposits":
        return f"{percent(rule.amount)} of {_DEPOSITS[component.deposits]}"
    if basis in _OF:
        return f"{percent(rule.amount)} of {_OF[basis]}"
    return f"{amount_text(rule.amount)} {rule.currency} per lot"


def share(split: Split, component: Component) -> str:
    """Return a share of a pot in words: "30% of the pot"."""
    return f"{percent(split.share)} {_POTS.get(component.mode, 'of a pot')}"


def for_whom(split: Split) -> str:
    """Return for whom a share is."""
    return whom(split.card, split.level)


def cap(one: Cap) -> str:
    """Return a cap in words: "at most 100.00 USD per client and day"."""
    unit = "lots" if one.unit == "lots" else one.currency
    places = 0 if one.unit == "lots" else 2
    per = "client for life" if one.per == "client_life" else one.per.replace("_", " and ")
    level = "" if one.level is None else f", level {one.level}"
    return f"at most {amount_text(one.amount, places)} {unit} per {per}{level}"


def plain(value: object) -> str:
    """Return a setting's value in words."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        return amount_text(value, 0)
    if isinstance(value, tuple):
        return ", ".join(plain(one) for one in value)
    return str(value)


def clock(span: tuple[int, int]) -> str:
    """Return minutes of the day as a clock shows them: "08:00-17:00"."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)
