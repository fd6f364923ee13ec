"""The sandbox CRM's door for applications: accepted, refused with a reason, not answered."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from crm_calls import Start, ask
from standardwebhooks import Webhook

from pipshare.sandbox.crm import Cast, CrmServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ANA = {"type": "ib.applied", "data": {"application": "A-1", "name": "Ana"}}


@pytest.fixture
def crm(start: Start) -> CrmServer:
    return start(Cast(every_s=0, at_once=0))


def _apply(crm: CrmServer, told: Any = ANA) -> tuple[int, dict[str, str]]:
    status, text = ask(crm.url, "/ib", told)
    return status, json.loads(text)


def test_an_applicant_gets_one_number(crm: CrmServer) -> None:
    first = (200, {"state": "accepted", "id": "CD-617645"})
    assert _apply(crm) == first
    assert _apply(crm) == first
    assert _apply(crm, {"email": "b@b.example"}) == (200, {"state": "accepted", "id": "CD-995395"})
    assert _apply(crm, ["whatever"])[1]["id"] == "CD-788203"
    assert _apply(crm, ["whatever"])[1]["id"] == "CD-788203"


def test_it_refuses_and_keeps_silent_as_it_is_told(crm: CrmServer) -> None:
    def say(**told: Any) -> None:
        assert ask(crm.url, "/control/introducers", told)[0] == 200

    refused = {"state": "rejected", "reason": "no licence"}
    say(answer="reject", reason="no licence", times=1)
    say(answer="reject-200", reason="no licence", times=2)
    assert _apply(crm) == (422, refused)
    assert [_apply(crm), _apply(crm)] == [(200, refused)] * 2
    assert _apply(crm)[1]["state"] == "accepted"
    say(answer="reject")
    assert [_apply(crm)[0] for _ in range(3)] == [422] * 3
    say(answer="accept")
    assert _apply(crm)[0] == 200
    say(answer="time-out", times=1)
    with socket.create_connection(("127.0.0.1", int(crm.url.rpartition(":")[2])), 0.3) as wire:
        wire.sendall(b"POST /ib HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(TimeoutError):
            wire.recv(1)
    assert _apply(crm)[0] == 200
    assert ask(crm.url, "/control/fault", {"kind": "500", "path": "/ib"})[0] == 200
    assert ask(crm.url, "/ib", ANA)[0] == 500
    logged = json.loads(ask(crm.url, "/received?what=ib")[1])["received"]
    assert [one["answered"] for one in logged[:3]] == ["fault 500", "200", "nothing"]
    assert logged[1]["said"]["id"] == "CD-617645"


def test_signed_webhooks_are_verified_when_it_has_a_secret(start: Start) -> None:
    crm = start(Cast(every_s=0, at_once=0), secrets=(SECRET,))
    assert _apply(crm)[0] == 401
    now, body = datetime.now(UTC), json.dumps(ANA)
    told = {"webhook_id": "m-1", "webhook_timestamp": str(int(now.timestamp())),
            "webhook_signature": Webhook(SECRET).sign("m-1", now, body)}  # fmt: skip
    assert ask(crm.url, "/ib", ANA, **told)[0] == 200
    assert ask(crm.url, "/ib", {**ANA, "x": 1}, **told)[0] == 401
    logged = json.loads(ask(crm.url, "/received?what=ib")[1])["received"]
    assert [one["verified"] for one in logged] == [False, True, False]
