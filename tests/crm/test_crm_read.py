"""Mappings and payloads that cannot be read: every fault is named with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipshare.crm import CrmMapping, mapping_of, read_mapping, read_payload
from pipshare.errors import BadInput

FIELDS = [{"field": name, "from": name} for name in ("event", "at", "client")]


def _mapping(*fields: dict[str, Any], kind: Any = "deposit") -> CrmMapping:
    own = {one["field"] for one in fields if "field" in one}
    kept = [one for one in FIELDS if one["field"] not in own]
    rule = {"name": "one", "kind": kind, "fields": [*kept, *fields]}
    return mapping_of({"name": "test", "rules": [rule]})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"rules": []}, "1 to 100 rules"),
        ({"colour": 1}, "key colour: no such key; there are format"),
        ({"format": 9}, "this version reads 1"),
        ({"zone": "Mars"}, "not a clock"),
        ({"split": "a["}, "key split: .*no JMESPath"),
        ({"unmatched": "guess"}, "neither error nor skip"),
        ({"name": ""}, "is empty"),
        ({"fields": {}}, "write a list"),
        ({"rules": [{"name": "a", "kind": "depositt"}]}, "did you mean deposit"),
        ({"rules": [{"name": "a", "kind": "deposit"}]}, "event, at must be told"),
        ({"rules": [{"name": "a", "skip": "x", "kind": "deposit"}]}, "neither kind nor fields"),
        ({"rules": [{"name": "a", "skip": "x"}] * 2}, "two rules are called"),
        ({"rules": [{"name": "a", "skip": "x", "when": [{"from": "a"}]}]}, "exactly one of is"),
        ({"rules": [{"name": "a", "skip": "x", "when": [{"from": "a", "is": 1}]}]}, "a text or a"),
        ({"rules": [{"name": "a", "skip": "x", "goes_on": "yes"}]}, "true or false"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named(change: dict[str, Any], what: str) -> None:
    good = {"name": "test", "rules": [{"name": "one", "kind": "qualified",
                                       "fields": FIELDS}]}  # fmt: skip
    mapping_of(good)
    with pytest.raises(BadInput, match=what) as caught:
        mapping_of({**good, **change})
    assert caught.value.code == "bad_mapping"


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ({"field": "amont", "from": "a"}, "did you mean amount"),
        ({"field": "kind", "from": "a"}, "no field"),
        ({"field": "click_id", "from": "a"}, "a deposit has no such field"),
        ({"field": "amount"}, "exactly one of from"),
        ({"field": "amount", "from": "a", "value": "1"}, "exactly one of from"),
        ({"field": "amount", "value": "<amount>"}, "put your own value in the place of <amount>"),
        ({"field": "amount", "value": "1", "case": "upper"}, "no other key beside it"),
        ({"field": "amount", "from": "sum(a)"}, "the function sum is not available"),
        ({"field": "amount", "from": "to_number(a)"}, "expressions select"),
        ({"field": "amount", "from": "a", "unit": "cents"}, "no unit"),
        ({"field": "method", "from": "a", "unit": "minor"}, "it goes with amount"),
        ({"field": "amount", "from": "a", "zone": "UTC"}, "it goes with at"),
        ({"field": "at", "from": "a", "zone": "Moon"}, "not a clock"),
        ({"field": "at", "from": "a", "format": "DD/MM"}, "no form of a date"),
        ({"field": "amount", "from": "a", "signed": 1}, "true or false"),
        ({"field": "method", "from": "a", "map": {}}, "an object of texts"),
        ({"field": "method", "from": "a", "otherwise": "skip"}, "it goes with map"),
        ({"field": "method", "from": "a", "map": {"a": "b"}, "otherwise": "x"}, "one of error"),
        ({"field": "method", "from": "a", "part": "z"}, "'z' is unknown"),
        ({"field": "method", "given": "now"}, "there are received, delivery"),
        ({"field": "method", "concat": []}, "1 to 20 parts"),
        ({"field": "method", "concat": [{"concat": [{"from": "a"}]}]}, "none a concat"),
        ({"field": "method", "from": "a", "trim": True}, "no such key"),
        ({"field": "method", "from": "a" * 501}, "at most 500"),
    ],
)
def test_a_wrong_field_is_named(field: dict[str, Any], what: str) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        _mapping(field)
    assert "mapping test, rule one" in caught.value.message


def test_a_mappings_text_is_checked_as_json() -> None:
    for text, what in (("{", "not valid JSON"), ('{"name": "a", "NAME": "b"}', "comes twice"),
                       ("[]", "write an object"), ("x" * 100_001, "at most")):  # fmt: skip
        with pytest.raises(BadInput, match=what):
            read_mapping(text)
    with pytest.raises(BadInput, match="a number with a fraction"):
        _mapping(kind={"from": "a > `0.5`"})
    assert read_mapping(json.dumps({"name": "a", "rules": [{"name": "b", "skip": "c"}]})).rules


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff", "bad_encoding"),
        (b"{", "bad_json"),
        (b'{"a": NaN}', "bad_json"),
        (b'{"a": 1, "a": 2}', "bad_json"),
        (b'{"a": 1e99999999999999999999}', "bad_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"", "bad_json"),
    ],
)
def test_a_payload_that_cannot_be_read(body: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_payload(body)
    assert caught.value.code == code


def test_a_form_is_read_as_an_object() -> None:
    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert read_payload(b"id=1&amount=1000.50&who=a%20b", form) == {
        "id": "1", "amount": "1000.50", "who": "a b",
    }  # fmt: skip
    for body in (b"a=1&a=2", b"a=%ff", b"&".join(b"a%d=1" % n for n in range(1001))):
        with pytest.raises(BadInput) as caught:
            read_payload(body, form)
        assert caught.value.code == "bad_form"
