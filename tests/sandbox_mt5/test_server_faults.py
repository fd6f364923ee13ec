"""Every fault on request, seen from a client's side; the next request is served as ever."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from contextlib import suppress

import pytest
from web_api import CLI_RAND, Client, answer_for, signed_in

from pipshare.sandbox.mt5 import KINDS, Faults

BATCH = {"group": "*", "from": 0, "to": 2**40}
LOST = (ConnectionError, http.client.HTTPException, ssl.SSLError, OSError)


def test_drop_and_lost(server, world) -> None:
    """Both end without an answer: after one nothing was done, after the other all was."""
    login = world.logins("real*")[0]
    for kind, credited in (("drop", 0), ("lost", 1)):
        tickets = len(world.deals(logins=[login], tickets=None, from_s=0, to_s=2**40, symbol=None))
        client = signed_in(server)
        server.faults.add(kind, path="/api/trade/balance")
        assert client.get("/api/test/access").code == 0  # another path
        with pytest.raises(LOST):
            client.get("/api/trade/balance", login=login, type=2, balance=1, comment=kind)
        after = len(world.deals(logins=[login], tickets=None, from_s=0, to_s=2**40, symbol=None))
        assert after - tickets == credited, kind
    assert signed_in(server).get("/api/symbol/list").code == 0
    assert server.faults.fired == {"drop": 1, "lost": 1}


def test_delay(server, client: Client) -> None:
    """The answer waits until the time is over; stopping the server does not wait for it."""

    def ask() -> None:
        with suppress(*LOST):
            client.get("/api/symbol/list")

    server.faults.add("delay", value=3600, path="/api/symbol/list")
    waiting = threading.Thread(target=ask)
    waiting.start()
    other = signed_in(server)
    while not server.faults.fired:
        assert other.get("/api/test/access").code == 0  # others are served meanwhile
    assert waiting.is_alive()
    server.stop()
    waiting.join(5)
    assert not waiting.is_alive()
    assert not [t for t in threading.enumerate() if t.name.startswith("sandbox-mt5")]


def test_forbidden_until_signed_in_again(server, client: Client) -> None:
    server.faults.add("403", path="/api/symbol/list")
    got = client.get("/api/symbol/list")
    assert (got.status, got.headers["Content-Type"]) == (403, "text/html")
    assert client.get("/api/symbol/list").status == 403
    assert client.sign_in().code == 0
    assert client.get("/api/symbol/list").code == 0


def test_half_an_answer(server, client: Client) -> None:
    server.faults.add("half")
    with pytest.raises(http.client.IncompleteRead):
        client.get("/api/deal/get_batch", **BATCH)


def test_truncated_json(server, client: Client) -> None:
    server.faults.add("truncated")
    got = client.get("/api/deal/get_batch", **BATCH)
    assert int(got.headers["Content-Length"]) == len(got.body)
    with pytest.raises(ValueError):
        json.loads(got.body)
    assert client.get("/api/deal/get_batch", **BATCH).code == 0


def test_html_instead_of_json(server, client: Client) -> None:
    server.faults.add("html", times=2)
    for _ in range(2):
        got = client.get("/api/deal/get_batch", **BATCH)
        assert (got.status, got.headers["Content-Type"]) == (200, "text/html")
        assert got.body.startswith(b"<!DOCTYPE html>")
    assert client.get("/api/deal/get_batch", **BATCH).code == 0


def test_numbers_as_numbers(server, client: Client) -> None:
    texts = client.get("/api/deal/get_batch", **BATCH).answer
    server.faults.add("numbers", path="/api/deal/get_batch")
    got = client.get("/api/deal/get_batch", **BATCH)
    assert got.code == 0
    numbers = json.loads(got.body, parse_float=str)["answer"]
    assert len(numbers) == len(texts)
    for as_number, as_text in zip(numbers, texts, strict=True):
        assert isinstance(as_number["Deal"], int)
        assert isinstance(as_number["Comment"], str)
        assert {name: str(value) for name, value in as_number.items() if name != "ApiData"} == {
            name: value for name, value in as_text.items() if name != "ApiData"
        }


def test_the_same_page_for_ever(server, client: Client, world) -> None:
    login = max(world.logins("*"), key=lambda n: len(world.deals(
        logins=[n], tickets=None, from_s=0, to_s=2**40, symbol=None)))  # fmt: skip
    given = {"login": login, "from": 0, "to": 2**40, "total": 1}
    server.faults.add("same", path="/api/deal/get_page", times=None)
    pages = [client.get("/api/deal/get_page", **given, offset=n).body for n in range(20)]
    assert len(set(pages)) == 1
    server.faults.remove("same")
    assert client.get("/api/deal/get_page", **given, offset=1).body != pages[0]


def test_an_empty_page_for_ever(server, client: Client, world) -> None:
    login = int(json.loads(world.deals(logins=None, tickets=None, from_s=0, to_s=2**40,
                                       symbol=None)[0])["Login"])  # fmt: skip
    given = {"login": login, "from": 0, "to": 2**40}
    server.faults.add("empty", path="/api/deal/get_page", times=None)
    for offset in range(3):
        assert client.get("/api/deal/get_page", **given, offset=offset).answer == []
    assert int(client.get("/api/deal/get_total", **given).answer["total"]) > 0


@pytest.mark.parametrize("code", [1, 2, 8, 9, 12, 1018, 12001])
def test_a_retcode(server, client: Client, code: int) -> None:
    server.faults.add("retcode", value=code)
    got = client.get("/api/deal/get_batch", **BATCH)
    assert (got.status, got.code) == (200, code)
    assert re.fullmatch(r"\d+ \w.+", got.json["retcode"])


def test_a_wrong_mutual_answer(server) -> None:
    server.faults.add("mutual")
    got = Client(server).sign_in()
    assert got.code == 0
    assert len(got.json["cli_rand_answer"]) == 32
    assert got.json["cli_rand_answer"] != answer_for("Password1", CLI_RAND)
    right = Client(server).sign_in().json["cli_rand_answer"]
    assert right == answer_for("Password1", CLI_RAND)


def test_a_clock_that_jumps(server, client: Client) -> None:
    def seconds() -> int:
        return int(client.get("/api/time/server").answer["Time"].split(" ")[0])

    before = seconds()
    server.faults.add("clock", times=None, value=-3600)
    assert seconds() == before - 3600
    ms = int(client.get("/api/common/get").answer["TradeServerTimeMSec"])
    assert ms // 1000 == before - 3600
    server.faults.clear()
    server.faults.add("clock", value=60)
    assert client.get("/api/test/access").code == 0  # shows no clock: the fault waits
    assert [seconds(), seconds()] == [before + 60, before]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("other", "self-signed"), ("expired", "expired|self-signed"), ("name", "self-signed|match")],
)
def test_another_certificate(server, kind: str, reason: str) -> None:
    mark = server.fingerprint
    server.faults.add("certificate", value=kind)
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        Client(server)
    assert server.fingerprint == mark
    assert signed_in(server).get("/api/test/access").code == 0


@pytest.mark.parametrize(("kind", "reason"), [("expired", "expired"), ("name", "match|mismatch")])
def test_a_bad_certificate_that_is_trusted(server, kind: str, reason: str) -> None:
    """What is wrong with it is really wrong: trusted as an authority, it is refused too."""
    server.faults.add("certificate", value=kind, times=None)
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(server)  # makes it
    context = ssl.create_default_context(cafile=str(server.cert_file.parent
                                                    / f"certificate-{kind}.pem"))  # fmt: skip
    connection = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=5)
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        connection.connect()


def test_connections_refused(server) -> None:
    client = signed_in(server)
    server.faults.add("refuse", times=None)
    for _ in range(2):
        with pytest.raises(LOST):
            Client(server)
    assert client.get("/api/test/access").code == 0
    server.faults.clear()
    assert signed_in(server).get("/api/test/access").code == 0


def test_a_fault_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no fault 'dorp'; there are drop"):
        Faults().add("dorp")
    with pytest.raises(ValueError):
        Faults().add("delay", value="long")
    with pytest.raises(ValueError, match="no certificate 'old'; there are other, expired"):
        Faults().add("certificate", value="old")


def test_faults_by_url(serve) -> None:
    server = serve(admin=True)
    client = signed_in(server)
    for kind in KINDS:
        assert client.post("/sandbox/fault", json.dumps({"kind": kind})).status == 200
    assert client.post("/sandbox/clear", "").status == 200
    client.post("/sandbox/fault", '{"kind":"retcode","value":12,"path":"/api/symbol/list"}')
    assert client.get("/api/symbol/list").code == 12
    state = client.get("/sandbox/state").json["done"]
    assert state["faults"] == {"retcode": 1}
    assert state["requests"]["/api/symbol/list"] == 1
    for body in ('{"kind":"dorp"}', "{}", "[", '{"kind":"delay","value":"x"}'):
        got = client.post("/sandbox/fault", body)
        assert (got.status, list(got.json)) == (400, ["error"])
    assert client.get("/sandbox/nothing").status == 400


def test_mischief_by_url(serve, world) -> None:
    client = signed_in(serve(admin=True))
    deal = client.get("/api/deal/get_batch", **BATCH).answer[2]["Deal"]
    assert client.post("/sandbox/world", f'{{"do":"delete_deal","ticket":{deal}}}').status == 200
    assert client.get("/api/deal/get", ticket=deal).code == 13
    assert client.post("/sandbox/world", '{"do":"__init__"}').status == 400
    assert client.post("/sandbox/world", '{"do":"delete_deal","tickets":1}').status == 400


def test_the_door_is_shut_unless_asked_for(client: Client) -> None:
    assert client.get("/sandbox/state").status == 404
