"""The second factor: enrolled with a real code, asked for at the sign-in, stored sealed."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest
from tests.web.totp import totp

from pipshare import db as pg
from pipshare.people import accounts
from pipshare.people.rekey import rekey


def test_the_calculator_gives_the_rfc_s_numbers() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [totp(secret, at) for at in (59, 1111111109, 20000000000)] == [
        "287082", "081804", "353130",
    ]  # fmt: skip


def enrol(browser: Any, password: str) -> tuple[str, str]:
    """Switch the second factor on; returns its secret and the code that was used."""
    asked = browser.get("/account/second-factor/add/")
    assert asked.headers["Location"].startswith("/account/confirm/")
    browser.post(asked.headers["Location"], {"password": password})
    page = browser.get("/account/second-factor/add/")
    secret = re.search(r'id="secret">([A-Z2-7]+)<', page.text)
    assert secret
    assert "<svg" in page.text
    wrong = browser.post("/account/second-factor/add/", {"code": "000000"})
    assert "That code is not right" in wrong.text
    code = totp(secret[1], time.time())
    done = browser.post("/account/second-factor/add/", {"code": code})
    assert done.headers["Location"] == "/account/codes/"
    return secret[1], code


def _first_step(client: Any, person: Any, user: Any) -> Any:
    browser = client()
    signed = browser.post("/sign-in/", {"login": user.email, "password": person.password})
    assert signed.headers["Location"] == "/sign-in/code/"
    assert browser.get("/account/").status_code == 302  # the password alone opens nothing
    return browser


def test_enrol_and_sign_in_with_a_real_code(client: Any, person: Any) -> None:
    user = person("finance")
    owner = client(user)
    assert "badge warn" in owner.get("/account/").text
    secret, used = enrol(owner, person.password)
    assert "badge good" in owner.get("/account/").text

    browser = _first_step(client, person, user)
    assert "That code is not right" in browser.post("/sign-in/code/", {"code": "000000"}).text
    again = browser.post("/sign-in/code/", {"code": used})
    assert "That code is not right" in again.text  # what enrolled does not open, too
    fresh = totp(secret, time.time() + 30)
    opened = browser.post("/sign-in/code/", {"code": fresh})
    assert opened.headers["Location"] == "/"
    assert browser.get("/account/").status_code == 200

    with pg.connect() as conn:
        actions = conn.execute(
            "SELECT DISTINCT action FROM audit_event WHERE subject = %s", (user.email,)
        ).fetchall()
    assert {("add totp",), ("add recovery_codes",), ("second factor refused",), ("sign in",)} <= {
        *actions
    }


def test_a_code_opens_once_for_as_long_as_it_would_be_taken(
    client: Any, person: Any, monkeypatch: Any
) -> None:
    user = person("finance")
    secret, _ = enrol(client(user), person.password)
    code = totp(secret, time.time() + 30)
    first = _first_step(client, person, user).post("/sign-in/code/", {"code": code})
    assert first.status_code == 302
    with pg.connect() as conn:  # 30 seconds later allauth has forgotten it
        conn.execute("DELETE FROM web_cache WHERE cache_key LIKE '%%allauth.mfa.totp.used%%'")
    second = _first_step(client, person, user).post("/sign-in/code/", {"code": code})
    assert "That code is not right" in second.text


def test_secrets_are_sealed_in_the_database(client: Any, person: Any) -> None:
    user = person("finance")
    secret, _ = enrol(client(user), person.password)
    with pg.connect() as conn:
        rows = conn.execute(
            "SELECT data FROM mfa_authenticator WHERE user_id = %s ORDER BY type", (user.pk,)
        ).fetchall()
    stored = json.dumps([row[0] for row in rows])
    assert len(rows) == 2
    assert secret not in stored
    assert pg.unseal(rows[1][0]["secret"].encode()) == secret
    assert len(pg.unseal(rows[0][0]["seed"].encode())) == 80


def test_a_recovery_code_opens_once(client: Any, person: Any) -> None:
    user = person("finance")
    owner = client(user)
    enrol(owner, person.password)
    codes = re.findall(r"<li>(\d{8})</li>", owner.get("/account/codes/").text)
    assert len(codes) == 10
    assert owner.get("/account/codes/download/").text.split() == codes
    first = _first_step(client, person, user).post("/sign-in/code/", {"code": codes[0]})
    assert first.status_code == 302
    second = _first_step(client, person, user).post("/sign-in/code/", {"code": codes[0]})
    assert "That code is not right" in second.text


def test_switching_it_off_asks_who_it_is(client: Any, person: Any) -> None:
    user = person("finance")
    secret, _ = enrol(client(user), person.password)
    browser = _first_step(client, person, user)
    browser.post("/sign-in/code/", {"code": totp(secret, time.time() + 30)})
    asked = browser.post("/account/second-factor/remove/")
    assert asked.headers["Location"].startswith("/account/confirm/")
    browser.post("/account/confirm/", {"password": person.password})
    assert browser.post("/account/second-factor/remove/").status_code == 302
    signed = client().post("/sign-in/", {"login": user.email, "password": person.password})
    assert signed.headers["Location"] == "/"


def test_an_administrator_takes_a_lost_one_away(client: Any, person: Any) -> None:
    user = person("finance")
    enrol(client(user), person.password)
    with pg.connect() as conn:
        assert accounts.person(conn, user.email).has_second_factor
        given = accounts.reset(conn, user.email, by="admin", second_factor=True)
        assert not accounts.person(conn, user.email).has_second_factor
    signed = client().post("/sign-in/", {"login": user.email, "password": given})
    assert signed.headers["Location"] == "/"


def test_secrets_are_sealed_anew_with_a_new_key(
    client: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from pipshare import settings

    user = person("finance")
    secret, _ = enrol(client(user), person.password)
    with pg.connect() as conn:
        assert rekey(conn) == 0
        keys = ("n" * 40, *settings.encryption_keys(settings.ENV))
        monkeypatch.setattr(settings, "ENV", replace(settings.ENV, encryption_keys=keys))
        assert rekey(conn) >= 2
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, encryption_keys=keys[:1]))
    browser = _first_step(client, person, user)
    opened = browser.post("/sign-in/code/", {"code": totp(secret, time.time() + 30)})
    assert opened.headers["Location"] == "/"
