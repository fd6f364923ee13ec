"""Who may open what: a matrix over every URL and every role, walked from the resolver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipshare.people.roles import PERMISSIONS, ROLES, STAFF, may
from pipshare.web.access import ANYONE, SIGNED_IN

# Permissions that a package enforces by itself (web.declare): nobody gets in by a session.
BY_KEY = "api key"
SAMPLES = {"int": "1", "str": "x", "slug": "x", "uuid": "00000000-0000-4000-8000-000000000000",
           "path": "x"}  # fmt: skip


def _patterns(patterns: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = before + _sample(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern.url_patterns, route)
        else:
            yield "/" + route, pattern.callback


def _sample(pattern: Any) -> str:
    """Write a route with sample values in the places of its parameters."""
    text = str(pattern)
    for name, converter in pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{name}>", f"<{kind}:{name}>"):
            text = text.replace(written, SAMPLES.get(kind, "x"))
    return text


@pytest.fixture(scope="module")
def urls(site: Any) -> list[tuple[str, Any]]:
    """Every address that the server knows, with its view."""
    from django.urls import get_resolver

    found = list(_patterns(get_resolver().url_patterns))
    assert len(found) > 15
    return found


def test_every_url_says_who_may_open_it(urls: list[tuple[str, Any]]) -> None:
    known = {*PERMISSIONS, ANYONE, SIGNED_IN, BY_KEY}
    silent = [url for url, view in urls if getattr(view, "permission", None) not in known]
    assert not silent, f"these views are open to everybody: wrap them with web.room: {silent}"


def test_only_the_way_in_is_open_to_everybody(urls: list[tuple[str, Any]]) -> None:
    assert {url for url, view in urls if view.permission == ANYONE} <= {
        "/health", "/theme", "/sign-in/", "/sign-in/code/", "/sign-in/closed/", "/sign-out/",
        "/v1", "/v1/", "/v1/x", "/c/x", "/c/x/",
        "/apply/", "/apply/x/", "/application/x/",
    }  # fmt: skip


@pytest.mark.parametrize("role", [None, *ROLES])
def test_the_matrix(
    urls: list[tuple[str, Any]], client: Callable[..., Any], role: str | None
) -> None:
    """Each role at each URL: let in, led to the sign-in, or refused; never something between."""
    who = client(role)
    wrong = []
    for url, view in urls:
        if view.permission == ANYONE:
            continue
        answer = who.get(url)
        led_to_sign_in = answer.headers.get("Location", "").startswith("/sign-in/")
        if not _is_right(view.permission, role, answer.status_code, led_to_sign_in):
            wrong.append(f"{role} at {url} ({view.permission}): {answer.status_code}")
    assert not wrong


def _is_right(permission: str, role: str | None, status: int, led_to_sign_in: bool) -> bool:
    if permission == BY_KEY:
        return status in (401, 405)
    if role is None:
        return status == 302 and led_to_sign_in
    if led_to_sign_in:
        return False
    if permission == SIGNED_IN or may(role, permission):
        # Let in: a page, a redirect to confirm one's password, no such sample, or not by GET.
        return status in (200, 302, 400, 404, 405)
    return status == 403


def test_a_partner_is_refused_everywhere(urls: list[tuple[str, Any]], client: Any) -> None:
    partner = client("partner")
    rooms = [(url, view) for url, view in urls if view.permission in PERMISSIONS]
    for url, _ in rooms:
        for method in ("get", "post", "put", "delete"):
            assert getattr(partner, method)(url).status_code == 403, (method, url)


def test_no_permission_is_given_to_partners_or_to_unknown_roles() -> None:
    for permission, roles in PERMISSIONS.items():
        assert roles <= STAFF, permission
        assert roles, permission


def test_an_auditor_changes_nothing() -> None:
    changing = [p for p in PERMISSIONS if p.split(".")[1] in ("change", "decide", "check")]
    assert changing
    assert not [p for p in changing if may("auditor", p)]


def test_an_unknown_permission_does_not_start(site: Any) -> None:
    from pipshare.web import room

    with pytest.raises(ValueError, match=r"not in people\.roles"):
        room("trades.sea")


def test_a_stranger_is_led_back_after_the_sign_in(client: Any, person: Any) -> None:
    stranger = client()
    user = person("auditor")
    asked = stranger.get("/account/?a=1&b=2")
    assert asked.headers["Location"] == "/sign-in/?next=%2Faccount%2F%3Fa%3D1%26b%3D2"
    signed = stranger.post(
        asked.headers["Location"],
        {"login": user.email, "password": person.password, "next": "/account/?a=1&b=2"},
    )
    assert signed.headers["Location"] == "/account/?a=1&b=2"


def test_nobody_is_led_away_to_another_site(client: Any, person: Any) -> None:
    signed = client().post(
        "/sign-in/?next=https://evil.example/",
        {"login": person("auditor").email, "password": person.password,
         "next": "https://evil.example/"},
    )  # fmt: skip
    assert signed.status_code == 302
    assert "evil" not in signed.headers["Location"]


def test_a_live_part_of_a_page_sends_the_whole_page_to_the_sign_in(client: Any) -> None:
    answer = client().get("/account/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in/")


def test_pages_are_kept_in_no_cache(client: Any) -> None:
    assert client("auditor").get("/account/").headers["Cache-Control"] == "no-store, private"


def test_roles_are_described() -> None:
    assert all(role.about.endswith(".") for role in ROLES.values())
    assert json.dumps(sorted(ROLES))
