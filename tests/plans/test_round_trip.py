"""Whatever a programme says, its plan file says, and is read as the very same programme."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.plans.plan_texts import to_toml, without_lines
from tests.plans.plan_worlds import programmes

from pipshare.plans.differences import differences
from pipshare.plans.parse import parse
from pipshare.plans.terms import Programme

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "plans").glob("*.toml"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.data_too_large], deadline=None)
@given(programmes())
def test_a_programme_written_as_a_file_is_read_as_itself(programme: Programme) -> None:
    text = to_toml(programme)
    read = parse(text, "made-up.toml")
    assert without_lines(read) == programme, text
    assert parse(text, "made-up.toml", accepted=True) == read
    assert differences(read, programme) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_written_and_read_again(path: Path) -> None:
    read = without_lines(parse(path.read_text(encoding="utf-8"), path.name))
    assert without_lines(parse(to_toml(read), path.name)) == read
