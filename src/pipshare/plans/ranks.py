"""What decides which of two rates goes before the other, and for whom a rate is, in words."""

from __future__ import annotations

from pipshare.plans.exact_text import amount_text
from pipshare.plans.terms import ANY_CARD, RateRule


def rank_key(rule: RateRule) -> tuple[object, ...]:
    """Return what decides a rule's rank; only the bands of one rate share it."""
    names = (rule.symbol, rule.symbol_group, rule.account_group, rule.account_type)
    folded = (name and name.casefold() for name in names)
    return (rule.card, rule.level, *folded, rule.country, rule.side)


def describe(rule: RateRule) -> str:
    """Return for whom and what a rate is: "card gold, level 2, symbol EURUSD"."""
    parts = [whom(rule.card, rule.level)]
    for word in ("account_group", "account_type", "symbol", "symbol_group", "country"):
        if value := getattr(rule, word):
            parts.append(f"{word.replace('_', ' ')} {value}")
    if rule.side:
        parts.append(f"{rule.side} side")
    if rule.start:
        parts.append(f"from {amount_text(rule.start, 0)}")
    return ", ".join(parts)


def whom(card: str, level: int | None) -> str:
    """Return a card and level in words."""
    who = "any card" if card == ANY_CARD else f"card {card}"
    return f"{who}, {'all levels' if level is None else f'level {level}'}"
