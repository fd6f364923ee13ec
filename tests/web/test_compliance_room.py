"""The room Compliance: what is held, what ends soon, whose countries are blocked, by two people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, manager, manager_row

from pipshare import clients
from pipshare.pipeline import Run
from pipshare.pipeline.rest import to_rest

SCREENS = [(390, "light"), (390, "dark"), (768, "light"), (1280, "light"), (1280, "dark")]
KYC = """[programme]
code = "std"
currency = "USD"
kyc = "hold"
kyc_forfeit_days = 3660

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
rate = [{ level = 1, amount = "5" }, { level = 2, amount = "1.25" }]
"""
HEAD = "event,kind,client,at,expires_at,document,country,source\n"


@pytest.fixture(scope="module")
def made(site: Any, tmp_path_factory: Any) -> Any:
    """Clients who stand in every way, with a lot each; one's passport ends in ten days."""
    soon = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%dT00:00:00Z}"
    numbers = range(2, 8)
    words = [
        f"k2,kyc_approved,C-2,2026-02-01T10:00:00Z,{soon},passport,DE,crm",
        "k3,kyc_approved,C-3,2026-02-01T10:00:00Z,2026-02-20T00:00:00Z,national id card,IR,crm",
        "k4,kyc_rejected,C-4,2026-02-01T10:00:00Z,,passport,,crm",
        "k5,kyc_approved,C-5,2026-02-01T10:00:00Z,,passport,IR,crm",
        "k6,kyc_approved,C-6,2026-02-01T10:00:00Z,,,,crm",
        "k7,kyc_withdrawn,C-6,2026-02-02T10:00:00Z,,,,crm",
    ]
    with site.app() as conn:
        broker = SmallBroker(conn, Path(tmp_path_factory.mktemp("broker")))
        broker.plan(KYC)
        broker.load("clients", "client,partner\n" + "".join(f"C-{n},P-2\n" for n in numbers))
        broker.load("accounts", "server,login,client\n"
                    + "".join(f"Live-4,{1000 + n},C-{n}\n" for n in numbers))  # fmt: skip
        assert not broker.load("events", HEAD + "\n".join(words) + "\n")[0].refused
        rows = [manager_row(n, "1.00", Login=str(1000 + n)) for n in range(1, 8)]
        broker.bring("a.csv", manager(*rows))
        clients.say_jurisdiction(conn, "main", "SY", blocked=True, by="anna", reason="sanctions")
        conn.commit()
    return site


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())


def test_it_shows_what_is_held_for_whom_and_what_ends_soon(made: Any, client: Any) -> None:
    page = client("auditor").get("/compliance/")
    said = _plain(page.text)
    assert "Held until the client is approved" in said
    assert re.search(r"C-1 unverified 6\.25 USD 2026-03-02 2036-03-10", said)
    assert re.search(r"C-3 expired 6\.25 USD", said)
    assert "Documents that end soon C" in said.replace("Client", "C")
    assert "passport of DE" in said
    assert "30 and 7 days before a document ends" in said
    assert "/compliance/block/" not in page.text  # an auditor changes nothing


def test_clients_are_found_by_where_they_stand(made: Any, client: Any) -> None:
    reader = client("finance")
    assert "C-4" in (page := reader.get("/compliance/clients/?state=rejected").text)
    assert "C-1" not in page
    found = reader.get("/compliance/clients/", {"search": "c-6", "state": "withdrawn"}).text
    assert "C-6" in found
    assert "No client is like that" in reader.get("/compliance/clients/?search=nobody").text
    assert reader.get("/compliance/?entity=nothing").status_code == 404


def test_a_block_from_now_on_holds_and_the_past_takes_two_people(made: Any, client: Any) -> None:
    one, other = client("compliance"), client("admin")
    refused = one.post("/compliance/block/", {"country": "UK", "counts": "either", "reason": "x"})
    assert "did you mean GB?" in refused.text
    told = {"country": "cu", "counts": "residence", "reason": "sanctions"}
    assert one.post("/compliance/block/", told).status_code == 302
    told = {"country": "IR", "counts": "either", "reason": "EU 267/2012", "since": "2026-01-01"}
    assert one.post("/compliance/block/", told).status_code == 302
    page = one.get("/compliance/").text
    assert "Take it back" in page  # his own: another person approves
    assert ">Approve<" not in page
    number = re.search(r"/compliance/proposals/(\d+)/", page)
    assert number is not None
    where = f"/compliance/proposals/{number[1]}/"
    assert "somebody else has to decide" in one.post(where, {"what": "approve"}, follow=True).text
    assert client("finance").post(where, {"what": "approve"}).status_code == 403
    assert "Nothing was decided" in other.post(where, follow=True).text
    assert "is in force" in other.post(where, {"what": "approve"}, follow=True).text
    with made.app() as conn:
        to_rest(Run(conn))  # as `pipshare work` does
        (known,) = clients.jurisdictions(conn).values()
    assert {("CU", "residence"), ("IR", "either")} <= {
        (one.country, one.counts) for one in known.records
    }
    said = _plain(one.get("/compliance/countries/IR/").text)
    assert "2 clients who ever lived there" in said
    assert "2 trades paid nobody; else 12.50 USD" in said
    assert "EU 267/2012" in said
    told = {"reason": "lifted", "since": "2026-01-01"}
    assert one.post("/compliance/countries/IR/unblock/", told).status_code == 302
    page = one.get("/compliance/").text
    assert "IR unblocked from" in page
    again = one.post("/compliance/countries/IR/unblock/", {"reason": "so", "since": "2026-02-01"})
    assert "waits for a second person already" in again.text
    number = re.search(r"/compliance/proposals/(\d+)/", page)
    assert number is not None
    other.post(f"/compliance/proposals/{number[1]}/", {"what": "approve"})
    with made.app() as conn:
        to_rest(Run(conn))
    assert one.get("/compliance/countries/XX/").status_code == 404


def test_warnings_are_set(made: Any, client: Any) -> None:
    one = client("compliance")
    assert "whole numbers" in one.post("/compliance/warnings/", {"days": "soon"}).text
    assert "1 to 366" in one.post("/compliance/warnings/", {"days": "0"}).text
    assert one.post("/compliance/warnings/", {"days": "60, 14"}).status_code == 302
    assert "60 and 14 days before" in _plain(one.get("/compliance/").text)
    assert one.post("/compliance/warnings/", {"days": "30 7"}).status_code == 302


def test_the_room_fits_every_screen_and_says_nothing_wrong(
    made: Any, open_page: Any, person: Any
) -> None:
    officer = person("compliance")
    page = open_page("/compliance/", role=officer)
    for name, path in (("compliance", "/compliance/"), ("block", "/compliance/block/"),
                       ("country", "/compliance/countries/SY/"),
                       ("clients", "/compliance/clients/")):  # fmt: skip
        page.goto(open_page.url + path)
        assert not open_page.sticks_out(page, SCREENS, name)
    page.goto(open_page.url + "/compliance/")
    page.get_by_role("link", name="Block a country").click()
    page.get_by_role("button", name="Block it").click()
    assert page.locator("#id_country_error").inner_text().strip() == "This field is required."
    page.get_by_label("Country", exact=True).fill("KP")
    page.get_by_label("Why", exact=True).fill("UN 1718")
    page.get_by_role("button", name="Block it").click()
    page.get_by_text("Nobody earns by its clients from now on.").wait_for()
    page.get_by_role("link", name="KP").click()
    assert "no trade so far" in page.locator("main").inner_text()
