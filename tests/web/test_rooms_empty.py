"""An empty installation: every room opens and says what to do next, by the very command."""

from __future__ import annotations

from typing import Any

import pytest

PAGES = {
    "/overview/": "pipshare load servers servers.csv",
    "/trades/": "pipshare load servers servers.csv",
    "/partners/": "pipshare load partners partners.csv",
    "/partners/?q=nobody": "No partner is called that",
    "/sources/": "pipshare source add mt5",
    "/files/": "pipshare import deals.csv --server NAME",
}


@pytest.mark.parametrize(("path", "said"), PAGES.items())
def test_an_empty_room_says_what_to_do(site: Any, client: Any, path: str, said: str) -> None:
    answer = client("admin").get(path)
    assert answer.status_code == 200
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/trades/1/1/", "/trades/1/1/why/", "/trades/1/x/", "/trades/1/99999999999999999999/",
        "/partners/1/", "/partners/99999999999999999999/", "/partners/1/below/",
        "/partners/1/statements/2026-11/", "/sources/none/", "/files/1/",
        "/files/99999999999999999999/",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(site: Any, client: Any, path: str) -> None:
    answer = client("admin").get(path)
    assert answer.status_code == 404
    assert "<h1>" in answer.content.decode()
