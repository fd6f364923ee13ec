"""Receivers by forms, without a browser: what is refused, where it is said, who may do what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipshare import outbox, partners
from pipshare.facts.reading import read_table

URL = "https://trk.example.com/postback?cid={sub1}&payout={payout}"
BASE = {"name": "Ana", "partner": "", "url": URL, "method": "GET"}


@pytest.fixture(scope="module")
def broker(site: Any) -> Any:
    """A broker with one partner."""
    with site.app() as conn:
        frame, _ = read_table(b"partner\nIB-1", "partners")
        partners.load_partners(conn, frame)
    return site


def made(broker: Any, name: str, kind: str = "postback", **settings: Any) -> Any:
    """Set a receiver up, as the command does."""
    with broker.app() as conn:
        told = {"url": URL, "method": "GET", **settings}
        return outbox.add(conn, 1, kind, name, told, by="Ana")


def now(broker: Any, name: str) -> Any:
    with broker.app() as conn:
        return outbox.receiver(conn, name)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"url": "trk.example.com/?a={sub1}"}, "url", "no scheme"),
        ({"url": "https://{sub1}/?a=1"}, "url", "not in the host"),
        ({"url": "https://trk.example.com/?a={clickid}"}, "url", "did you mean {click_id}?"),
        ({"name": " "}, "name", "required"),
        ({"partner": "IB-2"}, "partner", "did you mean"),
        ({"countries": "Germany"}, "countries", "two capital letters"),
        ({"minimum": "much"}, "minimum", "an amount for each currency"),
        ({"concurrency": "99"}, "concurrency", "from 1 to 32"),
        ({"owner_email": "ana"}, "owner_email", "one address"),
        ({"headers": "Host: x"}, "headers", "set by pipshare itself"),
        ({"body": '{"a": {lots}}', "body_type": "json"}, "body", "GET has no body"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    broker: Any, client: Any, given: dict[str, str], field: str, said: str
) -> None:
    page = client("partner_manager").post("/receivers/add/postback/", BASE | given)
    assert page.status_code == 200
    found = re.search(rf'<p class="error" id="id_{field}_error">(.*?)</p>', page.text, re.DOTALL)
    assert found, re.findall(r'class="(?:error|alert bad)".*', page.text)
    assert said in found[1]
    assert f'id="id_{field}"' in page.text
    with broker.app() as conn:
        assert "Ana" not in {one.name for one in outbox.receivers(conn)}


def test_a_preset_is_filled_in_and_keeps_its_words(broker: Any, client: Any) -> None:
    manager = client("partner_manager")
    shown = manager.get("/receivers/add/keitaro/?partner=IB-1").text
    assert "Keitaro of IB-1" in shown
    assert "?sub1={subid}" in shown
    told = dict(re.findall(r'name="((?:word|status)_\w+)" value="([^"]*)"', shown))
    assert told["status_registration"] == "lead"
    template = re.search(r"<textarea[^>]*name=\"url\"[^>]*>\s*([^<]+)</textarea>", shown)
    assert template
    url = template[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    manager.post("/receivers/add/keitaro/", {
        **told, "name": "Keitaro of IB-1", "partner": "IB-1", "url": url, "method": "GET",
        "blank0": "trk.ana.example", "blank1": "k3y", "events": ["client.registered"],
        "countries": "de, at", "minimum": "100 usd\n90 EUR", "per_minute": "60",
    })  # fmt: skip
    one = now(broker, "Keitaro of IB-1")
    assert one.partner == "IB-1"
    assert one.settings["url"].startswith("https://trk.ana.example/k3y/postback?subid={sub1}")
    assert one.settings["statuses"]["reversal"] == "rejected"
    assert one.settings["minimum"] == {"USD": "100", "EUR": "90"}
    assert one.settings["countries"] == ["DE", "AT"]
    assert (one.settings["preset"], one.settings["per_minute"]) == ("keitaro", 60)
    edit = manager.get(f"/receivers/{one.id}/edit/").text
    assert "90 EUR" in edit
    assert 'name="partner"' not in edit
    kept = {name: value for name, value in one.settings.items() if name in ("url", "method")}
    assert manager.post(f"/receivers/{one.id}/edit/", kept).status_code == 302
    assert set(now(broker, "Keitaro of IB-1").settings) == {"url", "method", "preset"}


def test_states_are_changed_and_said(broker: Any, client: Any) -> None:
    one = made(broker, "States")
    manager, here = client("partner_manager"), f"/receivers/{one.id}/"
    for what, word in (("pause", "Paused"), ("resume", "Active"), ("off", "Off")):
        manager.post(f"{here}state/", {"what": what, "reason": "moves house"})
        assert f">{word}</span>" in manager.get(here).text
    assert "moves house" in manager.get("/receivers/").text
    refused = manager.post(f"{here}test/")
    assert (refused.status_code, "resume it first" in refused.text) == (409, True)
    manager.post(f"{here}state/", {"what": "remove"})
    assert manager.get(here).status_code == 404
    assert manager.post("/receivers/1/state/", {"what": "burn"}).status_code == 404
    with broker.app() as conn:
        told = conn.execute("SELECT action, actor FROM audit_event WHERE subject = 'States'"
                            " AND action <> 'receiver.added'").fetchall()  # fmt: skip
    assert [action for action, _ in told] == [
        "receiver.paused", "receiver.active", "receiver.off", "receiver.removed",
    ]  # fmt: skip
    assert all("partner_manager" in actor for _, actor in told)


def test_a_test_waits_where_nobody_delivers(broker: Any, client: Any) -> None:
    one = made(broker, "Waits")
    manager = client("partner_manager")
    sent = manager.post(f"/receivers/{one.id}/test/")
    page = manager.get(sent.headers["Location"]).text
    assert "Nobody delivers at this moment" in page
    assert "every 1s" in page
    live = manager.get(sent.headers["Location"], headers={"HX-Request": "true"})
    assert live.status_code == 200
    assert "<html" not in live.text
    seen = {"seen": "False"}
    live = manager.get(sent.headers["Location"], seen, headers={"HX-Request": "true"})
    assert live.status_code == 204, "nothing new"
    other = made(broker, "Other")
    number = sent.headers["Location"].rstrip("/").rpartition("/")[2]
    assert manager.get(f"/receivers/{other.id}/messages/{number}/").status_code == 404
    nothing = manager.post(f"/receivers/{one.id}/replay/")
    assert (nothing.status_code, "no such delivery" in nothing.text) == (404, True)
    assert manager.post(f"/receivers/{one.id}/replay/", {"since": "31.3."}).status_code == 400


def test_secrets_are_for_administrators_who_just_showed_that_it_is_they(
    broker: Any, client: Any, person: Any
) -> None:
    hook = made(broker, "Hook", "webhook", url="https://crm.example/hooks", method="")
    here = f"/receivers/{hook.id}/"
    assert client("partner_manager").get(f"{here}secret/").status_code == 403
    admin = client(person("admin"))
    assert admin.post(f"{here}secret/").status_code == 302
    assert "It has no signing secret yet" in admin.get(here).text
    admin.post("/account/confirm/", {"password": person.password})
    secret = re.search(r"whsec_[\w+/=]+", admin.post(f"{here}secret/").text)
    assert secret
    wrong = admin.post(f"{here}header/", {"header": "Host", "value": "x"}).text
    assert "set by pipshare itself" in wrong
    admin.post(f"{here}header/", {"header": "X-Key", "value": "hush-hush"})
    shown = admin.get(here).text
    assert "x-key" in shown
    assert "hush-hush" not in shown
    assert secret[0] not in shown
    postback = made(broker, "No hook")
    assert admin.get(f"/receivers/{postback.id}/secret/").status_code == 404


def test_who_only_looks_is_offered_nothing(broker: Any, client: Any) -> None:
    one = made(broker, "Looked at")
    reader = client("auditor")
    shown = reader.get(f"/receivers/{one.id}/").text
    assert not re.search("Send a test|>Change<|Switch off or remove", shown)
    assert "New receiver" not in reader.get("/receivers/").text
    for what in ("test", "state", "replay"):
        assert reader.post(f"/receivers/{one.id}/{what}/").status_code == 403


def test_the_catalogue_has_every_type_with_its_schema(broker: Any, client: Any) -> None:
    reader = client("finance")
    page = reader.get("/receivers/events/").text
    for kind in re.findall(r"/receivers/events/([\w.]+)\.json", page):
        assert reader.get(f"/receivers/events/{kind}.json").json()["title"] == kind
    assert "{payout}" in page
    assert reader.get("/receivers/events/nothing.json").status_code == 404
