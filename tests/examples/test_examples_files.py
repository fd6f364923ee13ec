"""Every example, rated from its files: each amount and what is payable, as published."""

from __future__ import annotations

import pytest
from example_files import CASES, ROOT, Stands, Told, differences, files_of

from pipshare.money import from_e8
from pipshare.pipeline.from_files import rate_files


@pytest.mark.parametrize("case", CASES)
def test_amounts_are_those_published(case: str) -> None:
    result = rate_files(files_of(case))
    assert not result.refused
    assert not result.waiting
    lines = [
        Told(line.trade or "", line.period, line.payee, line.component,
             from_e8(line.amount_e8), line.currency, line.reason)
        for line in result.lines
    ]  # fmt: skip
    stands = {
        (one.payee, one.currency): Stands(from_e8(one.payable_e8), from_e8(one.carried_e8))
        for one in result.totals
    }
    assert differences(case, lines, stands) == []


@pytest.mark.parametrize("case", CASES)
def test_each_tells_its_story(case: str) -> None:
    text = (ROOT / case / "README.md").read_text()
    assert text.startswith("# ")
    assert "Published: " in text or "Derived: " in text


@pytest.mark.parametrize("case", CASES)
def test_the_list_of_examples_has_it(case: str) -> None:
    assert f"[{case}]({case}/)" in (ROOT / "README.md").read_text()
