"""The room Onboarding: applications are looked at, decided and erased by whoever may."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipshare import partners
from pipshare.facts.reading import read_table
from pipshare.partners import Applicant
from pipshare.pipeline import onboarding

ANA = Applicant("Ana Lopes", "ana@ib.example", "Lopes Lda", "PT", "+351 1", "https://ana.example",
                "I teach <b>trading</b>.", "198.51.100.9", "Firefox")  # fmt: skip


@pytest.fixture(scope="module")
def broker(site: Any) -> Any:
    """A broker with a master IB and an agreement."""
    with site.app() as conn:
        frame, _ = read_table(b"partner,name\nMASTER,The master", "partners")
        partners.load_partners(conn, frame)
        onboarding.publish(conn, 1, "partner", "IB agreement", "We pay. You behave.\n" * 40,
                           valid_from_ms=0, by="anna")  # fmt: skip
    return site


def applied(broker: Any, who: Applicant = ANA, **given: Any) -> Any:
    with broker.app() as conn:
        agreed = partners.agreements_at(conn, 1, time.time_ns() // 1_000_000)
        told = {"currency": "EUR", "parent": "MASTER", **given}
        return onboarding.apply(conn, 1, who, agreed, **told)


def now(broker: Any, one: Any) -> Any:
    with broker.app() as conn:
        return partners.application(conn, one.id)


def test_an_application_is_screened_and_approved(broker: Any, client: Any) -> None:
    one = applied(broker)
    staff = client("partner_manager")
    here = f"/onboarding/{one.id}/"
    assert "Ana Lopes" in staff.get("/onboarding/").content.decode()
    text = staff.get(here).content.decode()
    assert "&lt;b&gt;trading" in text
    assert "198.51.100.9" in text
    staff.post(f"{here}note/", {"what": "screening"})
    staff.post(f"{here}note/", {"what": "note", "note": "Licence seen."})
    assert "Licence seen." in staff.get(here).content.decode()
    form = staff.get(f"{here}approve/").content.decode()
    assert 'value="MASTER"' in form
    told = {"code": "IB-1", "name": "Lopes Lda", "parent": "MASTR", "currency": "EUR"}
    refused = staff.post(f"{here}approve/", told).content.decode()
    assert 'id="id_parent_error"' in refused
    assert "did you mean MASTER" in refused
    answer = staff.post(f"{here}approve/", {**told, "parent": "MASTER"})
    assert answer.status_code == 302
    assert now(broker, one).state == "approved"
    page = staff.get(answer.headers["Location"]).content.decode()
    assert "IB-1" in page
    assert f'href="{here}"' in page


def test_a_rejection_needs_a_reason_and_can_be_taken_back(broker: Any, client: Any) -> None:
    one = applied(broker)
    staff = client("compliance")
    here = f"/onboarding/{one.id}/"
    assert 'id="id_reason_error"' in staff.post(f"{here}reject/", {"reason": ""}).content.decode()
    staff.post(f"{here}reject/", {"reason": "Your country is not served."})
    assert now(broker, one).reason == "Your country is not served."
    assert (
        "Your country is not served." in staff.get("/onboarding/?state=rejected").content.decode()
    )
    staff.post(f"{here}note/", {"what": "screening"})
    assert now(broker, one).state == "screening"
    staff.post(f"{here}note/", {"what": "withdrawn"})
    assert now(broker, one).state == "withdrawn"
    assert staff.post(f"{here}note/", {"what": "anything"}).status_code == 400


def test_who_may_not_decide_is_offered_nothing(broker: Any, client: Any) -> None:
    one = applied(broker)
    auditor = client("auditor")
    text = auditor.get(f"/onboarding/{one.id}/").content.decode()
    for word in ("Approve", "Reject", "Erase the person", "Keep the note"):
        assert word not in text
    assert auditor.post(f"/onboarding/{one.id}/note/", {"what": "screening"}).status_code == 403
    manager = client("partner_manager")
    assert manager.post(f"/onboarding/{one.id}/erase/", {"reason": "x"}).status_code == 403
    assert manager.get("/onboarding/agreements/publish/").status_code == 403


def test_a_person_is_erased(broker: Any, client: Any) -> None:
    one = applied(broker, Applicant("Gone Person", "gone@ib.example"))
    staff = client("admin")
    here = f"/onboarding/{one.id}/"
    assert staff.post(f"{here}erase/", {"reason": ""}).status_code == 400
    assert staff.post(f"{here}erase/", {"reason": "asked for"}).status_code == 302
    text = staff.get(here).content.decode()
    assert "gone@ib.example" not in text
    assert "Erased person" in text
    assert "gone@ib.example" not in staff.get("/onboarding/?state=all").content.decode()


def test_agreements_are_published_in_versions(broker: Any, client: Any) -> None:
    staff = client("admin")
    told = {"code": "privacy", "title": "Privacy", "text": "We keep little.", "valid_from": ""}
    answer = staff.post("/onboarding/agreements/publish/", told)
    assert answer.status_code == 302
    again = staff.post("/onboarding/agreements/publish/", told).content.decode()
    assert "has this text" in again
    number = answer.headers["Location"].strip("/").split("/")[-1]
    begun = staff.get(f"/onboarding/agreements/publish/?of={number}").content.decode()
    assert "We keep little." in begun
    later = {**told, "text": "We keep less.", "valid_from": "2099-01-01 00:00"}
    staff.post("/onboarding/agreements/publish/", later)
    text = staff.get("/onboarding/agreements/").content.decode()
    assert "In force" in text
    assert "To come" in text
    assert "We keep little." in staff.get(answer.headers["Location"]).content.decode()
    assert staff.get("/onboarding/agreements/999/").status_code == 404


SCREENS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]


def test_in_a_browser(broker: Any, open_page: Any, person: Any) -> None:
    other = applied(broker, Applicant("Ben Okoro", "ana@ib.example", country="NG"), parent="NOBODY")
    one = applied(broker)
    admin = person("admin")
    with broker.app() as conn:
        partners.add_note(conn, one.id, "Called him; he has 200 followers.", by="ben")
        onboarding.reject(conn, other, "Your documents do not match.", by="ben")
        agreed = partners.agreement(conn, 1, "partner")
    page = open_page("/onboarding/?state=all", role=admin)
    for name, path in (("onboarding", "/onboarding/?state=all"),
                       ("one", f"/onboarding/{one.id}/"),
                       ("rejected", f"/onboarding/{other.id}/"),
                       ("approve", f"/onboarding/{one.id}/approve/"),
                       ("reject", f"/onboarding/{one.id}/reject/"),
                       ("agreements", "/onboarding/agreements/"),
                       ("agreement", f"/onboarding/agreements/{agreed.id}/"),
                       ("publish", "/onboarding/agreements/publish/")):  # fmt: skip
        page.goto(open_page.url + path)
        assert not open_page.sticks_out(page, SCREENS, f"room_{name}")
