"""A file that was accepted before is read the short way, to the very same programme."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.plans import parse

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "plans").glob("*.toml"))
HEAD = '[programme]\ncode = "p"\ncurrency = "USD"\nlevels = 3\n'
GAPS = ("", "\n", "# [[component]] in a comment\n", "\n\n# [[component.rate]]\n")
RATE = '[[component.rate]]\nlevel = {level}\namount = "{amount}"\n'


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_come_out_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert parse(text, path.name, accepted=True) == parse(text, path.name)


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(GAPS)),
            min_size=1,
            max_size=3,
            unique_by=lambda row: row[0],
        ),
        min_size=1,
        max_size=3,
    )
)
def test_lines_are_the_same_wherever_the_rates_stand(parts: list[list[tuple[int, str]]]) -> None:
    text = HEAD
    for number, rates in enumerate(parts):
        text += f'\n[[component]]\ncode = "c{number}"\nbasis = "lot"\nmode = "per_level"\n'
        for level, gap in rates:
            text += gap + RATE.format(level=level, amount=level)
    assert parse(text, "p.toml", accepted=True) == parse(text, "p.toml")
