"""What a payload says is judged alike at the door, when it is settled, and on the test page."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from pipshare.crm import canonical, read_mapping
from pipshare.money.currencies import is_known
from pipshare.pipeline.crm.judge import (
    JSON,
    MOST,
    NDJSON,
    PROBLEM,
    Judgement,
    delivery_of,
    item_of,
    judge,
    packed,
    unpacked,
)

NOW_MS = 1_780_000_000_000  # 28 May 2026
LINES = NDJSON[0]
MAPPING = read_mapping(json.dumps({
    "format": 1, "name": "room", "zone": "UTC",
    "rules": [
        {"name": "test", "when": [{"from": "test", "is": "true"}], "skip": "a test"},
        {"name": "one", "kind": {"from": "kind"}, "fields": [
            {"field": name, "from": name} for name in
            ("event", "at", "client", "server", "login", "amount", "currency", "reference",
             "cleared_at", "status", "partner_code")
        ]},
    ],
}))  # fmt: skip


def judged(body: Any, content_type: str = JSON, **more: Any) -> Judgement:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(MAPPING, sent, content_type, received_ms=NOW_MS, source="room", **more)


def deposit(**more: Any) -> dict[str, Any]:
    return {"kind": "deposit", "event": "d-1", "at": "2026-05-01T10:00:00Z", "client": "C-1",
            "amount": "250.00", "currency": "USD", **more}  # fmt: skip


def test_a_deposit_is_mapped_with_its_source_and_entity() -> None:
    (one,) = judged(deposit(), entity="uk").items
    assert (one.item, one.rule, one.kind, one.verdict) == (1, "one", "deposit", "mapped")
    assert one.fields["source"] == "room"
    assert one.fields["entity"] == "uk"
    assert one.fields["amount"] == "250.00"
    assert item_of(json.loads(json.dumps(one.kept()))) == one


@pytest.mark.parametrize(("told", "field", "code"), [
    ({"amount": "1,000.50"}, "amount", "bad_amount"),
    ({"amount": "0.00"}, "amount", "missing_field"),
    ({"amount": "0.000000001"}, "amount", "missing_field"),
    ({"currency": "XQZ"}, "currency", "unknown_currency"),
    ({"currency": ""}, "currency", "missing_field"),
    ({"at": "2026-05-29T10:00:00Z"}, "at", "in_the_future"),
    ({"at": "2026-05-30"}, "at", "in_the_future"),
    ({"at": "yesterday"}, "at", "bad_moment"),
    ({"kind": "deposit_reversed", "reference": "d-1"}, "reference", "own_reference"),
    ({"server": "Live-1"}, "login", "half_an_account"),
    ({"login": "17"}, "server", "half_an_account"),
    ({"cleared_at": "2026-04-30T10:00:00Z"}, "cleared_at", "cleared_before"),
    ({"kind": "kyc.changed", "status": "fine"}, "status", "unknown_word"),
    ({"kind": "kyc.changed", "status": ""}, "status", "missing_field"),
])  # fmt: skip
def test_what_cannot_be_is_a_problem_that_names_the_field(
    told: dict[str, str], field: str, code: str
) -> None:
    found = judged(deposit(**told))
    (one,) = found.problems
    assert (one.field, one.code) == (field, code)
    assert found.is_lost


def test_ten_minutes_ahead_is_a_clock_that_differs() -> None:
    assert not judged(deposit(at="2026-05-28T20:36:00Z")).problems  # it is 20:26:40
    assert judged(deposit(at="2026-05-28T20:37:00Z")).problems
    assert not judged(deposit(at="2026-05-28T20:37:00Z"), now_ms=NOW_MS + 60_000).problems


def test_a_currency_in_use_here_is_known() -> None:
    def knows(code: str) -> bool:
        return code == "XQZ" or is_known(code)

    assert not judged(deposit(currency="XQZ"), knows=knows).problems


def test_of_lines_every_right_one_is_taken() -> None:
    lines = [deposit(event="d-1"), None, [deposit(event="d-2"), deposit(event="d-3", amount="x")],
             "nonsense", {"test": True}, deposit(event="d-4")]  # fmt: skip
    body = b"\xef\xbb\xbf" + b"\n".join(
        b"{broken" if one is None else json.dumps(one).encode() for one in lines
    )  # fmt: skip
    found = judged(body + b"\n\n", LINES)
    told = [(one.item, one.line, one.fields.get("event", one.code or one.sentence))
            for one in found.items]  # fmt: skip
    assert told == [(1, 1, "d-1"), (2, 2, "bad_json"), (3, 3, "d-2"), (4, 3, "bad_amount"),
                    (5, 4, "not_records"), (6, 5, "a test"), (7, 6, "d-4")]  # fmt: skip
    assert not found.is_lost
    assert unpacked(packed(found)) == found


@pytest.mark.parametrize(("body", "kind", "code"), [
    (b"", JSON, "empty"),
    (b" \n", LINES, "empty"),
    (b"{", JSON, "bad_json"),
    (b'{"a": 1, "a": 2}', JSON, "bad_json"),
    (b"\xff", JSON, "bad_encoding"),
    (b'{"a": NaN}', JSON, "bad_json"),
    (b"[" * 100_000, JSON, "bad_json"),
    (b"a=1&a=2", "application/x-www-form-urlencoded", "bad_form"),
    (b"1\n" * (MOST + 1), LINES, "too_many_lines"),
])  # fmt: skip
def test_a_body_that_cannot_be_read_is_one_problem(body: bytes, kind: str, code: str) -> None:
    found = judged(body, kind)
    assert [(one.item, one.code) for one in found.items] == [(0, code)]
    assert found.is_unread
    assert found.is_lost


def test_lines_that_are_cut_into_too_many_items_are_refused_whole() -> None:
    line = json.dumps([deposit()] * 3_400).encode()
    (one,) = judged(b"\n".join([line] * 3), LINES).items
    assert one.code == "too_many_items"


def test_a_mapping_that_raises_is_a_problem_and_its_log_says_nothing_of_the_payload(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(*told: Any, **more: Any) -> Any:
        raise KeyError("anna@broker.example")

    monkeypatch.setattr(type(MAPPING), "apply", raises)
    with caplog.at_level(logging.DEBUG):
        (one,) = judged(deposit()).items
    assert (one.item, one.verdict, one.code) == (0, PROBLEM, "mapping_failed")
    assert "anna" not in caplog.text + one.sentence


def test_an_empty_page_says_nothing_and_is_no_problem() -> None:
    found = judged([])
    assert found.items == ()
    assert not found.is_lost


def test_what_is_judged_right_is_read_by_those_who_take_events_in() -> None:
    rows = [deposit(), deposit(kind="registration", amount="", partner_code="IB-7"),
            deposit(kind="kyc.changed", status="Approved", amount="", currency=""),
            deposit(server="Live-1", login="17"), deposit(at="2026-05-02", cleared_at="2026-05-03"),
            deposit(kind="chargeback_lost", amount="", reference="d-9")]  # fmt: skip
    found = judged(rows)
    assert not found.problems
    read = canonical([one.mapped for one in found.mapped])
    assert read.problems == []
    assert len(read.events) == len(rows)
    assert [one.claims for one in read.claims] == [{"partner_code": "IB-7"}]


def test_a_form_is_one_item() -> None:
    body = b"kind=deposit&event=d-1&at=2026-05-01T10:00:00Z&client=C-1&amount=5.00&currency=usd"
    (one,) = judged(body, "application/x-www-form-urlencoded; charset=utf-8").items
    assert one.fields["currency"] == "USD"


def test_a_mapping_is_given_the_senders_id_or_our_own() -> None:
    assert delivery_of("d:msg_1", "01ABC") == "msg_1"
    assert delivery_of("h:ffff", "01ABC") == "01ABC"
