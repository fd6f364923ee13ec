"""The examples and the reference page say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipshare.plans.parse import COMPONENT_KEYS, PROGRAMME_KEYS, RATE_KEYS, parse

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "plans").glob("*.toml"))
PAGE = (ROOT / "docs" / "reference" / "plans.md").read_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_right(path: Path) -> None:
    assert parse(path.read_text(), path.name).components


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


def test_the_example_of_the_page_is_right_and_uses_every_key() -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    parse(found[1], "plans.md")
    for key in {*PROGRAMME_KEYS, *COMPONENT_KEYS, *RATE_KEYS} - {"rate"}:
        assert re.search(rf"^{key} = ", found[1], re.MULTILINE), key


@pytest.mark.parametrize(
    ("title", "keys"),
    [("programme", PROGRAMME_KEYS), ("component", COMPONENT_KEYS), ("component.rate", RATE_KEYS)],
)
def test_the_tables_of_the_page_name_exactly_the_keys(title: str, keys: tuple[str, ...]) -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (own,) = [part for part in sections if part.lstrip("[").startswith(f"{title}]")]
    rows = re.findall(r"^\| (`.*?) \|", own, re.MULTILINE)
    named = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(set(keys) - {"rate"})
