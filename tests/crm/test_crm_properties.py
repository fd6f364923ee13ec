"""Whatever comes: no payload raises, every outcome is named, amounts keep their digits."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jmespath
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.crm import PRESETS, CrmMapping, Mapped, Problem, Skipped, canonical, preset
from pipshare.crm import read_payload as read
from pipshare.crm.expressions import expression
from pipshare.crm.typed import PLAIN, Form, typed
from pipshare.errors import BadInput
from pipshare.facts.events import checked

ODD = ("", " ", "0", "-1", "1e5", "1,000.50", "NaN", "\x00", "\ud800", "deposit", "done",
       "2026-03-02", "2026-03-02T10:00:00Z", "0000-00-00", "99999999999999999999", "x" * 1001,
       "a524-b12-p1", "Incoming Funds", "USD", "contact.creation")  # fmt: skip


def _mappings() -> list[CrmMapping]:
    made = []
    for name in PRESETS:
        one = preset(name)
        values = {key: "UTC" if key == "zone" else "x" for key in one.asks}
        made.append(one.filled(values))
    return made


MAPPINGS = _mappings()


# Every word of the presets' expressions, so that random payloads come close to what they look for.
NAMES = sorted(set(re.findall(r"[A-Za-z_]{2,}", json.dumps([preset(n).mapping for n in PRESETS]))))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(ODD), st.text(max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False),
)  # fmt: skip
PAYLOADS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=8)
    ),
    max_leaves=25,
)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(MAPPINGS) - 1), PAYLOADS)
def test_no_payload_raises_and_what_is_mapped_can_be_read(which: int, payload: Any) -> None:
    outcomes = MAPPINGS[which].apply(payload, received_ms=0, delivery="d")
    assert all(isinstance(one, Mapped | Skipped | Problem) for one in outcomes)
    for one in outcomes:
        if isinstance(one, Problem):
            assert one.code
            assert len(str(one)) < 1_000
    mapped = [one for one in outcomes if isinstance(one, Mapped)]
    made = canonical(mapped)
    assert len({one.item for one in made.problems}) <= len(mapped)
    assert checked(made.events)[1] == []


@settings(max_examples=120)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_body_raises_anything_but_bad_input(body: bytes) -> None:
    for type_ in ("application/json", "application/x-www-form-urlencoded"):
        try:
            payload = read(body, type_)
        except BadInput as error:
            assert error.code in ("bad_encoding", "bad_json", "bad_form")  # noqa: PT017
        else:
            MAPPINGS[0].apply(payload)


@given(st.text(max_size=60), PAYLOADS)
def test_no_expression_raises_anything_but_bad_input(text: str, payload: Any) -> None:
    try:
        expression(text).find(payload)
    except BadInput as error:
        assert error.code in ("bad_expression", "bad_match")  # noqa: PT017


PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(".".join)


@given(PATHS, PAYLOADS)
def test_a_plain_path_finds_what_the_library_finds(path: str, payload: Any) -> None:
    assert expression(path).find(payload) == jmespath.search(path, payload)


AMOUNTS = st.decimals(min_value=0, max_value=10**10, allow_nan=False, places=8)


@given(AMOUNTS, st.sampled_from(["major", "minor", "1/100", "1/1000000"]),
       st.sampled_from([("USD", 2), ("JPY", 0), ("KWD", 3), ("BTC", 8)]))  # fmt: skip
def test_amounts_keep_their_digits_in_every_unit(
    amount: Decimal, unit: str, currency: tuple[str, int]
) -> None:
    places = {"major": 0, "minor": currency[1], "1/100": 2, "1/1000000": 6}[unit]
    told = typed("amount", "e8", str(amount), Form(unit=unit), lambda: currency[0])
    assert Fraction(told) == Fraction(amount) / 10**places


@given(st.from_regex(r"\A[0-9]{1,10}(\.[0-9]{1,12})?\Z"))
def test_a_number_in_json_is_the_text_that_stands_there(text: str) -> None:
    try:
        payload = read(f'{{"amount": {text}}}'.encode())
    except BadInput:
        assert text.startswith("0")  # JSON has no leading zeros
        assert text[1:2] not in ("", ".")
        return
    assert typed("amount", "e8", str(payload["amount"]), PLAIN, lambda: "USD") in (
        text, str(Decimal(text)),
    )  # fmt: skip
