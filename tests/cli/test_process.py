"""The installed program as a process of its own: exit status, and errors without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pipshare import __version__
from pipshare.cli import main

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    return subprocess.run([PIPSHARE, *arguments], env=bare | environment, capture_output=True,
                          text=True, check=False)  # fmt: skip


def test_version_and_help() -> None:
    assert run("--version").stdout == f"pipshare, version {__version__}\n"
    helped = run("--help")
    assert helped.returncode == 0
    for command in ("import", "load", "plan", "statement", "explain", "waiting", "approve"):
        assert f"  {command} " in helped.stdout


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "a_file"
    blocked.touch()
    for environment, words in (
        ({"PIPSHARE_DAT": "x"}, "did you mean PIPSHARE_DATA?"),
        ({"PIPSHARE_DATA": str(blocked)}, "choose another with PIPSHARE_DATA"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "the database does not answer"),
    ):
        ran = run("verify", **environment)
        assert ran.returncode == 1
        assert ran.stdout == ""
        assert ran.stderr.startswith("pipshare: ")
        assert words in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_database_that_goes_away_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone() -> None:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("pipshare.db.migrate", gone)
    with pytest.raises(SystemExit) as end:
        main(["verify"])
    assert end.value.code == 1
    assert "the database gave up: server closed the connection" in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipshare.db.migrate", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main(["verify"])
