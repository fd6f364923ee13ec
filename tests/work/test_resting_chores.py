"""A chore that fails does not stop the others, and what is said of it quotes nothing."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest

from pipshare.errors import BadInput, Unavailable
from pipshare.pipeline.work import resting
from pipshare.pipeline.work.chores import Chores, said_of

QUOTED = "iban DE00 of a client"


def _alerts(db: Any) -> dict[str, str]:
    with db.app() as conn:
        rows = conn.execute(
            "SELECT subject, message FROM inbox_alert"
            " WHERE code = 'not_at_rest' AND resolved_at IS NULL"
        )  # fmt: skip
        return dict(rows.fetchall())


def test_a_fault_in_one_chore_is_told_and_the_others_go_on(
    db: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rested, cleared = threading.Event(), threading.Event()

    def fail(*_: object) -> int:
        raise ValueError(QUOTED)

    def clear(*_: object) -> int:
        cleared.set()
        return 0

    monkeypatch.setattr(resting, "tell_expiring", fail)
    monkeypatch.setattr(resting, "touch_held", fail)
    monkeypatch.setattr(resting.clients, "touch_cleared", clear)
    monkeypatch.setattr(resting, "to_rest", lambda _run, _do: rested.set())
    halt = threading.Event()
    thread = threading.Thread(target=resting.bring_to_rest, args=(halt,))
    with caplog.at_level(logging.WARNING, "pipshare.work"):
        thread.start()
        try:
            assert rested.wait(30)
            assert cleared.wait(30)
        finally:
            halt.set()
            thread.join(30)
    told = _alerts(db)
    assert set(told) == {"looking at what is held", "telling of documents that end"}
    assert told["telling of documents that end"] == (
        "telling of documents that end failed: ValueError; it is tried again; what does not need"
        " it goes on"
    )
    assert QUOTED not in caplog.text
    assert "telling of documents that end failed: ValueError" in caplog.text


def test_a_chore_that_failed_waits_then_works_and_its_alert_is_over(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with db.app() as conn:
        chores = Chores(conn, lambda: None)

        def fail() -> int:
            conn.execute("SELECT nothing_of_this_name")
            return 1

        assert chores.do("sweeping", fail) is None
        assert set(_alerts(db)) == {"sweeping"}
        assert chores.do("sweeping", lambda: 2) is None  # not yet again
        assert chores.do("cooking", lambda: 3) == 3
        now[0] += 61
        assert chores.do("sweeping", lambda: 2) == 2
        assert _alerts(db) == {}
        conn.close()
        with pytest.raises(Exception, match="closed"):
            chores.do("sweeping", fail)


def test_only_own_messages_are_quoted() -> None:
    assert said_of(Unavailable("away", "the server is away")) == "the server is away"
    assert said_of(BadInput("bad_row", f"row 3 is of {QUOTED}")) == "BadInput (bad_row)"
    assert said_of(KeyError(QUOTED)) == "KeyError"
