"""Signing in: password, wrong password, limits, sessions, forged forms, temporary passwords."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipshare import db as pg
from pipshare.people import accounts


def _sign_in(client: Any, email: str, password: str, **more: Any) -> Any:
    return client.post("/sign-in/", {"login": email, "password": password}, **more)


def _events(action: str, subject: str) -> list[tuple[str, dict[str, Any]]]:
    with pg.connect() as conn:
        return conn.execute(
            "SELECT actor, detail FROM audit_event WHERE action = %s AND subject = %s ORDER BY id",
            (action, subject),
        ).fetchall()


def test_the_right_password_lets_in_and_is_written_down(client: Any, person: Any) -> None:
    user, browser = person("finance"), client()
    assert browser.get("/").status_code == 302
    signed = _sign_in(browser, user.email.upper(), person.password)
    assert (signed.status_code, signed.headers["Location"]) == (302, "/")
    assert browser.get("/account/").status_code == 200
    [(actor, detail)] = _events("sign in", user.email)
    assert (actor, detail["address"]) == (user.email, "127.0.0.1")
    assert browser.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert browser.get("/account/").status_code == 302
    assert len(_events("sign out", user.email)) == 1


def test_a_wrong_password_does_not(client: Any, person: Any) -> None:
    user, browser = person("finance"), client()
    known = _sign_in(browser, user.email, "wrong horse battery")
    unknown = _sign_in(browser, "nobody@broker.example", "wrong horse battery")
    for refused in (known, unknown):  # the same words: who is here is told to nobody
        assert refused.status_code == 200
        assert "The e-mail address or the password is not right." in refused.text
    assert browser.get("/account/").status_code == 302
    assert [actor for actor, _ in _events("sign in refused", user.email)] == ["nobody"]


def test_guessing_is_stopped_also_for_the_right_password(client: Any, person: Any) -> None:
    user = person("finance")
    for _ in range(5):
        _sign_in(client(), user.email, "wrong horse battery")
    stopped = _sign_in(client(), user.email, person.password)
    assert stopped.status_code == 200
    assert "Too many attempts" in stopped.text
    with pg.connect() as conn:  # counted in the database: for every process, and after a restart
        assert conn.execute("SELECT count(*) FROM web_cache").fetchone() > (0,)


def test_passwords_are_argon2id(person: Any) -> None:
    from django.conf import settings

    assert person("finance").password.startswith("argon2$argon2id$")
    # At Django's own cost, which only these tests lower.
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_a_session_is_not_handed_in_from_outside(client: Any, person: Any) -> None:
    """Fixation: a made-up key is not taken, and each sign-in has a key of its own."""
    from django.conf import settings

    name = settings.SESSION_COOKIE_NAME
    user, browser = person("finance"), client()
    browser.cookies[name] = "a" * 32
    _sign_in(browser, user.email, person.password)
    key = browser.cookies[name].value
    assert key != "a" * 32
    browser.post("/sign-out/")
    _sign_in(browser, user.email, person.password)
    assert browser.cookies[name].value not in (key, "a" * 32)
    thief = client()
    thief.cookies[name] = key
    assert thief.get("/account/").status_code == 302


def test_cookies_stay_out_of_scripts_and_foreign_forms(client: Any, person: Any) -> None:
    browser = client()
    browser.get("/sign-in/")
    _sign_in(browser, person("finance").email, person.password)
    assert len(browser.cookies) == 2
    for cookie in browser.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_a_form_without_its_token_is_refused(client: Any, person: Any) -> None:
    browser = client(enforce_csrf_checks=True)
    refused = _sign_in(browser, person("finance").email, person.password)
    assert refused.status_code == 403
    assert "load the page again" in refused.text
    signed = client(person("finance"), enforce_csrf_checks=True)
    for url in ("/sign-out/", "/theme", "/account/password/", "/account/second-factor/add/"):
        assert signed.post(url).status_code == 403, url
    assert signed.get("/account/").status_code == 200


def test_a_disabled_person_is_out_at_once_and_stays_out(client: Any, person: Any) -> None:
    user = person("finance")
    browser = client(user)
    assert browser.get("/account/").status_code == 200
    with pg.connect() as conn:
        accounts.set_active(conn, user.email, False, by="admin")
    assert browser.get("/account/").status_code == 302
    refused = _sign_in(client(), user.email, person.password, follow=True)
    assert "This account is closed" in refused.text
    assert [actor for actor, _ in _events("disable user", user.email)] == ["admin"]


def test_a_reset_ends_sessions_and_asks_for_an_own_password(client: Any, person: Any) -> None:
    user = person("finance")
    before = client(user)
    with pg.connect() as conn:
        given = accounts.reset(conn, user.email, by="admin")
    assert before.get("/account/").status_code == 302
    browser = client()
    assert _sign_in(browser, user.email, given).status_code == 302
    assert browser.get("/account/").headers["Location"].startswith("/account/password/")
    form = {
        "oldpassword": given,
        "password1": "a new long phrase",
        "password2": "a new long phrase",
    }
    refused = browser.post(
        "/account/password/", {**form, "password1": "short", "password2": "short"}
    )
    assert "at least 12 characters" in refused.text
    assert browser.post("/account/password/", form).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert _events("change password", user.email)


@pytest.mark.parametrize("away", [2 * 3600 + 60, 12 * 3600 + 60])
def test_who_was_away_too_long_signs_in_again(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch, away: int
) -> None:
    browser = client("finance")
    assert browser.get("/account/").status_code == 200
    now = time.time()
    monkeypatch.setattr("pipshare.web.sessions.time.time", lambda: now + away)
    assert browser.get("/account/").status_code == 302


def test_a_day_s_work_ends_however_busy(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, now = client("finance"), time.time()
    for hours in range(1, 12):
        at = now + hours * 3600
        monkeypatch.setattr("pipshare.web.sessions.time.time", lambda at=at: at)
        assert browser.get("/account/").status_code == 200
    monkeypatch.setattr("pipshare.web.sessions.time.time", lambda: now + 12 * 3600 + 60)
    assert browser.get("/account/").status_code == 302


def test_news_for_a_live_page_are_no_clicks(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, now = client("finance"), time.time()
    monkeypatch.setattr("pipshare.web.sessions.time.time", lambda: now + 3600)
    assert browser.get("/account/", headers={"HX-Request": "true"}).status_code == 200
    monkeypatch.setattr("pipshare.web.sessions.time.time", lambda: now + 2 * 3600 + 60)
    assert browser.get("/account/").status_code == 302
