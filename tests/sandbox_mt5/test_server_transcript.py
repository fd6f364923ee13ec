"""The documented exchange, hand-written from the documentation, played against the sandbox."""

from __future__ import annotations

import json

from web_api import Client

from pipshare.sandbox.mt5.session import answer_to, password_hash
from pipshare.sandbox.mt5.world import World
from transcripts_reader import Exchange, exchanges, let

VECTORS = let()


def test_metaquotes_vectors() -> None:
    assert password_hash("Password1").hex() == "904ba8ecb16273d2f0ae9c3b8a023752"
    for rand, answer in (("srv_rand", "srv_rand_answer"), ("cli_rand", "cli_rand_answer")):
        mine = answer_to(bytes.fromhex(VECTORS[rand]), VECTORS["password"])
        assert mine == VECTORS[answer]


def _values(world: World) -> dict[str, str | int]:
    """A login with several deals, one of them a close, and a group that has logins."""
    deals = [json.loads(one) for one in world.deals(logins=None, tickets=None, from_s=0,
                                                    to_s=2**40, symbol=None)]  # fmt: skip
    close = next(one for one in deals if one["Entry"] == "1" and one["Action"] in "01")
    other = next(one["Login"] for one in deals if one["Login"] != close["Login"])
    return {
        "login": close["Login"],
        "logins": f"{close['Login']},{other}",
        "from": 0,
        "to": 2**40,
        "deal": close["Deal"],
        "group": "real*,!real\\ecn",
    }


def test_the_transcript_played(serve, world: World) -> None:
    server = serve(srv_rand=lambda: bytes.fromhex(VECTORS["srv_rand"]))
    client = Client(server)
    played = []
    for one in exchanges(**_values(world)):
        got = client.send(one.method, one.target, one.body or None, one.headers)
        assert got.headers["Content-Type"].startswith(one.answer_headers["Content-Type"])
        assert one.faults(got.status, got.body) == [], one.name
        if one.name == "auth_answer":  # the vectors leave nothing open
            assert got.json["cli_rand_answer"] == VECTORS["cli_rand_answer"]
        played.append(one.name)
    assert len(played) == 12
    assert client.gone()  # after quit


def test_the_reader_finds_what_is_otherwise() -> None:
    """The check can fail: a missing field, a number, another kind of text, an empty list."""
    batch = next(one for one in exchanges() if one.name == "deal_get_batch")
    assert batch.faults(200, batch.answer) == []
    whole = json.loads(batch.answer)
    for change, words in (
        (lambda deals: deals[2].pop("Price"), "Price is not there"),
        (lambda deals: deals[0].update(Deal=11918642), "int, not str"),
        (lambda deals: deals[1].update(Volume="0.10"), "a decimal number, unlike"),
        (lambda deals: deals.clear(), "is empty"),
    ):
        spoiled = json.loads(batch.answer)
        change(spoiled["answer"])
        assert words in _one(batch, json.dumps(spoiled).encode())
    assert "status 403" in batch.faults(403, batch.answer)[0]
    assert "no JSON" in _one(batch, batch.answer[:-9])
    assert "retcode" in _one(batch, json.dumps(whole | {"retcode": "3 Invalid"}).encode())


def _one(exchange: Exchange, body: bytes) -> str:
    (fault,) = exchange.faults(200, body)
    return fault
