"""Bad input at the door for CRMs: named, stored where it can be mended, and in no log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from hook_senders import LINES, Endpoint, deposit, endpoint

from pipshare import db as pg
from pipshare import inbox
from pipshare.pipeline.crm import judge

PERSON = "anna.smith@example.com"
Make = Callable[..., Endpoint]


@pytest.fixture
def hooks(site: Any) -> Any:
    """The door's module, which can be imported when Django is set up."""
    return import_module("pipshare.api.hooks")


@pytest.fixture
def crm(client: Callable[..., Any]) -> Make:
    return lambda **given: endpoint(client().post, **given)


def _log(one: Endpoint) -> list[inbox.LoggedPayload]:
    with pg.connect() as conn:
        return inbox.payloads(conn, endpoint=one.code)


def _body(id_: str) -> bytes:
    with pg.connect() as conn:
        return inbox.payload_body(conn, id_)[0]


@pytest.mark.parametrize(("told", "field", "code"), [
    ({"amount": "1,000.50"}, "amount", "bad_amount"),
    ({"amount": 1e300}, "amount", "amount_too_large"),
    ({"amount": "-5"}, "amount", "negative_amount"),
    ({"currency": "XQZ"}, "currency", "unknown_currency"),
    ({"currency": "$"}, "currency", "bad_currency"),
    ({"at": "2099-01-01T00:00:00Z"}, "at", "in_the_future"),
    ({"at": "2026-05-01 10:00:00 Nicosia"}, "at", "bad_moment"),
    ({"kind": "jackpot"}, "kind", "unknown_kind"),
    ({"event": None}, "event", "missing_field"),
    ({"client": [PERSON]}, "client", "not_one_value"),
    ({"event": "e\0"}, "event", "bad_text"),
])  # fmt: skip
def test_an_item_that_cannot_be_mapped_names_its_field(
    crm: Make, told: dict[str, Any], field: str, code: str
) -> None:
    one = crm()
    body = json.dumps({**deposit("d-1"), **told}).encode()
    answer = one.send(body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "nothing_mapped")
    assert answer.headers["Content-Type"] == "application/problem+json"
    (error,) = problem["errors"]
    assert (error["item"], error["rule"], error["field"], error["code"]) == (1, "one", field, code)
    assert error["detail"]
    (logged,) = _log(one)
    assert (logged.id, logged.verdict, logged.problems) == (problem["id"], "accepted", 1)
    assert _body(logged.id) == body
    assert PERSON not in answer.content.decode() + logged.detail


def test_beside_a_bad_item_the_others_are_taken(crm: Make) -> None:
    one = crm()
    lines = [deposit(f"d-{n}") for n in range(5)]
    lines[1]["amount"], lines[3]["at"] = "1,000.50", "2099-01-01T00:00:00Z"
    answer = one.send(b"\n".join(json.dumps(line).encode() for line in lines), kind=LINES)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["mapped"], told["problem"]) == (3, 2)
    assert [item["verdict"] for item in told["items"]] == [
        "mapped", "problem", "mapped", "problem", "mapped",
    ]  # fmt: skip


@pytest.mark.parametrize(("body", "code"), [
    (b"{", "bad_json"),
    (b"", "empty"),
    (b'{"a": 1, "a": 2}', "bad_json"),
    (b'{"a": NaN}', "bad_json"),
    (b"[" * 50_000, "bad_json"),
])  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_and_kept(crm: Make, body: bytes, code: str) -> None:
    one = crm()
    answer = one.send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"][0]["item"] == 0
    (logged,) = _log(one)
    assert (logged.verdict, logged.reason, logged.id) == ("rejected", code, answer.json()["id"])
    assert _body(logged.id) == body
    assert one.send(deposit("d-1")).status_code == 200


def test_a_body_that_is_no_utf8(crm: Make) -> None:
    one = crm(verify=[{"method": "bearer"}])
    answer = one.post(one.path, b'{"a": "\xff"}', content_type="application/json",
                      headers={"Authorization": f"Bearer {one.secret}"})  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_encoding")


def test_a_body_of_10_mb_is_refused_whatever_it_is(crm: Make) -> None:
    one = crm()
    for body, kind, most in ((b"x" * 10_000_000, "application/json", "1 MiB"),
                             (b"[1]\n" * 2_500_000, LINES, "8 MiB")):  # fmt: skip
        answer = one.send(body, kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert most in answer.json()["detail"]
    assert {(each.reason, each.size) for each in _log(one)} == {("too_large", 0)}
    small = crm(settings={"limit": 2000})
    assert "2,000 bytes" in small.send(b"x" * 3000).json()["detail"]


def test_what_is_neither_json_nor_lines_nor_a_form(crm: Make) -> None:
    one = crm()
    answer = one.send(b"<a/>", kind="application/xml")
    assert (answer.status_code, answer.json()["code"]) == (415, "content_type")


def test_a_stale_request_and_a_replayed_one(crm: Make) -> None:
    one = crm()
    answer = one.send(deposit("d-1"), at=time.time() - 301)
    assert (answer.status_code, answer.json()["code"]) == (401, "stale")
    assert one.send(deposit("d-1"), at=time.time() - 240, id_="msg_1").status_code == 200
    assert one.send(deposit("d-1"), id_="msg_1").json()["verdict"] == "duplicate"


def test_neither_log_nor_refusal_holds_a_body_or_a_secret(
    crm: Make, hooks: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    one = crm()
    said = ""

    def raises(*told: Any, **more: Any) -> Any:
        raise ValueError(f"cannot map {told}")

    one.send(deposit("d-1", client=PERSON, amount="x"))
    one.send(json.dumps(deposit("d-1", client=PERSON)).encode()[:-1])
    for more in ({"secret": "whsec_" + "A" * 43 + "="}, {"at": 1.0}, {"kind": "text/html"}):
        said += one.send(deposit("d-1", client=PERSON), **more).content.decode()
    with monkeypatch.context() as patched:
        patched.setattr(judge.CrmMapping, "apply", raises)
        answer = one.send(deposit("d-2", client=PERSON))
        assert answer.json()["errors"][0]["code"] == "mapping_failed"
        said += answer.content.decode()
    for place in ("arrival", "answered"):
        with monkeypatch.context() as patched:
            patched.setattr(hooks, place, raises)
            answer = one.send(deposit(f"d-{place}", client=PERSON))
            assert (answer.status_code, answer.json()["code"]) == (500, "internal")
            said += answer.content.decode()
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "store_payloads", raises)
        said += one.send(deposit("d-3", client=PERSON)).content.decode()
    told = caplog.text + said + str([(each.reason, each.detail) for each in _log(one)])
    assert "ValueError" in caplog.text
    assert "mapping flat failed" in caplog.text
    for secret in (PERSON, "anna", one.secret, one.secret[6:30]):
        assert secret not in told
    assert one.send(deposit("d-4")).status_code == 200


def test_strangers_do_not_fill_the_log(
    crm: Make, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = crm()
    monkeypatch.setattr(hooks, "_strangers", hooks.Strangers(most=3))
    for _ in range(6):
        assert one.send(b"{}", secret="whsec_" + "A" * 43 + "=").status_code == 401
    assert len(_log(one)) == 3


def test_a_database_that_is_away_is_said_so_and_nothing_is_promised(
    crm: Make, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = crm()
    assert one.send(deposit("d-1")).status_code == 200

    def away(*told: Any) -> Any:
        raise hooks.Unavailable("no_database", "the database does not answer; send it again")

    monkeypatch.setattr(hooks._gather, "submit", away)
    answer = one.send(deposit("d-2"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
