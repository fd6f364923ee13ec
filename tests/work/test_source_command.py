"""`pipshare source`: set up, check, status, pause, remove, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.scenarios.small_broker import SmallBroker

from pipshare import inbox
from pipshare.cli.main import program
from pipshare.errors import PipshareError


def run(*words: str, typed: str = "") -> Result:
    """Run a command in this process; an error of ours counts as its sentence and status 1."""
    done = CliRunner().invoke(program, ["source", *words], input=typed)
    if done.exception is not None and not isinstance(done.exception, SystemExit | PipshareError):
        raise done.exception
    return done


def test_a_folder_is_set_up_checked_paused_and_removed(broker: SmallBroker, folder: Path) -> None:
    broker.conn.commit()
    done = run("add", "files", "--server", "Live-4", "--dir", str(folder), "--no-file-after", "26")
    assert "source live-4-files is set up" in done.output, done.exception
    (one,) = inbox.sources(broker.conn)
    assert one.settings == {"dir": str(folder), "poll_s": "2", "no_file_after_s": "93600"}
    broker.conn.rollback()

    done = run("check", "live-4-files")
    assert done.exit_code == 0, done.output
    assert "can be read and written" in done.output
    assert "none came yet" in done.output
    paused = run("pause", "live-4-files", "--reason", "holiday", "--by", "anna")
    assert paused.output == "live-4-files is paused: it is polled no more within a second\n"
    told = json.loads(run("status", "--json").output)["sources"][0]
    assert told["source"]["state"] == "paused"
    assert [finding["what"] for finding in told["findings"]] == ["folder", "files", "server"]
    assert "paused" in run("status").output
    assert "is active: `pipshare work` goes on" in run("resume", "live-4-files").output
    assert "not worked: pipshare work" in run("status").output

    folder.rmdir()
    done = run("check", "live-4-files")
    assert done.exit_code == 1
    assert "mount it" in done.output
    assert "is removed: its password" in run("remove", "live-4-files").output
    assert "No source is set up" in run("status").output
    told = broker.conn.execute(
        "SELECT actor, action, reason FROM audit_event WHERE subject = 'live-4-files' ORDER BY id"
    ).fetchall()
    assert told[1] == ("anna", "source.paused", "holiday")
    assert [row[1] for row in told[1:]] == ["source.paused", "source.active", "source.removed"]
    assert "Poll a paused source again" in run("--help").output


def test_an_mt5_server_is_set_up_with_its_password_sealed(broker: SmallBroker) -> None:
    broker.conn.commit()
    words = ["add", "mt5", "--server", "Live-5", "--code", "live", "--url", "https://127.0.0.1:1"]
    done = run(*words, "--login", "1000", "--set", "from=30d", typed="Password1\n")
    assert "source live is set up" in done.output, done.exception
    assert "Password1" not in done.output
    assert "now come from mt5_web" in done.output, "the first source of a fresh server books"
    one = inbox.source(broker.conn, "live")
    assert inbox.secret_of(broker.conn, one) == "Password1"
    assert one.settings["from"] == "30d"
    broker.conn.rollback()
    assert "0 secrets sealed anew" in run("rekey").output
    assert run("password", "live", typed="Password2\n").exit_code == 0
    assert inbox.secret_of(broker.conn, one) == "Password2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--server", "Live-9", "--dir", "."], "no server 'Live-9'"),
        (["--server", "Live-4", "--dir", "nowhere"], "create it first"),
        (["--server", "Live-4", "--dir", ".", "--code", "A b"], "small letters"),
        (["--server", "Live-4", "--dir", ".", "--no-file-after", "often"], "number of hours"),
        (["--server", "Live-4", "--dir", ".", "--no-file-after", "1e99999999"], "number of hours"),
        (["--server", "Live-4", "--dir", ".", "--poll", "often"], "poll_s"),
    ],
)
def test_what_cannot_be_set_up_is_said(
    broker: SmallBroker, folder: Path, monkeypatch: Any, words: list[str], said: str
) -> None:
    broker.conn.commit()
    monkeypatch.chdir(folder)
    done = run("add", "files", *words)
    assert done.exit_code != 0
    assert said in f"{done.output} {done.exception}"
    assert inbox.sources(broker.conn) == []


def test_a_second_source_of_a_server_says_that_it_only_compares(
    broker: SmallBroker, folder: Path
) -> None:
    broker.conn.commit()
    run("add", "files", "--server", "Live-5", "--dir", str(folder))
    words = ["add", "mt5", "--server", "Live-5", "--url", "https://127.0.0.1:1", "--login", "7"]
    assert "books nothing" in run(*words, typed="Password1\n").output
    assert "MT4" in str(run(*words[:3], "Live-4", *words[4:], typed="Password1\n").exception)
