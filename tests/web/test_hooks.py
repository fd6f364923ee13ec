"""The door for CRMs: who is let in, what he is told, what is stored; one endpoint each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hook_senders import LINES, MAPPING, Endpoint, deposit, endpoint

from pipshare import db as pg
from pipshare import inbox
from pipshare.pipeline.crm.judge import unpacked
from pipshare.pipeline.crm.set_up import rotate

Make = Callable[..., Endpoint]


@pytest.fixture
def crm(client: Callable[..., Any]) -> Make:
    return lambda **given: endpoint(client().post, **given)


def _logged(one: Endpoint, **asked: Any) -> list[inbox.LoggedPayload]:
    with pg.connect() as conn:
        return inbox.payloads(conn, endpoint=one.code, **asked)


def _body(id_: str) -> bytes:
    with pg.connect() as conn:
        return inbox.payload_body(conn, id_)[0]


def _state(one: Endpoint, state: str) -> None:
    with pg.transaction() as conn:
        inbox.set_endpoint_state(conn, inbox.endpoint(conn, one.code), state, by="anna")


def test_a_payload_is_stored_as_it_came_and_the_answer_names_its_items(crm: Make) -> None:
    one = crm()
    answer = one.send([deposit("d-1"), {"test": True}, deposit("d-2", amount="1,000.50")])
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["verdict"], told["mapped"], told["skipped"], told["problem"]) == (
        "accepted", 1, 1, 1,
    )  # fmt: skip
    first, second, third = told["items"]
    assert first == {"item": 1, "verdict": "mapped", "rule": "one", "kind": "deposit",
                     "event": "d-1"}  # fmt: skip
    assert second == {"item": 2, "verdict": "skipped", "rule": "test", "detail": "a test"}
    assert (third["code"], third["field"], third["expression"]) == (
        "bad_amount", "amount", "amount",
    )  # fmt: skip
    assert "1,000.50" in third["detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    (logged,) = _logged(one)
    assert (logged.id, logged.verdict, logged.reason, logged.version) == (
        told["id"], "accepted", "problems", 1,
    )  # fmt: skip
    assert (logged.items, logged.problems) == (3, 1)
    assert json.loads(_body(told["id"]))[0]["event"] == "d-1"
    with pg.connect() as conn:
        row = conn.execute("SELECT mapped FROM inbox_payload_due WHERE payload_id = %s",
                           (logged.id,)).fetchone()  # fmt: skip
    assert row is not None
    kept = unpacked(row[0])
    assert kept.items[0].fields["source"] == one.code
    assert kept.items[0].fields["entity"] == "main"


def test_a_repeat_is_a_duplicate_by_its_id_or_its_body(crm: Make) -> None:
    one = crm()
    first = one.send(deposit("d-1"), id_="msg_a").json()
    again = one.send(deposit("d-1"), id_="msg_a")
    assert (again.status_code, again.json()["verdict"]) == (200, "duplicate")
    assert again.json()["id"] == first["id"]
    other = one.send(deposit("d-1"), id_="msg_b").json()
    assert other["verdict"] == "accepted"  # a delivery of its own: its event is known by its id
    token = crm(verify=[{"method": "bearer"}])
    headers = {"Authorization": f"Bearer {token.secret}"}
    body = json.dumps(deposit("d-1"))
    told = [token.post(token.path, body, content_type="application/json", headers=headers).json()
            for _ in range(3)]  # fmt: skip
    assert [one["verdict"] for one in told] == ["accepted", "duplicate", "duplicate"]
    assert {one["id"] for one in told} == {told[0]["id"]}


def test_other_content_under_a_known_id_is_stored_beside_it(crm: Make) -> None:
    one = crm()
    first = one.send(deposit("d-1"), id_="msg_a").json()
    told = one.send(deposit("d-2"), id_="msg_a").json()
    assert (told["verdict"], told["reason"]) == ("accepted", "other_content")
    assert one.send(deposit("d-2"), id_="msg_a").json() == {
        "verdict": "duplicate", "id": told["id"], "items": [],
    }  # fmt: skip
    newest, _ = _logged(one)
    assert (newest.id, newest.reason) == (told["id"], "other_content")
    assert first["id"] in newest.detail


def test_of_lines_the_right_ones_are_taken_and_a_form_is_read(crm: Make) -> None:
    one = crm()
    body = json.dumps(deposit("d-1")).encode() + b"\n{broken\n\n" + json.dumps(
        deposit("d-2")).encode()  # fmt: skip
    told = one.send(body, kind=LINES).json()
    assert [(item["line"], item.get("event", item.get("code"))) for item in told["items"]] == [
        (1, "d-1"), (2, "bad_json"), (4, "d-2"),
    ]  # fmt: skip
    form = b"kind=deposit&event=d-3&at=2026-05-01T10:00:00Z&client=C-1&amount=5&currency=USD"
    told = one.send(form, kind="application/x-www-form-urlencoded").json()
    assert told["items"][0]["event"] == "d-3"


def test_who_is_not_proven_is_told_why_and_nothing_of_his_body_is_kept(crm: Make) -> None:
    one = crm()
    wrong = "whsec_" + "A" * 43 + "="
    for answer, code in (
        (one.send(deposit("d-1"), secret=wrong), "wrong_signature"),
        (one.send(deposit("d-1"), at=1_700_000_000), "stale"),
        (one.post(one.path, "{}", content_type="application/json"), "missing_header"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert one.secret not in answer.content.decode()
    placed = crm(verify=[{"method": "address", "networks": ["203.0.113.0/24"]}])
    answer = placed.post(placed.path, "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_address")
    logged = _logged(one)
    assert {each.reason for each in logged} == {"wrong_signature", "stale", "missing_header"}
    assert {(each.verdict, each.size) for each in logged} == {("rejected", 0)}


def test_a_secret_is_rotated_and_the_old_one_holds_for_a_day(crm: Make) -> None:
    one = crm()
    assert one.send(deposit("d-1")).status_code == 200
    with pg.transaction() as conn:
        new = rotate(conn, inbox.endpoint(conn, one.code), by="anna")
    assert new != one.secret
    assert one.send(deposit("d-2"), secret=new).status_code == 200  # at once
    assert one.send(deposit("d-3")).status_code == 200
    with pg.connect("owner", autocommit=True) as conn:
        conn.execute("UPDATE inbox_endpoint_secret SET expires_at = now()"
                     " WHERE expires_at IS NOT NULL")  # fmt: skip
    assert one.send(deposit("d-4")).json()["code"] == "wrong_signature"
    assert one.send(deposit("d-5"), secret=new).status_code == 200
    with pg.transaction() as conn:
        newest = rotate(conn, inbox.endpoint(conn, one.code), now=True, by="anna")
    assert one.send(deposit("d-6"), secret=new).status_code == 401
    assert one.send(deposit("d-6"), secret=newest).status_code == 200


def test_what_is_published_or_paused_holds_from_the_next_request(crm: Make) -> None:
    one = crm()
    assert one.send(deposit("d-1")).status_code == 200
    other = {**MAPPING, "rules": [{"name": "all", "skip": "nothing of it"}]}
    with pg.transaction() as conn:
        inbox.publish_mapping(conn, inbox.endpoint(conn, one.code), other, by="anna")
    assert one.send(deposit("d-2")).json()["items"][0]["rule"] == "all"
    _state(one, "paused")
    answer = one.send(deposit("d-3"))
    assert (answer.status_code, answer.json()["code"]) == (503, "paused")
    assert answer.headers["Retry-After"]
    _state(one, "active")
    assert one.send(deposit("d-3")).status_code == 200
    _state(one, "removed")
    answer = one.send(deposit("d-4"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_endpoint")


def test_an_endpoint_without_a_mapping_keeps_what_comes(crm: Make) -> None:
    one = crm(mapping=None)
    told = one.send({"anything": 1}).json()
    assert (told["verdict"], told["reason"], told["items"]) == ("accepted", "no_mapping", [])
    assert _body(told["id"]) == b'{"anything": 1}'
    (logged,) = _logged(one)
    assert (logged.reason, logged.version) == ("no_mapping", 0)


def test_a_page_without_items_is_taken_and_marked(crm: Make) -> None:
    one = crm()
    assert one.send([]).json()["items"] == []
    assert _logged(one)[0].reason == "no_items"


def test_a_plain_endpoint_always_answers_200_once_it_is_stored(crm: Make) -> None:
    one = crm(settings={"answer": "plain"})
    for body in (b"{", b'{"kind": "deposit"}', json.dumps(deposit("d-1")).encode()):
        answer = one.send(body)
        assert (answer.status_code, answer.content) == (200, b"")
        assert _body(_logged(one)[0].id) == body
    assert one.send(b"{}", secret="whsec_" + "A" * 43 + "=").status_code == 401


def test_other_addresses_and_methods(crm: Make, client: Callable[..., Any]) -> None:
    one, stranger = crm(), client()
    for code in ("nobody", "%00", "x" * 3000, "%ff%fe"):
        answer = stranger.post(f"/hooks/{code}", "{}", content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_endpoint")
        assert one.code not in answer.content.decode()
    answer = stranger.get(one.path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    with pg.transaction() as conn:
        inbox.add_endpoint(conn, 1, "polled", "currentdesk", by="anna")
    assert stranger.post("/hooks/polled", "{}", content_type=LINES).status_code == 404
