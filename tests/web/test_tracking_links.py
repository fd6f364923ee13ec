"""A landing page is allowed, a link made, and a visitor follows it: in a browser, from nothing."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipshare import partners
from pipshare.console import kept
from pipshare.facts.reading import read_table

CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
SCREENS = [(390, "light"), (1280, "dark"), (1280, "light")]


@pytest.fixture(scope="module")
def broker(site: Any) -> Iterator[Any]:
    """A broker with two partners and nothing of tracking."""
    from pipshare.api import clicks

    with site.app() as conn:
        frame, _ = read_table(b"partner,name\nIB-1,Sofia Marques\nIB-2,Tim Tan", "partners")
        partners.load_partners(conn, frame)
        conn.commit()
    yield site
    clicks.gather._drop()


def follow(url: str, path: str, **headers: str) -> tuple[int, str]:
    """Ask like a visitor's browser; return the status and where he is sent."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("GET", path, headers={"User-Agent": CHROME, **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Location", "")


def test_from_nothing_to_a_link_that_is_followed(
    broker: Any, live_server: Any, open_page: Any
) -> None:
    page = open_page("/links/", role="partner_manager")
    page.get_by_role("link", name="Allow a landing page").click()
    page.get_by_role("heading", name="Landing pages and settings").wait_for()
    open_page.shoot(page, "landings_empty_light")
    page.locator(".empty a").click()
    page.get_by_label("Code").fill("open")
    page.get_by_label("Address").fill("broker.example/open")
    page.get_by_role("button", name="Allow it").click()
    assert "https://" in page.locator(".field.wrong .error").inner_text()
    open_page.shoot(page, "landing_refused_light")
    page.get_by_label("Address").fill("https://broker.example/open?s={sub1}")
    page.get_by_role("button", name="Allow it").click()
    page.get_by_text("Links may lead to").wait_for()
    page.get_by_role("link", name="Links", exact=True).first.click()
    page.get_by_role("link", name="Make the first link").click()
    page.get_by_label("Partner").fill("IB-11")
    page.get_by_role("button", name="Make the link").click()
    assert "did you mean" in page.locator(".field.wrong .error").inner_text()
    page.get_by_label("Partner").fill("IB-1")
    page.get_by_label("Campaign").fill("spring-2026")
    page.get_by_label("Code").fill("spring")
    page.get_by_role("button", name="Make the link").click()
    page.get_by_text("Link spring is made").wait_for()
    address = page.get_by_label("What IB-1 puts on his pages").input_value()
    assert address == f"{live_server.url}/c/spring"
    shown = page.locator("img.qr").element_handle()
    assert shown is not None
    shown.wait_for_element_state("stable")
    assert shown.bounding_box()["width"] > 100
    assert page.get_by_role("button", name="Copy").is_visible()
    status, where = follow(live_server.url, "/c/spring?sub1=abc")
    assert status == 302
    assert re.fullmatch(r"https://broker\.example/open\?s=abc&click_id=[0-9a-v]{26}", where)
    kept.forget()
    page.reload()
    assert page.locator(".stat", has_text="Clicks, 30 days").inner_text().split()[3] == "1"
    for name, path in (("links", "/links/"), ("link", page.url[len(live_server.url) :]),
                       ("link_add", "/links/add/"), ("landings", "/links/landings/"),
                       ("tracking_settings", "/links/settings/main/")):  # fmt: skip
        page.goto(live_server.url + path)
        assert not open_page.sticks_out(page, SCREENS, name)
