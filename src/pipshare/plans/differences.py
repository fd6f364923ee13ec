"""Says in words what changes from one version of a programme to the next."""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.amounts import SCALE, format_e8
from pipshare.period import from_ms
from pipshare.plans.overlap import describe, rank_key
from pipshare.plans.terms import Component, Programme, RateRule

_HEAD = ("name", "currency", "depth", "unknown_opening", "own_trading", "other_programmes")
_COMPONENT = ("name", "basis", "mode", "min_hold_s")
_WORDS = {"depth": "levels", "min_hold_s": "min_hold_seconds"}


def differences(old: Programme, new: Programme) -> list[str]:
    """Return one line per difference: "~" changed, "+" added, "-" removed; none when equal.

    Rates are compared by rank (card, level, scope, symbol), so their order in the file does not
    count. valid_from is not compared: two versions of one programme differ in it as a rule.
    """
    lines = _changed(old, new, _HEAD, "")
    before = {component.code: component for component in old.components}
    after = {component.code: component for component in new.components}
    for code in before.keys() - after.keys():
        lines.append(f"- component {code}: nothing is earned in it any more")
    for code, component in after.items():
        if code in before:
            lines += _component(before[code], component)
        else:
            lines.append(f"+ component {code} ({component.mode})")
            lines += [f"+   {_rate(rule)}" for rule in component.rates]
    return lines


def _component(old: Component, new: Component) -> list[str]:
    lines = _changed(old, new, _COMPONENT, "  ")
    before = {rank_key(rule): rule for rule in old.rates}
    after = {rank_key(rule): rule for rule in new.rates}
    for key, rule in after.items():
        was = before.get(key)
        if was is None:
            lines.append(f"+   {_rate(rule)}")
        elif earning(was) != earning(rule):
            lines.append(f"~   {describe(rule)}: {earning(was)} -> {earning(rule)}")
    lines += [f"-   {_rate(rule)}" for key, rule in before.items() if key not in after]
    return [f"  component {new.code}", *lines] if lines else []


def _changed(old: object, new: object, names: tuple[str, ...], indent: str) -> list[str]:
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in names)
    return [
        f"~ {indent}{_WORDS.get(name, name)}: {_plain(was)} -> {_plain(now)}"
        for name, was, now in pairs
        if was != now
    ]


def _plain(value: object) -> str:
    return "none" if value is None else str(value) or "none"


def _rate(rule: RateRule) -> str:
    return f"{describe(rule)}: {earning(rule)}"


def earning(rule: RateRule) -> str:
    """Return what a rate earns in words: "6.50 USD per lot", "20% of lots"."""
    if rule.of is not None:
        return f"{amount_text(rule.amount * 100, 0)}% of {rule.of}"
    return f"{amount_text(rule.amount)} {rule.currency} per lot"


def amount_text(amount: Fraction, places: int = 2) -> str:
    """Write an exact amount: as a decimal where eight places hold it, else as a fraction."""
    scaled = amount * SCALE
    return format_e8(scaled.numerator, places) if scaled.denominator == 1 else str(amount)


def since(valid_from_ms: int) -> str:
    """Return a version's beginning in words: "always" or the moment in UTC."""
    return "always" if not valid_from_ms else from_ms(valid_from_ms).isoformat()
