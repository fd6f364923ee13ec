"""What is sealed opens only with its key, and keys can be changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipshare import settings
from pipshare.db import reseal, seal, unseal
from pipshare.errors import BadInput, Missing

OLD, NEW = "an old key of forty characters, at least", "a-new-key-of-forty-characters-at-the-least"


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, data=tmp_path / "data"))


def keys(monkeypatch: pytest.MonkeyPatch, *given: str) -> None:
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, encryption_keys=given))


def test_a_secret_comes_back_and_says_nothing(tmp_path: Path) -> None:
    sealed = seal("Pässword 1")
    assert unseal(sealed) == "Pässword 1"
    assert unseal(memoryview(sealed)) == "Pässword 1"
    assert b"ssword" not in sealed
    assert sealed != seal("Pässword 1"), "equal secrets must not look equal"
    made = tmp_path / "data/encryption_keys"
    assert made.stat().st_mode & 0o777 == 0o600
    assert made.read_text().strip().encode() not in sealed


def test_keys_change_without_losing_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, OLD)
    sealed = seal("secret")
    assert reseal(sealed) is None
    keys(monkeypatch, NEW, OLD)
    assert unseal(sealed) == "secret"
    anew = reseal(sealed)
    assert anew is not None
    keys(monkeypatch, NEW)
    assert unseal(anew) == "secret"
    with pytest.raises(Missing, match="PIPSHARE_ENCRYPTION_KEYS"):
        unseal(sealed)


def test_an_altered_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = bytearray(seal("secret"))
    sealed[30] ^= 1
    with pytest.raises(BadInput, match="altered"):
        unseal(bytes(sealed))


@pytest.mark.parametrize("text", ["short", f"{'a' * 40},short", " , "])
def test_keys_that_are_none_are_refused_by_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PIPSHARE_ENCRYPTION_KEYS"):
        settings.load({"PIPSHARE_ENCRYPTION_KEYS": text or ","})


def test_keys_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    first, second = "a" * 40, "b" * 40
    env = settings.load({"PIPSHARE_ENCRYPTION_KEYS": f"{first}, {second}"})
    assert settings.encryption_keys(env) == (first, second)
    file = tmp_path / "keys"
    file.write_text(f"{second}\n{first}\n")
    env = settings.load({"PIPSHARE_ENCRYPTION_KEYS_FILE": str(file)})
    assert settings.encryption_keys(env) == (second, first)
