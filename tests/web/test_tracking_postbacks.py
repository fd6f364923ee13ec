"""Postbacks in, trackers, the funnel and whose client somebody is, in a browser."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipshare import inbox, partners
from pipshare.console import kept
from pipshare.facts.reading import read_table

CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
SCREENS = [(390, "light"), (1280, "dark"), (1280, "light")]


@pytest.fixture(scope="module")
def broker(site: Any) -> Iterator[Any]:
    """Two partners, one below the other, a landing page and a link of the lower one's."""
    from pipshare.api import clicks, postbacks

    with site.app() as conn:
        frame, _ = read_table(b"partner,parent\nIB-1,\nIB-11,IB-1", "partners")
        partners.load_partners(conn, frame)
        partners.add_landing(conn, 1, "open", "https://broker.example/open", by="Ana")
        who = partners.partner(conn, "IB-11")
        partners.add_link(conn, who, by="Ana", code="spring", campaign="spring-2026")
    yield site
    clicks.gather._drop()
    postbacks._gather._drop()


def clicked(url: str, path: str) -> str:
    """Follow a link like a visitor; return the id of his click."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("GET", path, headers={"User-Agent": CHROME})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return parse_qs(urlsplit(answer.headers["Location"]).query)["click_id"][0]


def settle() -> None:
    """Do what `pipshare work` does with postbacks that came."""
    from pipshare import db
    from pipshare.pipeline import Run
    from pipshare.pipeline.rest import to_rest

    with db.connect() as conn:
        to_rest(Run(conn))
        conn.commit()
    kept.forget()


def test_a_registration_from_the_click_to_the_funnel(
    broker: Any, live_server: Any, open_page: Any, person: Any
) -> None:
    admin = person("admin")
    page = open_page("/postbacks/", role=admin)
    page.get_by_role("link", name="Trackers").click()
    page.get_by_role("link", name="New tracker").click()
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Code").fill("site")
    page.get_by_label("It signs what it sends").check()
    page.get_by_label("reversal").check()
    page.get_by_role("button", name="Make it").click()
    assert "authoritative for that, too" in page.locator(".field.wrong .error").inner_text()
    open_page.shoot(page, "tracker_refused_1280_light")
    page.get_by_label("deposit").check()
    page.get_by_role("button", name="Make it").click()
    token = page.get_by_label("Token", exact=True).input_value()
    assert token.startswith("pipt_")
    open_page.shoot(page, "token_1280_light")
    page.get_by_role("link", name="All events, and a test").click()
    _try(page, open_page, token)
    click = clicked(live_server.url, "/c/spring?sub1=abc")
    page.get_by_label("Token").fill(token)
    page.get_by_label("Sent by").select_option("json")
    page.get_by_label("client optional").fill("C-77")
    page.get_by_label("click_id optional").fill(click)
    page.get_by_role("button", name="Send the test").click()
    assert '"verdict": "accepted"' in page.locator("#answer").inner_text()
    settle()
    page.get_by_role("link", name="See it in the log").click()
    page.get_by_role("heading", name="What became of it").wait_for()
    open_page.shoot(page, "postback_1280_light")
    where = page.url[len(live_server.url) :]
    page.get_by_role("link", name="C-77").click()
    assert "C-77 belongs to IB-11" in page.locator("main").inner_text()
    page.goto(f"{live_server.url}/funnel/?partner=IB-1")
    row = page.locator("tbody tr", has_text="spring").inner_text()
    assert re.sub(r"\s+", " ", row).startswith("spring spring-2026 IB-11 1 1 100.0 % of clicks")
    for name, path in (
        ("postbacks", "/postbacks/"), ("postback", where), ("funnel", "/funnel/"),
        ("postback_try", "/postbacks/try/"), ("trackers", "/postbacks/trackers/"),
        ("client_why", "/clients/?client=C-77"), ("client_none", "/clients/?client=C-78"),
        ("partner_funnel", f"/partners/{_partner('IB-1')}/"),
    ):  # fmt: skip
        page.goto(live_server.url + path)
        if name == "partner_funnel":
            page.locator(".steps .stat", has_text="100.0 % of clicks").wait_for()
        assert not open_page.sticks_out(page, SCREENS, name)


def _try(page: Any, open_page: Any, token: str) -> None:
    """Send the test as it stands: it is rejected, and shows that token and signature are right."""
    assert "sig={sig}" in page.get_by_label("URL").input_value()
    page.get_by_label("Token").fill("pipt_wrong")
    page.get_by_role("button", name="Send the test").click()
    assert "HTTP 401" in page.locator("#answer").inner_text()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Send the test").click()
    answer = page.locator("#answer").inner_text()
    assert "HTTP 200" in answer
    assert '"reason": "unknown_click"' in answer
    assert token not in page.content()
    open_page.shoot(page, "postback_try_answer_1280_light")


def _partner(code: str) -> int:
    from pipshare import db

    with db.connect() as conn:
        return partners.partner(conn, code).id


def test_the_log_is_searched(broker: Any, client: Any) -> None:
    with broker.app() as conn:
        token, _ = inbox.add_tracker(conn, 1, "crm", by="Ana", money=["deposit"])
    door = client()
    told = {"token": token, "client": "C-9", "amount": "250.00", "currency": "USD"}
    first = door.get("/s2s/deposit", {**told, "txid": "D-1"}).json()
    door.get("/s2s/deposit", {**told, "txid": "D-2", "amount": "1,000"})
    reader = client("auditor")
    found = reader.get("/postbacks/", {"tracker": "crm", "verdict": "rejected"}).text
    assert "D-2" in found
    assert "D-1<" not in found
    assert "bad amount" in found
    assert "No postback is like that" in reader.get("/postbacks/", {"day": "2020-01-01"}).text
    one = reader.get(f"/postbacks/{first['id']}/").text
    assert "250.00" in one
    assert token not in one
    assert reader.get("/postbacks/nothing/").status_code == 404
    assert reader.get("/postbacks/", {"day": "no day"}).status_code == 200


def test_a_tracker_is_revoked_with_a_fresh_word(broker: Any, client: Any, person: Any) -> None:
    with broker.app() as conn:
        token, _ = inbox.add_tracker(conn, 1, "old", by="Ana")
    user = person("admin")
    admin = client(user)
    assert admin.get("/postbacks/trackers/old/revoke/").status_code == 302, "asks who it is first"
    admin.post("/account/confirm/", {"password": person.password})
    assert "for good" in admin.get("/postbacks/trackers/old/revoke/").text
    admin.post("/postbacks/trackers/old/revoke/", {"reason": "leaked"})
    assert client().get("/s2s/deposit", {"token": token}).status_code == 401
    assert client("partner_manager").get("/postbacks/trackers/add/").status_code == 403


def test_funnel_says_what_is_wrong_beside_the_field(broker: Any, client: Any) -> None:
    reader = client("finance")
    wrong = reader.get("/funnel/", {"partner": "IB-2"}).text
    assert "did you mean" in wrong
    wrong = reader.get("/funnel/", {"since": "2026-02-01", "until": "2026-01-01"}).text
    assert "before the first day" in wrong
    for by in ("campaign", "partner", "nonsense"):
        assert "IB-11" in reader.get("/funnel/", {"by": by}).text


def test_unknown_clients_are_said_so(broker: Any, client: Any) -> None:
    reader = client("compliance")
    answer = reader.get("/clients/", {"client": "NOBODY"})
    assert answer.status_code == 404
    assert "No client" in answer.text
    assert "Type a client" in reader.get("/clients/").text
