"""What a partner's key is told: of himself and of those below him, of nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.web.test_api import TRADE, call, key, problem, pusher, small

__all__ = ["call", "pusher", "small"]  # fixtures
Call = Callable[..., Any]


def test_a_partners_key_is_told_of_nobody_above_him(call: Call, pusher: str) -> None:
    call("POST", "/v1/trades", pusher, TRADE | {"ticket": "720"})
    scopes = ("explain:read", "partners:read")
    above, below = key(*scopes, partner="P-1"), key(*scopes, partner="P-2")
    gone = key(*scopes, partner="P-9")
    why = "/v1/trades/Live-4/720/explanation"
    whole = call("GET", why, above).json()
    assert [line["partner"] for line in whole["lines"]] == ["P-2", "P-1"]
    mine = call("GET", why, below)
    assert [line["partner"] for line in mine.json()["lines"]] == ["P-2"]
    assert {row["partner"] for row in mine.json()["posted"]} == {"P-2"}
    assert "P-1" not in mine.text
    problem(call("GET", why, gone), 404, "no_trade")
    (one,) = call("GET", "/v1/partners", below).json()["partners"]
    assert (one["partner"], one["parent"]) == ("P-2", None)
