"""The benchmark of CRMs runs, and finds what was answered and loaded; times are not asserted."""

from __future__ import annotations

import pytest
from benchmarks import crm_hooks
from benchmarks.__main__ import main


@pytest.mark.usefixtures("copied_databases")
def test_webhooks_lines_and_files_are_measured() -> None:
    results = main(["--only", "crm", "--rounds", "1", "--click-seconds", "0.5", "--batches", "4",
                    "--events", "2000"])  # fmt: skip
    assert {one.goal for one in results} == {0}
    assert len(results) == 5
    assert all(one.rate > 0 for one in results)


def test_a_payload_that_was_lost_is_noticed(db: object) -> None:
    with pytest.raises(AssertionError, match="1 answered payloads are not stored"):
        crm_hooks.hold(["0" * 26])
