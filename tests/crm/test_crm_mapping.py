"""Mappings: what is picked, turned and typed, what is skipped, and every fault by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipshare.crm import (
    CrmMapping,
    Mapped,
    Problem,
    Skipped,
    canonical,
    mapping_of,
    read_payload,
)
from pipshare.crm.expressions import FUNCTIONS
from pipshare.facts.events import checked

ID = {"field": "event", "from": "id"}
AT = {"field": "at", "from": "at"}
CLIENT = {"field": "client", "from": "client"}
GOOD = {"id": "t-1", "at": "2026-03-02T10:00:00Z", "client": "C-1", "amount": "500.00",
        "currency": "usd"}  # fmt: skip


def _mapping(*fields: dict[str, Any], kind: Any = "deposit", **more: Any) -> CrmMapping:
    own = {one["field"] for one in fields}
    money = [{"field": name, "from": name} for name in ("amount", "currency")]
    base = [ID, AT, CLIENT, *(money if kind == "deposit" else [])]
    kept = [one for one in base if one["field"] not in own]
    rule = {"name": "one", "kind": kind, "fields": [*kept, *fields]}
    return mapping_of({"name": "test", "rules": [rule], **more})


def _one(mapping: CrmMapping, **payload: Any) -> Any:
    (outcome,) = mapping.apply({**GOOD, **payload}, received_ms=1_772_442_000_123, delivery="d-1")
    return outcome


def _field(mapping: CrmMapping, name: str, **payload: Any) -> str | None:
    outcome = _one(mapping, **payload)
    assert isinstance(outcome, Mapped), outcome
    return outcome.fields.get(name)


def _problem(mapping: CrmMapping, **payload: Any) -> Problem:
    outcome = _one(mapping, **payload)
    assert isinstance(outcome, Problem), outcome
    return outcome


def test_a_deposit() -> None:
    assert _one(_mapping()) == Mapped(1, "one", "deposit", {
        "kind": "deposit", "event": "t-1", "at": "2026-03-02T10:00:00.000Z", "client": "C-1",
        "amount": "500.00", "currency": "USD",
    })  # fmt: skip


def test_digits_are_kept_as_they_stand() -> None:
    for text in ("0.10000000000000000001", "100.50", "7", "9007199254.74099301"):
        payload = read_payload(
            b'{"id":1,"at":"2026-03-02T10:00:00Z","client":"C","amount":%s,"currency":"USD"}'
            % text.encode()
        )
        (found,) = _mapping().apply(payload)
        assert isinstance(found, Mapped)
        assert found.fields["amount"] == text


@pytest.mark.parametrize("number", ["1e9999999", "1e-9999999", "1e5", "4711.0", "4711.5"])
def test_a_number_that_is_an_id_is_whole_and_plain(number: str) -> None:
    prefixed = {"field": "client", "concat": [{"value": "u-"}, {"from": "client"}]}
    for name, key, mapping in (("event", "id", _mapping()), ("client", "client", _mapping()),
                               ("client", "client", _mapping(prefixed))):  # fmt: skip
        body = json.dumps(GOOD | {key: 0}).replace(": 0", f": {number}")
        (problem,) = mapping.apply(read_payload(body.encode()))
        assert isinstance(problem, Problem), problem
        assert (problem.field, problem.code) == (name, "bad_number")
        assert len(str(problem)) < 300
    assert _field(_mapping(), "event", id=4711) == "4711"
    assert _field(_mapping(), "event", id=number) == number  # a text is whatever they call it


@pytest.mark.parametrize(
    "text",
    [
        "1,000.50",
        "1.000,50",
        "1 000",
        "$5",
        "USD 5",
        "5 USD",
        "0x10",
        "NaN",
        "1/3",
        "--1",
        "1_000",
        "1e99",
        "1e-99999999999",
    ],
)
def test_what_is_no_plain_amount_is_refused(text: str) -> None:
    found = _one(_mapping(), amount=text)
    if isinstance(found, Mapped):  # a number too small to be money: the readers see that it is 0
        assert canonical([found]).events.is_empty()
        return
    assert found.code in ("bad_amount", "amount_too_large")
    assert found.field == found.expression == "amount"
    assert text in str(found)


def test_an_id_is_no_longer_than_what_can_be_looked_up() -> None:
    for event, at_most in (("e" * 1_001, "1000"), ("\N{CJK UNIFIED IDEOGRAPH-4E00}" * 700, "2000")):
        found = _problem(_mapping(), id=event)
        assert (found.code, found.sentence.endswith(f"at most {at_most}")) == ("too_long", True)


def test_money_in_minor_units_and_parts() -> None:
    minor = _mapping({"field": "amount", "from": "amount", "unit": "minor"})
    for currency, expected in (("USD", "500.10"), ("JPY", "50010"), ("KWD", "50.010"),
                               ("USDT", "0.050010"), ("BTC", "0.00050010")):  # fmt: skip
        assert _field(minor, "amount", amount=50010, currency=currency) == expected
    part = _mapping({"field": "amount", "from": "amount", "unit": "1/1000"})
    assert _field(part, "amount", amount="12345678901.123456789") == "12345678.901123456789"
    assert _problem(part, amount="12345678901234567890").code == "amount_too_large"
    assert _field(minor, "amount", amount=10**12, currency="BTC") == "10000.00000000"
    assert _field(part, "amount", amount=50010) == "50.010"
    assert _problem(minor, currency=None).code == "missing_field"


def test_what_goes_out_may_be_signed_and_what_comes_in_may_not() -> None:
    signed = {"field": "amount", "from": "amount", "signed": True}
    money = {"field": "currency", "from": "currency"}
    out = _mapping(signed, money, kind="withdrawal")
    assert _field(out, "amount", amount="-5.50") == "5.50"
    assert _field(out, "amount", amount="5.50") == "5.50"
    assert _problem(_mapping(signed), amount="-5").code == "negative_amount"
    plain = _mapping({"field": "amount", "from": "amount"}, money, kind="withdrawal")
    assert _problem(plain, amount=-5).code == "negative_amount"


@pytest.mark.parametrize(
    ("how", "told", "expected"),
    [
        ({}, "2026-03-02T10:00:00+02:00", "2026-03-02T08:00:00.000Z"),
        ({}, "2026-03-02T10:00:00.1234567Z", "2026-03-02T10:00:00.123Z"),
        ({}, "2026-03-02", "2026-03-02"),
        ({"zone": "Europe/Nicosia"}, "2026-03-02", "2026-03-01T22:00:00.000Z"),
        ({"zone": "Europe/Nicosia"}, "2026-07-02 10:00", "2026-07-02T07:00:00.000Z"),
        ({"zone": "Europe/Nicosia"}, "2026-07-02T10:00:00Z", "2026-07-02T10:00:00.000Z"),
        ({"zone": "America/New_York+7h"}, "2026-07-02T10:00:00", "2026-07-02T07:00:00.000Z"),
        ({"format": "unix"}, 1772442000, "2026-03-02T09:00:00.000Z"),
        ({"format": "unix_ms"}, "1772442000123", "2026-03-02T09:00:00.123Z"),
        ({"format": "%d/%m/%Y %H:%M", "zone": "+03:00"}, "02/07/2026 10:00",
         "2026-07-02T07:00:00.000Z"),
        ({"format": "%d.%m.%Y %z"}, "02.07.2026 +0300", "2026-07-01T21:00:00.000Z"),
    ],
)  # fmt: skip
def test_moments(how: dict[str, str], told: Any, expected: str) -> None:
    assert _field(_mapping({**AT, **how}), "at", at=told) == expected


@pytest.mark.parametrize(
    ("how", "told", "code"),
    [
        ({}, "2026-03-02T10:00:00", "no_zone"),
        ({}, "02/03/2026", "bad_moment"),
        ({}, "2026-02-30", "bad_moment"),
        ({}, 1772442000, "bad_moment"),
        ({}, "0001-01-01T00:00:00+14:00", "bad_moment"),
        ({"format": "unix"}, 1772442000123, "bad_moment"),
        ({"format": "unix_ms"}, "yesterday", "bad_moment"),
        ({"format": "%d/%m/%Y"}, "2026-03-02", "bad_moment"),
        ({"format": "%d/%m/%Y"}, "02/03/2026", "no_zone"),
        ({"zone": "UTC"}, "9999-12-31T23:59:59", "bad_moment"),
    ],
)
def test_moments_that_nobody_may_guess(how: dict[str, str], told: Any, code: str) -> None:
    assert _problem(_mapping({**AT, **how}), at=told).code == code


def test_words_are_turned_and_those_unknown_are_as_the_mapping_says() -> None:
    words = {"field": "method", "from": "how", "map": {"Card ": "card", "WIRE": "bank"}}
    assert _field(_mapping(words), "method", how=" card") == "card"
    assert _field(_mapping(words), "method", how="wire") == "bank"
    assert _field(_mapping(words), "method", how=None) is None
    found = _problem(_mapping(words), how="cheque")
    assert (found.code, found.rule, found.field, found.expression) == (
        "unknown_word", "one", "method", "how",
    )  # fmt: skip
    assert _field(_mapping({**words, "otherwise": "empty"}), "method", how="cheque") is None
    assert _field(_mapping({**words, "otherwise": "keep"}), "method", how="cheque") == "cheque"
    skipped = _one(_mapping({**words, "otherwise": "skip"}), how="cheque")
    assert skipped == Skipped(1, "one", "how is 'cheque'")


def test_kinds_come_from_the_payload_by_either_name() -> None:
    kind = {"from": "type", "before": "-", "map": {"In": "deposit.approved", "Bonus": "bonus"}}
    mapping = _mapping({"field": "amount", "from": "amount"},
                       {"field": "currency", "from": "currency"}, kind=kind)  # fmt: skip
    assert _field(mapping, "kind", type="IN - card") == "deposit"
    assert _problem(mapping, type="out").field == "kind"
    told = _mapping({"field": "status", "from": "status"}, kind={"from": "type"})
    assert _field(told, "kind", type="kyc.changed", status="approved") == "kyc.changed"
    assert _problem(told, type="nothing").code == "unknown_kind"


def test_texts_are_joined_unless_one_is_missing() -> None:
    joined = {"field": "event", "concat": [{"value": "tx-"}, {"from": "id"}, {"value": "-"},
                                           {"from": "state", "case": "lower"}]}  # fmt: skip
    assert _field(_mapping(joined), "event", state="DONE") == "tx-t-1-done"
    assert _problem(_mapping(joined), state=None).code == "missing_field"


def test_what_the_door_knows() -> None:
    mapping = _mapping(
        {"field": "event", "given": "delivery"}, {"field": "at", "given": "received"}
    )
    assert _field(mapping, "event") == "d-1"
    assert _field(mapping, "at") == "2026-03-02T09:00:00.123Z"
    (found,) = mapping.apply(GOOD)
    assert isinstance(found, Problem)
    assert (found.code, found.field) == ("missing_field", "event")


def test_tags_name_the_partner() -> None:
    tag = {"field": "tag", "from": "tag"}
    partner = {"field": "tag_partner", "concat": [{"value": "IB-"}, {"from": "tag", "part": "a"}]}
    mapping = _mapping(tag, partner, kind="registration")
    found = _one(mapping, tag="A524-B12-P1-fspring-2-cCY")
    assert found.claims == {"tag": "A524-B12-P1-fspring-2-cCY", "tag_partner": "IB-524"}
    for part, expected in zip("abpfc", ("524", "12", "1", "spring-2", "CY"), strict=True):
        one = _mapping({"field": "link", "from": "tag", "part": part}, kind="registration")
        assert _one(one, tag="a524-b12-p1-fspring-2-cCY").claims == {"link": expected}
    assert _problem(mapping, tag="524").code == "bad_tag"
    assert _one(mapping, tag="").claims == {}


def test_one_payload_is_cut_into_several_events() -> None:
    mapping = _mapping(
        {"field": "client", "root": "user.id"}, {"field": "at", "root": "sent"},
        split="data.transactions[*]",
    )  # fmt: skip
    items = [{**GOOD, "id": "1"}, {**GOOD, "id": "2", "amount": "x"}, "odd", {**GOOD, "id": 3}]
    payload = {"user": {"id": 7}, "sent": GOOD["at"], "data": {"transactions": items}}
    one, two, three, four = mapping.apply(payload)
    assert isinstance(one, Mapped)
    assert isinstance(four, Mapped)
    assert (one.fields["client"], four.fields["event"], four.item) == ("7", "3", 4)
    assert isinstance(two, Problem)
    assert (two.item, two.code) == (2, "bad_amount")
    assert isinstance(three, Problem)
    assert three.code == "no_record"
    assert mapping.apply({"data": {"transactions": []}}) == []
    for wrong, code in (({}, "nothing_to_split"), ("error!", "not_records"), (None, "not_records"),
                        (7, "not_records")):  # fmt: skip
        (found,) = mapping.apply(wrong)
        assert isinstance(found, Problem)
        assert (found.item, found.code) == (0, code)


def test_one_item_may_be_several_events_and_conditions_pick() -> None:
    rules = [
        {"name": "test", "when": [{"from": "mode", "is": "TEST"}], "skip": "a test"},
        {"name": "new", "when": [{"from": "isNew", "is": ["true", "1"]}], "kind": "registration",
         "goes_on": True,
         "fields": [{"field": "event", "concat": [{"value": "r-"}, {"from": "id"}]}]},
        {"name": "paid", "kind": "deposit",
         "when": [{"from": "amount", "present": True},
                  {"from": "state", "is_not": ["new", "failed"]}],
         "fields": [ID, {"field": "amount", "from": "amount"},
                    {"field": "currency", "from": "currency"}]},
    ]  # fmt: skip
    mapping = mapping_of({"name": "test", "fields": [AT, CLIENT], "rules": rules})

    def names(**more: Any) -> list[Any]:
        return [getattr(one, "rule", "") or one.code for one in mapping.apply({**GOOD, **more})]

    assert names(isNew=True) == ["new", "paid"]
    assert names(isNew=1, amount=None) == ["new"]
    assert names(state="failed") == ["no_rule"]
    assert names(mode="test", isNew=True) == ["test"]
    assert names(mode=["x"]) == ["test"]  # a problem of that rule: a list is not one value
    lenient = mapping_of({"name": "test", "unmatched": "skip", "fields": [AT, CLIENT],
                          "rules": rules})  # fmt: skip
    assert lenient.apply({**GOOD, "state": "new"}) == [Skipped(1, "", "no rule is for it")]


def test_a_problem_shows_a_value_cut_and_nothing_else() -> None:
    found = _problem(_mapping(), amount="4111 1111 " + "x" * 80, name="A. Client")
    assert len(found.sentence) < 200
    assert "Client" not in str(found)
    assert str(found).startswith("item 1, rule one, field amount, expression amount: found '4111")
    assert _problem(_mapping(), client={"name": "A. Client"}).sentence.startswith(
        "found an object of 1 fields, not one value"
    )


@pytest.mark.parametrize("name", ["event", "at", "client", "amount", "currency"])
def test_what_is_missing_is_named(name: str) -> None:
    key = {"event": "id"}.get(name, name)
    for empty in ({key: None}, {key: " "}, {key: ""}):
        found = _problem(_mapping(), **empty)
        assert (found.code, found.field, found.expression) == ("missing_field", name, key)


def test_what_was_mapped_becomes_frames() -> None:
    rule = {"name": "account", "kind": "account.opened",
            "when": [{"from": "login", "present": True}],
            "fields": [{"field": "server", "value": "Live-1"}, {"field": "login", "from": "login"},
                       {"field": "group", "from": "group"}]}  # fmt: skip
    client = {"name": "client", "kind": "client.updated",
              "when": [{"from": "land", "present": True}],
              "fields": [{"field": "country", "from": "land"},
                         {"field": "crm_field", "from": "ib"}]}  # fmt: skip
    fields = [{"field": name, "from": name} for name in ("amount", "currency")]
    money = {"name": "money", "kind": "deposit", "fields": fields}
    mapping = mapping_of({"name": "test", "fields": [ID, AT, CLIENT],
                          "rules": [rule, client, money]})  # fmt: skip
    payload = [{**GOOD, "login": 700101, "group": "ecn"}, {**GOOD, "land": "cy", "ib": "IB-7"},
               GOOD, {**GOOD, "amount": 0}]  # fmt: skip
    mapped = [one for one in mapping.apply(payload) if isinstance(one, Mapped)]
    made = canonical(mapped, defaults={"source": "crm", "entity": "eu"})
    assert made.accounts.select("login", "client", "group", "line").rows() == [
        (700101, "C-1", "ecn", 1)
    ]
    assert made.accounts["valid_from"].is_not_null().all()
    assert made.clients.select("client", "country", "entity").rows() == [("C-1", "CY", "eu")]
    assert [one.claims for one in made.claims] == [{"crm_field": "IB-7"}]
    assert made.events["line"].to_list() == [3]
    events, refused = checked(made.events)
    assert not refused
    assert events.select("source", "entity", "amount_e8").rows() == [("crm", "eu", 500 * 10**8)]
    (problem,) = made.problems
    assert (problem.item, problem.rule, problem.code) == (4, "money", "missing_field")
    assert "amount" in problem.sentence
    assert canonical([]).events.is_empty()


def test_functions_of_expressions_find_and_never_reckon() -> None:
    for name in ("sum", "avg", "to_number", "abs", "ceil", "max_by", "to_string", "sort"):
        assert name not in FUNCTIONS
    mapping = _mapping({"field": "client", "from": "not_null(user.id, owner)"})
    assert _field(mapping, "client", owner="C-9") == "C-9"
    wrong = _mapping({"field": "client", "from": "length(client)"})
    assert _field(wrong, "client") == "3"
    found = _problem(wrong, client=7)
    assert (found.code, found.expression) == ("bad_match", "length(client)")
