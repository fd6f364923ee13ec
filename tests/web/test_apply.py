"""The public page to apply on: what is taken, what is refused in words, and whose page opens."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from pipshare import partners
from pipshare.portal import shown

TOLD = {"name": "Sofia Marques", "email": "sofia@ib.example", "country": "PT", "currency": "EUR",
        "parent": "MASTER", "agree_partner": "on"}  # fmt: skip
PAGE = "/apply/main/"
TOKEN = re.compile(r'name="shown" value="([^"]+)"')


@pytest.fixture(scope="module")
def broker(site: Any) -> Any:
    """A broker with an agreement."""
    publish(site, "We pay. You behave.")
    return site


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for two seconds, as a person would."""
    monkeypatch.setattr(shown, "LEAST_S", 0.0)


@pytest.fixture
def door(broker: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stranger's browser; each has an address of its own."""
    door.count = getattr(door, "count", 0) + 1
    return client(REMOTE_ADDR=f"198.51.100.{door.count}")


def publish(site: Any, text: str) -> Any:
    with site.app() as conn:
        return partners.add_agreement(
            conn, 1, "partner", "IB agreement", text, by="anna",
            valid_from_ms=time.time_ns() // 1_000_000,
        )  # fmt: skip


def token_of(answer: Any) -> str:
    found = TOKEN.search(answer.content.decode())
    assert found is not None
    return found[1]


def send(door: Any, **more: str) -> Any:
    token = more.pop("shown", None) or token_of(door.get(PAGE))
    return door.post(PAGE, {**TOLD, "shown": token, **more})


def newest(site: Any) -> Any:
    with site.app() as conn:
        return next(iter(partners.applications(conn)), None)


def test_an_application_is_stored_with_what_was_accepted(broker: Any, door: Any) -> None:
    answer = send(door)
    one = newest(broker)
    assert answer.headers["Location"] == f"/application/{one.reference}/"
    with broker.app() as conn:
        who = partners.person_of(conn, one.id)
        [accepted] = partners.acceptances(conn, application_id=one.id)
        offered = partners.agreement(conn, 1, "partner")
    assert (one.currency, one.parent, one.source) == ("EUR", "MASTER", "apply")
    assert (who.name, who.country) == ("Sofia Marques", "PT")
    assert who.address.startswith("198.51.100.")
    assert (accepted.digest, accepted.name, accepted.address) == (
        offered.digest, "Sofia Marques", who.address)  # fmt: skip
    page = door.get(answer.headers["Location"])
    assert "We have your application" in page.content.decode()
    assert offered.digest in page.content.decode()
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store, private"
    assert "sofia@ib.example" not in page.content.decode()


def test_the_same_form_twice_is_one_application(broker: Any, door: Any) -> None:
    token = token_of(door.get(PAGE))
    first, again = send(door, shown=token), send(door, shown=token)
    assert first.headers["Location"] == again.headers["Location"]


def test_a_missing_field_is_named_and_the_rest_stays(broker: Any, door: Any) -> None:
    before = newest(broker)
    told = {name: text for name, text in TOLD.items() if name not in ("email", "agree_partner")}
    answer = door.post(PAGE, {**told, "shown": token_of(door.get(PAGE))})
    text = answer.content.decode()
    assert 'id="id_email_error"' in text
    assert "Without this we cannot work together" in text
    assert 'value="Sofia Marques"' in text
    assert newest(broker) == before


@pytest.mark.parametrize("told", [{"fax": "12345"}, {"haste": "yes"}])
def test_a_robot_is_told_so_and_a_person_can_go_on(
    broker: Any, door: Any, told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = newest(broker)
    if told.pop("haste", ""):
        monkeypatch.setattr(shown, "LEAST_S", 2.0)
    answer = send(door, **told)
    assert "a program had filled it in" in answer.content.decode()
    assert newest(broker) == before
    monkeypatch.setattr(shown, "LEAST_S", 0.0)
    assert send(door, shown=token_of(answer)).status_code == 302


def test_the_agreement_that_was_read_is_the_one_accepted(broker: Any, door: Any) -> None:
    token, before = token_of(door.get(PAGE)), newest(broker)
    publish(broker, f"We pay less. {time.time()}")
    answer = send(door, shown=token)
    assert "The agreement changed while" in answer.content.decode()
    assert newest(broker) == before
    assert "We pay less." in answer.content.decode()
    assert send(door, shown=token_of(answer)).status_code == 302
    for wrong in ("", "made:up", token[:-3] + "xxx"):
        assert "The agreement changed" in send(door, shown=wrong or "-").content.decode()


def test_a_form_needs_the_token_of_its_site(broker: Any, client: Any) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    assert strict.post("/apply/", TOLD).status_code == 403


def test_five_an_hour_from_an_address(broker: Any, door: Any) -> None:
    for number in range(5):
        assert send(door, name=f"P {number}").status_code == 302
    answer = send(door)
    assert answer.status_code == 429
    assert "send it again in an hour" in " ".join(answer.content.decode().split())


def test_who_applied_accepts_what_is_new_on_his_page(broker: Any, door: Any) -> None:
    where = send(door).headers["Location"]
    assert "something new to accept" not in door.get(where).content.decode()
    agreed = publish(broker, f"We pay more. {time.time()}")
    page = door.get(where)
    assert "something new to accept" in page.content.decode()
    token = token_of(page)
    refused = door.post(where, {"name": "Sofia", "shown": token})
    assert "Without this we cannot work together" in refused.content.decode()
    told = {"name": "Sofia M.", "agree_partner": "on", "shown": token}
    assert door.post(where, told).status_code == 302
    assert "something new to accept" not in door.get(where).content.decode()
    with broker.app() as conn:
        [accepted] = partners.acceptances(conn, agreement_id=agreed.id)
    assert (accepted.name, accepted.version) == ("Sofia M.", agreed.version)


def test_states_are_shown_and_a_guess_opens_nothing(broker: Any, door: Any) -> None:
    where = send(door).headers["Location"]
    one = newest(broker)
    with broker.app() as conn:
        one = partners.add_step(conn, one, "screening", by="anna")
    assert "We are looking at your application" in door.get(where).content.decode()
    with broker.app() as conn:
        partners.add_step(conn, one, "rejected", by="anna", reason="Your country is not served.")
    text = door.get(where).content.decode()
    assert "Your country is not served." in text
    assert "anna" not in text
    assert door.get("/application/guessed/").status_code == 404
    assert door.put(where).status_code == 405
    assert door.get("/apply/nobody/").status_code == 404
    assert door.get("/apply/main/").status_code == 200


def test_without_an_agreement_nobody_applies(module_db: Any, broker: Any, door: Any) -> None:
    with broker.app() as conn:
        conn.execute("INSERT INTO market_entity (code, name) VALUES ('second', 'Second Brand')")
    assert door.get("/apply/second/").status_code == 404
    chosen = door.get("/apply/").content.decode()
    assert "/apply/main/" in chosen
    assert "/apply/second/" not in chosen


SCREENS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]


def test_in_a_browser(broker: Any, open_page: Any) -> None:
    page = open_page("/apply/main/?partner=MASTER", width=390)
    assert page.get_by_label("Who invited you").input_value() == "MASTER"
    assert not page.get_by_label("Leave this empty").is_visible() or page.evaluate(
        "document.querySelector('.trap').getBoundingClientRect().width <= 1")  # fmt: skip
    page.get_by_role("button", name="Send the application").click()
    assert page.locator("#id_name_error").inner_text().strip()
    open_page.shoot(page, "apply_refused_390_light")
    page.get_by_label("Your name").fill("Sofia Marques")
    page.get_by_label("E-mail").fill("sofia@ib.example")
    page.get_by_label("Country").select_option("PT")
    page.get_by_label("I have read and accept").check()
    page.get_by_role("button", name="Send the application").click()
    page.get_by_role("heading", name="We have your application").wait_for()
    where = page.url[len(open_page.url) :]
    for name, path in (("apply", "/apply/main/"), ("application", where)):
        page.goto(open_page.url + path)
        assert not open_page.sticks_out(page, SCREENS, name)
