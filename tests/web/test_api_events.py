"""Events of clients over the API: one, a list, NDJSON; verdicts, waits, refusals, idempotency."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker

from pipshare import clients, db
from pipshare.facts.event_schemas import example
from pipshare.people.keys import add_key

DEPOSIT = {
    "event": "tx-1", "kind": "deposit", "at": "2026-03-02T10:00:00Z", "client": "C-1",
    "amount": 250.10, "currency": "USD",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBroker]:
    with db.connect() as conn:
        yield SmallBroker(conn, tmp_path_factory.mktemp("broker"))


@pytest.fixture(scope="module")
def crm(small: SmallBroker) -> str:
    with db.transaction() as conn:
        return add_key(conn, "crm", ["events:write"], by="tests")


@pytest.fixture
def call(client: Callable[..., Any], crm: str) -> Callable[..., Any]:
    def make(body: Any, content_type: str = "application/json", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {crm}", **headers}
        return client().generic("POST", "/v1/events", data, content_type, headers=headers)

    return make


def results(response: Any) -> list[tuple[int, str, str]]:
    assert response.status_code == 200, response.content
    return [(one["record"], one["verdict"], one["waits"]) for one in response.json()["results"]]


def test_one_a_list_and_lines(call: Callable[..., Any], small: SmallBroker) -> None:
    reversal = DEPOSIT | {"event": "tx-2", "kind": "deposit.reversed", "reference": "tx-1",
                          "at": "2026-03-03T10:00:00Z", "amount": "", "currency": ""}  # fmt: skip
    assert results(call(reversal)) == [(1, "new", "unknown_reference")]
    assert results(call([DEPOSIT, DEPOSIT])) == [(1, "new", ""), (2, "repeated", "")]
    lines = [DEPOSIT | {"version": 2, "amount": "99"}, DEPOSIT | {"event": "3", "client": "X-9"}]
    body = "\n".join([*map(json.dumps, lines), "{broken", '{"event": 7}']).encode()
    told = call(body, "application/x-ndjson").json()
    assert (told["taken"], told["refused"]) == (2, 2)
    assert [(one["event"], one["verdict"], one["waits"]) for one in told["results"]] == [
        ("tx-1", "revised", ""), ("3", "new", "unknown_client"), (None, "refused", ""),
        (None, "refused", ""),
    ]  # fmt: skip
    assert told["results"][3]["reason"].startswith("record 4, field kind")
    held = {(one["source"], one["event"]): one for one in
            clients.events_of(small.conn).with_row_index("row").to_dicts()}  # fmt: skip
    small.conn.rollback()
    assert held["crm", "tx-1"]["amount_e8"] == 99 * 10**8
    assert held["crm", "tx-2"]["original"] == held["crm", "tx-1"]["row"]
    assert ("crm", "3") not in held


def test_every_schemas_example_can_be_sent(call: Callable[..., Any]) -> None:
    from pipshare.facts.events import KINDS

    body = [example(kind) | {"event": kind, "source": "examples"} for kind in KINDS]
    assert [verdict for _, verdict, _ in results(call(body))] == ["new"] * len(KINDS)


def test_what_is_wrong_is_a_problem_with_the_field(call: Callable[..., Any]) -> None:
    wrong = call(DEPOSIT | {"event": "w", "amount": "-1"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "refused")
    assert wrong["Content-Type"] == "application/problem+json"
    assert "record 1, field amount" in wrong.json()["detail"]
    late = call(DEPOSIT | {"event": "w", "at": "2126-01-01T00:00:00Z"})
    assert late.status_code == 422
    unknown = call(DEPOSIT | {"amounts": "1"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_column")
    assert call(b"{").json()["code"] == "bad_json"
    assert call([]).json()["code"] == "empty"
    assert call(b"a,b", "text/csv").status_code == 415
    many = [DEPOSIT] * 10_001
    assert call(many).status_code == 413


def test_an_idempotency_key_gets_the_first_answer_again(call: Callable[..., Any]) -> None:
    event = DEPOSIT | {"event": "once"}
    first = call(event, **{"Idempotency-Key": "e 1"})
    again = call(event, **{"Idempotency-Key": "e 1"})
    assert results(first) == [(1, "new", "")]
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    other = call(event | {"amount": "1"}, **{"Idempotency-Key": "e 1"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_only_a_key_for_events_may(client: Callable[..., Any], small: SmallBroker) -> None:
    with db.transaction() as conn:
        reader = add_key(conn, "no events", ["trades:read"], by="tests")
    headers = {"Authorization": f"Bearer {reader}"}
    refused = client().generic("POST", "/v1/events", json.dumps(DEPOSIT).encode(),
                               "application/json", headers=headers)  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")


def test_the_description_has_every_kind(client: Any, tmp_path: Path) -> None:
    told = client("metatrader").get("/api/openapi.json").json()
    sent = told["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    titles = {one["title"] for one in sent["schema"]["oneOf"][0]["oneOf"]}
    assert {"deposit", "chargeback_lost", "account_snapshot"} <= titles
