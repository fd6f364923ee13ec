"""The environment is parsed strictly: a misspelt setting is an error that names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipshare import settings


def test_defaults_are_the_checkout_s_folder() -> None:
    env = settings.load({})
    root = Path(settings.__file__).parents[2]
    assert env.data == root / ".pipshare"
    assert env.database_url is env.owner_database_url is env.secret_key is None


def test_outside_a_checkout_it_is_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    installed = tmp_path / "lib/python3.11/site-packages/pipshare/settings.py"
    assert settings.load({}, here=installed).data == tmp_path / ".pipshare"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PIPSHARE_DATE": "x"}, "PIPSHARE_DATE is not a setting.*did you mean PIPSHARE_DATA"),
        ({"PIPSHARE_COLOUR": "red"}, "PIPSHARE_COLOUR is not a setting"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must begin with postgresql://"),
        ({"PIPSHARE_OWNER_DATABASE_URL": "postgresql://o@h/d"}, "but DATABASE_URL"),
        ({"PIPSHARE_SECRET_KEY": "short"}, "32 characters"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        settings.load(given)


def test_empty_counts_as_not_given() -> None:
    assert settings.load({"DATABASE_URL": " ", "PIPSHARE_UNKNOWN": ""}).database_url is None


def test_a_program_says_it_in_one_sentence() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from pipshare import db; db.connect()"],
        env={**os.environ, "PIPSHARE_DATEN": "x"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "BadInput: PIPSHARE_DATEN is not a setting" in ran.stderr


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    env = settings.load({"PIPSHARE_DATA": str(tmp_path / "data")})
    first, second = settings.secret_key(env), settings.secret_key(env)
    assert first == second
    assert len(first) >= 32
    path = tmp_path / "data/secret_key"
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir()] == ["secret_key"]


def test_the_secret_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    env = settings.load({"PIPSHARE_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.secret_key(env) == "k" * 40
    env = settings.load({"PIPSHARE_SECRET_KEY_FILE": str(tmp_path / "absent")})
    with pytest.raises(ImproperlyConfigured, match="absent"):
        settings.secret_key(env)
