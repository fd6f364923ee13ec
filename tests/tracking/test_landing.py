"""A click leads to a landing page with its id, or where a landing page covers, and nowhere else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.facts.web_address import parse_address
from pipshare.partners.landings import MACROS
from pipshare.tracking.landing import deep_link, destination

ID = "0" * 26
ALLOWED = [
    parse_address("https://broker.example/open/"),
    parse_address("http://127.0.0.1:9000/x?s={sub1}", MACROS),
]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("https://b.example", f"https://b.example/?click_id={ID}"),
        ("https://b.example/o?a=1&b=%20", f"https://b.example/o?a=1&b=%20&click_id={ID}"),
        ("https://b.example/#/open", f"https://b.example/?click_id={ID}#/open"),
        ("https://b.example/?c={click_id}", f"https://b.example/?c={ID}"),
        ("https://b.example/#c={click_id}", f"https://b.example/#c={ID}"),
        ("https://b.example/?s={sub1}&p={partner}",
         f"https://b.example/?s=a%26b%3D%2F%3F%23%7Bsub2%7D&p=P-1&click_id={ID}"),
        ("https://b.example/?click_id=mine&a=1", f"https://b.example/?a=1&click_id={ID}"),
        ("https://b.example/?CLICK%5Fid=mine", f"https://b.example/?click_id={ID}"),
    ],
)  # fmt: skip
def test_the_page_is_filled_in(page: str, told: str) -> None:
    values = {"sub1": "a&b=/?#{sub2}", "sub2": "never", "partner": "P-1"}
    assert destination(parse_address(page, MACROS), values, "click_id", ID) == told


def test_the_name_of_the_id_is_a_setting() -> None:
    page = parse_address("https://b.example/?click_id=1")
    assert destination(page, {}, "cid", ID) == f"https://b.example/?click_id=1&cid={ID}"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("https://broker.example/open/account?x=1", ""),
        ("http://127.0.0.1:9000/x/y", ""),
        ("https://broker.example/", "not_allowed"),
        ("https://broker.example/opening", "not_allowed"),
        ("https://evil.example/open/", "not_allowed"),
        ("http://127.0.0.1:9001/x", "not_allowed"),
        ("http://127.0.0.1/x", "not_allowed"),
        ("//evil.example/open/", "no_scheme"),
        ("/open/", "no_scheme"),
        ("", "no_scheme"),
        ("https://broker.example@evil.example/open/", "credentials"),
        ("https://broker.example/open/..%2f..", "bad_path"),
        ("javascript:alert(1)//https://broker.example/open/", "bad_scheme"),
    ],
)
def test_deep_links_stay_with_the_landing_pages(asked: str, reason: str) -> None:
    found, said = deep_link(asked, ALLOWED)
    assert said == reason
    assert (found is None) == bool(reason)


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_sub_ids_say_the_page_stays_the_same(sub1: str, campaign: str) -> None:
    page = parse_address("https://b.example/o?s={sub1}&c={campaign}#x={sub1}", MACROS)
    try:
        sub1.encode(), campaign.encode()
    except UnicodeEncodeError:
        return  # the door takes UTF-8 only
    told = destination(page, {"sub1": sub1, "campaign": campaign}, "click_id", ID)
    assert told.isascii()
    assert told.isprintable()
    parts = urlsplit(told)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "b.example", "/o")
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    assert found == {"s": sub1, "c": campaign, "click_id": ID}


@given(st.text(alphabet="htps:/\\@.?#%2ebrokerxamplopn\t\n", max_size=50))
def test_what_is_followed_is_covered(tail: str) -> None:
    for asked in (tail, "https://broker.example" + tail, "https://broker.example/open/" + tail):
        found, _ = deep_link(asked, ALLOWED)
        if found is not None:
            assert found.text.startswith(("https://broker.example/open", "http://127.0.0.1:9000/x"))


def test_unknown_macros_are_named() -> None:
    with pytest.raises(BadInput, match=r"\{nothing\}"):
        parse_address("https://b.example/?s={nothing}", MACROS)
