"""Links, landing pages, typed codes and settings in the console, by forms and without a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipshare import partners
from pipshare.facts.reading import read_table


@pytest.fixture(scope="module")
def made(site: Any) -> Any:
    """Two partners, a default landing page, another one, and a link of each partner."""
    with site.app() as conn:
        frame, _ = read_table(b"partner\nIB-1\nIB-2", "partners")
        partners.load_partners(conn, frame)
        for code in ("home", "more"):
            partners.add_landing(conn, 1, code, f"https://broker.example/{code}", by="Ana")
        for number in (1, 2):
            one = partners.partner(conn, f"IB-{number}")
            partners.add_link(conn, one, by="Ana", code=f"link-{number}", campaign="autumn")
    return site


def link_id(site: Any, code: str) -> int:
    with site.app() as conn:
        return partners.link(conn, code).id


def test_links_are_searched_and_archived(made: Any, client: Any) -> None:
    manager = client("partner_manager")
    found = manager.get("/links/", {"q": "ib-2 aut"}).text
    assert "link-2" in found
    assert "link-1" not in found
    assert "No link is like that" in manager.get("/links/", {"q": "nothing"}).text
    number = link_id(made, "link-2")
    assert manager.post(f"/links/{number}/archive/").status_code == 302
    assert "Archived" in manager.get(f"/links/{number}/").text
    assert "link-2" not in manager.get("/links/").text
    assert "link-2" in manager.get("/links/?archived").text
    with made.app() as conn:
        row = conn.execute(
            "SELECT actor FROM audit_event WHERE action = 'link.archived'"
        ).fetchone()
    assert row is not None
    assert "partner_manager" in row[0]


def test_qr_codes_are_downloaded(made: Any, client: Any) -> None:
    number = link_id(made, "link-1")
    reader = client("auditor")
    svg = reader.get(f"/links/{number}/qr.svg")
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in svg.content
    png = reader.get(f"/links/{number}/qr.png?download")
    assert png.content.startswith(b"\x89PNG")
    assert png.headers["Content-Disposition"] == 'attachment; filename="link-1.png"'
    assert reader.get(f"/links/{number}/qr.pdf").status_code == 404


def test_who_only_looks_is_offered_nothing(made: Any, client: Any) -> None:
    reader = client("auditor")
    for path in ("/links/", "/links/landings/", f"/links/{link_id(made, 'link-1')}/"):
        text = reader.get(path).text
        assert "<h1>" in text
        assert not re.search(
            r"New link|>Archive<|Archive the|Make it the default|Change</a>", text
        ), path
    assert reader.post("/links/add/", {"partner": "IB-1"}).status_code == 403


def test_landing_pages_codes_and_settings(made: Any, client: Any) -> None:
    manager = client("partner_manager")
    with made.app() as conn:
        more = partners.landing(conn, 1, "more").id
        ib1 = partners.partner(conn, "IB-1").id
    manager.post(f"/links/landings/{more}/", {"what": "default"})
    refused = manager.post(f"/links/landings/{more}/", {"what": "archive"})
    assert refused.status_code == 409
    assert "make another the default first" in refused.text
    manager.post("/links/codes/add/", {"partner": "IB-1", "code": "SUMMER"})
    taken = manager.post("/links/codes/add/", {"partner": "IB-2", "code": "summer"})
    assert "choose another" in taken.text
    assert "SUMMER" in manager.get("/links/landings/").text
    manager.post(f"/links/codes/{ib1}/", {"code": "SUMMER"})
    assert "SUMMER" not in manager.get("/links/landings/").text.replace("SUMMER stands", "")
    told = {"model": "first", "window_days": "30", "click_param": "cid",
            "qualified_amount": "100", "qualified_currency": "usd"}  # fmt: skip
    assert manager.post("/links/settings/main/", told).status_code == 302
    with made.app() as conn:
        now = partners.tracking_settings(conn, 1)
    assert (now.model, now.visitor_cookie, now.qualified_currency) == ("first", False, "USD")
    wrong = manager.post("/links/settings/main/", {**told, "qualified_currency": ""})
    assert "give both" in wrong.text
