"""Templates of postbacks: refused by name, filled in without harm; presets; the catalogue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare import tracking
from pipshare.errors import BadInput
from pipshare.tracking.catalogue import EVENTS, TYPES, example, example_data, text_of
from pipshare.tracking.macros import MACROS, body_template, header_template, url_template
from pipshare.tracking.postbacks_out import Postback
from pipshare.tracking.presets import PRESETS

AT = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
SCHEMAS = Path(tracking.__file__).with_name("schemas")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("track.example.com/pb?c={sub1}", "no_scheme"),
        ("ftp://track.example.com/", "no_scheme"),
        ("//track.example.com/pb", "no_scheme"),
        ("https:///pb?c={sub1}", "no_host"),
        ("https://{partner}.example.com/pb", "macro_in_host"),
        ("https://example.com:{sub1}/pb", "bad_url"),
        ("https://u:p@example.com/pb", "user_in_url"),
        ("https://example.com/pb?c={clickid}", "unknown_macro"),
        ("https://example.com/pb?c={sub6}", "unknown_macro"),
        ("https://example.com/pb?c={CLICK_ID}", "unknown_macro"),
        ("https://example.com/pb\r\nX: y", "bad_url"),
        ("https://example.com/a b", "bad_url"),
        ("https://example.com/pb#x", "fragment"),
        ("https://example.com\\@evil.example/", "bad_url"),
        ("https://example.com/ä", "bad_url"),
        ("https://example.com/pb?c={sub1", "bad_url"),
        ("https://[::1/pb", "bad_url"),
        ("https://https://track.example.com/pb", "bad_url"),
        ("https://track.example.com:/pb", "bad_url"),
        ("https://example.com/" + "a" * 100_000, "too_long"),
    ],
)
def test_a_url_that_cannot_be_is_refused_by_name(url, code):
    with pytest.raises(BadInput) as error:
        url_template(url)
    assert error.value.code == code


def test_an_unknown_macro_names_the_nearest_and_all_others():
    with pytest.raises(BadInput, match=r"did you mean \{payout\}\? Known macros: \{click_id\}"):
        url_template("https://example.com/?p={pay_out}")
    with pytest.raises(BadInput, match=r"\{qqq\}: there is no such macro\. Known macros: \{click"):
        url_template("https://example.com/?p={qqq}")


@given(st.dictionaries(st.sampled_from(sorted(MACROS)), st.text(max_size=40)))
def test_no_value_changes_a_url_but_in_its_own_place(values):
    names = sorted(MACROS)
    query = "&".join(f"{name}={{{name}}}" for name in names)
    filled = url_template(f"https://example.com/p/{{sub2}}/x?{query}").fill(
        {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}
    )
    parts = urlsplit(filled)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "example.com", "")
    assert parts.path.count("/") == 3
    assert filled.isascii()
    assert filled.isprintable()
    assert " " not in filled
    told = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    assert [name for name, _ in told] == names
    for name, text in told:
        assert text == values.get(name, "").encode("utf-8", "replace").decode()


@given(st.text(max_size=60))
def test_no_value_breaks_out_of_json_or_a_form(text):
    text = text.encode("utf-8", "replace").decode()
    body = body_template('{"c": "{client_id}", "n": {"x": "{sub1}"}}', "json")
    told = json.loads(body.fill({"client_id": text, "sub1": text}))
    assert told == {"c": text, "n": {"x": text}}
    form = body_template("c={client_id}&d={sub1}", "form").fill({"client_id": text, "sub1": "1"})
    assert parse_qs(form, keep_blank_values=True)["c"] == [text]


@given(st.text(max_size=60))
def test_no_value_begins_another_header(text):
    filled = header_template("X-Client", "id={client_id}").fill(
        {"client_id": text[:1] + "\r\nA: b"}
    )
    assert "\n" not in filled
    assert "\r" not in filled


@pytest.mark.parametrize("name", ["Host", "content-length", "X:y", "X y", "webhook-id", ""])
def test_headers_that_are_ours_are_refused(name):
    with pytest.raises(BadInput):
        header_template(name, "x")


def test_a_body_that_would_be_no_json_is_refused_when_written():
    with pytest.raises(BadInput, match="not valid JSON"):
        body_template('{"a": {client_id}', "json")


def test_a_long_value_makes_a_named_error_and_no_request():
    postback = Postback.parse({"url": "https://example.com/?c={sub1}"})
    with pytest.raises(BadInput, match="filled in, the URL has"):
        postback.call({"sub1": "x" * 9_000})


def test_a_trade_tells_each_partner_his_own_payout():
    data = example_data("trade.closed") | {
        "earned": {"IB-1": {"amount": "3.50", "currency": "USD"},
                   "MASTER": {"amount": "1.00", "currency": "EUR"}},
    }  # fmt: skip
    postback = Postback.parse({"url": "https://example.com/?p={payout}&c={currency}&e={event}"})
    told = {
        who: postback.call(
            postback.values("trade.closed", data, at=AT, partner=who, message_id="msg_1")
        ).url.split("?")[1]
        for who in ("IB-1", "MASTER", "OTHER", "")
    }
    assert told == {"IB-1": "p=3.50&c=USD&e=trade", "MASTER": "p=1.00&c=EUR&e=trade",
                    "OTHER": "p=&c=&e=trade", "": "p=3.50&c=USD&e=trade"}  # fmt: skip


def test_a_reversal_names_the_transaction_that_it_takes_back():
    postback = Postback.parse({"url": "https://example.com/?t={txid}&s={status}",
                               "statuses": {"reversal": "3"}})  # fmt: skip
    values = postback.values("deposit.reversed", example_data("deposit.reversed"), at=AT,
                             partner="IB-1", message_id="msg_2")  # fmt: skip
    assert postback.call(values).url == "https://example.com/?t=dep-1001&s=3"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_call_for_every_event(name):
    preset = PRESETS[name]
    url = preset.url.replace("<tracking domain>", "t.example").replace("<tracker domain>",
                                                                       "t.example")  # fmt: skip
    url = url.replace("<postback key>", "k").replace("<network id>", "7")
    assert "<" not in url
    postback = Postback.parse({"url": url, "event_names": preset.events,
                               "statuses": preset.statuses})  # fmt: skip
    for kind, said in TYPES.items():
        if said.event or kind == "test":
            values = postback.values(kind, example_data(kind), at=AT, partner="IB-1",
                                     message_id="msg_1")  # fmt: skip
            query = dict(parse_qsl(urlsplit(postback.call(values).url).query,
                                   keep_blank_values=True))  # fmt: skip
            assert "" not in [query[key] for key in ("status", "type", "et") if key in query]
            assert "{" not in "".join(query.values())


@pytest.mark.parametrize("kind", TYPES)
def test_the_committed_schemas_are_those_of_the_catalogue(kind):
    assert (SCHEMAS / f"{kind}.json").read_text() == text_of(kind)
    said = TYPES[kind]
    assert set(said.needs) <= set(example(kind)["data"])
    assert said.event in (*EVENTS, "")
    assert len(list(SCHEMAS.iterdir())) == len(TYPES)
