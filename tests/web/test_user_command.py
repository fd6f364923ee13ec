"""`pipshare user`: add, list, disable, reset; what will not do is said in a sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipshare import db as pg
from pipshare.cli import main
from pipshare.errors import BadInput
from pipshare.people import accounts


def _run(capsys: Any, *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main(["user", *arguments])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out + said.err


def test_a_life(module_db: Any, capsys: Any, tmp_path: Path) -> None:
    assert "user add EMAIL" in _run(capsys, "list")[1]
    code, said = _run(capsys, "add", "ann@broker.example", "--role", "admin", "--name", "Ann")
    assert code == 0
    password = re.search(r"Password: (\S{16})\n", said)
    assert password
    secret = tmp_path / "secret"
    secret.write_text("a password from a file\n")
    code, said = _run(capsys, "add", "bob@broker.example", "--role", "auditor",
                      "--password-file", str(secret))  # fmt: skip
    assert code == 0
    assert "password from" not in said
    assert _run(capsys, "disable", "BOB@broker.example")[0] == 0
    listed = _run(capsys, "list")[1]
    assert re.search(r"ann@broker\.example +Ann +admin +off +never", listed)
    assert re.search(r"bob@.*disabled", listed)
    assert "may work without" in _run(capsys, "exempt", "bob@broker.example", "--reason", "x")[1]
    assert re.search(r"bob@.*off, exempt", _run(capsys, "list")[1])
    assert "needs a second" in _run(capsys, "exempt", "bob@broker.example", "--undo")[1]
    assert "may sign in again" in _run(capsys, "disable", "bob@broker.example", "--undo")[1]
    code, said = _run(capsys, "reset", "ann@broker.example", "--second-factor", "--by", "Carl")
    assert code == 0
    assert password[1] not in said
    with pg.connect() as conn:
        rows = conn.execute("SELECT action, detail::text FROM audit_event ORDER BY id").fetchall()
        stored = conn.execute("SELECT string_agg(password, ' ') FROM people_user").fetchone()
    assert [row[0] for row in rows] == [
        "add user", "add user", "disable user", "exempt from second factor",
        "require second factor", "enable user", "reset password",
    ]  # fmt: skip
    assert password[1] not in str(rows) + str(stored)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "no-address", "--role", "admin"], "is no e-mail address"),
        (["add", "x@broker.example", "--role", "king"], "king"),
        (["add", "x@broker.example", "--role", "partner"], "needs a partner's code"),
        (["add", "x@broker.example", "--role", "partner", "--partner", "IB-9"], "IB-9"),
        (["disable", "nobody@broker.example"], "there is nobody with"),
        (["reset", "nobody@broker.example"], "there is nobody with"),
    ],
)
def test_what_will_not_do_is_said(
    module_db: Any, capsys: Any, arguments: list[str], words: str
) -> None:
    code, said = _run(capsys, *arguments)
    assert code != 0
    assert words in said


def test_a_taken_address_and_a_short_password_are_refused(db: Any) -> None:
    with pg.connect() as conn:
        accounts.add(conn, "ann@broker.example", "admin", by="tests")
        with pytest.raises(BadInput, match="12 characters"):
            accounts.add(conn, "bob@broker.example", "admin", by="tests", password="short")
        with pytest.raises(Exception, match="is here already"):
            accounts.add(conn, "ANN@broker.example", "finance", by="tests")
