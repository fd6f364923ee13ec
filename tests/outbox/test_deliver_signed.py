"""Webhooks are signed as the public library verifies them, also while a secret is rotated."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.outbox.conftest import settled
from tests.outbox.outbox_world import entity, said, say
from tests.outbox.sink import Got, Sink

from pipshare import outbox

Make = Callable[..., Any]


def verified(secret: str, got: Got) -> dict[str, Any]:
    told: dict[str, Any] = Webhook(secret).verify(got.body, got.headers)
    return told


def test_the_reference_library_verifies_during_rotation_too(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        one = outbox.add(conn, entity(conn), "webhook", "a", {"url": sink.url()}, by="ann")
        first = outbox.rotate_secret(conn, one, by="ann")
        say(conn, said(1, note="Grüße"))
        conn.commit()
        dispatching()
        settled(conn)
        assert verified(first, sink.got[0])["data"] == {"n": "1", "note": "Grüße"}
        second = outbox.rotate_secret(conn, one, by="ann")
        say(conn, said(2))
        conn.commit()
        settled(conn)
        for secret in (first, second):
            assert verified(secret, sink.got[1])["data"] == {"n": "2"}
        assert len(sink.got[1].headers["webhook-signature"].split(" ")) == 2
        conn.execute("UPDATE outbox_secret SET expires_at = now() WHERE expires_at IS NOT NULL")
        outbox.change(conn, one, {"url": sink.url("/new")}, by="ann")
        say(conn, said(3))
        conn.commit()
        settled(conn)
    assert verified(second, sink.got[2])["data"] == {"n": "3"}
    with pytest.raises(WebhookVerificationError):
        verified(first, sink.got[2])
    changed = Got("POST", "/", sink.got[2].headers, sink.got[2].body + b" ")
    with pytest.raises(WebhookVerificationError):
        verified(second, changed)


def test_what_a_webhook_says(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        one = outbox.add(conn, entity(conn), "webhook", "a", {"url": sink.url()}, by="ann")
        secret = outbox.rotate_secret(conn, one, by="ann")
        say(conn, said(1, "client:C-1", type="client.registered"))
        conn.commit()
        dispatching()
        settled(conn)
        [number] = conn.execute("SELECT id FROM outbox_message").fetchone()
    got = sink.got[0]
    body = verified(secret, got)
    assert body.keys() == {"type", "timestamp", "sequence", "data"}
    assert (body["type"], body["sequence"]) == ("client.registered", 1)
    assert got.headers["webhook-id"] == f"msg_{number}"
    assert got.headers["content-type"].startswith("application/json")
    assert got.headers["user-agent"] == "pipshare"


def test_a_test_message_goes_to_one_receiver_whatever_it_wants(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        told = {"url": sink.url("/a"), "events": ["trade.closed"]}
        one = outbox.add(conn, entity(conn), "webhook", "a", told, by="ann")
        outbox.add(conn, entity(conn), "webhook", "b", {"url": sink.url("/b")}, by="ann")
        message = outbox.send_test(conn, one, {"entity": "main"})
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 1}
        [delivery] = outbox.deliveries(conn, message_id=message)
    assert (delivery.receiver, delivery.type, delivery.state) == ("a", "test", "delivered")
    assert [got.path for got in sink.got] == ["/a"]
    assert json.loads(sink.got[0].body)["data"] == {"entity": "main"}
