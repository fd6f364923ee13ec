"""What is said to the outside: milestones, trades, commissions and their reversals, each once."""

from __future__ import annotations

import json
from typing import Any

from small_broker import SmallBroker, manager, manager_row

from pipshare import outbox, partners
from pipshare.facts.clicks import Click, click_id
from pipshare.inbox.clicks import store_clicks
from pipshare.partners import Tracking
from pipshare.pipeline.rest import to_rest

EVENTS = "source,event,kind,client,at,amount,currency,reference,cleared_at\n"
REGISTERED = "crm,r-1,registration,C-1,2026-03-01T08:00:00Z,,,,\n"
DEPOSIT = "crm,d-1,deposit,C-1,2026-03-01T09:00:00Z,250.00,USD,,\n"


def _listen(broker: SmallBroker, partner: str = "P-2", **settings: Any) -> None:
    ids = dict(broker.conn.execute("SELECT code, id FROM partners_partner").fetchall())
    outbox.add(
        broker.conn, 1, "postback", f"tracker of {partner or 'all'}",
        {"url": "https://tracker.example.com/?t={txid}", **settings},
        partner_id=ids.get(partner), partner=partner, by="anna",
    )  # fmt: skip
    broker.conn.commit()
    broker.run.current()


def _said(broker: SmallBroker) -> list[tuple[str, dict[str, Any]]]:
    rows = broker.conn.execute("SELECT type, data FROM outbox_message ORDER BY id").fetchall()
    return [(kind, data if isinstance(data, dict) else json.loads(data)) for kind, data in rows]


def _types(broker: SmallBroker) -> list[str]:
    return [kind for kind, _ in _said(broker)]


def test_nobody_wants_anything_and_nothing_is_written(broker: SmallBroker) -> None:
    broker.load("events", EVENTS + REGISTERED + DEPOSIT)
    broker.bring("a.csv", manager(manager_row(11)))
    assert _types(broker) == []


def test_a_clients_way_is_said_step_by_step_and_once(broker: SmallBroker) -> None:
    _listen(broker)
    broker.load("events", EVENTS + REGISTERED)
    broker.load("events", EVENTS + REGISTERED + DEPOSIT)
    broker.bring("a.csv", manager(manager_row(11)))
    to_rest(broker.run)
    broker.bring("b.csv", manager(manager_row(11), manager_row(12)))
    to_rest(broker.run)
    said = _said(broker)
    assert sorted(kind for kind, _ in said) == sorted([
        "client.registered", "client.qualified", "client.first_trade", "trade.closed",
        "trade.closed", "commission.posted", "commission.posted", "commission.posted",
        "commission.posted",
    ])  # fmt: skip
    told = dict(said[::-1])
    assert told["client.registered"] == {
        "entity": "main", "client": "C-1", "partner": "P-2", "chain": ["P-2", "P-1"], "txid": "r-1",
    }  # fmt: skip
    assert (told["client.qualified"]["amount"], told["client.qualified"]["txid"]) == (
        "250.00",
        "d-1",
    )
    assert told["client.first_trade"]["txid"] == "Live-4-11"
    trade = told["trade.closed"]
    assert (trade["ticket"], trade["lots"], trade["symbol"]) == ("11", "0.10", "EURUSD")
    assert trade["earned"] == {"P-2": {"amount": "0.50", "currency": "USD"},
                               "P-1": {"amount": "0.10", "currency": "USD"}}  # fmt: skip


def test_a_correction_says_what_is_taken_back(broker: SmallBroker) -> None:
    _listen(broker, "")
    broker.bring("a.csv", manager(manager_row(11, "0.30")), as_of_ms=1_772_600_000_000)
    broker.bring("b.csv", manager(manager_row(11, "0.10")), as_of_ms=1_772_700_000_000)
    said = [(kind, data.get("amount"), data["txid"], data.get("reference"))
            for kind, data in _said(broker) if kind.startswith("commission")]  # fmt: skip
    first, above = "Live-4-11-lots-P-2", "Live-4-11-lots-P-1"
    assert said == [
        ("commission.posted", "1.50", first, None), ("commission.posted", "0.30", above, None),
        ("commission.reversed", "-1.00", f"{first}-2", first),
        ("commission.reversed", "-0.20", f"{above}-2", above),
    ]  # fmt: skip
    assert [data["revision"] for kind, data in _said(broker) if kind == "trade.closed"] == [
        "1",
        "2",
    ]


def test_a_chargeback_takes_back_what_was_said_and_a_new_deposit_qualifies_anew(
    broker: SmallBroker,
) -> None:
    _listen(broker)
    broker.load("events", EVENTS + DEPOSIT)
    lost = "crm,x-1,chargeback_lost,C-1,2026-03-05T09:00:00Z,,,d-1,\n"
    broker.load("events", EVENTS + lost)
    broker.load("events", EVENTS + "crm,d-2,deposit,C-1,2026-03-06T09:00:00Z,80,USD,,\n")
    told = [(kind, data["txid"], data.get("reference")) for kind, data in _said(broker)]
    assert told == [
        ("client.qualified", "d-1", None), ("deposit.reversed", "x-1", "d-1"),
        ("client.qualified", "d-2", None),
    ]  # fmt: skip


def test_a_reversal_that_comes_first_lets_nothing_be_said(broker: SmallBroker) -> None:
    _listen(broker)
    gone = "crm,x-1,deposit_reversed,C-1,2026-03-05T09:00:00Z,,,d-1,\n"
    broker.load("events", EVENTS + gone)
    broker.load("events", EVENTS + DEPOSIT)
    assert _types(broker) == []


def test_what_waits_for_a_partner_is_said_when_he_has_one(broker: SmallBroker) -> None:
    _listen(broker)
    broker.load("clients", "client,partner\nC-9,\n")
    broker.load("events", EVENTS + "crm,r-9,registration,C-9,2026-03-01T08:00:00Z,,,,\n")
    assert _types(broker) == []
    broker.load("relations", "kind,code,partner\nclient,C-9,P-2\n")
    assert _types(broker) == ["client.registered"]


def test_what_was_before_go_live_is_not_said(broker: SmallBroker) -> None:
    _listen(broker)
    broker.load("events", EVENTS + "crm,r-1,registration,C-1,2025-03-01T08:00:00Z,,,,\n")
    broker.bring("old.csv", manager(manager_row(11, **{
        "Open Time": "2025.03.02 10:00:00", "Close Time": "2025.03.02 11:00:00",
    })))  # fmt: skip
    to_rest(broker.run)
    assert _types(broker) == []


def test_only_cleared_deposits_that_reach_the_setting_qualify(broker: SmallBroker) -> None:
    _listen(broker)
    asked = Tracking(qualified_amount="100", qualified_currency="USD")
    partners.set_tracking(broker.conn, 1, asked, by="anna")
    small = "crm,d-1,deposit,C-1,2026-03-01T09:00:00Z,60,USD,,\n"
    later = "crm,d-2,deposit,C-1,2026-03-02T09:00:00Z,50,USD,,2099-01-01T00:00:00Z\n"
    broker.load("events", EVENTS + small + later)
    assert _types(broker) == []
    broker.load("events", EVENTS + "crm,d-3,deposit,C-1,2026-03-03T09:00:00Z,40,USD,,\n")
    ((kind, data),) = _said(broker)
    assert (kind, data["txid"], data["amount"]) == ("client.qualified", "d-3", "100.00")


def test_a_message_gives_the_tracker_its_own_click_id_back(broker: SmallBroker) -> None:
    _listen(broker)
    partner = partners.partner(broker.conn, "P-2")
    landing = partners.add_landing(broker.conn, 1, "home", "https://broker.example.com/", by="a")
    link = partners.add_link(broker.conn, partner, code="spring", campaign="c-7", landing=landing,
                             by="anna")  # fmt: skip
    click = Click(click_id(1_772_355_600_000, b"0123456789"), link.id, partner.id,
                  subs=("theirs-1", "", "", "", ""))  # fmt: skip
    store_clicks(broker.conn, [click])
    broker.conn.execute(
        "INSERT INTO attribution_claim (client_id, via, evidence, partner_id, moment,"
        " registered_at, told_by, told_id, decision, reason, detail)"
        " SELECT id, 'click', %s, %s, now(), now(), 's2s:crm', '1', 'attributed', '', ''"
        " FROM clients_client", (click.id, partner.id),
    )  # fmt: skip
    broker.load("events", EVENTS + REGISTERED)
    ((_, data),) = _said(broker)
    assert (data["click_id"], data["sub1"], data["link"], data["campaign"]) == (
        click.id, "theirs-1", "spring", "c-7",
    )  # fmt: skip
    assert "sub2" not in data


def test_a_bonus_is_said_once_though_held_and_released_and_taken_back_once(
    broker: SmallBroker,
) -> None:
    broker.plan(CPA)
    _listen(broker)
    broker.events("d-1,deposit,C-1,2026-03-01T09:00:00Z,250.00,USD,,crm")
    broker.events("k-1,kyc_approved,C-1,2026-03-02T09:00:00Z,,,,crm")
    broker.events("x-1,chargeback_lost,C-1,2026-03-05T09:00:00Z,,,d-1,crm")
    broker.events("d-2,deposit,C-1,2026-03-07T09:00:00Z,300.00,USD,,crm")
    told = [(kind, data["txid"], data.get("reference"), data["amount"])
            for kind, data in _said(broker) if kind.startswith("commission")]  # fmt: skip
    first = "cpa-C-1-P-2"
    assert [one[1:] for one in told[:1]] == [(first, None, "200.00")]
    assert [(kind, reference, amount) for kind, _, reference, amount in told[1:]] == [
        ("commission.reversed", first, "-200.00"), ("commission.posted", first, "200.00"),
    ]  # fmt: skip
    assert len({data["txid"] for _, data in _said(broker)}) == len(_said(broker))


CPA = """[programme]
code = "std"
currency = "USD"
kyc = "hold"

[[component]]
code = "cpa"
basis = "fixed"
event = "qualified"
mode = "per_level"
qualify = { first_deposit = 100 }
rate = [{ level = 1, amount = "200" }]
"""
