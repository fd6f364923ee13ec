"""How the twin finds the rate of a line: the order of plans.terms, rule by rule.

A symbol that nobody has described (not in the symbol table) is matched by the name it has and is
in no group. If a rule for a symbol or symbol group could then go before what was found, the line
waits: the missing description might change the amount.
"""

from __future__ import annotations

from pipshare.plans.terms import ANY_CARD, Component, RateRule
from pipshare.rating.twin_values import TradeFacts

Rank = tuple[int, int, int, int, tuple[int, ...], int]


def applicable(component: Component, card: str, level: int) -> list[RateRule]:
    """Return the rules for a card and level; card "" (no terms) = under any card."""
    cards = {card, ANY_CARD}
    return [
        rule
        for rule in component.rates
        if (not card or rule.card in cards) and rule.level in (None, level)
    ]


def find_rule(component: Component, card: str, level: int, trade: TradeFacts) -> RateRule | None:
    """Return the rule that prices a line; None = unpriced."""
    fitting = [
        rule
        for rule in applicable(component, card, level)
        if _group_fits(rule, trade) and _symbol_fits(rule, trade)
    ]
    found = max(fitting, key=lambda rule: _rank(rule, card), default=None)
    if found is None or _could_be_other(component, card, level, trade, found):
        return None
    return found


def _could_be_other(
    component: Component, card: str, level: int, trade: TradeFacts, found: RateRule
) -> bool:
    """Tell whether knowing the symbol might bring another rule before the one found."""
    if trade.symbol_known:
        return False
    return any(
        _rank(rule, card) > _rank(found, card)
        for rule in applicable(component, card, level)
        if _names_symbols(rule) and _group_fits(rule, trade)
    )  # fmt: skip


def rule_text(programme: str, rule: RateRule) -> str:
    """Say where a rate stands and whom it is for: "plan gold line 34, level 1, symbol EURUSD"."""
    said = {
        "card": None if rule.card == ANY_CARD else rule.card,
        "level": rule.level,
        "group": rule.account_group,
        "account type": rule.account_type,
        "symbol": rule.symbol,
        "symbol group": rule.symbol_group,
    }
    parts = [f"{word} {value}" for word, value in said.items() if value is not None]
    return ", ".join([f"plan {programme} line {rule.line}", *parts])


def _names_symbols(rule: RateRule) -> bool:
    return rule.symbol is not None or rule.symbol_group is not None


def _group_fits(rule: RateRule, trade: TradeFacts) -> bool:
    if rule.account_group is not None:
        return _covers(rule.account_group.casefold(), trade.group_name.casefold())
    if rule.account_type is not None:
        return rule.account_type.casefold() == trade.account_type.casefold()
    return True


def _symbol_fits(rule: RateRule, trade: TradeFacts) -> bool:
    if rule.symbol is not None:
        return rule.symbol.casefold() == trade.symbol_name.casefold()
    if rule.symbol_group is not None:
        known = trade.symbol_known and trade.symbol_group != ""
        return known and rule.symbol_group.casefold() == trade.symbol_group.casefold()
    return True


def _covers(mask: str, name: str) -> bool:
    """Match a mask character by character; "*" stands for any text."""
    if not mask:
        return not name
    if mask[0] == "*":
        return any(_covers(mask[1:], name[skip:]) for skip in range(len(name) + 1))
    return name.startswith(mask[0]) and _covers(mask[1:], name[1:])


def _rank(rule: RateRule, card: str) -> Rank:
    """Order matching rules: the greatest is taken."""
    scope, length, text = 0, 0, ""
    if rule.account_type is not None:
        scope = 1
    elif rule.account_group is not None:
        text = rule.account_group.casefold()
        scope, length = (2, len(text)) if "*" in text else (3, 0)
    symbol = 2 if rule.symbol is not None else int(rule.symbol_group is not None)
    # Of masks of one length the alphabetically first goes before: the smaller text ranks higher.
    first = tuple(-ord(letter) for letter in text) if scope == 2 else ()
    return int(rule.card == card), int(rule.level is not None), scope, length, first, symbol
