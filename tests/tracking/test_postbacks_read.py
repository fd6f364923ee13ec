"""Postbacks as they are sent: query, form and JSON, signatures, and everything that is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.tracking.postback_fields import (
    MOST_QUERY,
    Fault,
    Fields,
    is_signed,
    read_request,
    signature_of,
)
from pipshare.tracking.postbacks import AHEAD_MS, KINDS, Postback, postback_of

NOW = 1_770_000_000_000
DEPOSIT = b"token=T&txid=9&client=C-1&amount=250.00&currency=usd&at=2026-02-01T10:00:00Z"


def _get(query: bytes) -> Fields:
    return read_request(query, None, "")


def _made(kind: str, query: bytes) -> Postback:
    found = postback_of(kind, _get(query), NOW)
    assert isinstance(found, Postback), found
    return found


def _wrong(kind: str, query: bytes) -> Fault:
    found = postback_of(kind, _get(query), NOW)
    assert isinstance(found, Fault), found
    return found


def test_a_deposit_by_get_form_and_json_is_the_same() -> None:
    wanted = Postback("deposit", "9", 1_769_940_000_000, "C-1", amount_e8=25_000_000_000,
                      currency="USD")  # fmt: skip
    assert _made("deposit", DEPOSIT) == wanted
    form = read_request(b"token=T", DEPOSIT, "application/x-www-form-urlencoded; charset=utf-8")
    assert postback_of("deposit", form, NOW) == wanted
    told = {"txid": 9, "client_id": "C-1", "amount": 250.00, "currency": "USD",
            "time": "2026-02-01T10:00:00Z", "country": None}  # fmt: skip
    sent = json.dumps(told).encode()
    found = read_request(b"", sent, "application/json", bearer="T")
    assert found.token == "T"
    assert postback_of("deposit", found, NOW) == wanted


def test_digits_of_json_numbers_are_kept() -> None:
    body = b'{"txid":"1","client":"C","amount":0.10000001,"currency":"BTC"}'
    found = postback_of("deposit", read_request(b"", body, "application/json"), NOW)
    assert isinstance(found, Postback)
    assert found.amount_e8 == 10_000_001


def test_a_client_registers_once_and_needs_no_txid() -> None:
    assert _made("registration", b"client=C-1&click_id=X").txid == "C-1"
    assert _made("first-trade", b"click_id=X").txid == "X"
    assert _wrong("trade", b"client=C-1").code == "missing_txid"


@pytest.mark.parametrize(
    "text",
    ["2026-02-02T02:40:00Z", "2026-02-02T04:40:00%2B02:00", "2026-02-02T04:40:00+02:00",
     "1770000000", "1770000000000"],
)  # fmt: skip
def test_moments_in_the_forms_that_senders_use(text: str) -> None:
    assert _made("registration", f"client=C&at={text}".encode()).at_ms == NOW


@pytest.mark.parametrize(
    ("kind", "query", "code", "words"),
    [
        ("deposit", b"txid=1&client=C&amount=1,000.50&currency=USD", "bad_amount", "1000.50"),
        ("deposit", b"txid=1&client=C&amount=-5&currency=USD", "negative_amount", "below zero"),
        ("deposit", b"txid=1&client=C&amount=0&currency=USD", "missing_amount", "more than zero"),
        ("deposit", b"txid=1&client=C&amount=1e30&currency=USD", "amount_too_large", "larger"),
        ("deposit", b"txid=1&client=C&amount=5&currency=US%20D", "bad_currency", "US D"),
        ("deposit", b"txid=1&client=C&amount=5", "missing_currency", "currency"),
        ("deposit", b"client=C&amount=5&currency=USD", "missing_txid", "txid"),
        ("deposit", b"txid=1&amount=5&currency=USD", "nobody", "client or click_id"),
        ("registration", b"click_id=X&txid=1", "missing_client", "client"),
        ("registration", b"client=C&country=Cyprus", "bad_country", "Cyprus"),
        ("registration", b"client=C&at=yesterday", "bad_moment", "yesterday"),
        ("registration", b"client=C&at=2026-02-01T10:00:00", "bad_moment", "zone"),
        ("registration", b"client=C&at=1971-01-01T00:00:00Z", "bad_moment", "2000"),
        ("registration", b"client=C&click_id={clickid}", "unfilled", "{clickid}"),
        ("registration", b"client=C&click_id=%00", "bad_text", "zero byte"),
        ("registration", b"client=%ff", "bad_encoding", "UTF-8"),
        ("registration", b"client=" + b"x" * 201, "too_long", "201 characters"),
        ("registration", b"client=A&client=B", "repeated_field", "client"),
        ("registration", b"client=A&client_id=B", "repeated_field", "client"),
        ("registration", b"client=A&" + b"x=1&" * 200, "too_many_fields", "100"),
        ("reversal", b"txid=2&amount=5&currency=USD", "missing_reference", "reference"),
        ("reversal", b"txid=2&reference=1&of=trade", "bad_of", "trade"),
    ],
)
def test_what_is_wrong_is_named(kind: str, query: bytes, code: str, words: str) -> None:
    found = _wrong(kind, query)
    assert (found.code, found.status) == (code, 200)
    assert words in found.detail


def test_the_future_is_refused_and_a_clock_that_is_a_little_fast_is_not() -> None:
    assert _made("registration", f"client=C&at={NOW + AHEAD_MS}".encode())
    assert _wrong("registration", f"client=C&at={NOW + AHEAD_MS + 1}".encode()).code == (
        "in_the_future"
    )


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b'{"client":"C"', "application/json", "bad_json"),
        (b'["C"]', "application/json", "bad_json"),
        (b'{"client":{"id":1}}', "application/json", "bad_json"),
        (b'{"client":true}', "application/json", "bad_json"),
        (b'{"client":"A","Client":"B"}', "application/json", "bad_json"),
        (b'{"client":"\\ud800"}', "application/json", "bad_text"),
        (b"[" * 5000, "application/json", "bad_json"),
        (b"\xff\xfe", "application/json", "bad_json"),
        (b"client=C", "text/plain", "content_type"),
        (b"client=C", "multipart/form-data; boundary=x", "content_type"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, kind: str, code: str) -> None:
    found = postback_of("registration", read_request(b"", body, kind), NOW)
    assert isinstance(found, Fault)
    assert found.code == code


def test_what_is_too_long_is_not_read_but_says_who_sent_it() -> None:
    found = read_request(b"token=T&x=" + b"y" * 100_000, None, "")
    assert found.token == "T"
    assert found.fault is not None
    assert (found.fault.code, found.fault.status) == ("url_too_long", 414)
    assert _get(b"client=C&pad=" + b"y" * (MOST_QUERY - 13)).fault is None


def test_fields_that_nobody_knows_are_listed_without_their_values() -> None:
    found = _get(b"client=C&email=anna@example.com&email=b&name=Anna&token=secret&sig=5")
    assert found.ignored == ("email", "name")
    assert found.told == {"client": "C"}


def test_a_get_is_signed_before_sig_and_a_post_in_its_body() -> None:
    right = signature_of("key", DEPOSIT)
    assert is_signed("key", _get(DEPOSIT + b"&sig=" + right.encode()))
    assert is_signed("key", read_request(DEPOSIT, None, "", signature="sha256=" + right.upper()))
    body = b'{"client":"C"}'
    posted = read_request(b"token=T", body, "application/json",
                          signature=signature_of("key", body))  # fmt: skip
    assert is_signed("key", posted)
    assert not is_signed("other", posted)


def test_nothing_can_be_added_to_what_was_signed() -> None:
    right = signature_of("key", DEPOSIT).encode()
    assert not is_signed("key", _get(DEPOSIT + b"&sig=" + right + b"&amount=900"))
    assert not is_signed("key", _get(b"amount=900&" + DEPOSIT + b"&sig=" + right))
    assert not is_signed("key", _get(DEPOSIT))
    body = b'{"client":"C"}'
    beside = read_request(b"token=T&partner=P-9", body, "application/json",
                          signature=signature_of("key", body))  # fmt: skip
    assert not is_signed("key", beside)


def test_a_repeat_says_the_same_whenever_it_is_sent() -> None:
    one = _made("deposit", DEPOSIT)
    assert replace(one, at_ms=NOW, method="card", country="CY").content == one.content
    assert replace(one, amount_e8=1).content != one.content
    assert replace(one, client="", click_id="C-1").content != one.content


@given(st.sampled_from(KINDS), st.binary(max_size=300), st.binary(max_size=300),
       st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]))  # fmt: skip
def test_anything_at_all_is_a_postback_or_a_named_fault(
    kind: str, query: bytes, body: bytes, content_type: str
) -> None:
    for fields in (_get(query), read_request(query, body, content_type)):
        found = postback_of(kind, fields, NOW)
        assert isinstance(found, Postback) or (found.code and found.detail)
        assert all(len(value) <= 200 and "\0" not in value for value in fields.told.values())
