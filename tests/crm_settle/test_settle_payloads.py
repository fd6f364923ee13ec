"""What becomes of a CRM's payloads: clients, accounts, events, whose they are; and what waits."""

from __future__ import annotations

import json
import time
from typing import Any

import psycopg
import pytest

from pipshare import db as pg
from pipshare import inbox
from pipshare.errors import Missing
from pipshare.inbox import NewPayload
from pipshare.pipeline import Run
from pipshare.pipeline.crm import taking
from pipshare.pipeline.crm.settle import settle_one, settle_payloads
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.loads import load

NOW = time.time_ns() // 1_000_000
LOADS = {
    "servers": "server,platform,clock,go_live\nLive-4,mt4,UTC,2026-01-01T00:00:00Z\n",
    "partners": "partner,name,parent\nP-1,Master,\nP-2,Sub,P-1\n",
}
FIELDS = ("event", "at", "client", "amount", "currency", "reference", "country", "server", "login",
          "group", "click_id", "partner_code", "crm_field", "tag", "tag_partner",
          "link")  # fmt: skip
_CLAIMS = FIELDS[-6:]
_KINDS = {"registration": ("country", *_CLAIMS), "deposit": ("amount", "currency"),
          "chargeback_lost": ("reference",),
          "account.opened": ("server", "login", "group", "currency", *_CLAIMS),
          "client.updated": ("country", *_CLAIMS), "client.claimed": _CLAIMS}  # fmt: skip
# A mapping whose payloads are in the names of events already; what is not there is left out.
MAPPING: dict[str, Any] = {
    "format": 1,
    "name": "plain",
    "rules": [
        {
            "name": kind,
            "when": [{"from": "kind", "is": kind}],
            "kind": kind,
            "fields": [{"field": name, "from": name}
                       for name in ("event", "at", "client", *may)],
        }
        for kind, may in _KINDS.items()
    ],
}  # fmt: skip
RELATIONS = f"""
SELECT c.code, p.code, {pg.ms("r.valid_from")}, r.recorded_by
  FROM partners_client r JOIN clients_client c ON c.id = r.client_id
  LEFT JOIN partners_partner p ON p.id = r.partner_id ORDER BY 1, r.id
"""


class Crm:
    """A broker with one webhook endpoint, `crm`."""

    def __init__(self, conn: Any, folder: Any) -> None:
        self.conn, self.folder, self.run = conn, folder, Run(conn)
        for kind, text in LOADS.items():
            self.load(kind, text)
        self.endpoint = inbox.add_endpoint(conn, 1, "crm", "webhook", by="amy")
        self.publish(MAPPING)

    def load(self, kind: str, text: str) -> None:
        path = self.folder / f"{kind}.csv"
        path.write_text(text)
        assert not any(one.refused for one in load(self.run, kind, path, by="anna").reports)
        self.conn.commit()

    def publish(self, mapping: Any) -> None:
        inbox.publish_mapping(self.conn, self.endpoint, mapping, by="amy")
        self.conn.commit()

    def send(self, *told: Any) -> str:
        """Store records as one payload, settle, and return its number."""
        one = NewPayload(self.endpoint.id, NOW, json.dumps(list(told)).encode())
        inbox.store_payloads(self.conn, [one])
        self.conn.commit()
        settle_payloads(self.run)
        return one.id

    def outcomes(self, payload: str) -> list[tuple[int, str, str]]:
        found = inbox.payload_items(self.conn, payload)
        return [(one.item, one.outcome, one.reason) for one in found]

    def relations(self) -> list[Any]:
        return self.conn.execute(RELATIONS).fetchall()


@pytest.fixture
def crm(db: Any, tmp_path: Any) -> Any:
    with db.app() as conn:
        yield Crm(conn, tmp_path)


def told(kind: str, event: str, client: str = "C-1", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "event": event, "client": client, "at": "2026-05-01T10:00:00Z", **more}


def test_a_registration_makes_the_client_and_his_relation(crm: Crm) -> None:
    id_ = crm.send(told("registration", "r1", country="CY", partner_code="p-2"))
    assert crm.outcomes(id_) == [(1, "new", ""), (1, "attributed", "attributed")]
    at = 1_777_629_600_000
    assert crm.relations() == [("C-1", "P-2", at, "crm:crm")]
    row = crm.conn.execute("SELECT country FROM clients_country").fetchall()
    assert row == [("CY",)]


def test_the_same_again_changes_nothing_and_decides_nothing_again(crm: Crm) -> None:
    one = told("registration", "r1", partner_code="P-2", click_id="nobody")
    crm.send(one)
    id_ = crm.send(one, told("deposit", "d1", amount="500", currency="USD"))
    assert crm.outcomes(id_) == [(1, "repeated", ""), (2, "new", "")]
    count = crm.conn.execute("SELECT count(*) FROM attribution_claim").fetchone()
    assert count == (2,)  # the code followed, the click that nobody knows
    assert len(crm.relations()) == 1


def test_of_several_claims_the_stated_order_decides(crm: Crm) -> None:
    crm.load("partners", "partner,name,parent\nP-3,Third,\n")
    crm.send(told("registration", "r1", partner_code="P-2", crm_field="P-3",
                  tag="a9-b1-p1", tag_partner="P-1"))  # fmt: skip
    assert [row[1] for row in crm.relations()] == ["P-3"]
    claims = crm.conn.execute("SELECT via, decision, reason FROM attribution_claim ORDER BY 1")
    assert claims.fetchall() == [
        ("crm", "attributed", "attributed"),
        ("partner_code", "kept", "stronger_claim"),
        ("tag", "kept", "stronger_claim"),
    ]


def test_what_names_a_client_whom_nobody_knows_waits_for_him(crm: Crm) -> None:
    early = crm.send(
        told("client.claimed", "x1", crm_field="P-1"),
        told("account.opened", "a1", server="Live-4", login="1001", group="vip", currency="USD"),
        told("deposit", "d1", amount="500", currency="USD"),
    )
    assert crm.outcomes(early) == [
        (1, "waits", "unknown_client"), (2, "waits", "unknown_client"),
        (3, "new", "unknown_client"),
    ]  # fmt: skip
    assert inbox.payloads(crm.conn, waits=True)[0].waits == 2
    crm.send(told("registration", "r1"))
    told_later = [one for one in crm.outcomes(early) if one[1] != "waits"]
    assert told_later == [
        (1, "attributed", "attributed"), (2, "noted", ""), (3, "new", "unknown_client"),
    ]  # fmt: skip
    assert [row[:2] for row in crm.relations()] == [("C-1", "P-1")]
    accounts = crm.conn.execute("SELECT login FROM clients_account").fetchall()
    assert accounts == [(1001,)]
    assert inbox.payloads(crm.conn, waits=True) == []


def test_a_client_of_a_partner_who_comes_later_becomes_his(crm: Crm) -> None:
    id_ = crm.send(told("registration", "r1", crm_field="NEW-1"))
    assert crm.outcomes(id_) == [(1, "new", ""), (1, "waits", "unknown_partner")]
    assert crm.relations() == []
    crm.load("partners", "partner,name\nNEW-1,Newcomer\n")
    settle_payloads(crm.run)
    assert [row[:2] for row in crm.relations()] == [("C-1", "NEW-1")]
    assert crm.outcomes(id_)[-1] == (1, "attributed", "attributed")


def test_who_waits_for_a_partner_still_waits_after_a_replay(crm: Crm) -> None:
    id_ = crm.send(told("registration", "r1", crm_field="NEW-1"))
    for _ in range(2):
        assert inbox.settle_payloads_again(crm.conn, [id_], by="amy") == 1
        settle_payloads(crm.run)
        assert crm.outcomes(id_) == [(1, "repeated", ""), (1, "waits", "unknown_partner")]
    assert inbox.payloads(crm.conn, waits=True)[0].waits == 1
    crm.load("partners", "partner,name\nNEW-1,Newcomer\n")
    settle_payloads(crm.run)
    assert [row[:2] for row in crm.relations()] == [("C-1", "NEW-1")]
    assert inbox.payloads(crm.conn, waits=True) == []


def test_a_bad_item_costs_its_neighbours_nothing(crm: Crm) -> None:
    id_ = crm.send(
        told("registration", "r1"),
        told("deposit", "d1", amount="1,000.50", currency="USD"),
        told("deposit", "d2", amount="100", currency="USD", at="2099-01-01T00:00:00Z"),
        told("deposit", "d3", amount="100", currency="XQQ"),
        told("account.opened", "a1", server="Nowhere", login="7"),
        told("deposit", "d4", amount="100", currency="USD"),
    )
    found = {one.item: one for one in inbox.payload_items(crm.conn, id_)}
    assert [(n, found[n].outcome, found[n].field) for n in (2, 3, 4)] == [
        (2, "problem", "amount"), (3, "problem", "at"), (4, "problem", "currency"),
    ]  # fmt: skip
    assert "1,000.50" in found[2].detail
    assert found[5].outcome == "refused"
    assert "Nowhere" in found[5].detail
    assert (found[1].outcome, found[6].outcome) == ("new", "new")
    alerts = {one.code: one.message for one in inbox.alerts(crm.conn)}
    assert "pipshare crm log --endpoint crm --problems" in alerts["crm_problem"]


def test_a_mended_mapping_is_replayed_and_nothing_comes_twice(crm: Crm) -> None:
    broken = {**MAPPING, "rules": [one for one in MAPPING["rules"] if one["name"] != "deposit"]}
    crm.publish(broken)
    id_ = crm.send(told("registration", "r1", partner_code="P-1"),
                   told("deposit", "d1", amount="5", currency="USD"))  # fmt: skip
    assert crm.outcomes(id_)[-1] == (2, "problem", "no_rule")
    crm.publish(MAPPING)
    assert inbox.settle_payloads_again(crm.conn, [id_], by="amy") == 1
    settle_payloads(crm.run)
    assert crm.outcomes(id_) == [(1, "repeated", ""), (2, "new", "")]
    assert len(inbox.payload_items(crm.conn, id_, all_runs=True)) == 5
    assert not [one for one in inbox.alerts(crm.conn) if one.code == "crm_problem"]
    assert len(crm.relations()) == 1


def test_an_account_of_another_client_is_proposed_once(crm: Crm) -> None:
    crm.send(told("registration", "r1"), told("registration", "r2", "C-2"),
             told("account.opened", "a1", server="Live-4", login="1001"))  # fmt: skip
    again = told("account.opened", "a2", "C-2", server="Live-4", login="1001")
    id_ = crm.send(again)
    assert crm.outcomes(id_) == [(1, "proposed", "other_owner")]
    id_ = crm.send(again, told("deposit", "d9", "C-2", amount="1", currency="USD"))
    assert crm.outcomes(id_)[0] == (1, "refused", "other_owner")
    assert crm.conn.execute("SELECT count(*) FROM audit_proposal").fetchone() == (1,)


def test_one_payload_is_settled_at_once_for_a_sender_who_waits(crm: Crm) -> None:
    one = NewPayload(crm.endpoint.id, NOW, json.dumps(told("registration", "r1")).encode())
    other = NewPayload(crm.endpoint.id, NOW, b"[]")
    inbox.store_payloads(crm.conn, [one, other])
    settle_one(crm.conn, one.id)
    assert crm.outcomes(one.id) == [(1, "new", "")]
    assert [due.id for due in inbox.take_due_payloads(crm.conn, 9)] == [other.id]


def test_a_registration_in_another_order_of_payloads_ends_the_same(crm: Crm) -> None:
    late = told("registration", "r1", partner_code="P-1")
    crm.send(told("client.updated", "u1", country="DE"), told("client.claimed", "x", tag="P-2"))
    crm.send(late)
    assert [row[:2] for row in crm.relations()] == [("C-1", "P-1")]
    claims = crm.conn.execute("SELECT via, decision FROM attribution_claim ORDER BY 1").fetchall()
    assert claims == [("partner_code", "attributed"), ("tag", "kept")]


def test_an_event_is_explained_through_all_stages(crm: Crm) -> None:
    first = crm.send(told("registration", "r1", partner_code="P-2"))
    crm.send(
        told("registration", "r1", partner_code="P-2"), told("client.claimed", "x1", tag="P-1")
    )
    found = explain_event(crm.run, "r1")
    stages = [one["stage"] for one in found.effects]
    assert stages[:4] == ["inbox", "inbox", "inbox", "clients"]
    texts = "\n".join(one["text"] for one in found.effects)
    assert f"item 1 of payload {first}, rule registration: new" in texts
    assert "partner code P-2 of P-2, told by crm:crm: attributed" in texts
    claim = explain_event(crm.run, "x1", "crm")
    assert (claim.event["kind"], claim.event["client"]) == ("client.claimed", "C-1")
    assert [one["stage"] for one in claim.effects] == ["inbox", "attribution"]
    with pytest.raises(Missing, match="no event 'nothing'"):
        explain_event(crm.run, "nothing")


def test_two_doors_that_disagree_are_shown_and_nobody_is_moved(crm: Crm) -> None:
    crm.load("partners", "partner,name\nP-3,Third\n")
    crm.send(told("registration", "r1", partner_code="P-2"))
    crm.send(told("registration", "other-r1", crm_field="P-3"))
    assert [row[1] for row in crm.relations()] == ["P-2"]
    [alert] = [one for one in inbox.alerts(crm.conn) if one.code == "other_partner"]
    assert "client C-1 is P-2's" in alert.message
    assert "P-3's by crm P-3" in alert.message
    crm.send(told("client.claimed", "later", crm_field="P-3"))  # a later word is no contradiction
    assert [one.count for one in inbox.alerts(crm.conn) if one.code == "other_partner"] == [1]


@pytest.mark.parametrize("fault", [ZeroDivisionError, psycopg.errors.ProgramLimitExceeded])
def test_a_payload_that_makes_settling_fail_stops_nobody(
    crm: Crm, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    right = taking.canonical

    def failing(mapped: Any, **given: Any) -> Any:
        if any(one.fields["event"] == "bomb" for one in mapped):
            raise fault("C-1 lives in Nicosia")
        return right(mapped, **given)

    monkeypatch.setattr(taking, "canonical", failing)
    some = [NewPayload(crm.endpoint.id, NOW, json.dumps(one).encode())
            for one in (told("registration", "r1"), told("deposit", "bomb", amount="1",
                        currency="USD"), told("registration", "r2", "C-2"))]  # fmt: skip
    inbox.store_payloads(crm.conn, some)
    settle_payloads(crm.run)
    assert [crm.outcomes(one.id)[0][1] for one in some] == ["new", "problem", "new"]
    [item] = inbox.payload_items(crm.conn, some[1].id)
    assert (item.reason, "Nicosia" in item.detail) == ("settling_failed", False)
    assert not inbox.any_payload_due(crm.conn)
    monkeypatch.setattr(taking, "canonical", right)
    inbox.settle_payloads_again(crm.conn, [some[1].id], by="amy")
    settle_payloads(crm.run)
    assert crm.outcomes(some[1].id) == [(1, "new", "")]


def test_an_item_that_waited_and_fails_stops_no_other(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = crm.send(told("client.claimed", "bomb", tag="P-1"),
                     told("client.claimed", "x2", "C-2", tag="P-2"))  # fmt: skip
    right = taking.canonical

    def failing(mapped: Any, **given: Any) -> Any:
        if any(one.fields["event"] == "bomb" for one in mapped):
            raise ZeroDivisionError
        return right(mapped, **given)

    monkeypatch.setattr(taking, "canonical", failing)
    crm.send(told("registration", "r1"), told("registration", "r2", "C-2"))
    assert [row[:2] for row in crm.relations()] == [("C-2", "P-2")]
    assert (1, "problem", "settling_failed") in crm.outcomes(early)
    assert inbox.payloads(crm.conn, waits=True) == []
