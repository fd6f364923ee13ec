"""docs/reference/files.md is the table of facts.fields in prose: the two are equal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipshare.facts.fields import FIELDS, Field
from pipshare.facts.reading import read_table

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "files.md").read_text()
SECTIONS = dict(
    re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
)  # fmt: skip
WORDS = {
    "text": "text", "int": "integer", "e8": "decimal", "rate": "rate",
    "server_time": "server time", "moment": "moment", "currency": "currency", "flag": "yes/no",
}  # fmt: skip


def row(field: Field) -> list[str]:
    """Write a field as a row of the page."""
    words = WORDS.get(field.type) or "one of " + ", ".join(
        f"`{choice}`" for choice in field.type.removeprefix("choice:").split("|")
    )
    default = (
        "none" if field.default is None else f"`{field.default}`" if field.default else "empty"
    )
    default = "" if field.required else default + ", or as known" * field.keeps
    return [f"`{field.name}`", words, "yes" if field.required else "", default, field.about]


def test_every_kind_has_a_section_and_no_other():
    assert list(SECTIONS)[:3] == ["Files", "Types", "Histories"]
    assert set(list(SECTIONS)[3:]) == set(FIELDS)


@pytest.mark.parametrize("kind", FIELDS)
def test_tables_are_equal(kind):
    lines = [line for line in SECTIONS[kind].splitlines() if line.startswith("| `")]
    told = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert told == [row(field) for field in FIELDS[kind]]


@pytest.mark.parametrize("kind", FIELDS)
def test_examples_are_read_whole(kind):
    (example,) = re.findall(r"```csv\n(.*?)```", SECTIONS[kind], re.DOTALL)
    frame, refused = read_table(example.encode(), kind)
    assert refused == []
    assert len(frame) == example.count("\n") - 1 > 0


def test_every_type_is_explained():
    types = {WORDS.get(f.type, "one of") for fields in FIELDS.values() for f in fields}
    explained = re.findall(r"^\| ([a-z /]+?) \|", SECTIONS["Types"], re.MULTILINE)
    assert types <= set(explained)
