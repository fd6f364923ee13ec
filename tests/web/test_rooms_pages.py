"""Every room in a real browser, with the demonstration's data: three widths, light and dark."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import rooms_broker
from rooms_broker import PERIOD, only


@pytest.fixture(scope="module")
def broker(site: Any, scratch: Path) -> Any:
    """A booked broker on the site's database, with two sources."""
    made = rooms_broker.book(scratch / "files")
    rooms_broker.add_sources()
    return made


@pytest.fixture(scope="module")
def finance(broker: Any, person: Any) -> Any:
    """Somebody of finance, who may see everything."""
    return person("finance")


@pytest.fixture(scope="module")
def addresses(broker: Any) -> dict[str, str]:
    """Every page by name, with the data that it shows best."""
    partner = only("SELECT id FROM partners_partner WHERE code = 'IB-110'")[0]
    trade = "/trades/{}/{}/".format(*only(
        "SELECT server_id, ticket FROM rating_entry WHERE standing = 1 AND fx IS NOT NULL"
        " ORDER BY cardinality(account) DESC, ticket LIMIT 1"
    ))  # fmt: skip
    waits = "SELECT server_id, ticket FROM attribution_waiting ORDER BY 2 LIMIT 1"
    return {
        "overview": "/overview/",
        "trades": "/trades/",
        "trades_search": "/trades/?symbol=EUR&standing=introduced",
        "trades_waiting": "/trades/?standing=waiting",
        "trades_none": "/trades/?symbol=NOSUCH",
        "trade": trade,
        "why": f"{trade}why/",
        "why_waits": "/trades/{}/{}/why/".format(*only(waits)),
        "partners": "/partners/",
        "partners_found": "/partners/?q=ib-1",
        "partner": f"/partners/{partner}/",
        "statement": f"/partners/{partner}/statements/{PERIOD}/",
        "sources": "/sources/",
        "source": "/sources/demo-mt5/",
        "source_out": "/sources/exports/",
        "files": "/files/",
        "file": f"/files/{only('SELECT min(file_id) FROM inbox_refused')[0]}/",
    }


LONG = os.environ.get("PIPSHARE_TEST_LONG") == "1"
SCREENS = [(390, "light"), (768, "dark"), (1280, "light")]
OTHERS = [(390, "dark"), (768, "light"), (1280, "dark")] if LONG else []


def test_every_room_opens_and_fits(addresses: dict[str, str], finance: Any, open_page: Any) -> None:
    page = open_page("/health", role=finance)
    for name, path in addresses.items():
        page.goto(open_page.url + path)
        assert page.locator("h1").count() == 1, path
        assert not open_page.sticks_out(page, SCREENS + OTHERS, name)


def test_the_tree_opens_where_one_clicks(broker: Any, finance: Any, open_page: Any) -> None:
    page = open_page("/partners/", role=finance)
    assert page.get_by_text("Sofia Marques").count() == 0
    page.locator("summary", has_text="IB-100").click(position={"x": 8, "y": 20})
    page.locator("summary", has_text="IB-110").click(position={"x": 8, "y": 20})
    page.get_by_text("Sofia Marques").wait_for()
    row = page.locator(".leaf", has_text="IB-111").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    with_cents = rooms_broker.earned("IB-111")
    assert with_cents in row
    open_page.shoot(page, "partners_open")


def test_from_a_line_of_the_statement_to_why(
    addresses: dict[str, str], finance: Any, open_page: Any
) -> None:
    page = open_page(addresses["statement"], role=finance)
    assert rooms_broker.earned("IB-110") in _text(page)
    page.locator(".sheet", has_text="the last booked first").locator("tbody a").first.click()
    page.get_by_role("heading", name="The working").wait_for()
    assert "The books say the same." in _text(page)
    assert "ecn-global version 1" in _text(page)
    page.get_by_role("link", name="IB-100").first.click()
    page.get_by_role("heading", name="IB-100").wait_for()


def test_a_search_is_typed_and_found(broker: Any, finance: Any, open_page: Any) -> None:
    ticket, login = only("SELECT ticket, login FROM trades_trade ORDER BY ticket DESC LIMIT 1")
    page = open_page("/trades/", role=finance)
    page.get_by_text("Search", exact=True).first.click()
    page.get_by_label("Ticket or position").fill(str(ticket))
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()
    assert page.locator("tbody tr").count() == 1
    assert f"login {login}" in _text(page)
    page.get_by_label("Ticket or position").fill("no number")
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()
    assert "whole number" in _text(page)


def test_the_overview_refreshes_itself(broker: Any, finance: Any, open_page: Any) -> None:
    page = open_page("/health", role=finance)
    open_page.spoilt.append(page)
    page.clock.install()
    page.goto(open_page.url + "/overview/")
    with page.expect_response("**/overview/live/", timeout=15_000) as answer:
        page.clock.fast_forward(4_000)
    assert answer.value.status == 200
    page.wait_for_function("document.querySelectorAll('#live .stat').length >= 4")


def test_pages_work_without_a_script(
    addresses: dict[str, str], finance: Any, browser: Any, open_page: Any
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        open_page.sign_in(context, finance)
        _without_a_script(context.new_page(), open_page.url, addresses["statement"])


def _without_a_script(page: Any, site: str, statement: str) -> None:
    page.goto(f"{site}/partners/")
    page.locator("summary", has_text="IB-100").click(position={"x": 8, "y": 20})
    page.get_by_role("link", name="Those below IB-100").click()
    page.get_by_text("Directly below").first.wait_for()
    page.goto(site + statement)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == f"IB-110-{PERIOD}.csv"


def test_the_settings_of_a_source_hold_no_secret(broker: Any, client: Any) -> None:
    text = client("metatrader").get("/sources/demo-mt5/").content.decode()
    assert "https://mt5.broker.example" in text
    assert "password" not in text.lower().replace("account/password", "")


def _text(page: Any) -> str:
    return str(page.inner_text("main")).replace("\N{NO-BREAK SPACE}", " ")


def test_json_of_findings_is_not_shown_raw(addresses: dict[str, str], client: Any) -> None:
    text = client("metatrader").get(addresses["source"]).content.decode()
    assert "no group matches" in text
    assert json.dumps({"level": "ok"})[1:-1] not in text
