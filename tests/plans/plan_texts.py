"""Writes a Programme as the plan file that says it, for tests that make up programmes.

It is written by the dataclasses' own defaults and knows nothing of how files are read.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from pipshare.plans.terms import Component, Programme, RateRule

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = {
    "depth": "levels", "valid_from_ms": "valid_from", "min_hold_s": "min_hold_seconds",
    "conditions": "when", "start": "from", "from_ms": "from", "until_ms": "until",
}  # fmt: skip
_TABLES = ("spread", "conditions", "tier", "carry", "rounding", "rebate", "qualify")
_HEAD_TABLES = ("qualify", "guard", "payout")
_SHARES = ("spread", "markup", "commission", "profit", "loss", "result", "revenue", "earned")


def to_toml(programme: Programme) -> str:
    """Return a plan file that parses to this programme (but for the lines, which it has anew)."""
    lines = ["[programme]"]
    head = dict(_given(programme, skip=("components", *_HEAD_TABLES)))
    lines += [f"{key} = {value}" for key, value in head.items()]
    for name in _HEAD_TABLES:
        lines += _table(f"programme.{name}", getattr(programme, name))
    for component in programme.components:
        lines += ["", *_component(component)]
    return "\n".join(lines) + "\n"


def without_lines(value: Any) -> Any:
    """Return a parsed value with every line set to 0, to compare what was read with what was
    written."""
    if isinstance(value, tuple):
        return tuple(without_lines(one) for one in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    own = {field.name: without_lines(getattr(value, field.name)) for field in fields(value)}
    return replace(value, **own | ({"line": 0} if "line" in own else {}))


def _component(component: Component) -> list[str]:
    skip = ["line", "rates", "splits", "caps", "in_window", *_TABLES]
    if component.basis == "points":
        skip.append("unit")  # its rates say points or pips
    lines = ["[[component]]", *(f"{k} = {v}" for k, v in _given(component, skip=tuple(skip)))]
    for name in _TABLES:
        if getattr(component, name) != _default(component, name):
            lines += _table(f"component.{_NAMES.get(name, name)}", getattr(component, name))
    for rule in component.rates:
        lines += ["[[component.rate]]", *_rate(rule, component)]
    for name, ones in (("split", component.splits), ("cap", component.caps)):
        for one in ones:
            lines += [f"[[component.{name}]]", *(f"{k} = {v}" for k, v in _given(one))]
    return lines


def _rate(rule: RateRule, component: Component) -> list[str]:
    skip = ("ordinal", "line", "amount", "currency")
    lines = [f"{key} = {value}" for key, value in _given(rule, skip=skip)]
    if rule.of is not None or (component.basis in _SHARES and not _per_unit(component)):
        return [*lines, f'share = "{rule.amount}"']
    if component.basis == "points":
        return [*lines, f'{"pips" if component.unit == "pips" else "points"} = "{rule.amount}"']
    if component.basis == "notional":
        return [*lines, f'per_million = "{rule.amount * 1_000_000}"']
    return [*lines, f'amount = "{rule.amount}"', f'currency = "{rule.currency}"']


def _per_unit(component: Component) -> bool:
    return component.basis in ("spread", "markup") and component.unit != "money"


def _table(title: str, value: Any) -> list[str]:
    if value is None:
        return []
    lines = [f"[{title}]"]
    inner = []
    for field in fields(value):
        own = getattr(value, field.name)
        if is_dataclass(own):
            inner += _table(f"{title}.{field.name}", own)
    names = [field.name for field in fields(value) if is_dataclass(getattr(value, field.name))]
    return [*lines, *(f"{k} = {v}" for k, v in _given(value, skip=tuple(names))), *inner]


def _given(value: Any, skip: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return what is not as it is when left out, as keys and TOML values."""
    given = []
    for field in fields(value):
        own = getattr(value, field.name)
        if field.name in (*skip, "line") or own is None or own == _default(value, field.name):
            continue
        given.append((_NAMES.get(field.name, field.name), _text(field.name, own)))
    return given


def _default(value: Any, name: str) -> Any:
    field = next(field for field in fields(value) if field.name == name)
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is not MISSING:
        return field.default
    return {"valid_from_ms": 0, "currency": ""}.get(name, MISSING)


def _text(name: str, value: Any) -> str:
    if name in ("valid_from_ms", "from_ms", "until_ms"):
        moment = datetime.fromtimestamp(value // 1000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1000:03}Z"
    if name == "hours":
        spans = (":".join((f"{m // 60:02}", f"{m % 60:02}")) for span in value for m in span)
        return json.dumps([f"{first}-{last}" for first, last in zip(spans, spans, strict=True)])
    if name == "weekdays":
        return json.dumps([_WEEKDAYS[day - 1] for day in value])
    if isinstance(value, Fraction):
        return f'"{value}"'
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
