"""The tracker in a box over real HTTP: dialects, signatures, faults, and our presets against it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from pipshare.sandbox.tracker import DIALECTS, KINDS, TrackerServer
from pipshare.tracking.catalogue import TYPES, example_data
from pipshare.tracking.postbacks_out import Postback
from pipshare.tracking.presets import PRESETS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def tracker() -> Iterator[TrackerServer]:
    with TrackerServer(secrets=(SECRET,)) as server:
        yield server


def _ask(
    tracker: TrackerServer, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, str]:
    conn = http.client.HTTPConnection("127.0.0.1", urlsplit(tracker.url).port or 0, timeout=5)
    conn.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = conn.getresponse()
    told = answer.read().decode()
    conn.close()
    return answer.status, told


def _received(tracker: TrackerServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_ask(tracker, "/received")[1])["received"]
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_what_our_presets_send_is_what_each_tracker_takes(
    tracker: TrackerServer, name: str
) -> None:
    preset = PRESETS[name]
    url = preset.url.replace("https://<tracking domain>", f"{tracker.url}/{name}")
    url = url.replace("https://<tracker domain>", f"{tracker.url}/{name}")
    url = url.replace("<postback key>", "key").replace("<network id>", "7")
    postback = Postback.parse({"url": url, "event_names": preset.events,
                               "statuses": preset.statuses})  # fmt: skip
    sent = [kind for kind, said in TYPES.items() if said.event]
    for kind in sent:
        values = postback.values(
            kind, example_data(kind), at=datetime(2026, 11, 2, tzinfo=UTC), partner="IB-1",
            message_id="msg_1",
        )  # fmt: skip
        call = postback.call(values)
        parts = urlsplit(call.url)
        status, text = _ask(tracker, f"{parts.path}?{parts.query}", call.method, call.body)
        assert (status, text) == (200, "OK\n"), (kind, text)
    rows = _received(tracker)
    assert [one["dialect"] for one in rows] == [name] * len(sent)
    assert all(one["said"]["click"] == "s1" and not one["wrong"] for one in rows)


def test_a_postback_without_a_click_or_with_a_strange_amount_is_told_so(
    tracker: TrackerServer,
) -> None:
    status, text = _ask(tracker, "/keitaro/k/postback?status=paid&payout=1,5&x=1")
    assert status == 400
    assert "subid is missing" in text
    assert "'1,5', no decimal number" in text
    assert "known: lead, sale, rejected" in text
    assert "x is unknown to Keitaro" in text


def test_a_webhook_is_verified_and_a_repeat_is_counted(tracker: TrackerServer) -> None:
    body = b'{"type":"test","sequence":1}'
    now = datetime.now(UTC)
    headers = {"webhook_id": "msg_1", "webhook_timestamp": str(int(now.timestamp())),
               "content_type": "application/json",
               "webhook_signature": Webhook(SECRET).sign("msg_1", now, body.decode())}  # fmt: skip
    assert _ask(tracker, "/webhook", "POST", body, **headers)[0] == 200
    assert _ask(tracker, "/webhook", "POST", body, **headers)[0] == 200
    assert _ask(tracker, "/webhook", "POST", body + b" ", **headers)[0] == 400
    rows = _received(tracker)
    assert [(one["verified"], one["repeats"]) for one in rows] == [
        (False, 2), (True, 1), (True, 0),
    ]  # fmt: skip
    assert rows[0]["wrong"] == ["no signature fits any of the secrets"]


def test_faults_come_by_url_and_by_the_control_door(tracker: TrackerServer) -> None:
    assert _ask(tracker, "/voluum/postback?cid=1&fail=500")[0] == 500
    assert _ask(tracker, "/voluum/postback?cid=1&fail=429")[0] == 429
    assert _ask(tracker, "/voluum/postback?cid=1&fail=nonsense")[0] == 400
    fault = {"kind": "redirect", "path": "/voluum", "times": 2}
    assert _ask(tracker, "/control/fault", "POST", json.dumps(fault).encode())[0] == 200
    assert [_ask(tracker, "/voluum/x?cid=1")[0] for _ in range(3)] == [302, 302, 200]
    assert _ask(tracker, "/control/fault", "POST", b'{"kind": "x"}')[0] == 400


@pytest.mark.parametrize("kind", ["garbage", "close", "time-out:0.2", "slow:1"])
def test_what_is_no_answer_is_none(tracker: TrackerServer, kind: str) -> None:
    port = urlsplit(tracker.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        wire.sendall(f"GET /voluum/p?cid=1&fail={kind} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got, began = b"", time.monotonic()
        while chunk := wire.recv(65536):
            got += chunk
    whole = got.startswith(b"HTTP/1.1 200") and got.endswith(b"OK\n")
    assert not whole
    assert time.monotonic() - began < 4


def test_the_page_shows_what_came_without_being_fooled_by_it(tracker: TrackerServer) -> None:
    assert "Nothing has come yet" in _ask(tracker, "/")[1]
    _ask(tracker, "/affise/postback?clickid=%3Cscript%3E&sum=1&status=1")
    shown = _ask(tracker, "/?dialect=affise")[1]
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert set(DIALECTS) == set(PRESETS)
    assert "redirect" in KINDS
