"""The door of clicks over real HTTP: stored, told apart, sent on, never to a stranger's page."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from pipshare import inbox, partners
from pipshare.facts.clicks import BOT, HUMAN, PREFETCH, Click, is_click_id
from pipshare.facts.reading import read_table

MAIN = 1
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"


@pytest.fixture(scope="module")
def broker(site: Any) -> Iterator[Any]:
    """A broker with two landing pages and a link of P-1's."""
    from pipshare.api import clicks

    with site.app() as conn:
        frame, _ = read_table(b"partner\nP-1", "partners")
        partners.load_partners(conn, frame)
        partners.add_landing(conn, MAIN, "home", "https://broker.example/?lang=en", by="Ana")
        open_ = partners.add_landing(
            conn, MAIN, "open", "https://broker.example/open/?s={sub1}&w={campaign}", by="Ana"
        )
        who = partners.partner(conn, "P-1")
        partners.add_link(conn, who, by="Ana", code="Asia-1", campaign="spring sale", landing=open_)
        partners.add_link(conn, who, by="Ana", code="plain")
    yield site
    clicks.gather._drop()


class Visitor:
    """Asks over a connection of its own and looks up what was stored of it."""

    def __init__(self, url: str, site: Any) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        self.site = site

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        told = {"User-Agent": CHROME, **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.connection.request(method, path, headers=told)
        answer = self.connection.getresponse()
        self.body = answer.read().decode()
        return answer

    def click(self, path: str, method: str = "GET", **headers: str) -> tuple[str, Click]:
        answer = self.ask(path, method, **headers)
        assert answer.status == 302, self.body
        where = answer.headers["Location"]
        id_ = parse_qs(urlsplit(where).query)["click_id"][0]
        with self.site.app() as conn:
            return where.replace(id_, "ID"), inbox.clicks_of(conn, [id_])[id_]


@pytest.fixture
def visitor(broker: Any, live_server: Any) -> Iterator[Visitor]:
    made = Visitor(live_server.url, broker)
    yield made
    made.connection.close()


def test_a_click_is_stored_and_sent_on(visitor: Visitor) -> None:
    where, click = visitor.click("/c/Asia-1?sub1=a%26b&sub5=%C3%A9&sub6=x",
                                 Referer="https://blog.example/post?id=7")  # fmt: skip
    assert where == "https://broker.example/open/?s=a%26b&w=spring%20sale&click_id=ID"
    assert click.subs == ("a&b", "", "", "", "é")
    assert (click.kind, click.referrer, click.refused) == (HUMAN, "blog.example", "")
    assert click.agent == CHROME
    assert len(click.address) == 32
    assert is_click_id(click.visitor)


def test_links_without_a_page_lead_to_the_default_one_in_any_case(visitor: Visitor) -> None:
    for path in ("/c/PLAIN", "/c/plain/", "/c/Plain?"):
        assert visitor.click(path)[0] == "https://broker.example/?lang=en&click_id=ID"


def test_the_answer_is_kept_nowhere(visitor: Visitor) -> None:
    answer = visitor.ask("/c/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert visitor.body == ""


def test_a_visitor_is_known_again(visitor: Visitor) -> None:
    said = visitor.ask("/c/plain").headers["Set-Cookie"]
    assert "HttpOnly" in said
    assert "Path=/c/" in said
    assert "SameSite=Lax" in said
    cookie = said.partition(";")[0]
    answer = visitor.ask("/c/asia-1", Cookie=cookie)
    assert "Set-Cookie" not in answer.headers
    _, click = visitor.click("/c/asia-1", Cookie=cookie)
    assert click.visitor == cookie.partition("=")[2]
    _, click = visitor.click("/c/asia-1", Cookie="pipshare-visitor=' OR 1=1")
    assert is_click_id(click.visitor)


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("GET", {"User_Agent": "WhatsApp/2.23.20.0 A"}, BOT),
        ("HEAD", {}, BOT),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}, PREFETCH),
    ],
)
def test_programs_and_prefetches_are_marked_and_sent_on(
    visitor: Visitor, method: str, headers: dict[str, str], kind: int
) -> None:
    where, click = visitor.click("/c/plain", method, **headers)
    assert where == "https://broker.example/?lang=en&click_id=ID"
    assert click.kind == kind
    assert not click.visitor or kind == PREFETCH


def test_a_deep_link_is_followed_where_a_landing_page_covers_it(visitor: Visitor) -> None:
    deep = "https://broker.example/open/account?type=ecn&click_id=forged#top"
    where, click = visitor.click(f"/c/asia-1?to={quote(deep, safe='')}")
    assert where == "https://broker.example/open/account?type=ecn&click_id=ID#top"
    assert click.target == deep
    assert click.refused == ""


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("https://evil.example/", "not_allowed"),
        ("//evil.example", "no_scheme"),
        ("https://broker.example@evil.example/", "credentials"),
        ("https://broker.example\\@evil.example/", "bad_characters"),
        ("https://broker.example%2eevil.example/", "bad_host"),
        ("https://broker。example/", "bad_host"),
        ("https://broker.example/open/%2e%2e/x", "bad_path"),
        ("https://broker.example/\r\nLocation: https://evil.example", "bad_characters"),
        ("javascript:alert(1)", "bad_scheme"),
        ("", "no_scheme"),
        ("https://broker.example/" + "a" * 2_000, "too_long"),
    ],
)
def test_no_redirect_is_open(visitor: Visitor, to: str, reason: str) -> None:
    where, click = visitor.click(f"/c/plain?to={quote(to, safe='')}")
    assert where == "https://broker.example/?lang=en&click_id=ID"
    assert (click.refused, click.target) == (reason, "")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/c/nobody", 404, "no such link"),
        ("/c/a%2Fb", 404, "nothing at this address"),
        ("/c/%FF%FE", 404, "no such link"),
        ("/c/plain%00", 400, "zero byte"),
        ("/c/plain?sub1=a%00b", 400, "zero byte, in &#x27;sub1&#x27;"),
        ("/c/plain?sub1=%FF", 400, "not written in UTF-8"),
        ("/c/plain?sub1=" + "x" * 501, 400, "sub1 has 501 characters"),
        ("/c/plain?" + "&".join("abc"), 302, ""),
        ("/c/plain?" + "&".join(["a=1"] * 101), 400, "more than 100 parameters"),
        ("/c/plain?sub1=" + "x" * 9_000, 414, "more than 8000 characters"),
    ],
)
def test_what_cannot_be_read_is_a_page_that_says_so(
    visitor: Visitor, path: str, status: int, words: str
) -> None:
    assert visitor.ask(path).status == status
    assert words in visitor.body


def test_other_methods_are_refused(visitor: Visitor) -> None:
    answer = visitor.ask("/c/plain", "POST")
    assert answer.status in (403, 405)  # without a form's token Django does not even ask us


def test_an_archived_link_leads_on_and_says_so(visitor: Visitor) -> None:
    from pipshare.api import clicks

    with visitor.site.app() as conn:
        made = partners.add_link(conn, partners.partner(conn, "P-1"), by="Ana", code="old")
    assert not visitor.click("/c/old")[1].is_archived
    with visitor.site.app() as conn:
        partners.archive_link(conn, made, by="Ana")
    clicks.kept.ways.clear()
    where, click = visitor.click("/c/old")
    assert where == "https://broker.example/?lang=en&click_id=ID"
    assert click.is_archived


def test_settings_name_the_parameter_and_switch_the_cookie_off(visitor: Visitor) -> None:
    from pipshare.api import clicks

    with visitor.site.app() as conn:
        partners.set_tracking(conn, MAIN, partners.Tracking(visitor_cookie=False,
                              click_param="cid"), by="Ana")  # fmt: skip
    clicks.kept.ways.clear()
    answer = visitor.ask("/c/plain", Cookie=f"pipshare-visitor={'0' * 26}")
    assert "Set-Cookie" not in answer.headers
    where = answer.headers["Location"]
    assert where.startswith("https://broker.example/?lang=en&cid=")
    with visitor.site.app() as conn:
        assert inbox.clicks_of(conn, [where[-26:]])[where[-26:]].visitor == ""
        partners.set_tracking(conn, MAIN, partners.Tracking(), by="Ana")
    clicks.kept.ways.clear()


def test_country_and_address_come_from_the_operators_proxies(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from pipshare.api import clicks
    from pipshare.web import sender

    told = replace(clicks.ENV, country_header="CF-IPCountry", proxies=1)
    monkeypatch.setattr(clicks, "ENV", told)
    monkeypatch.setattr(sender, "ENV", told)
    found = [
        visitor.click("/c/plain", CF_IPCountry=country, X_Forwarded_For=address)[1]
        for country, address in [("th", "6.6.6.6, 203.0.113.9"), ("T1", "203.0.113.9"),
                                 ("Thailand", "203.0.113.10")]
    ]  # fmt: skip
    assert [one.country for one in found] == ["TH", "", ""]
    assert found[0].address == found[1].address != found[2].address


def test_while_one_looks_a_link_up_again_others_take_what_was_known(
    broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.api import clicks

    kept = clicks.Kept()
    known = kept.way("plain")
    assert known is not None
    kept.ways["plain"] = (0.0, known)  # its time is over
    meanwhile = []
    look_up = clicks._look_up

    def looking(conn: Any, code: str) -> Any:
        meanwhile.append(kept.way("plain"))
        return look_up(conn, code)

    monkeypatch.setattr(clicks, "_look_up", looking)
    assert kept.way("plain") == known
    assert meanwhile == [known]
    assert kept.way("nobody") is None
