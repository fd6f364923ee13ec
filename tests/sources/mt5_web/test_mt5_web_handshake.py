"""The handshake: MetaQuotes' printed vectors, and both sides' proof over a real connection."""

from __future__ import annotations

import pytest
from mt5_web_talk import Talking
from scripted_tls import Broker, done

from pipshare.sources.mt5_web import handshake
from pipshare.sources.mt5_web.errors import Garbled, NotAllowed, NotGenuine, WrongPassword

KEY = "904ba8ecb16273d2f0ae9c3b8a023752"


def test_metaquotes_vectors() -> None:
    key = handshake.password_key("Password1")
    assert key.hex() == KEY
    srv_rand = bytes.fromhex("73007dc7184747ce0f7c98516ef1c851")
    assert handshake.proof(key, srv_rand) == "77fe51827f7fa69dd80fbec9aa33f1bb"
    cli_rand = bytes.fromhex("4db98fec17aab4dc5a240bdc659e8395")
    assert handshake.proof(key, cli_rand) == "1732021b1b332f51660b2b315eed3a35"
    assert handshake.proves(key, cli_rand, " 1732021B1B332F51660B2B315EED3A35\n")
    assert not handshake.proves(key, cli_rand, "1732021b1b332f51660b2b315eed3a36")
    assert not handshake.proves(key, cli_rand, "")
    assert not handshake.proves(key, cli_rand, "ü")


def test_both_sides_prove_themselves_on_one_connection(talk: Talking) -> None:
    broker = Broker()
    one = talk(broker)
    one.web.open()
    one.web.open()
    start, answer = broker.asked
    assert start.params == {"version": "1290", "agent": "pipshare", "login": "1000",
                            "type": "manager"}  # fmt: skip
    assert start.headers["Connection"] == "keep-alive"
    assert len(answer.params["cli_rand"]) == 32
    assert start.connection == answer.connection == 1
    assert b"Password1" not in start.bytes + answer.bytes


def test_every_session_draws_its_own_challenge(talk: Talking) -> None:
    broker = Broker()
    for _ in range(2):
        talk(broker).web.open()
    drawn = [one.params["cli_rand"] for one in broker.asked if "cli_rand" in one.params]
    assert len(drawn) == len(set(drawn)) == 2


def test_a_wrong_password_is_named_and_not_tried_again_at_once(talk: Talking) -> None:
    broker = Broker(password="Another1")
    one = talk(broker)
    with pytest.raises(WrongPassword, match=r"does not accept manager 1000.*API password"):
        one.web.open()
    assert one.web.wait_s() > 0
    with pytest.raises(WrongPassword):
        one.web.server_time()
    assert broker.count("/api/auth/answer") == 1
    assert len(one.log) == 1


@pytest.mark.parametrize(
    ("retcode", "error", "words"),
    [
        ("1001 Invalid account", WrongPassword, "login or the password"),
        ("1002 Account disabled", NotAllowed, "disabled"),
        ("1012 IP blocked", NotAllowed, "address is not on the list"),
        ("1024 Connection type", NotAllowed, "Connect using MetaTrader 5 Manager"),
        ("1034 API disabled", NotAllowed, "Security tab"),
        ("13 Not found", WrongPassword, "no such login"),
        ("8 Not enough permissions", NotAllowed, "lacks the right"),
    ],
)
def test_a_refused_sign_in_says_what_to_change(
    talk: Talking, retcode: str, error: type[Exception], words: str
) -> None:
    one = talk(Broker(says={"/api/auth/start": done(retcode=retcode)}))
    with pytest.raises(error, match=words):
        one.web.open()


def test_a_server_that_cannot_prove_itself_gets_no_question(talk: Talking) -> None:
    broker = Broker(says={"/api/auth/answer": done(cli_rand_answer="0" * 32)})
    one = talk(broker)
    with pytest.raises(NotGenuine, match="could not prove that it knows the password"):
        one.web.logins("*")
    assert not broker.count("/api/user/logins")


def test_a_challenge_that_is_none(talk: Talking) -> None:
    for challenge in ("", "73007dc7", "zz" * 16, "00" * 17):
        one = talk(Broker(says={"/api/auth/start": done(srv_rand=challenge)}))
        with pytest.raises(Garbled, match="no challenge"):
            one.web.open()
