"""The door for postbacks: who is let in, what he is told, by GET and POST."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pipshare import db as pg
from pipshare import inbox
from pipshare.tracking.postback_fields import signature_of
from pipshare.tracking.postbacks import KINDS


@dataclass(frozen=True)
class Door:
    """The door, the token of an unsigned tracker, and a signed one's token and secret."""

    post: Any
    get: Any
    token: str
    signed: str
    secret: str


@pytest.fixture(scope="module")
def tokens(site: Any) -> tuple[str, str, str]:
    with pg.connect() as conn:
        (entity,) = conn.execute("SELECT id FROM market_entity").fetchone() or (0,)
        token, _ = inbox.add_tracker(conn, entity, "site", by="anna", money=["deposit"])
        signed, secret = inbox.add_tracker(conn, entity, "signed", by="anna", is_signed=True)
    return token, signed, secret


@pytest.fixture
def s2s(tokens: tuple[str, str, str], client: Callable[..., Any]) -> Door:
    stranger = client()
    return Door(stranger.post, stranger.get, *tokens)


def _deposit(txid: str) -> dict[str, str]:
    return {"txid": txid, "client": "C-1", "amount": "250.00", "currency": "USD"}


def test_a_get_a_form_and_json_are_taken_and_repeats_told(s2s: Door) -> None:
    first = s2s.get("/s2s/deposit", {"token": s2s.token, **_deposit("1"), "colour": "blue"})
    assert first.status_code == 200
    told = first.json()
    assert (told["verdict"], told["reason"], told["ignored"]) == ("accepted", "", ["colour"])
    assert len(told["id"]) == 26
    assert first.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in first.headers
    form = s2s.post(f"/s2s/deposit?token={s2s.token}", _deposit("1"))
    assert form.json()["reason"] == "content_type"  # the test client's multipart
    form = s2s.post(f"/s2s/deposit?token={s2s.token}", "txid=1&client=C-1&amount=250&currency=USD",
                    content_type="application/x-www-form-urlencoded")  # fmt: skip
    assert (form.json()["verdict"], form.json()["detail"]) == (
        "duplicate", f"accepted before as {told['id']}",
    )  # fmt: skip
    body = s2s.post("/s2s/deposit", json.dumps(_deposit("2")), content_type="application/json",
                    headers={"Authorization": f"Bearer {s2s.token}"})  # fmt: skip
    assert body.json()["verdict"] == "accepted"
    with pg.connect() as conn:
        assert [one.txid for one in inbox.postbacks(conn, verdict="accepted", tracker="site")] == [
            "2",
            "1",
        ]


@pytest.mark.parametrize("event", KINDS)
def test_nobody_gets_in_without_a_token(s2s: Door, event: str) -> None:
    for answer in (s2s.get(f"/s2s/{event}"), s2s.get(f"/s2s/{event}", {"token": "pipt_wrong"}),
                   s2s.post(f"/s2s/{event}", "{}", content_type="application/json")):  # fmt: skip
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.json()["verdict"], answer.json()["reason"]) == ("rejected", "bad_token")


def test_a_signature_is_asked_for_and_checked(s2s: Door) -> None:
    body = json.dumps(_deposit("3")).encode()

    def send(signature: str, sent: bytes = body) -> Any:
        return s2s.post(f"/s2s/deposit?token={s2s.signed}", sent, content_type="application/json",
                        headers={"X-Signature": signature})  # fmt: skip

    right = signature_of(s2s.secret, body)
    for answer in (send(""), send("0" * 64), send("ä"), send(right, body.replace(b"250", b"999"))):
        assert (answer.status_code, answer.json()["reason"]) == (401, "bad_signature")
    assert send(right).json()["verdict"] == "accepted"
    query = f"token={s2s.signed}&txid=4&client=C-1&amount=5&currency=USD"
    sig = signature_of(s2s.secret, query.encode())
    assert s2s.get(f"/s2s/deposit?{query}&sig={sig}").json()["verdict"] == "accepted"
    assert s2s.get(f"/s2s/deposit?{query.replace('5', '9')}&sig={sig}").status_code == 401


def test_other_methods_other_events_and_other_sizes(s2s: Door) -> None:
    answer = s2s.get("/s2s/lottery", {"token": s2s.token})
    assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_event")
    assert "first-trade" in answer.json()["detail"]
    for odd in ("%00", "%ff%fe", "x" * 3000, "deposit/", "%ED%A0%80"):
        assert s2s.get(f"/s2s/{odd}", {"token": s2s.token}).status_code == 404
        assert s2s.get(f"/s2s/{odd}").status_code == 401
    answer = s2s.get("/s2s/deposit", {"token": s2s.token, "pad": "x" * 100_000})
    assert (answer.status_code, answer.json()["reason"]) == (414, "url_too_long")
    answer = s2s.post(f"/s2s/deposit?token={s2s.token}", b"x" * 100_000,
                      content_type="application/json")  # fmt: skip
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
    answer = s2s.get(f"/s2s/deposit?token={s2s.token}&txid=%00")
    assert (answer.status_code, answer.json()["reason"]) == (200, "bad_text")
    answer = s2s.get(f"/s2s/deposit?token={s2s.token}&txid=%ff%fe")
    assert answer.json()["reason"] == "bad_encoding"
    with pg.connect() as conn:
        found = {one.reason for one in inbox.postbacks(conn, tracker="site", verdict="rejected")}
    assert {"unknown_event", "url_too_long", "too_large", "bad_text", "bad_encoding"} <= found


def test_a_method_that_is_none_of_the_two(client: Callable[..., Any], s2s: Door) -> None:
    answer = client().delete("/s2s/deposit")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert (answer.json()["verdict"], answer.json()["reason"]) == ("rejected", "no_method")


def test_the_sender_is_whom_the_outermost_proxy_saw(
    s2s: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from django.test import RequestFactory

    from pipshare.web import sender as sending

    request = RequestFactory().get("/", headers={"X-Forwarded-For": "9.9.9.9, 203.0.113.5"})
    assert sending.sender_of(request) == "127.0.0.1"
    monkeypatch.setattr(sending, "ENV", replace(sending.ENV, proxies=1))
    assert sending.sender_of(request) == "203.0.113.5"
    monkeypatch.setattr(sending, "ENV", replace(sending.ENV, proxies=3))
    assert sending.sender_of(request) == ""


def test_no_database_is_said_and_may_be_sent_again(
    s2s: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.api import postbacks as door
    from pipshare.errors import Unavailable

    def gone(sent: Any) -> Any:
        raise Unavailable("no_database", "the database does not answer; send it again")

    monkeypatch.setattr(door._gather, "submit", gone)
    answer = s2s.get("/s2s/deposit", {"token": s2s.token, **_deposit("9")})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_database")
    assert answer.headers["Retry-After"] == "2"
