"""Known senders over a real socket, each signed as its system does it, none by code of pipshare."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from hook_senders import Endpoint, deposit, endpoint, hmac_of, hubspot
from standardwebhooks import Webhook

from pipshare import clients, inbox, partners
from pipshare import db as pg
from pipshare.crm import preset
from pipshare.facts.reading import read_table
from pipshare.outbox.sealed import Secret
from pipshare.outbox.sign import Signer

BODY = json.dumps(deposit("d-1", name="Jürgen"), ensure_ascii=False).encode()
Make = Callable[..., Endpoint]


class Sender:
    """One who sends over HTTP; `host` is the name that he believes to have called."""

    def __init__(self, url: str) -> None:
        self.where = urlsplit(url)

    def __call__(
        self, path: str, body: bytes, headers: dict[str, str], content_type: str = ""
    ) -> tuple[int, Any]:
        conn = HTTPConnection(str(self.where.hostname), self.where.port, timeout=20)
        try:
            given = {"Content-Type": content_type or "application/json", **headers}
            conn.request("POST", path, body, given)
            answer = conn.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            conn.close()


@pytest.fixture
def sender(live_server: Any) -> Sender:
    return Sender(live_server.url)


def test_standard_webhooks_by_the_public_library(sender: Sender) -> None:
    one = endpoint(sender)
    now = datetime.now(UTC)
    headers = {
        "Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(one.secret).sign("msg_1", now, BODY.decode()),
    }  # fmt: skip
    told = [sender(one.path, BODY, headers) for _ in range(2)]
    assert [(status, told["verdict"]) for status, told in told] == [
        (200, "accepted"), (200, "duplicate"),
    ]  # fmt: skip
    status, told = sender(one.path, BODY + b" ", headers)
    assert (status, told["code"]) == (401, "wrong_signature")


def test_what_our_outbox_signs_passes_the_library_and_our_own_door(sender: Sender) -> None:
    one = endpoint(sender)
    old = "whsec_" + base64.b64encode(b"o" * 32).decode()
    signer = Signer([Secret("", one.secret, 2**60), Secret("", old, 2**60)])
    headers = dict(signer.headers(7, BODY, time.time_ns() // 1_000_000))
    for secret in (one.secret, old):
        assert Webhook(secret).verify(BODY, headers)["event"] == "d-1"
    status, told = sender(one.path, BODY, headers)
    assert (status, told["verdict"]) == (200, "accepted")
    assert sender(one.path, BODY, headers)[1]["id"] == told["id"]


@pytest.mark.parametrize(("proof", "header", "write"), [
    ({"encoding": "hex"}, "X-Crm-Signature", lambda s, b: hmac_of(s, b).hex()),
    ({"encoding": "hex", "prefix": "sha256="}, "X-Sig",
     lambda s, b: "sha256=" + hmac_of(s, b).hex()),
    ({"encoding": "base64", "digest": "sha512"}, "X-Room-Signature",
     lambda s, b: base64.b64encode(hmac_of(s, b, hashlib.sha512)).decode()),
])  # fmt: skip
def test_an_hmac_of_the_raw_body(
    sender: Sender, proof: dict[str, str], header: str, write: Callable[[str, bytes], str]
) -> None:
    secret = "s3cr3t of the room"
    one = endpoint(sender, verify=[{"method": "hmac", "header": header, **proof}], secret=secret)
    right = write(secret, BODY)
    assert sender(one.path, BODY, {header: right})[0] == 200
    for wrong in (write(secret, BODY + b" "), write("another secret", BODY), right[:-2], ""):
        status, told = sender(one.path, BODY, {header: wrong} if wrong else {})
        assert (status, told["code"] in ("wrong_signature", "missing_header", "bad_header")) == (
            401, True,
        )  # fmt: skip


def test_basic_and_bearer(sender: Sender) -> None:
    basic = endpoint(sender, verify=[{"method": "basic", "user": "crm"}], secret="pass word 12345")
    word = base64.b64encode(b"crm:pass word 12345").decode()
    assert sender(basic.path, BODY, {"Authorization": f"Basic {word}"})[0] == 200
    assert sender(basic.path, BODY, {"Authorization": "Basic Y3JtOng="})[1]["code"] == (
        "wrong_password"
    )  # fmt: skip
    named = endpoint(sender, verify=[{"method": "bearer", "header": "X-Api-Key"}])
    assert sender(named.path, BODY, {"X-Api-Key": named.secret})[0] == 200
    assert sender(named.path, BODY, {"X-Api-Key": "no"})[1]["code"] == "wrong_token"


def test_hubspot_signs_the_public_address_and_not_ours(sender: Sender) -> None:
    given = {"user property": "x", "partner property": "referring_ib", "kyc property": "kyc_state",
             "country property": "country"}  # fmt: skip
    hub = preset("hubspot")
    values = {**dict.fromkeys(hub.asks, "none"), **given}
    public = "https://ib.broker.example/in/hubspot"
    secret = "the app's client secret"
    one = endpoint(sender, mapping=None, preset=hub, values=values, secret=secret,
                   settings={"url": public})  # fmt: skip
    body = json.dumps([{
        "eventId": 1, "subscriptionType": "contact.propertyChange", "objectId": 51,
        "occurredAt": 1_772_000_000_000, "propertyName": "kyc_state", "propertyValue": "approved",
    }]).encode()  # fmt: skip
    now = time.time_ns() // 1_000_000
    status, told = sender(one.path, body, hubspot(secret, public, body, now))
    assert status == 200, told
    assert (told["items"][0]["kind"], told["items"][0]["event"]) == (
        "kyc.changed", "kyc-51-1772000000000",
    )  # fmt: skip
    inside = f"http://{sender.where.netloc}{one.path}"
    assert sender(one.path, body, hubspot(secret, inside, body, now))[1]["code"] == (
        "wrong_signature"
    )  # fmt: skip
    late = hubspot(secret, public, body, now - 301_000)
    assert sender(one.path, body, late)[1]["code"] == "stale"
    # HubSpot decodes some signs of the address before it signs, a slash among them.
    asked = hubspot(secret, f"{public}?portal=1&x=/%20", body, now)
    status, told = sender(f"{one.path}?portal=1&x=%2F%20", body, asked)
    assert (status, told["verdict"]) == (200, "duplicate")


def test_without_a_setting_the_address_called_is_signed(sender: Sender) -> None:
    one = endpoint(sender, verify=[{"method": "hubspot-v3"}], secret="the app's client secret")
    inside = f"http://{sender.where.netloc}{one.path}?a=%20b"
    now = time.time_ns() // 1_000_000
    headers = hubspot("the app's client secret", inside, BODY, now)
    assert sender(f"{one.path}?a=%20b", BODY, headers)[0] == 200


def test_ctrader_invite_is_answered_in_its_own_words(sender: Sender, site: Any) -> None:
    with pg.transaction() as conn:
        partners.load_partners(conn, read_table(b"partner\nIB-7\nIB-8\n", "partners")[0])
        clients.load_clients(conn, read_table(b"client\n4216\n", "clients")[0])
    one = endpoint(sender, mapping=None, preset=preset("ctrader-invite"), values={"user": "ct"},
                   secret="password of ctrader")  # fmt: skip
    word = base64.b64encode(b"ct:password of ctrader").decode()
    headers = {"Authorization": f"Basic {word}"}

    def invite(user: int, partner: str) -> tuple[int, Any]:
        body = {"invitedUserId": user, "partnerUserId": 28042, "brokerPartnerId": partner,
                "brokerName": "BESTBROKER"}  # fmt: skip
        return sender(one.path, json.dumps(body).encode(), headers)

    assert invite(9, "IB-7") == (200, {
        "brokerPartnerId": "IB-7", "brokerResult": "PENDING_ATTRIBUTION",
    })  # fmt: skip
    assert invite(9, "nobody") == (200, {"brokerResult": "PENDING_ATTRIBUTION"})
    settled = {"brokerPartnerId": "IB-7", "brokerResult": "ATTRIBUTED"}
    assert invite(4216, "IB-7") == (200, settled)
    assert invite(4216, "IB-7") == (200, settled)  # a repeat
    assert invite(4216, "IB-8") == (200, settled)  # his for life
    status, told = sender(one.path, b'{"x": 1}', headers)
    assert (status, told["code"]) == (422, "nothing_mapped")
    with pg.connect() as conn:
        assert len(inbox.payloads(conn, endpoint=one.code)) == 5
