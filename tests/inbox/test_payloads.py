"""CRM endpoints and payloads in the inbox: stored once, due once, waits, secrets, versions."""

from __future__ import annotations

import time
import zlib
from typing import Any

import pytest

from pipshare import inbox
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.inbox import NewPayload, PayloadItem, WaitingItem

NOW = time.time_ns() // 1_000_000


@pytest.fixture
def conn(db: Any) -> Any:
    with db.app() as conn:
        yield conn


@pytest.fixture
def endpoint(conn: Any) -> Any:
    return inbox.add_endpoint(conn, 1, "room", "webhook", preset="trader-room", by="amy",
                              verify=[{"method": "bearer"}])  # fmt: skip


def test_an_endpoint_is_found_changed_and_removed(conn: Any, endpoint: Any) -> None:
    assert inbox.endpoint(conn, "room") == endpoint
    with pytest.raises(Missing, match="did you mean room"):
        inbox.endpoint(conn, "roon")
    changed = inbox.change_endpoint(conn, endpoint, settings={"answer": "plain"}, by="amy")
    assert changed.settings == {"answer": "plain"}
    assert changed.verify == [{"method": "bearer"}]
    inbox.set_endpoint_state(conn, changed, "removed", by="amy")
    assert inbox.endpoints(conn) == []
    assert inbox.endpoints_by_id(conn, [endpoint.id])[endpoint.id].state == "removed"
    with pytest.raises(Conflict, match="maybe a removed one"):
        inbox.add_endpoint(conn, 1, "room", "webhook", by="amy")
    with pytest.raises(BadInput, match="small letters"):
        inbox.add_endpoint(conn, 1, "My Room", "webhook", by="amy")


def test_secrets_overlap_while_they_are_rotated(conn: Any, endpoint: Any) -> None:
    inbox.set_endpoint_secret(conn, endpoint, "first", by="amy")
    inbox.set_endpoint_secret(conn, endpoint, "second", by="amy")
    assert inbox.endpoint_secrets(conn, endpoint.id) == ["second", "first"]
    inbox.set_endpoint_secret(conn, endpoint, "third", by="amy", overlap_h=0)
    assert inbox.endpoint_secrets(conn, endpoint.id) == ["third", "first"]
    row = conn.execute("SELECT string_agg(encode(sealed, 'escape'), '') FROM inbox_endpoint_secret")
    assert "first" not in row.fetchone()[0]
    inbox.set_endpoint_state(conn, endpoint, "removed", by="amy")
    assert inbox.endpoint_secrets(conn, endpoint.id) == []
    assert inbox.rekey(conn) == 0


def test_the_newest_published_mapping_holds_and_none_is_lost(conn: Any, endpoint: Any) -> None:
    assert inbox.published(conn, endpoint.id) is None
    for number in (1, 2):
        told = {"format": 1, "name": f"v{number}"}
        assert inbox.publish_mapping(conn, endpoint, told, note="n", by="amy") == number
    found = inbox.published(conn, endpoint.id)
    assert found is not None
    assert (found.version, found.mapping["name"], found.by) == (2, "v2", "amy")
    assert [one.version for one in inbox.mapping_versions(conn, endpoint.id)] == [2, 1]


def test_a_payload_is_stored_once_by_delivery_or_by_content(conn: Any, endpoint: Any) -> None:
    def new(body: bytes, delivery: str = "") -> NewPayload:
        return NewPayload(endpoint.id, NOW, body, delivery=delivery)

    first, same, other = new(b"{}"), new(b"{}"), new(b"[]")
    signed, again, forged = new(b"{}", "m1"), new(b"{}", "m1"), new(b"[1]", "m1")
    told = inbox.store_payloads(conn, [first, same, other, signed])
    assert {one: (b.id, b.same) for one, b in told.items()} == {same.id: (first.id, True)}
    told = inbox.store_payloads(conn, [again, forged, new(b"[]")])
    assert told[again.id].id == signed.id
    assert told[again.id].same
    assert not told[forged.id].same
    assert inbox.payload_body(conn, first.id) == (b"{}", "application/json")
    due = inbox.take_due_payloads(conn, 10)
    assert [one.id for one in due] == sorted([first.id, other.id, signed.id])
    assert inbox.take_due_payloads(conn, 10) == []


def test_what_was_rejected_is_kept_and_not_due(conn: Any, endpoint: Any) -> None:
    bad = NewPayload(endpoint.id, NOW, b"{", verdict="rejected", reason="bad_json")
    assert inbox.store_payloads(conn, [bad]) == {}
    assert inbox.store_payloads(conn, [NewPayload(
        endpoint.id, NOW, b"{", verdict="rejected", reason="bad_json")]) == {}  # fmt: skip
    assert not inbox.any_payload_due(conn)
    assert [one.reason for one in inbox.payloads(conn, endpoint="room")] == ["bad_json"] * 2
    assert inbox.settle_payloads_again(conn, [bad.id], by="amy") == 0


def test_a_replay_is_a_run_of_its_own_and_the_newest_holds(conn: Any, endpoint: Any) -> None:
    mapped = zlib.compress(b"[]")
    one = NewPayload(endpoint.id, NOW, b"{}", mapped=mapped)
    inbox.store_payloads(conn, [one])
    due = inbox.take_due_payloads(conn, 10)[0]
    assert (due.run, due.mapped, due.by) == (1, mapped, "")
    inbox.note_items(conn, [PayloadItem(one.id, 1, 1, outcome="problem", field="amount")])
    assert [p.id for p in inbox.payloads(conn, problems=True)] == [one.id]
    assert inbox.settle_payloads_again(conn, [one.id], by="amy") == 1
    assert inbox.settle_payloads_again(conn, [one.id], by="amy") == 0
    due = inbox.take_due_payloads(conn, 10)[0]
    assert (due.run, due.mapped, due.by) == (2, None, "amy")
    inbox.note_items(conn, [PayloadItem(one.id, 2, 1, outcome="new", source="s", event="e")])
    assert [item.outcome for item in inbox.payload_items(conn, one.id)] == ["new"]
    assert len(inbox.payload_items(conn, one.id, all_runs=True)) == 2
    assert inbox.payloads(conn, problems=True) == []
    assert [item.run for item in inbox.items_of_event(conn, "e")] == [2]


def test_an_item_waits_for_its_client(conn: Any, endpoint: Any) -> None:
    item = WaitingItem("p", 1, 0, 1, "unknown_client", "C-1", {"kind": "client.claimed"})
    inbox.let_items_wait(conn, [item])
    assert inbox.take_ready_items(conn, 10) == []
    conn.execute("INSERT INTO clients_client (entity_id, code) VALUES (1, 'C-1')")
    assert inbox.take_ready_items(conn, 10) == [item]
    assert inbox.take_ready_items(conn, 10) == []


def test_a_cursor_is_kept_and_faults_are_counted(conn: Any, endpoint: Any) -> None:
    inbox.save_endpoint_cursor(conn, endpoint.id, {"until": "2026-11-01"})
    assert inbox.endpoint_cursor(conn, endpoint.id) == {"until": "2026-11-01"}
    inbox.note_endpoint_fault(conn, endpoint.id, "the server answers 500")
    status = inbox.endpoint_statuses(conn)[endpoint.id]
    assert (status.fails, status.error) == (1, "the server answers 500")
    inbox.note_endpoint_ok(conn, endpoint.id, news=True)
    status = inbox.endpoint_statuses(conn)[endpoint.id]
    assert (status.fails, status.error, status.outage_since_ms) == (0, "", None)


def test_the_log_is_searched_by_what_it_knows(conn: Any) -> None:
    with pytest.raises(BadInput, match="not searched by colour"):
        inbox.payloads(conn, colour="red")
