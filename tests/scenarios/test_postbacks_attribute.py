"""Stories of clients who come by a link: whose they become, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
from s2s_broker import DAY, NOW, Site

from pipshare import attribution, inbox

E8 = 10**8


@pytest.fixture
def site(ready: Any) -> Site:
    return ready(Site)


def test_a_click_on_one_device_a_registration_on_another_weeks_later(site: Site) -> None:
    """The click id comes from the broker's own storage: no cookie, no device is involved."""
    click = site.click("P-2", NOW - 80 * DAY)
    registered = NOW - DAY
    assert site.post("registration", client="C-1", click_id=click, at=registered) == (
        "accepted", "",
    )  # fmt: skip
    site.settle()
    assert site.relations() == {"C-1": ("P-2", registered)}
    assert site.events() == [("s2s:site", "registration:C-1", "registration", "C-1", 0, "", "")]
    assert site.outcome(client="C-1") == ("attributed", "attributed")


def test_a_typed_code_beats_the_link_in_any_case_of_letters(site: Site) -> None:
    site.post("registration", client="C-1", click_id=site.click("P-2"), partner="p-3")
    site.settle()
    assert site.whose() == {"C-1": "P-3"}
    claims = attribution.why_client(site.conn, 1)["claims"]
    assert [(one["via"], one["partner"], one["reason"]) for one in claims] == [
        ("partner_code", "P-3", "attributed"), ("click", "P-2", "stronger_claim"),
    ]  # fmt: skip


def test_a_wrong_code_leaves_the_link(site: Site) -> None:
    click = site.click("P-2")
    assert site.post("registration", client="C-1", click_id=click, partner="P-8") == (
        "accepted", "unknown_partner",
    )  # fmt: skip
    site.settle()
    assert site.whose() == {"C-1": "P-2"}


@pytest.mark.parametrize(("model", "wanted"), [("last", "P-3"), ("first", "P-1")])
def test_the_last_or_first_click_of_a_visitor(site: Site, model: str, wanted: str) -> None:
    site.set_rules(model=model)
    site.click("P-1", NOW - 5 * DAY, visitor="v")
    told = site.click("P-2", NOW - 4 * DAY, visitor="v")
    site.click("P-3", NOW - 3 * DAY, visitor="v")
    site.click("P-2", NOW - 2 * DAY, visitor="v", kind=1)  # a robot with the visitor's cookie
    site.click("P-1", NOW - 6 * DAY, visitor="w")
    site.post("registration", client="C-1", click_id=told, at=NOW - DAY)
    site.settle()
    assert site.whose() == {"C-1": wanted}


def test_cleared_cookies_make_another_visitor_and_the_click_told_counts(site: Site) -> None:
    told = site.click("P-2", NOW - 4 * DAY, visitor="v")
    site.click("P-3", NOW - 3 * DAY, visitor="after clearing")
    site.post("registration", client="C-1", click_id=told)
    site.settle()
    assert site.whose() == {"C-1": "P-2"}


def test_a_client_is_a_partner_s_for_life(site: Site) -> None:
    site.post("registration", client="C-1", click_id=site.click("P-2"))
    site.settle()
    other = site.click("P-3")
    assert site.post("registration", client="C-1", click_id=other, txid="again") == (
        "rejected", "client_of_another_partner",
    )  # fmt: skip
    assert site.post("deposit", client="C-1", click_id=other, txid="7", amount="50",
                     currency="USD") == ("accepted", "client_of_another_partner")  # fmt: skip
    site.settle()
    assert site.whose() == {"C-1": "P-2"}
    assert site.outcome(txid="7") == ("kept", "client_of_another_partner")
    assert site.events()[0][1:5] == ("deposit:7", "deposit", "C-1", 50 * E8)


def test_a_client_loaded_with_a_partner_or_as_direct_stays(site: Site) -> None:
    site.load("clients", "client,partner\nC-1,P-1\nC-2,direct\nC-3,\n")
    click = site.click("P-2")
    for code in ("C-1", "C-2"):
        assert site.post("registration", client=code, click_id=click)[0] == "rejected"
    assert site.post("registration", client="C-3", click_id=click)[0] == "accepted"
    site.settle()
    assert site.whose() == {"C-1": "P-1", "C-2": None, "C-3": "P-2"}


def test_a_duplicate_registration_with_another_click_changes_nothing(site: Site) -> None:
    first, second = site.click("P-2"), site.click("P-3")
    assert site.post("registration", client="C-1", click_id=first)[0] == "accepted"
    assert site.post("registration", client="C-1", click_id=second) == (
        "rejected", "other_content",
    )  # fmt: skip
    assert site.post("registration", client="C-1", click_id=first) == ("duplicate", "repeated")
    site.settle()
    assert site.whose() == {"C-1": "P-2"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"click_id": "0" * 26}, "unknown_click"),
        ({"click_id": "v" * 26}, "click_in_the_future"),
        ({"click_id": "<script>x"}, "unknown_click"),
        ({"partner": "P-8"}, "unknown_partner"),
        ({"partner": "P-9"}, "unknown_partner"),
        ({"entity": "other"}, "other_entity"),
    ],
)
def test_a_registration_that_claims_nothing_sound_is_refused(
    site: Site, told: dict[str, str], reason: str
) -> None:
    assert site.post("registration", client="C-1", **told) == ("rejected", reason)
    site.settle()
    assert site.relations() == {}
    assert site.events() == []
    (logged,) = inbox.postbacks(site.conn, reason=reason)
    assert (logged.client, logged.verdict, logged.tracker) == ("C-1", "rejected", "site")


def test_a_click_after_the_registration_did_not_bring_the_client(site: Site) -> None:
    click = site.click("P-2", NOW - DAY)
    told = {"client": "C-1", "click_id": click, "at": NOW - 2 * DAY}
    assert site.post("registration", **told) == ("rejected", "click_after_registration")
    site.load("clients", "client\nC-1\n")
    assert site.post("registration", **told) == ("accepted", "click_after_registration")
    site.settle()
    assert site.relations() == {}
    assert site.outcome(client="C-1") == ("refused", "click_after_registration")


def test_a_click_of_another_entity_s_partner(site: Site) -> None:
    click = site.click("P-9")
    assert site.post("registration", client="C-1", click_id=click) == ("rejected", "other_entity")
    site.tracker("elsewhere", "other")
    assert site.post("registration", by="elsewhere", client="C-1", click_id=click)[0] == "accepted"
    site.settle()
    assert site.whose() == {"C-1": "P-9"}


def test_an_archived_link_a_terminated_partner_an_old_click(site: Site) -> None:
    site.load("partners", "partner,status,valid_from\nP-3,terminated,2026-01-01T00:00:00Z\n")
    told = {
        "C-1": (site.click("P-2", is_archived=True), "link_archived"),
        "C-2": (site.click("P-3"), "partner_terminated"),
        "C-3": (site.click("P-2", NOW - 91 * DAY), "outside_window"),
    }
    for client, (click, _) in told.items():
        assert site.post("registration", client=client, click_id=click, at=NOW)[0] == "accepted"
    site.settle()
    assert site.relations() == {}
    assert len(site.events()) == 3
    for client, (_, reason) in told.items():
        assert site.outcome(client=client) == ("refused", reason)


def test_a_partner_does_not_refer_himself(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    site.load("partners", "partner,own_client\nP-2,C-1\n")
    site.post("registration", client="C-1", partner="P-2")
    site.settle()
    assert site.relations() == {}
    assert site.outcome(client="C-1") == ("refused", "own_client")
    (alert,) = [one for one in inbox.alerts(site.conn) if one.code == "self_referral"]
    assert "P-2" in alert.message


def test_a_deposit_brings_whom_the_crm_made_known(site: Site) -> None:
    """Without a registration's own claim a later postback's click counts."""
    site.load("clients", "client\nC-1\n")
    site.load("events", "event,kind,at,client\nr,registration,2026-10-01T00:00:00Z,C-1\n")
    before = site.click("P-2", 1_790_000_000_000)
    site.post("deposit", client="C-1", click_id=before, txid="1", amount="5", currency="USD")
    site.settle()
    assert site.relations() == {"C-1": ("P-2", 1_790_812_800_000)}


def test_two_with_one_identity_at_once(site: Site) -> None:
    one = site.sent("registration", client="C-1", click_id=site.click("P-2"))
    other = site.sent("registration", client="C-1", click_id=site.click("P-3"))
    answers = site.take(one, other, one)
    assert [answer.verdict for answer in answers] == ["accepted", "rejected", "duplicate"]
    assert len({answer.id for answer in answers}) == 3
