"""`deliver` goes on when the database went away; mail about a receiver; settings that open."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from tests.outbox.conftest import settled
from tests.outbox.outbox_world import entity, hook, said, say
from tests.outbox.sink import Sink

from pipshare import outbox

Make = Callable[..., Any]


@pytest.fixture
def delivering(db: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run `deliver` in a thread, loopback opened as an operator opens it."""
    from pipshare import settings
    from pipshare.pipeline.deliver import deliver

    opened = settings.load({"PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8"}).egress_allow
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, egress_allow=opened))
    stop = threading.Event()
    thread = threading.Thread(target=deliver, args=(stop,), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_it_goes_on_when_the_database_cut_it_off(
    db: Any, test_server: Any, sinks: Make, delivering: None
) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1, "client:1"))
        conn.commit()
        sink.wait(1)
        settled(conn)
        with test_server.administer() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                (db.name, conn.info.backend_pid),
            )
        say(conn, said(2, "client:1"))
        conn.commit()
        assert settled(conn, 30) == {"delivered": 2}
    assert len(sink.got) == 2


class _Post(threading.Thread):
    """A mail server that takes one mail, without TLS."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.mail = ""

    def run(self) -> None:
        """Answer as far as smtplib asks."""
        connection, _ = self.socket.accept()
        with connection, connection.makefile("rwb") as talk:
            self._say(talk, "220 hello")
            while line := talk.readline().decode().strip():
                if line.upper() == "DATA":
                    self._say(talk, "354 go on")
                    while (text := talk.readline().decode()) != ".\r\n":
                        self.mail += text
                self._say(talk, "250 ok")
                if line.upper() == "QUIT":
                    return

    @staticmethod
    def _say(talk: Any, line: str) -> None:
        talk.write(f"{line}\r\n".encode())
        talk.flush()


def test_its_owner_is_mailed(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipshare import settings
    from pipshare.pipeline.delivering.notices import switch_off

    post = _Post()
    post.start()
    url = f"smtp://127.0.0.1:{post.port}?from=pipshare@broker.example"
    mail_url = settings.load({"PIPSHARE_MAIL_URL": url}).mail_url
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, mail_url=mail_url))
    with db.app() as conn:
        one = hook(conn, "Ana's\u2028tracker".replace("\u2028", " "), "https://t.example/",
                   owner_email="ana@partner.example")  # fmt: skip
        conn.commit()
        switch_off(one, "answered 500", int(time.time() * 1000))
        assert outbox.receiver(conn, one.name).state == "off"
    post.join(10)
    assert "To: ana@partner.example" in post.mail
    assert "From: pipshare@broker.example" in post.mail
    assert "Subject: pipshare: Ana's tracker is switched off" in post.mail
    assert "answered 500" in post.mail


def test_a_mail_that_is_not_taken_stops_nothing(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipshare import settings
    from pipshare.pipeline.delivering.notices import switch_off

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"smtp://127.0.0.1:{port}?from=pipshare@broker.example"
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, mail_url=url))
    with db.app() as conn:
        one = hook(conn, "a", "https://t.example/", owner_email="ana@partner.example")
        conn.commit()
        switch_off(one, "answered 500", int(time.time() * 1000))
        assert outbox.receiver(conn, "a").state == "off"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PIPSHARE_EGRESS_ALLOW": "10.0.0.1/8"}, "host bits"),
        ({"PIPSHARE_EGRESS_ALLOW": "crm.internal"}, "give networks"),
        ({"PIPSHARE_MAIL_URL": "mail.example:25"}, "give smtps://"),
        ({"PIPSHARE_MAIL_URL": "smtps://mail.example"}, "from="),
    ],
)
def test_settings_that_cannot_be(given: dict[str, str], says: str) -> None:
    from pipshare import settings

    with pytest.raises(ImproperlyConfigured, match=says):
        settings.load(given)


def test_networks_are_read() -> None:
    from pipshare import settings

    env = settings.load({"PIPSHARE_EGRESS_ALLOW": "10.1.0.0/16, fd00::/8 192.168.7.5"})
    assert env.egress_allow == tuple(
        map(ipaddress.ip_network, ("10.1.0.0/16", "fd00::/8", "192.168.7.5/32"))
    )
    assert settings.load({}).egress_allow == ()


def test_a_secret_that_cannot_be_opened_stops_only_its_receiver(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        hook(conn, "good", sink.url("/good"))
        bad = outbox.add(conn, entity(conn), "webhook", "bad", {"url": sink.url("/bad")}, by="a")
        conn.execute("INSERT INTO outbox_secret (receiver_id, sealed) VALUES (%s, 'gone:xxx')",
                     (bad.id,))  # fmt: skip
        say(conn, said(1))
        conn.commit()
        dispatching()
        sink.wait(1)
        time.sleep(0.5)
        waiting = outbox.fares(conn, bad.id)[bad.id].waiting
    assert [got.path for got in sink.got] == ["/good"]
    assert waiting == 1, "it is sent when the key is back"
