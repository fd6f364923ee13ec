"""The short way to the doors of machines skips what is of pages, and nothing that protects."""

from __future__ import annotations

from typing import Any

import pytest

DOORS = ("/hooks/nobody", "/s2s/registration", "/c/nobody")


@pytest.fixture
def stranger(site: Any, client: Any) -> Any:
    return client()


@pytest.mark.parametrize("path", DOORS)
def test_an_answer_is_protected_as_a_page_is(stranger: Any, path: str) -> None:
    page, answer = stranger.get("/sign-in/"), stranger.get(path)
    for name in ("X-Content-Type-Options", "X-Frame-Options", "Cross-Origin-Opener-Policy"):
        assert answer.headers[name] == page.headers[name]
    policy = "Content-Security-Policy"
    assert set(answer.headers[policy].split("; ")) == set(page.headers[policy].split("; "))
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert not answer.cookies, "a program has no session"


@pytest.mark.parametrize("path", DOORS)
def test_another_host_is_refused(stranger: Any, path: str) -> None:
    assert stranger.get(path, headers={"host": "elsewhere.example"}).status_code == 400


def test_errors_are_shown_as_elsewhere(
    stranger: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pipshare.api import clicks

    refused = stranger.post("/c/nobody")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert "own buttons" in refused.content.decode()

    def fails(code: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(clicks.kept, "way", fails)
    failed = stranger.get("/c/nobody")
    assert failed.status_code == 500
    assert "Something went wrong on our side" in failed.content.decode()
    assert "reference" in caplog.text
    assert "broken" in caplog.text


def test_only_what_needs_no_sign_in_goes_this_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.test import RequestFactory

    from pipshare.web import doors

    assert doors._door(RequestFactory().get("/c/some")) is not None
    assert doors._door(RequestFactory().get("/")) is None
    assert doors._door(RequestFactory().get("/hooks/")) is None  # nothing is there
    monkeypatch.setattr(doors, "DOORS", ("/",))  # whatever the list says, a room is guarded
    assert doors._door(RequestFactory().get("/")) is None
    assert doors._door(RequestFactory().get("/account/")) is None
