"""What the sandbox CRM sends: signed so that the public library and our door's proof take it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from crm_calls import Sink, Start, ask, until
from standardwebhooks import Webhook, WebhookVerificationError

from pipshare.crm import Accepted, Mapped, Refused, Request, Skipped, preset, read_verification
from pipshare.sandbox.crm import EVENTS, Cast, CrmServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALL = 50  # webhooks of the first traders' stories
NOBODY = Cast(every_s=0, at_once=0)


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """A door; what it refuses comes again soon."""
    monkeypatch.setattr("pipshare.sandbox.crm.courier.WAITS_S", (0.05, 0.1, 0.2, 0.5, 1, 2, 5))
    with Sink() as one:
        yield one


def _verdict(headers: dict[str, str], body: bytes) -> Any:
    request = Request("POST", "http://x/hooks/sandbox", headers, body, "127.0.0.1")
    proof = read_verification(preset("sandbox-crm").verify)
    return proof.verify(request, [SECRET], datetime.now(UTC))


def test_all_it_sends_is_verified_and_mapped(start: Start, sink: Sink) -> None:
    crm = start(hooks=sink.url, secret=SECRET)
    until(lambda: crm.courier.counts()["taken"] == ALL)
    filled = preset("sandbox-crm").filled({"partner prefix": "IB-"})
    seen, told = set(), set()
    for headers, body in list(sink.got):
        assert Webhook(SECRET).verify(body.decode(), headers)
        assert isinstance(_verdict(headers, body), Accepted)
        seen.add(json.loads(body)["event"])
        (outcome,) = filled.apply(json.loads(body), received_ms=0)
        assert isinstance(outcome, Mapped | Skipped), str(outcome)
        told |= {outcome.fields["kind"]} if isinstance(outcome, Mapped) else set()
    assert seen == set(EVENTS) - {"trader.unmerged"}
    assert {"chargeback_lost", "deposit_reversed", "kyc.changed", "client_reassigned"} <= told


def test_references_are_the_partner_apis_transactions(start: Start, sink: Sink) -> None:
    crm = start(hooks=sink.url, secret=SECRET)
    until(lambda: crm.courier.counts()["taken"] == ALL)
    money = {
        one.fields["TransactionID"]: one.fields for one in crm.books.records["TransactionInfo"]
    }
    checked = 0
    for _, body in list(sink.got):
        told = json.loads(body)
        if told["event"] == "payment.failed" or "payment" not in told:
            continue
        record = money[told["payment"]["transaction"]]
        assert record["TraderID"] == told["trader"]
        assert int(record["Amount"]) == told["payment"]["cents"]
        assert record["Coin"] == told["payment"]["coin"]
        assert datetime.fromisoformat(record["TransactionDate"] + "Z") <= (
            datetime.fromisoformat(told["time"])
        )
        checked += 1
    assert checked >= 7


def test_what_is_refused_is_sent_again_and_what_waits_for_an_address_too(
    start: Start, sink: Sink
) -> None:
    crm = start(NOBODY)
    number = crm.books.add_trader(datetime.now(UTC), "only looks").number
    ask(crm.url, "/control/deed", {"trader": number, "what": "kyc", "state": "verified"})
    assert crm.courier.counts() == {"taken": 0, "waiting": 1, "given up": 0}
    sink.answers = [503, 422]
    assert ask(crm.url, "/control/hooks", {"url": sink.url, "secret": SECRET})[0] == 200
    until(lambda: crm.courier.counts()["taken"])
    assert len(sink.got) == 3
    assert len({headers["webhook-id"] for headers, _ in sink.got}) == 1
    (sent,) = json.loads(ask(crm.url, "/sent")[1])["sent"]
    assert (sent["state"], sent["attempts"], sent["status"]) == ("taken", 3, 200)
    again = json.loads(ask(crm.url, "/control/again", {"id": sent["id"]})[1])
    assert again["count"] == 1
    until(lambda: len(sink.got) == 4)


def test_a_long_refusal_is_given_up_until_somebody_asks(
    start: Start, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipshare.sandbox.crm.courier.WAITS_S", (0.01, 0.01))
    sink.answers = [500] * 3
    crm = start(NOBODY, hooks=sink.url, secret=SECRET)
    number = crm.books.add_trader(datetime.now(UTC), "only looks").number
    ask(crm.url, "/control/deed", {"trader": number, "what": "kyc", "state": "expired"})
    until(lambda: crm.courier.counts()["given up"])
    ask(crm.url, "/control/again", {})
    until(lambda: crm.courier.counts()["taken"])


def _after(crm: CrmServer, sink: Sink, kind: str, deeds: int, messages: int) -> None:
    """Set a fault, let KYC change so often, and wait until so many messages have come."""
    assert (
        ask(crm.url, "/control/fault", {"kind": kind, "path": "kyc", "value": str(deeds)})[0] == 200
    )
    number = crm.books.add_trader(datetime.now(UTC), "only looks").number
    for _ in range(deeds):
        ask(crm.url, "/control/deed", {"trader": number, "what": "kyc", "state": "verified"})
    until(lambda: len(sink.got) >= messages)
    time.sleep(0.2)
    assert len(sink.got) == messages


def test_it_repeats_and_shuffles_on_request(start: Start, sink: Sink) -> None:
    crm = start(NOBODY, hooks=sink.url, secret=SECRET)
    _after(crm, sink, "duplicate", 2, 3)
    assert sorted(Counter(headers["webhook-id"] for headers, _ in sink.got).values()) == [1, 2]
    sink.got.clear()
    _after(crm, sink, "shuffle", 4, 4)
    times = [json.loads(body)["time"] for _, body in sink.got]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) > 1


@pytest.mark.parametrize(
    ("kind", "code"), [("bad-signature", "wrong_signature"), ("stale", "stale"),
                       ("cut", "wrong_signature")],
)  # fmt: skip
def test_it_proves_itself_badly_on_request_and_then_well(
    start: Start, sink: Sink, kind: str, code: str
) -> None:
    sink.answers = [401]
    crm = start(NOBODY, hooks=sink.url, secret=SECRET)
    _after(crm, sink, kind, 1, 2)
    first, second = (_verdict(headers, body) for headers, body in sink.got)
    assert isinstance(first, Refused)
    assert first.code == code
    assert isinstance(second, Accepted)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(sink.got[0][1].decode(), sink.got[0][0])


def test_controls_say_what_is_wrong(start: Start) -> None:
    url = start(NOBODY).url
    for path, told, said in (
        ("hooks", {"url": "ftp://x"}, "no address of the web"),
        ("hooks", {"url": "http://x/", "secret": "%%"}, "base64"),
        ("deed", {"trader": 1, "what": "kyc"}, "no trader 1"),
        ("trader", {"plot": "x"}, "no plot 'x'"),
        ("nothing", {}, "there are fault, clear"),
        ("fault", {"kind": "500", "colour": "red"}, "colour"),
        ("introducers", {"answer": "maybe"}, "there are accept, reject"),
        ("clear", [], "write a JSON object"),
    ):
        status, text = ask(url, f"/control/{path}", told)
        assert (status, said in text) == (400, True), text
