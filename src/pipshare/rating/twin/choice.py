"""How the twin finds the rate of a line: the order of plans.terms, rule by rule.

A symbol that nobody has described (not in the symbol table) is matched by the name it has and is
in no group. If a rule for a symbol or symbol group could then go before what was found, the line
waits: the missing description might change the amount.
"""

from __future__ import annotations

from pipshare.plans.terms import ANY_CARD, Component, RateRule, Split
from pipshare.rating.twin_values import TradeFacts

Rank = tuple[int, int, int, int, tuple[int, ...], int, int]
Bands = tuple[RateRule, ...]


def applicable(component: Component, card: str, level: int) -> list[RateRule]:
    """Return the rules for a card and level; card "" (no terms) = under any card."""
    cards = {card, ANY_CARD}
    return [
        rule
        for rule in component.rates
        if (not card or rule.card in cards) and rule.level in (None, level)
    ]


def find_rates(
    component: Component, card: str, level: int, trade: TradeFacts, among: list[RateRule] | None
) -> list[Bands]:
    """Return the bands (by `start`) of the rate that prices a line; none = unpriced.

    There is one rate, or one for each side where the plan prices opening and closing apart: their
    sum is then the rate. `among` = these rules instead of those for card and level.
    """
    rules = applicable(component, card, level) if among is None else among
    fitting = [
        rule
        for rule in rules
        if _group_fits(rule, trade) and _symbol_fits(rule, trade) and _country_fits(rule, trade)
    ]
    best = max((_rank(rule, card) for rule in fitting), default=None)
    if best is None or _could_be_other(rules, card, trade, best):
        return []
    found = [rule for rule in fitting if _rank(rule, card) == best]
    sides = sorted({rule.side for rule in found if rule.side is not None}, reverse=True)
    return [
        tuple(sorted((r for r in found if r.side == side), key=lambda r: r.start))
        for side in sides or (None,)
    ]


def pays_nothing(rates: list[Bands]) -> bool:
    """Tell whether a rate is 0 in every band: then it pays nothing, whatever its basis comes to."""
    rules = [rule for bands in rates for rule in bands]
    return bool(rules) and all(rule.of is None and rule.amount == 0 for rule in rules)


def find_split(component: Component, card: str, level: int) -> Split | None:
    """Return the split for a card and level; card "" (no terms) = under any card."""
    fitting = [
        split
        for split in component.splits
        if (not card or split.card in (card, ANY_CARD)) and split.level in (None, level)
    ]
    return max(fitting, key=lambda x: (x.card == card, x.level is not None), default=None)


def _could_be_other(rules: list[RateRule], card: str, trade: TradeFacts, best: Rank) -> bool:
    """Tell whether knowing the symbol might bring another rule before the one found."""
    if trade.symbol_known:
        return False
    return any(
        _rank(rule, card) > best
        for rule in rules
        if _names_symbols(rule) and _group_fits(rule, trade) and _country_fits(rule, trade)
    )


def rule_text(programme: str, rule: RateRule) -> str:
    """Say where a rate stands and whom it is for: "plan gold line 34, level 1, symbol EURUSD"."""
    said = {
        "card": None if rule.card == ANY_CARD else rule.card,
        "level": rule.level,
        "group": rule.account_group,
        "account type": rule.account_type,
        "symbol": rule.symbol,
        "symbol group": rule.symbol_group,
        "country": rule.country,
        "side": rule.side,
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


def _country_fits(rule: RateRule, trade: TradeFacts) -> bool:
    return rule.country is None or rule.country.casefold() == trade.country.casefold()


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
    named = int(rule.country is not None)
    return int(rule.card == card), int(rule.level is not None), scope, length, first, symbol, named
