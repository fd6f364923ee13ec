"""The benchmark of clicks runs, and finds every answered click; its times are not asserted."""

from __future__ import annotations

import pytest
from benchmarks import clicks, http_load
from benchmarks.__main__ import main


@pytest.mark.usefixtures("quick_servers")
def test_clicks_are_raced_and_found() -> None:
    results = main(["--only", "clicks", "--rounds", "1", "--click-seconds", "0.5"])
    assert {one.goal for one in results} == {9}
    assert all(one.rate > 0 for one in results)


def test_a_click_that_was_lost_is_noticed(db: object) -> None:
    with pytest.raises(AssertionError, match="1 answered clicks are not stored"):
        clicks._hold(["0" * 26])


def test_a_load_whose_server_is_not_there_fails() -> None:
    with pytest.raises(AssertionError, match="the load failed"):
        http_load.run(http_load.Load(1, ["GET / HTTP/1.1\r\n\r\n"], 1, 0.1))
