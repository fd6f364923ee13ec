"""The benchmarks of what goes out and of postbacks in run when tiny; times are not asserted."""

from __future__ import annotations

import pytest
from benchmarks import outgoing, postbacks


@pytest.mark.usefixtures("copied_databases")
def test_what_goes_out_runs() -> None:
    results, run = outgoing.measure(1, 200, lambda text: None, even_s=1)
    assert len(run.rates) == 3
    assert all(one.rate > 0 for one in results)


@pytest.mark.usefixtures("copied_databases")
def test_what_comes_in_runs() -> None:
    results, _ = postbacks.measure(1, 0.5, lambda text: None)
    assert all(one.rate > 0 for one in results)
