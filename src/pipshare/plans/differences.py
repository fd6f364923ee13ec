"""Says in words what changes from one version of a programme to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipshare.period import from_ms
from pipshare.plans import keys, words
from pipshare.plans.exact_text import amount_text, percent
from pipshare.plans.ranks import describe, rank_key
from pipshare.plans.terms import Component, Programme

__all__ = ["amount_text", "differences", "since"]

# Keys that are not compared one by one: what names the version, and what has its own lines.
_NOT_COMPARED = ("code", "entity", "valid_from", "rate", "split", "cap")
_INNER = {
    "qualify": keys.QUALIFY, "gate": keys.GATE, "guard": keys.GUARD, "payout": keys.PAYOUT,
    "spread": keys.SPREAD, "when": keys.WHEN, "hedged": keys.HEDGED, "bonus": keys.BONUS,
    "tier": keys.TIER, "carry": keys.CARRY, "rounding": keys.ROUNDING, "rebate": keys.REBATE,
}  # fmt: skip
_FIELDS = {"when": "conditions"}  # tables that fill a field of another name
Pairs = Mapping[Any, tuple[str, str]]  # by what it is known: for whom, and what


def differences(old: Programme, new: Programme) -> list[str]:
    """Return one line per difference: "~" changed, "+" added, "-" removed; none when equal.

    Rates are compared by rank (card, level, scope, symbol and so on) and band, so their order in
    the file does not count. valid_from is not compared: two versions of one programme differ in it
    as a rule.
    """
    lines = list(_changed(old, new, keys.PROGRAMME, ""))
    before = {component.code: component for component in old.components}
    after = {component.code: component for component in new.components}
    for code in before.keys() - after.keys():
        lines.append(f"- component {code}: nothing is earned in it any more")
    for code, component in after.items():
        if code in before:
            lines += _component(before[code], component)
        else:
            lines += _added(component)
    return lines


def _component(old: Component, new: Component) -> list[str]:
    lines = list(_changed(old, new, keys.COMPONENT, "  "))
    for pairs in (_rates, _splits, _caps):
        lines += _compared(pairs(old), pairs(new))
    return [f"  component {new.code}", *lines] if lines else []


def _added(component: Component) -> list[str]:
    """A new component: how its levels share, then all that is not as it would be if left out."""
    bare = Component(component.code, "lot", component.mode, None, (), name=component.name)
    lines = [f"+ component {component.code} ({component.mode})"]
    for line in _changed(bare, component, keys.COMPONENT, ""):
        what, _, value = line.removeprefix("~ ").partition(": ")
        lines.append(f"+   {what}: {value.partition(' -> ')[2] or value}")
    for pairs in (_rates, _splits, _caps):
        lines += _compared({}, pairs(component))
    return lines


def _compared(before: Pairs, after: Pairs) -> Iterator[str]:
    for key, (who, what) in after.items():
        if key not in before:
            yield f"+   {who}: {what}"
        elif before[key][1] != what:
            yield f"~   {who}: {before[key][1]} -> {what}"
    for key, (who, what) in before.items():
        if key not in after:
            yield f"-   {who}: {what}"


def _rates(component: Component) -> Pairs:
    return {
        (*rank_key(rule), rule.start): (describe(rule), words.earning(rule, component))
        for rule in component.rates
    }


def _splits(component: Component) -> Pairs:
    return {
        (split.card, split.level): (words.for_whom(split), words.share(split, component))
        for split in component.splits
    }


def _caps(component: Component) -> Pairs:
    return {words.cap(cap): ("cap", words.cap(cap)) for cap in component.caps}


def _changed(old: Any, new: Any, table: tuple[keys.Key, ...], indent: str) -> Iterator[str]:
    """Compare field by field; a table that only one of the two has is named by what it says."""
    for key in table:
        if key.name in _NOT_COMPARED:
            continue
        field = _FIELDS.get(key.name, key.fills)
        was, now = getattr(old, field, None), getattr(new, field, None)
        if was == now:
            continue
        if key.kind != "table":
            yield f"~ {indent}{key.name}: {_said(key, was)} -> {_said(key, now)}"
        elif was is None or now is None:
            yield f"~ {indent}{key.name}: {_whole(key, was)} -> {_whole(key, now)}"
        else:
            for line in _changed(was, now, _INNER[key.name], indent):
                mark, _, rest = line[2:].lstrip().partition(": ")
                yield f"~ {indent}{key.name}.{mark}: {rest}"


def _whole(key: keys.Key, value: Any) -> str:
    """Return all that a table says: what it leaves out is as the reference has it."""
    if value is None:
        return "none"
    said = []
    for inner in _INNER[key.name]:
        if inner.kind == "table":
            found = getattr(value, inner.fills)
            said += [] if found is None else [f"{inner.name} ({_whole(inner, found)})"]
        elif (found := getattr(value, inner.fills, None)) not in (None, "", (), False, 0):
            said.append(f"{inner.name} {_said(inner, found)}")
    return ", ".join(said) or "yes"


def _said(key: keys.Key, value: Any) -> str:
    if key.kind == "share" and value is not None:
        return percent(value)
    if key.kind == "moment":
        return since(value) if value else "open"
    if key.kind == "weekdays" and value:
        return ", ".join(keys.WEEKDAYS[day - 1] for day in value)
    if key.kind == "hours" and value:
        return ", ".join(words.clock(span) for span in value)
    return words.plain(value)


def since(valid_from_ms: int) -> str:
    """Return a version's beginning in words: "always" or the moment in UTC."""
    return "always" if not valid_from_ms else from_ms(valid_from_ms).isoformat()
