"""Addresses are read so that no browser can understand one differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.facts.web_address import parse_address

PAGE = parse_address("https://good.example.com/promo/")
# Each of these was a way past somebody's check of an address: code of the refusal beside it.
ATTACKS = {
    "": "no_scheme",
    "//evil.example": "no_scheme",
    "///evil.example": "no_scheme",
    "/\\evil.example": "bad_characters",
    "\\\\evil.example": "bad_characters",
    "/promo/": "no_scheme",
    "promo": "no_scheme",
    "www.example.com/promo": "no_scheme",
    "good.example.com:443/promo/": "no_scheme",
    "https:/good.example.com/promo/": "no_scheme",
    "https:good.example.com/promo/": "no_scheme",
    "https:\\\\evil.example": "bad_characters",
    "https:///evil.example/promo/": "bad_host",
    "https://": "bad_host",
    "javascript:alert(1)": "bad_scheme",
    "JaVaScRiPt://good.example.com/%0aalert(1)": "bad_scheme",
    "data:text/html,x": "bad_scheme",
    "ftp://good.example.com/promo/": "bad_scheme",
    "file:///etc/passwd": "bad_scheme",
    "https://good.example.com@evil.example/promo/": "credentials",
    "https://good.example.com:443@evil.example/promo/": "credentials",
    "https://user:word@good.example.com/promo/": "credentials",
    "https://good.example.com%40evil.example/promo/": "bad_host",
    "https://good.example.com\\@evil.example/promo/": "bad_characters",
    "https://evil.example\\.good.example.com/promo/": "bad_characters",
    "https://good.example.com\t.evil.example/": "bad_characters",
    "https://good.example.com\n.evil.example/": "bad_characters",
    "https://good.example.com/promo/\r\nSet-Cookie: a=b": "bad_characters",
    "https://good.example.com/promo/ x": "bad_characters",
    " https://good.example.com/promo/": "bad_characters",
    "https://good.example.com/promo/\x00": "bad_characters",
    "https://good.example.com/promo/\x85": "bad_characters",
    "https://good.example.com/promo/\ud800": "bad_characters",
    "https://gооd.example.com/promo/": "bad_host",  # Cyrillic letters
    "https://good。example。com/promo/": "bad_host",  # ideographic full stops
    "https://evil.example／.good.example.com/": "bad_host",  # a full-width slash
    "https://good.example.com\u2044evil.example/": "bad_host",
    "https://good.example.com\u200b/promo/": "bad_host",
    "https://[::1]/promo/": "bad_host",
    "https://good.example.com./promo/": "bad_host",
    "https://.good.example.com/promo/": "bad_host",
    "https://good..example.com/promo/": "bad_host",
    "https://-good.example.com/promo/": "bad_host",
    "https://good_example.com/": "bad_host",
    "https://good.example.com:/promo/": "bad_host",
    "https://good.example.com:443x/promo/": "bad_host",
    "https://good.example.com:+443/promo/": "bad_host",
    "https://good.example.com:0/promo/": "bad_port",
    "https://good.example.com:65536/promo/": "bad_port",
    "https://good.example.com:999999/promo/": "bad_host",
    "https://good.example.com/promo/../admin": "bad_path",
    "https://good.example.com/promo/..": "bad_path",
    "https://good.example.com/promo/./x": "bad_path",
    "https://good.example.com/promo/%2e%2e/admin": "bad_path",
    "https://good.example.com/promo/.%2E/admin": "bad_path",
    "https://good.example.com/promo/%252e%252e/admin": "bad_path",
    "https://good.example.com/promo/..;/admin": "bad_path",
    "https://good.example.com/promo/..%2fadmin": "bad_path",
    "https://good.example.com/promo%2fx": "bad_path",
    "https://good.example.com/promo/%5c..%5cadmin": "bad_path",
    "https://good.example.com/promo/%00": "bad_path",
    "https://good.example.com/promo/%0d%0ax": "bad_path",
    "https://good.example.com//evil.example": "bad_path",
    "https://good.example.com/promo//evil.example": "bad_path",
    "https://good.example.com/" + "a" * 2_000: "too_long",
}
ELSEWHERE = [
    "https://evil.example/promo/",
    "https://good.example.com.evil.example/promo/",
    "https://evil-good.example.com/promo/",
    "https://www.good.example.com/promo/",
    "https://example.com/promo/",
    "http://good.example.com/promo/",
    "https://good.example.com:444/promo/",
    "https://good.example.com/",
    "https://good.example.com/promotion",
    "https://good.example.com/PROMO/",
    "https://good.example.com/x/promo/",
    "https://evil.example/?https://good.example.com/promo/",
    "https://evil.example#@good.example.com/promo/",
    "https://evil.example?@good.example.com/promo/",
    "https://127.0.0.1/promo/",
    "https://xn--god-1na.example.com/promo/",
]
BELOW = {
    "https://good.example.com/promo": "https://good.example.com/promo",
    "HTTPS://GOOD.example.com:443/promo/": "https://good.example.com/promo/",
    "https://good.example.com/promo/a/b?x=1&y=%2F..%2F#top": None,
    "https://good.example.com/promo/?next=https://evil.example/": None,
    "https://good.example.com/promo/é ü".replace(" ", ""): (
        "https://good.example.com/promo/%C3%A9%C3%BC"
    ),
    "https://good.example.com/promo/?q=a|b<c>\"'": (
        "https://good.example.com/promo/?q=a%7Cb%3Cc%3E%22'"
    ),
    "https://good.example.com/promo/{sub1}": "https://good.example.com/promo/%7Bsub1%7D",
    "https://good.example.com/promo/a%20b": None,
}


@pytest.mark.parametrize("text", ATTACKS, ids=repr)
def test_what_readers_disagree_on_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_address(text)
    assert refused.value.code == ATTACKS[text]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_other_places_are_not_covered(text: str) -> None:
    assert not PAGE.covers(parse_address(text))


@pytest.mark.parametrize("text", BELOW)
def test_what_is_below_is_covered_and_written_in_one_way(text: str) -> None:
    found = parse_address(text)
    assert PAGE.covers(found)
    assert found.text == (BELOW[text] or text)
    assert parse_address(found.text) == found


def test_a_page_covers_itself_and_a_host_covers_all_of_it() -> None:
    assert PAGE.covers(PAGE)
    assert parse_address("https://good.example.com").covers(PAGE)
    file = parse_address("https://good.example.com/open.html")
    assert not file.covers(parse_address("https://good.example.com/open.html2"))


@given(st.text(alphabet="htps:/\\@.?#%2efgoodxample-co\t\r\n\x00é。;[]{}& 0", max_size=60))
def test_nothing_written_leaves_its_host(tail: str) -> None:
    """Whatever is appended to a page's address is refused, or stays below it; plain ASCII."""
    try:
        found = parse_address(PAGE.text + tail)
    except BadInput:
        return
    assert PAGE.covers(found)
    assert found.text.isascii()
    assert found.text.isprintable()
    assert found.text.startswith(PAGE.text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_address(text)
    except BadInput:
        return
    assert parse_address(found.text) == found
    assert not set(found.text) & set(' \\\r\n\t"<>')


def test_macros_stand_in_query_and_fragment_only() -> None:
    found = parse_address("https://a.example/{x}?s={sub1}#r={sub2}", ("sub1", "sub2"))
    assert found.text == "https://a.example/%7Bx%7D?s={sub1}#r={sub2}"
    with pytest.raises(BadInput, match=r"there is no \{sub9\}; known are \{sub1\} \{sub2\}"):
        parse_address("https://a.example/?s={sub9}", ("sub1", "sub2"))
