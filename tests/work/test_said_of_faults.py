"""What is logged and shown of a fault quotes nothing that was sent or stored."""

from __future__ import annotations

import logging
import threading
from typing import Any

import psycopg
import pytest
from tests.scenarios.small_broker import SmallBroker

from pipshare import db, inbox
from pipshare.errors import BadInput, Unavailable
from pipshare.pipeline import feeds
from pipshare.pipeline.work.conduct import Conductor
from pipshare.pipeline.work.tend import Tender, tend
from pipshare.sources.mt5_web.answer import Answer, garbled

QUOTED = "Anna Smith, iban DE00"


def _source(broker: SmallBroker) -> inbox.Source:
    server = next(iter(broker.run.servers.values()))
    found = inbox.add_source(broker.conn, "exports", server.id, "files", {}, by="anna")
    broker.conn.commit()
    return found


def test_of_what_a_row_or_a_file_may_be_in_only_the_name_is_told(broker: SmallBroker) -> None:
    with db.connect() as conn, pytest.raises(psycopg.Error) as raised:
        conn.execute("SELECT %s::int", (QUOTED,))
    assert QUOTED in str(raised.value)
    assert db.said_of(raised.value) == "InvalidTextRepresentation (22P02)"
    assert db.said_of(PermissionError(13, "no", QUOTED)) == "PermissionError (Permission denied)"
    assert db.said_of(ValueError(QUOTED)) == "ValueError"
    assert db.said_of(psycopg.OperationalError("the connection is lost\nDETAIL: more")) == (
        "OperationalError: the connection is lost"
    )
    assert db.said_of(Unavailable("away", "the server is away")) == "the server is away"
    assert db.said_of(BadInput("bad", "the setting url is no address")) == (
        "the setting url is no address"
    )


def test_an_unexpected_fault_of_a_source_is_told_by_its_name(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source = _source(broker)

    class Failing:
        def __init__(self) -> None:
            self.halt: Any = None

        def poll(self) -> None:
            raise ValueError(QUOTED)

        def close(self) -> None:
            raise KeyError(QUOTED)

    monkeypatch.setattr(feeds, "make", lambda *_: Failing())
    tender = Tender(broker.conn, source, threading.Event(), None)
    with caplog.at_level(logging.INFO, "pipshare.work"):
        for _ in range(3):
            tender._once()
    assert QUOTED not in caplog.text
    assert "exports: unexpected ValueError: a fault of pipshare; the log says where" in caplog.text
    assert "in poll" in caplog.text
    assert "exports: the feed did not close: KeyError" in caplog.text
    rows = broker.conn.execute("SELECT message FROM inbox_alert WHERE code = 'source_down'")
    (message,) = rows.fetchone() or ("",)
    assert message == "unexpected ValueError: a fault of pipshare; the log says where"


@pytest.mark.parametrize("error", [psycopg.DataError(QUOTED), ValueError(QUOTED)])
def test_a_source_whose_thread_ends_quotes_nothing(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:  # fmt: skip
    def fail(_self: Tender) -> None:
        raise error

    monkeypatch.setattr(Tender, "tend", fail)
    with db.connect() as conn, caplog.at_level(logging.INFO, "pipshare.work"):
        tend(conn, _source(broker), threading.Event(), None)
    assert QUOTED not in caplog.text
    assert f"{type(error).__name__}" in caplog.text


def test_the_conductor_quotes_nothing_of_what_the_database_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = threading.Event()
    stop.set()
    conductor = Conductor(stop, None, None)
    with caplog.at_level(logging.INFO, "pipshare.work"), conductor.surviving():
        raise psycopg.DataError(QUOTED)
    assert "the database cannot be used: DataError" in caplog.text
    assert QUOTED not in caplog.text


def test_of_an_answer_that_was_cut_only_its_shape_is_shown() -> None:
    body = b'{"answer": [{"Name": "Anna Smith", "Phone": "0049 30 1'
    said = garbled(Answer(0, "", body, "/api/user/get"), "cut").message
    assert said == (
        f"/api/user/get gave broken or cut JSON (cut; {len(body)} bytes, ending"
        ' \'aaaa": "aaaa aaaaa", "aaaaa": "0000 00 0\'): nothing of it was used'
    )
