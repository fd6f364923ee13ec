"""Receivers in a browser: set up from a preset, tested against a real tracker, sent again."""

from __future__ import annotations

import dataclasses
import ipaddress
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pipshare import outbox, partners
from pipshare.facts.reading import read_table
from pipshare.sandbox.tracker import TrackerServer
from pipshare.sandbox.tracker.faults import Fault

SCREENS = [(390, "light"), (1280, "dark"), (1280, "light")]


@pytest.fixture(scope="module")
def broker(site: Any) -> Any:
    """A broker with one partner."""
    with site.app() as conn:
        frame, _ = read_table(b"partner,name\nIB-1,Sofia Marques", "partners")
        partners.load_partners(conn, frame)
    return site


@pytest.fixture
def tracker(broker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrackerServer]:
    """A tracker on loopback, and the dispatcher, who may send there."""
    # Not at the top: what reads settings must not be imported before the session has its folder.
    from pipshare import settings
    from pipshare.pipeline.deliver import deliver

    open_ = (ipaddress.ip_network("127.0.0.0/8"),)
    monkeypatch.setattr(settings, "ENV", dataclasses.replace(settings.ENV, egress_allow=open_))
    stop = threading.Event()
    with TrackerServer() as server:
        thread = threading.Thread(target=deliver, args=(stop,))
        thread.start()
        yield server
        stop.set()
        thread.join()


def test_a_tracker_is_set_up_tested_and_told_again(
    tracker: TrackerServer, open_page: Any, person: Any
) -> None:
    manager = person("partner_manager")
    page = open_page("/receivers/", role=manager)
    open_page.shoot(page, "receivers_empty_1280_light")
    page.get_by_role("link", name="New receiver").click()
    open_page.shoot(page, "receiver_presets_1280_light")
    page.get_by_role("link", name="Voluum").click()
    page.get_by_label("Name", exact=True).fill("Voluum of IB-1")
    page.get_by_label("Partner optional").fill("IB-1")
    page.get_by_role("button", name="Preview").click()
    assert page.locator("#id_blank0_error").inner_text().strip() == "This field is required."
    open_page.shoot(page, "receiver_refused_1280_light")
    page.get_by_label("URL", exact=True).fill(f"{tracker.url}/voluum?cid={{sub1}}&et={{evnt}}")
    page.get_by_role("button", name="Set it up").click()
    assert "did you mean {event}?" in page.locator(".error").inner_text()
    url = f"{tracker.url}/voluum?cid={{sub1}}&et={{event}}&payout={{payout}}&txid={{txid}}"
    page.get_by_label("URL", exact=True).fill(url)
    page.get_by_role("button", name="Preview").click()
    shown = page.locator("#preview").inner_text()
    assert f"GET {tracker.url}/voluum?cid=s1&et=registration&payout=&txid=t-7" in shown
    assert "et=commission&payout=3.50" in shown
    open_page.shoot(page, "receiver_preview_1280_light")
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("is set up").wait_for()
    _test_it(tracker, page, open_page)
    where = page.url[len(open_page.url) :]
    for name, path in (("receivers", "/receivers/"), ("receiver", where.split("messages")[0]),
                       ("message", where), ("receiver_add", "/receivers/add/voluum/"),
                       ("receiver_events", "/receivers/events/"),
                       ("webhook_add", "/receivers/add/webhook/")):  # fmt: skip
        page.goto(open_page.url + path)
        assert not open_page.sticks_out(page, SCREENS, name)


def _test_it(tracker: TrackerServer, page: Any, open_page: Any) -> None:
    """Send a test that is refused for good, look at it, and send it again."""
    tracker.faults.add(Fault("404", path="/voluum"))
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("Refused for good").wait_for()
    open_page.shoot(page, "message_dead_1280_light")
    page.get_by_role("link", name="Voluum of IB-1").click()
    assert page.locator("a.stat.bad strong").inner_text() == "1"
    open_page.shoot(page, "receiver_dead_1280_light")
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("1 message sent again").wait_for()
    page.locator("#messages tbody a").first.click()
    page.locator(".badge.good", has_text="Taken").wait_for()
    page.locator(".badge.good", has_text="Delivered").wait_for()
    [came, refused] = tracker.log.newest()
    assert came["path"] == refused["path"]
    assert "cid=s1" in came["path"]


def test_a_webhook_gets_its_secret_once(
    tracker: TrackerServer, open_page: Any, person: Any
) -> None:
    page = open_page("/receivers/add/webhook/", role=person("admin"))
    page.get_by_label("Name", exact=True).fill("Data warehouse")
    page.get_by_label("URL", exact=True).fill(f"{tracker.url}/hooks")
    page.get_by_label("commission.posted").check()
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("It has no signing secret yet").wait_for()
    page.get_by_role("link", name="Make it").first.click()
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Make a secret").click()
    secret = page.get_by_label("Secret", exact=True).input_value()
    assert secret.startswith("whsec_")
    open_page.shoot(page, "secret_1280_light")
    tracker.secrets = (secret,)
    page.get_by_role("link", name="I have put it there").click()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Send a test").click()
    page.locator(".badge.good", has_text="Delivered").wait_for()
    assert secret not in page.content()
    assert tracker.log.newest()[0]["verified"] is True
    with tracker_site() as conn:
        one = outbox.receiver(conn, "Data warehouse")
    assert one.settings["events"] == ["commission.posted"]


def test_a_systems_own_call_is_set_up_and_previewed(
    broker: Any, open_page: Any, person: Any
) -> None:
    page = open_page("/receivers/add/", role=person("admin"))
    page.get_by_role("link", name="Its own REST call").click()
    page.get_by_label("Name", exact=True).fill("CRM of ours")
    page.get_by_label("URL", exact=True).fill("https://crm.example/api/ibs")
    page.locator("#id_body").fill('{"who": "{nam}", "mail": "=data.email"}')
    page.get_by_label("Its own id").fill("data.id")
    page.get_by_role("button", name="Set it up").click()
    assert page.locator("#id_events_error").inner_text().strip() == "This field is required."
    page.get_by_label("ib.applied").check()
    page.get_by_label("ib.tier_changed").check()
    page.get_by_role("button", name="Set it up").click()
    assert "did you mean {name}?" in page.locator(".error").inner_text()
    page.locator("#id_body").fill('{"who": "{name}", "mail": "=data.email"}')
    page.locator("summary", has_text="Types told in another way").click()
    way = '{"ib.tier_changed": {"method": "PATCH", "url": "https://crm.example/api/ibs/{crm_id}"}}'
    page.locator("#id_by_type").fill(way[:-1])
    page.get_by_role("button", name="Preview").click()
    assert "not valid JSON" in page.locator(".error").inner_text()
    page.locator("#id_by_type").fill(way)
    page.get_by_role("button", name="Preview").click()
    shown = page.locator("#preview").inner_text()
    assert "POST https://crm.example/api/ibs" in shown
    assert '"mail": "sofia@ib.example"' in shown
    assert "PATCH https://crm.example/api/ibs/ib-5531" in shown
    open_page.shoot(page, "request_preview_1280_light")
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("is set up").wait_for()
    assert page.get_by_role("button", name="Send a test").count() == 0
    page.get_by_role("link", name="Change").click()
    assert "ib.tier_changed" in page.locator("#id_by_type").input_value()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    where = page.url[len(open_page.url) :]
    for name, path in (("request", where), ("request_edit", f"{where}edit/")):
        page.goto(open_page.url + path)
        assert not open_page.sticks_out(page, SCREENS, name)


def tracker_site() -> Any:
    """Return a connection to look with."""
    from pipshare import db

    return db.connect()
