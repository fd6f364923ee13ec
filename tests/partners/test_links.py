"""Links, landing pages, typed codes and settings of tracking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from partner_world import load

from pipshare import partners
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.partners import Tracking

MAIN = 1


@pytest.fixture
def conn(db: Any) -> Iterator[Any]:
    with db.app() as found:
        load(found, "partners", "partner,name\nP-1,Asia Gate\nP-2,Ben\np-2,Bea")
        yield found


def test_the_first_landing_page_is_the_default_until_another_is(conn: Any) -> None:
    first = partners.add_landing(conn, MAIN, "home", "https://broker.example", by="Ana")
    assert first.is_default
    assert first.url == "https://broker.example/"
    promo = partners.add_landing(conn, MAIN, "promo", "https://broker.example/p?l={link}", by="Ana")
    assert not promo.is_default
    with pytest.raises(Conflict, match="make another the default first"):
        partners.archive_landing(conn, first, by="Ana")
    partners.make_default(conn, promo, by="Ana")
    partners.archive_landing(conn, partners.landing(conn, MAIN, "HOME"), by="Ana")
    assert [one.code for one in partners.landings(conn, MAIN)] == ["promo"]
    assert [one.code for one in partners.landings(conn, MAIN, archived=True)] == ["promo", "home"]
    with pytest.raises(Conflict, match="there is or was"):
        partners.add_landing(conn, MAIN, "Home", "https://broker.example/", by="Ana")
    with pytest.raises(Missing, match="did you mean promo"):
        partners.landing(conn, MAIN, "promoo")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("broker.example/open", "does not begin with https://"),
        ("ftp://broker.example/", "ftp: does not"),
        ("https://broker.example/?s={sub6}", r"there is no \{sub6\}; known are \{click_id\}"),
        ("https://me:word@broker.example/", "without a name or password"),
    ],
)
def test_a_landing_page_that_will_not_do_is_named(conn: Any, url: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        partners.add_landing(conn, MAIN, "home", url, by="Ana")


def test_links_are_made_found_in_any_case_and_archived(conn: Any) -> None:
    who = partners.partner(conn, "P-1")
    with pytest.raises(BadInput, match="allow a landing page"):
        partners.add_link(conn, who, by="Ana")
    home = partners.add_landing(conn, MAIN, "home", "https://broker.example/", by="Ana")
    made = partners.add_link(conn, who, by="Ana", campaign="spring")
    assert len(made.code) == 8
    named = partners.add_link(conn, who, by="Ana", code="Asia-1", landing=home)
    assert partners.find_links(conn, ["ASIA-1", "nobody"]) == {"ASIA-1": named}
    assert partners.links_by_id(conn, [made.id, 99]) == {made.id: made}
    with pytest.raises(Conflict, match="'asia-1' already"):
        partners.add_link(conn, partners.partner(conn, "P-2"), by="Ana", code="asia-1")
    with pytest.raises(BadInput, match="cannot be a link's code"):
        partners.add_link(conn, who, by="Ana", code="a/b")
    with pytest.raises(BadInput, match="printable"):
        partners.add_link(conn, who, by="Ana", campaign="a\nb")
    partners.archive_link(conn, named, by="Ana")
    assert partners.links(conn, [who.id]) == [made]
    assert partners.link(conn, "asia-1").state == "archived"
    assert len(partners.links(conn, archived=True)) == 2
    with pytest.raises(Missing, match="pipshare link list"):
        partners.link(conn, "nobody")


def test_a_typed_code_stands_for_one_partner(conn: Any) -> None:
    one, two = partners.partner(conn, "P-1"), partners.partner(conn, "P-2")
    partners.add_typed_code(conn, one, "GOLD", by="Ana")
    for code, who in (("gold", two), ("p-1", two), ("P-1", one)):
        with pytest.raises(Conflict, match="choose another"):
            partners.add_typed_code(conn, who, code, by="Ana")
    with pytest.raises(BadInput, match="cannot be typed"):
        partners.add_typed_code(conn, one, "direct", by="Ana")
    asked = ["gold", "Gold", "p-1", "P-2", "p-2", "P-9"]
    bea = partners.partner(conn, "p-2")
    assert partners.by_typed_code(conn, MAIN, asked) == {
        "gold": one.id, "Gold": one.id, "p-1": one.id, "P-2": two.id, "p-2": bea.id,
    }  # fmt: skip
    assert partners.typed_codes(conn, [one.id]) == {one.id: ["GOLD"]}
    partners.archive_typed_code(conn, one, "gold", by="Ana")
    assert partners.by_typed_code(conn, MAIN, ["gold"]) == {}
    with pytest.raises(Conflict, match="is not typed for"):
        partners.archive_typed_code(conn, one, "gold", by="Ana")


def test_settings_of_tracking_hold_until_others_are_set(conn: Any) -> None:
    assert partners.tracking_settings(conn, MAIN) == Tracking()
    wanted = Tracking("first", 30, False, "cid", "100", "USD")
    partners.set_tracking(conn, MAIN, Tracking(window_days=0), by="Ana")
    partners.set_tracking(conn, MAIN, wanted, by="Ana")
    assert partners.tracking_settings(conn, MAIN) == wanted


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Tracking(model="best"), "give last or first"),
        (Tracking(window_days=-1), "0 \\(no limit\\)"),
        (Tracking(click_param="a b"), "cannot name a parameter"),
        (Tracking(qualified_amount="100"), "give both"),
        (Tracking(qualified_amount="0", qualified_currency="USD"), "above 0"),
        (Tracking(qualified_amount="1,000", qualified_currency="USD"), "plain decimal"),
    ],
)
def test_settings_that_will_not_do_are_named(conn: Any, wrong: Tracking, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        partners.set_tracking(conn, MAIN, wrong, by="Ana")
