"""What is old goes when told so; never what dedupes, what a client rests on, what is unsettled."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from pipshare import inbox, partners
from pipshare.cli.main import main, program
from pipshare.db import prune as db_prune
from pipshare.errors import BadInput
from pipshare.facts.clicks import Click, click_id
from pipshare.inbox.postbacks import StoredPostback
from pipshare.partners import Tracking
from pipshare.pipeline import prune as pruning

NOW = time.time_ns() // 1_000_000
OLD, YOUNG = NOW - 500 * pruning.DAY_MS, NOW - 100 * pruning.DAY_MS
CLAIM = """
INSERT INTO attribution_claim (client_id, via, evidence, moment, registered_at, told_by, told_id,
                               decision, reason, detail)
VALUES (%s, 'click', %s, now(), now(), 's2s:t', '1', 'refused', '', '')"""
DELIVERY = """
INSERT INTO outbox_delivery (receiver_id, message_id, subject, seq, state, not_before, ended_at)
VALUES (1, %(n)s, %(subject)s, %(seq)s, %(state)s, now(),
        CASE WHEN %(state)s NOT IN ('due', 'behind') THEN to_timestamp(%(at)s::bigint / 1000.0) END)
RETURNING id"""
ATTEMPT = """
INSERT INTO outbox_attempt (delivery_id, number, due_at, at, ms, method, url, headers, body, answer,
                            outcome, error)
VALUES (%s, 1, now(), to_timestamp(%s::bigint / 1000.0), 1, 'POST', 'https://x', '{}', '', '', 'ok',
        '')"""
PAYLOAD = """
INSERT INTO inbox_payload (id, endpoint_id, at, once, digest, content_type, size, sender, verdict,
                           reason, detail, version, items, problems)
VALUES (%(id)s, %(endpoint)s, to_timestamp(%(at)s::bigint / 1000.0), %(id)s, '', '', 1, '',
        %(verdict)s, '', '', 1, 1, %(problems)s)"""
ENDPOINT = """
INSERT INTO inbox_endpoint (entity_id, code, kind, settings, verify, created_by)
VALUES (1, 'crm', 'webhook', '{}', '{}', 'ana') RETURNING id"""
ITEM = """
INSERT INTO inbox_payload_item (payload_id, run, item, rule, kind, source, event, client, outcome,
                                reason, field, expression, detail)
VALUES (%s, %s, 1, '', '', '', '', '', %s, '', '', '', '')"""


@pytest.fixture
def conn(db: Any) -> Iterator[Any]:
    with db.app() as found:
        yield found


def _prune(*arguments: str) -> Any:
    found = CliRunner().invoke(program, ["prune", "--json", *arguments], catch_exceptions=False)
    return json.loads(found.stdout)


def _ids(conn: Any, table: str, column: str = "id") -> set[Any]:
    found = {row[0] for row in conn.execute(f"SELECT {column} FROM {table}")}
    conn.commit()
    return found


def _click(conn: Any, at_ms: int, number: int) -> str:
    one = Click(click_id(at_ms, number.to_bytes(10, "big")), 1, 1)
    inbox.store_clicks(conn, [one])
    return one.id


def test_clicks_go_of_which_nothing_came(conn: Any) -> None:
    gone, claimed, posted, waits, young = [
        _click(conn, at, n) for n, at in enumerate([OLD, OLD, OLD, OLD, YOUNG])
    ]
    client = conn.execute(
        "INSERT INTO clients_client (entity_id, code) VALUES (1, 'C-1') RETURNING id"
    ).fetchone()[0]
    conn.execute(CLAIM, (client, claimed))
    tracker, _ = inbox.add_tracker(conn, 1, "site", by="ana")
    assert tracker
    inbox.store_postbacks(conn, [
        StoredPostback("registration", OLD, "accepted", txid="1", tracker_id=1, entity_id=1,
                       click=posted),
        StoredPostback("registration", OLD, "rejected", txid="2", tracker_id=1, click=gone),
    ])  # fmt: skip
    conn.execute(
        "INSERT INTO inbox_payload_waiting (payload_id, item, place, entity_id, reason, key, told)"
        " VALUES ('p', 1, 1, 1, 'unknown_client', 'C-2', %s)", (json.dumps({"a": {"b": waits}}),),
    )  # fmt: skip
    conn.commit()
    assert _prune("clicks") == {"clicks": {"rows": 1, "why_not": ""}}
    assert gone in _ids(conn, "inbox_click")  # counted only
    assert _prune("clicks", "--apply", "--by", "ana") == {"clicks": 1}
    assert _ids(conn, "inbox_click") == {claimed, posted, waits, young}
    assert conn.execute(
        "SELECT actor, subject, detail ->> 'rows' FROM audit_event WHERE action = 'pruned'"
    ).fetchall() == [("ana", "clicks", "1")]


def test_a_click_in_the_window_stays_and_nothing_goes_when_one_kind_may_not(conn: Any) -> None:
    _click(conn, YOUNG, 1)
    conn.commit()
    shown = _prune("clicks", "--older-than", "100")["clicks"]
    assert "count for 90 days" in shown["why_not"]
    assert "nothing younger than 120 days" in shown["why_not"]
    with pytest.raises(BadInput, match="nothing younger than 120 days"):
        pruning.prune(conn, ["postbacks", "clicks"], YOUNG, NOW, "ana")
    partners.set_tracking(conn, 1, Tracking(window_days=0), by="ana")
    assert "count for ever" in pruning.too_late(conn, "clicks", 0, NOW)
    assert "30 days" in pruning.too_late(conn, "attempts", NOW, NOW)


def test_accepted_postbacks_stay_as_they_are_asked_for_again(conn: Any) -> None:
    inbox.add_tracker(conn, 1, "site", by="ana")
    made = [
        StoredPostback("deposit", at, verdict, txid="1", tracker_id=1, entity_id=1)
        for at, verdict in ((OLD, "accepted"), (OLD, "duplicate"), (OLD, "rejected"),
                            (YOUNG, "rejected"))
    ]  # fmt: skip
    inbox.store_postbacks(conn, made)
    conn.commit()
    assert _prune("postbacks", "--apply") == {"postbacks": 2}
    assert _ids(conn, "inbox_postback") == {made[0].id, made[3].id}


def _delivery(conn: Any, n: int, seq: int, state: str, at: int = OLD, subject: str = "s") -> int:
    told = {"n": n, "seq": seq, "state": state, "at": at, "subject": subject}
    found: int = conn.execute(DELIVERY, told).fetchone()[0]
    conn.execute(ATTEMPT, (found, at))
    return found


def test_deliveries_that_ended_go_but_the_last_of_each_subject(
    conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = [_delivery(conn, n, n, "delivered") for n in (1, 2)]
    dead = _delivery(conn, 3, 3, "dead")
    young = _delivery(conn, 4, 4, "delivered", YOUNG)
    due = _delivery(conn, 5, 5, "due")
    last = _delivery(conn, 6, 1, "delivered", subject="other")
    conn.commit()
    assert [_prune()[name]["rows"] for name in ("attempts", "deliveries", "dead")] == [3, 2, 1]
    assert _prune("attempts", "--apply") == {"attempts": 3}
    assert _ids(conn, "outbox_attempt", "delivery_id") == {dead, young, due}
    monkeypatch.setattr(db_prune, "AT_ONCE", 1)
    assert _prune("deliveries", "--apply") == {"deliveries": 2}
    assert _ids(conn, "outbox_delivery").isdisjoint(arrived)
    assert _prune("dead", "--apply") == {"dead": 1}
    assert _ids(conn, "outbox_delivery") == {young, due, last}
    assert _ids(conn, "outbox_attempt", "delivery_id") == {young, due}


def test_raw_bodies_go_once_everything_of_them_is_settled(conn: Any) -> None:
    (endpoint,) = conn.execute(ENDPOINT).fetchone()
    given: dict[str, dict[str, Any]] = {
        "settled": {}, "mended": {}, "young": {"at": YOUNG}, "due": {}, "waits": {}, "bad": {},
        "refused": {"verdict": "rejected"}, "odd": {"problems": 1},
    }  # fmt: skip
    for id_, more in given.items():
        told = {"id": id_, "endpoint": endpoint, "at": OLD, "verdict": "accepted", "problems": 0}
        conn.execute(PAYLOAD, told | more)
        conn.execute("INSERT INTO inbox_payload_body VALUES (%s, '')", (id_,))
    conn.execute("INSERT INTO inbox_payload_due (payload_id) VALUES ('due')")
    conn.execute(
        "INSERT INTO inbox_payload_waiting (payload_id, item, place, entity_id, reason, key, told)"
        " VALUES ('waits', 1, 1, 1, 'unknown_client', 'C-2', '{}')"
    )
    for id_, run, outcome in (("mended", 1, "problem"), ("mended", 2, "new"), ("bad", 1, "problem"),
                              ("settled", 1, "new")):  # fmt: skip
        conn.execute(ITEM, (id_, run, outcome))
    conn.commit()
    assert _prune("payloads", "--apply") == {"payloads": 2}
    left = {"young", "due", "waits", "bad", "refused", "odd"}
    assert _ids(conn, "inbox_payload_body", "payload_id") == left
    assert _prune("problems", "--apply") == {"problems": 3}
    assert _ids(conn, "inbox_payload_body", "payload_id") == {"young", "due", "waits"}
    assert _ids(conn, "inbox_payload") == set(given)


def test_people_read_what_would_go_and_what_stays(conn: Any, capsys: Any) -> None:
    shown = CliRunner().invoke(program, ["prune", "--older-than", "60"], catch_exceptions=False)
    assert "Nothing was deleted" in shown.stdout
    assert "clicks: nothing younger than 120 days goes" in shown.stdout
    with pytest.raises(SystemExit):
        main(["prune", "--apply"])
    assert "name what is to be deleted" in capsys.readouterr().err
