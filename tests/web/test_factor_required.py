"""Staff enters no room without a second factor, and makes no key without a fresh code."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from tests.web.test_access import _patterns
from tests.web.test_second_factor import enrol
from tests.web.totp import totp

from pipshare import db as pg
from pipshare import settings
from pipshare.people import accounts
from pipshare.people.roles import FRESH, PERMISSIONS, STAFF

ADD = "/account/second-factor/add/"


@pytest.mark.parametrize("role", sorted(STAFF))
def test_no_room_opens_to_staff_without_one(site: Any, client: Any, person: Any, role: str) -> None:
    from django.urls import get_resolver

    who = client(person(role, exempt=False))
    rooms = [url for url, view in _patterns(get_resolver().url_patterns)
             if view.permission in PERMISSIONS]  # fmt: skip
    assert rooms
    for url in rooms:
        answer = who.get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith(f"{ADD}?next="), url
        assert who.post(url).headers["Location"] == ADD, url
    assert who.get("/account/").status_code == 200
    assert "no room opens without one" in who.get("/account/").text


def test_a_partner_needs_none_and_is_refused_all_the_same(client: Any, person: Any) -> None:
    assert client(person("partner", exempt=False)).get("/overview/").status_code == 403


def test_he_is_led_to_add_one_told_why_and_then_let_in(client: Any, person: Any) -> None:
    user = person("finance", exempt=False)
    browser = client(user)
    asked = browser.get(browser.get("/overview/").headers["Location"])
    assert "Your role needs a second factor" in browser.get(asked.headers["Location"]).text
    browser.post(asked.headers["Location"], {"password": person.password})
    assert "a password alone is not enough" in browser.get(ADD).text
    enrol_again = browser.get(ADD).text
    secret = re.search(r'id="secret">([A-Z2-7]+)<', enrol_again)
    assert secret
    browser.post(ADD, {"code": totp(secret[1], time.time())})
    assert browser.get("/overview/").status_code == 200
    browser.post("/account/second-factor/remove/")
    assert browser.get("/overview/").headers["Location"].startswith(ADD)


def test_a_live_part_of_a_page_leads_the_whole_page_there(client: Any, person: Any) -> None:
    who = client(person("finance", exempt=False))
    answer = who.get("/overview/live/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, ADD)


def test_an_exception_is_shown_and_ends_at_once(client: Any, person: Any) -> None:
    user = person("finance", exempt=True)
    browser = client(user)
    assert browser.get("/overview/").status_code == 200
    assert "Your account is exempt" in browser.get("/account/").text
    with pg.connect() as conn:
        assert accounts.person(conn, user.email).is_exempt
        accounts.set_exempt(conn, user.email, False, by="carl", reason="he has a telephone")
    assert browser.get("/overview/").headers["Location"].startswith(ADD)
    assert "exempt" not in browser.get("/account/").text
    with pg.connect() as conn:
        told = conn.execute(
            "SELECT actor, action, reason FROM audit_event WHERE subject = %s ORDER BY id DESC",
            (user.email,),
        ).fetchone()
    assert told == ("carl", "require second factor", "he has a telephone")


def test_an_installation_may_leave_it_to_everybody(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client(person("finance", exempt=False))
    assert settings.load({}).second_factor == "required"
    given = settings.load({"PIPSHARE_SECOND_FACTOR": "optional"}).second_factor
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, second_factor=given))
    assert browser.get("/overview/").status_code == 200
    assert "PIPSHARE_SECOND_FACTOR is optional" in browser.get("/account/").text
    with pytest.raises(ImproperlyConfigured, match="give required or optional"):
        settings.load({"PIPSHARE_SECOND_FACTOR": "no"})


@pytest.fixture
def keys_room(monkeypatch: pytest.MonkeyPatch, site: Any) -> Any:
    """A view that changes keys, as a request at some address of a signed-in person."""
    from django.http import HttpRequest, HttpResponse

    from pipshare.web import room

    assert "keys.change" in FRESH

    @room("keys.change", methods=("GET", "POST"))
    def keys(request: HttpRequest) -> HttpResponse:
        return HttpResponse("keys")

    def ask(browser: Any, user: Any, method: str = "GET") -> Any:
        request = HttpRequest()
        request.method, request.path = method, "/keys/"
        request.user, request.session = user, browser.session  # type: ignore[attr-defined]
        return keys(request)

    return ask


def test_keys_ask_for_a_code_of_the_last_minutes(
    client: Any, person: Any, keys_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = person("admin", exempt=False)
    secret, _ = enrol(client(user), person.password)
    browser = client(user)  # a session whose sign-in is of unknown age
    asked = keys_room(browser, user)
    assert asked.headers["Location"].startswith("/account/confirm/code/?next=")
    browser.post("/account/confirm/", {"password": person.password})
    assert keys_room(browser, user).status_code == 302, "a password is no code"
    browser.post("/account/confirm/code/", {"code": totp(secret, time.time() + 30)})
    assert keys_room(browser, user).status_code == 200
    now = time.time()
    monkeypatch.setattr("pipshare.people.factor.time.time", lambda: now + 301)
    assert keys_room(browser, user, "POST").status_code == 302


def test_whoever_sent_a_form_too_late_is_led_back_to_it(client: Any, person: Any) -> None:
    browser = client(person("admin"))  # a session whose sign-in is of unknown age
    here = "http://localhost/postbacks/trackers/add/?entity=main"
    for origin, back in ((here, "%2Fpostbacks%2Ftrackers%2Fadd%2F%3Fentity%3Dmain"),
                         ("https://elsewhere.example/postbacks/", ""), ("", "")):  # fmt: skip
        sent = browser.post("/postbacks/trackers/add/", {"code": "x"}, headers={"referer": origin})
        assert sent.status_code == 302
        assert sent.headers["Location"].partition("next=")[2] == back
    asked = browser.get("/account/confirm/").text
    assert "Nothing was changed yet" in asked


def test_who_is_exempt_shows_his_password_instead(client: Any, person: Any, keys_room: Any) -> None:
    user = person("admin", exempt=True)
    browser = client(user)
    assert keys_room(browser, user).headers["Location"].startswith("/account/confirm/?next=")
    browser.post("/account/confirm/", {"password": person.password})
    assert keys_room(browser, user).status_code == 200


def test_the_secret_waits_sealed_in_the_session(client: Any, person: Any) -> None:
    browser = client(person("finance", exempt=False))
    browser.post("/account/confirm/", {"password": person.password})
    shown = re.search(r'id="secret">([A-Z2-7]+)<', browser.get(ADD).text)
    assert shown
    kept = browser.session["mfa.totp.secret"]
    assert shown[1] not in str(dict(browser.session))
    assert pg.unseal(kept.encode()) == shown[1]
    wrong = browser.post(ADD, {"code": "000000"})
    assert shown[1] in wrong.text, "a wrong code changes nothing"
    browser.post(ADD, {"code": totp(shown[1], time.time())})
    assert "mfa.totp.secret" not in browser.session


def test_a_lost_key_of_the_seal_begins_anew(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client(person("finance", exempt=False))
    browser.post("/account/confirm/", {"password": person.password})
    shown = re.search(r'id="secret">([A-Z2-7]+)<', browser.get(ADD).text)
    assert shown
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, encryption_keys=("n" * 40,)))
    again = browser.post(ADD, {"code": totp(shown[1], time.time())})
    assert "That code is not right" in again.text
    assert shown[1] not in again.text
