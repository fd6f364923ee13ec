"""The examples and the reference page say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipshare.plans import keys
from pipshare.plans.parse import parse

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "plans").glob("*.toml"))
INSIDE = (
    "[component.when.hedged]", "[component.when.bonus]", "[component.qualify.gate]",
    "[programme.qualify.gate]",
)  # fmt: skip
PAGE = (ROOT / "docs" / "reference" / "plans.md").read_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_right(path: Path) -> None:
    assert parse(path.read_text(), path.name).components


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 12


def blocks() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks())))
def test_the_examples_of_the_page_are_right(number: int) -> None:
    text = blocks()[number]
    head = '[programme]\ncode = "page"\ncurrency = "USD"\nlevels = 3\n'
    assert parse(text if "[programme]" in text else head + text, "plans.md").components


def test_the_page_has_an_example_of_each_basis_and_mode_or_the_folder_has() -> None:
    text = PAGE + "".join(path.read_text() for path in EXAMPLES)
    assert [mode for mode in keys.MODES if f'mode = "{mode}"' not in text] == ["percent_of_child"]
    used = [basis for basis in keys.BASES if f'basis = "{basis}"' in text]
    assert len(used) >= 7


@pytest.mark.parametrize("title", [t for t in keys.TABLES if t not in INSIDE])
def test_the_tables_of_the_page_name_exactly_the_keys(title: str) -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (own,) = [part for part in sections if title in part.split("\n")[0]]
    first = own.split("\n\n|", 1)[1].split("\n\n")[0]
    named = re.findall(r"^\| `([\w.]+)` \|", first, re.MULTILINE)
    assert named == list(dotted(title))


def dotted(title: str) -> Iterator[str]:
    """The keys of a table, those of a small table inside it after a dot."""
    for key in keys.TABLES[title]:
        inside = title.strip("[]") + "." + key.name
        if f"[{inside}]" in INSIDE:
            yield from (f"{key.name}.{one.name}" for one in keys.TABLES[f"[{inside}]"])
        elif key.kind not in ("table", "tables"):
            yield key.name
