"""The JSON Schema for editors: as generated, right about every plan here, and not about others."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.plans.plan_texts import to_toml
from tests.plans.plan_worlds import programmes

from pipshare.plans.schema import as_text, schema
from pipshare.plans.terms import Programme

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "plans").glob("*.toml"))
KNOWN = {
    "$schema", "title", "description", "type", "required", "additionalProperties", "properties",
    "items", "minItems", "uniqueItems", "enum", "const", "anyOf", "pattern", "minLength",
    "maxLength", "minimum", "maximum",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool
}  # fmt: skip


def wrong(value: Any, rules: dict[str, Any], path: str = "") -> list[str]:
    """Return what a value does not keep of a schema; only of the words that ours uses."""
    assert rules.keys() <= KNOWN
    kind = rules.get("type")
    right = not kind or isinstance(value, TYPES[kind])
    if not right or (isinstance(value, bool) and kind not in ("boolean", None)):
        return [f"{path}: not {kind}"]
    found = scalar(value, rules, path)
    if isinstance(value, list):
        found += [] if len(value) >= rules.get("minItems", 0) else [f"{path}: too few"]
        for number, one in enumerate(value):
            found += wrong(one, rules["items"], f"{path}[{number}]")
    if isinstance(value, dict):
        found += [f"{path}.{key}: missing" for key in rules.get("required", ()) if key not in value]
        for key, one in value.items():
            inner = rules["properties"].get(key)
            found += wrong(one, inner, f"{path}.{key}") if inner else [f"{path}.{key}: unknown"]
    return found


def scalar(value: Any, rules: dict[str, Any], path: str) -> list[str]:
    broken = {
        "enum": lambda words: value not in words,
        "const": lambda word: value != word,
        "anyOf": lambda forms: all(wrong(value, form, path) for form in forms),
        "pattern": lambda pattern: not re.search(pattern, value),
        "minimum": lambda least: value < least,
        "maximum": lambda most: value > most,
        "minLength": lambda least: len(value) < least,
        "maxLength": lambda most: len(value) > most,
    }
    return [
        f"{path}: {word}" for word, test in broken.items() if word in rules and test(rules[word])
    ]


def as_json(text: str) -> Any:
    """TOML as an editor sees it: dates are texts."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_file_is_the_schema() -> None:
    path = ROOT / "docs" / "reference" / "plan.schema.json"
    assert path.read_text(encoding="utf-8") == as_text(), (
        "run: python -m pipshare.plans.schema > docs/reference/plan.schema.json"
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_keep_it(path: Path) -> None:
    assert wrong(as_json(path.read_text(encoding="utf-8")), schema()) == []


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None,
          max_examples=40)  # fmt: skip
@given(programmes())
def test_programmes_made_up_keep_it(programme: Programme) -> None:
    assert wrong(as_json(to_toml(programme)), schema()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('basis = "lot"', 'basis = "lots"'),
        ('mode = "per_level"', 'modus = "per_level"'),
        ("level = 1", 'level = "1"'),
        ("level = 1", "level = 0"),
        ('amount = "3"', "amount = 3.5"),
        ('amount = "3"', 'amount = "3,5"'),
        ('code = "standard"', ""),
        ("[programme]", "[program]"),
        ("levels = 2", "levels = true"),
    ],
)
def test_what_is_wrong_is_seen(old: str, new: str) -> None:
    text = (ROOT / "examples" / "plans" / "standard.toml").read_text(encoding="utf-8")
    assert old in text
    assert wrong(as_json(text.replace(old, new, 1)), schema())
