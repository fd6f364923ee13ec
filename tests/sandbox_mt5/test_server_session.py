"""The session: challenge, mutual answer, one connection, its cookie, its limits."""

from __future__ import annotations

import socket
import ssl

import pytest
from web_api import CLI_RAND, Client, answer_for, signed_in

from pipshare.sandbox.mt5 import Limits


def test_signing_in_is_mutual(server) -> None:
    client = Client(server)
    started = client.start()
    assert len(bytes.fromhex(started.json["srv_rand"])) == 16
    got = client.answer(answer_for("Password1", started.json["srv_rand"]))
    assert list(got.json) == ["retcode", "version_access", "version_trade", "cli_rand_answer"]
    assert got.json["cli_rand_answer"] == answer_for("Password1", CLI_RAND)
    assert client.get("/api/test/access").body == b'{"retcode":"0 Done"}'
    assert server.requests["signed in"] == 1


def test_who_is_refused(server) -> None:
    client = Client(server)
    for given, code in (
        ({"login": 999}, 1020),
        ({"version": "483"}, 1010),
        ({"type": "client"}, 1024),
        ({"agent": "two words"}, 3),
        ({"agent": ""}, 3),
        ({"version": "new"}, 3),
    ):
        assert client.start(**given).code == code, given
    assert client.sign_in(password="Password2").code == 1001
    assert client.get("/api/test/access").status == 403


def test_a_challenge_is_answered_once_and_within_ten_seconds(serve) -> None:
    now = [100.0]
    client = Client(serve(clock=lambda: now[0]))
    assert client.answer("00" * 16).code == 1001  # none was asked for
    right = answer_for("Password1", client.start().json["srv_rand"])
    now[0] += 10.5
    assert client.answer(right).code == 9
    assert client.answer(right).code == 1001  # it is used up
    right = answer_for("Password1", client.start().json["srv_rand"])
    now[0] += 9.5
    assert client.answer(right, cli_rand="beef").code == 3
    right = answer_for("Password1", client.start().json["srv_rand"])
    assert client.answer(right).code == 0


def test_challenges_differ(server) -> None:
    client = Client(server)
    assert len({client.start().json["srv_rand"] for _ in range(5)}) == 5


def test_a_session_is_its_connection(server) -> None:
    first, second = signed_in(server), Client(server)
    assert second.get("/api/test/access").status == 403
    assert second.get("/api/deal/get", ticket=1).status == 403
    assert first.get("/api/test/access").code == 0
    assert signed_in(server).get("/api/test/access").code == 0  # several side by side
    assert first.start().code == 0  # whoever starts anew is nobody until he answers
    assert first.get("/api/test/access").status == 403


def _cookie(client: Client) -> dict[str, str]:
    value = client.sign_in().headers["Set-Cookie"]
    assert "Secure" in value
    assert "HttpOnly" in value
    return {"Cookie": value.split(";")[0]}


@pytest.mark.parametrize(
    ("sessions", "without", "wrong", "elsewhere"),
    [("connection", 200, 403, 403), ("both", 403, 403, 403), ("cookie", 200, 200, 200)],
)
def test_what_the_cookie_is_worth(serve, sessions, without, wrong, elsewhere) -> None:
    server = serve(limits=Limits(sessions=sessions))
    client = Client(server)
    cookie = _cookie(client)

    def status(who: Client, headers: dict[str, str]) -> int:
        return who.get("/api/test/access", headers).status

    assert status(client, cookie) == 200
    assert status(client, {}) == without
    assert status(client, {"Cookie": "SessionID=0"}) == wrong
    assert status(Client(server), cookie) == elsewhere
    client.get("/api/quit", cookie)
    assert status(Client(server), cookie) == 403  # quit ends it everywhere


def test_silence_ends_the_connection(serve) -> None:
    client = signed_in(serve(limits=Limits(idle_s=0.1)))
    assert client.gone()


def test_a_request_after_180_seconds_is_not_answered(serve) -> None:
    now = [0.0]
    client = signed_in(serve(clock=lambda: now[0]))
    now[0] += 179
    assert client.get("/api/test/access").code == 0
    now[0] += 181
    with pytest.raises((ConnectionError, ssl.SSLError)):
        client.get("/api/test/access")


def test_quit_ends_the_connection(client) -> None:
    assert client.get("/api/quit").body == b'{"retcode":"0 Done"}'
    assert client.gone()


def test_a_restart_cuts_everybody(server) -> None:
    client = signed_in(server)
    server.cut()
    assert client.gone()
    assert signed_in(server).get("/api/test/access").code == 0


def test_the_certificate_stays_over_a_restart(serve, tmp_path) -> None:
    first = serve()
    mark = first.fingerprint
    first.stop()
    second = serve()
    assert second.fingerprint == mark
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    client = signed_in(second)
    der = client.connection.sock.getpeercert(binary_form=True)
    assert second.cert_file.read_text() == ssl.DER_cert_to_PEM_cert(der)
    assert second.names[-1] == "localhost"  # SNI


def test_a_client_that_was_not_told_trusts_nobody(server) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port), 5) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
    assert signed_in(server).get("/api/test/access").code == 0  # others are served


def test_plain_http_is_not_spoken(server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
        raw.sendall(b"GET /api/test/access HTTP/1.1\r\n\r\n")
        said = raw.recv(100)  # nothing, or a TLS alert
    assert b"HTTP" not in said
