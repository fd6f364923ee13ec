"""The CRM's rooms and a client's life line in a browser: from the preset to a CPA taken back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pipshare import db, inbox
from pipshare.console import kept
from pipshare.crm import preset
from pipshare.inbox import NewPayload
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.crm.set_up import set_up
from pipshare.pipeline.loads import apply_plan, load

NOW = time.time_ns() // 1_000_000
SCREENS = [(390, "light"), (768, "light"), (1280, "dark"), (1280, "light")]
LOADS = {
    "servers": "server,platform,clock,go_live\nLive-4,mt4,UTC,2026-01-01T00:00:00Z\n",
    "partners": "partner,name,parent\nIB-7,Seven,\n",
}
PLAN = """[programme]
code = "cpa"
name = "CPA"
currency = "USD"

[[component]]
code = "cpa"
basis = "fixed"
event = "qualified"
mode = "per_level"
qualify = { first_deposit = 500 }
clawback_days = 365
rate = [{ level = 1, amount = "250" }]
"""
USER = {"no": 4711, "registered": "28/03/2026 23:30", "nation": "Cyprus", "promo": "IB-7"}


def payment(number: int, state: str, changed: str, cents: Any = 50_000) -> dict[str, Any]:
    return {"no": number, "kind": "in/card", "state": state, "changed": changed, "cents": cents,
            "cur": "usd"}  # fmt: skip


@pytest.fixture(scope="module")
def broker(site: Any, tmp_path_factory: Any) -> Any:
    """A partner who is paid for first deposits; a trader room, and another not connected yet."""
    folder: Path = tmp_path_factory.mktemp("crm")
    with db.connect() as conn:
        run = Run(conn)
        for kind, text in LOADS.items():
            path = folder / f"{kind}.csv"
            path.write_text(text)
            assert not any(one.refused for one in load(run, kind, path, by="anna").reports)
        (folder / "cpa.toml").write_text(PLAN)
        apply_plan(run, folder / "cpa.toml", by="anna")
        (folder / "terms.csv").write_text("partner,programme\nIB-7,cpa\n")
        load(run, "terms", folder / "terms.csv", by="anna")
        set_up(conn, 1, "hall", preset=preset("trader-room"), by="anna")
        conn.commit()
    send("hall", {"user": {**USER, "no": 12}, "payments": [
        payment(21, "charged back", "01/06/2026 08:00"), payment(21, "done", "29/03/2026 12:00"),
    ]})  # fmt: skip
    return site


def send(code: str, *payloads: Any) -> list[str]:
    """Store what the room sends, as the door does, and do what `pipshare work` does."""
    with db.connect() as conn:
        endpoint = inbox.endpoint(conn, code)
        told = [NewPayload(endpoint.id, NOW, json.dumps(one).encode()) for one in payloads]
        inbox.store_payloads(conn, told)
        to_rest(Run(conn))
        conn.commit()
    kept.forget()
    return [one.id for one in told]


def test_a_crm_is_connected_its_mapping_tried_and_a_cpa_taken_back(
    broker: Any, open_page: Any, person: Any
) -> None:
    admin = person("admin")
    page = open_page("/crm/", role=admin)
    page.get_by_role("link", name="Connect a CRM").first.click()
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Confirm").click()
    open_page.shoot(page, "crm_presets_1280_light")
    page.get_by_role("link", name="Proprietary").click()
    page.get_by_label("Code", exact=True).fill("The Room")
    page.get_by_role("button", name="Connect it").click()
    assert "small letters" in page.locator(".field.wrong .error").first.inner_text()
    open_page.shoot(page, "crm_add_1280_light")
    page.get_by_label("Code", exact=True).fill("room")
    page.get_by_role("button", name="Connect it").click()
    assert page.get_by_label("Secret", exact=True).input_value()
    assert page.get_by_label("Address that the CRM calls").input_value().endswith("/hooks/room")
    page.get_by_role("link", name="I have put it there").click()
    _try_mapping(page, open_page)
    _take_back(page, open_page)


def _try_mapping(page: Any, open_page: Any) -> None:
    page.get_by_role("link", name="Try or change the mapping").click()
    bad = {"user": USER, "payments": [payment(1, "done", "29/03/2026 12:00", "1,000.50"),
                                      payment(2, "declined", "29/03/2026 12:00")]}  # fmt: skip
    page.get_by_label("Payload").fill(json.dumps(bad))
    page.get_by_role("button", name="Try it").click()
    said = page.locator("section[aria-live]").inner_text()
    assert "1 item mapped" in said
    assert "1,000.50" in said
    assert "field amount" in said
    open_page.shoot(page, "crm_mapping_1280_light")
    text = page.locator("#id_mapping").input_value()
    page.locator("#id_mapping").fill(text.replace('"declined"', '"declined", "held"'))
    page.get_by_role("button", name="Try it").click()
    page.get_by_label("Note").fill("held payments moved no money")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Version 2 holds").wait_for()
    page.goto(open_page.url + "/crm/endpoints/room/mapping/")
    page.locator("#id_mapping").fill("{")
    page.get_by_role("button", name="Try it").click()
    assert page.locator(".error, .alert.bad").count()


def _take_back(page: Any, open_page: Any) -> None:
    lost = payment(1, "charged back", "01/06/2026 08:00")
    [early] = send("room", {"user": {"no": 4711}, "payments": [lost]})
    page.goto(open_page.url + f"/crm/payloads/{early}/")
    page.get_by_role("heading", name="Payload of room").wait_for()
    assert page.locator("pre.raw").count() == 1
    send("room", {"user": USER, "payments": [payment(1, "done", "29/03/2026 12:00")]})
    page.goto(open_page.url + "/clients/life/?client=4711")
    said = page.locator("main").inner_text()
    for words in ("registration", "deposit", "500.00", "chargeback lost", "250.00", "-250.00"):
        assert words in said, words


def test_its_rooms_fit(broker: Any, open_page: Any) -> None:
    page = open_page("/crm/", role="admin")
    for path in ("/crm/", "/crm/endpoints/hall/", "/crm/endpoints/hall/mapping/", "/crm/payloads/",
                 "/crm/waiting/", "/crm/deposits/?all=1", "/clients/life/?client=12",
                 "/clients/life/"):  # fmt: skip
        page.goto(open_page.url + path)
        assert page.locator("h1").count() == 1, path
        name = path.strip("/").replace("/", "_").partition("?")[0]
        assert not open_page.sticks_out(page, SCREENS, f"{name}{'_c' if '?' in path else ''}")


def test_what_waits_is_mended_on_the_page(broker: Any, open_page: Any) -> None:
    send("hall", {"user": {"no": 99}, "payments": [payment(9, "done", "29/03/2026 12:00")]})
    page = open_page("/crm/waiting/", role="partner_manager")
    assert "unknown client 99" in page.locator("main").inner_text()
    row = page.get_by_role("row").filter(has_text="unknown client 99")
    row.get_by_role("link", name="No registration of his came").click()
    page.get_by_role("button", name="Make him known").click()
    page.get_by_text("Client 99 is known").wait_for()
    send("hall")
    page.reload()
    assert "unknown client 99" not in page.locator("main").inner_text()


def test_a_payload_with_problems_is_replayed_by_who_may(broker: Any, open_page: Any) -> None:
    [id_] = send("hall", {"user": {"no": 50}, "payments": [payment(51, "odd", "29/03/2026 12:00")]})
    page = open_page(f"/crm/payloads/{id_}/", role="finance")
    assert "problem" in page.locator("table").inner_text()
    page.get_by_role("button", name="Replay it").click()
    page.get_by_text("1 payload will be mapped anew").wait_for()
    page = open_page(f"/crm/payloads/{id_}/", role="partner_manager")
    assert page.locator("pre.raw").count() == 0
    page.get_by_text("your role does not show it").wait_for()


@pytest.mark.parametrize("asked", [{}, {"payload": "a/b"}, {"payload": "\0"}, {"endpoint": "x/y"}])
def test_a_replay_of_nothing_replays_nothing(
    broker: Any, client: Any, person: Any, asked: dict[str, str]
) -> None:
    assert client(person("finance")).post("/crm/payloads/replay/", asked).status_code == 404


def test_the_unknown_is_said_in_a_sentence(broker: Any, open_page: Any) -> None:
    page = open_page("/clients/life/?client=nobody", role="compliance")
    assert "no client" in page.locator(".field.wrong").inner_text().lower()
    page = open_page("/crm/payloads/x/", role="compliance")
    page.get_by_text("There is no payload with this number").wait_for()
    page = open_page("/crm/endpoints/x/", role="compliance")
    page.get_by_text("no endpoint").first.wait_for()
