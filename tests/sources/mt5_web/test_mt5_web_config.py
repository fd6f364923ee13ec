"""Settings: what is accepted, and every wrong one named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipshare.errors import BadInput
from pipshare.sources.mt5_web import Config

GOOD = {"url": "https://mt5.example.com:8443/", "login": "1000"}
HEX = "0a" * 32


def test_defaults_and_a_full_setting(tmp_path: Path) -> None:
    plain = Config.parse(GOOD, "secret")
    assert (plain.host, plain.port, plain.base) == ("mt5.example.com", 8443, "")
    assert (plain.groups, plain.poll_s, plain.connections) == ("*", 1, 2)
    assert "secret" not in repr(plain)
    ca = tmp_path / "ca.pem"
    ca.touch()
    more = {"url": "https://[::1]/mt5/", "groups": r" real\*, !real\test* ,", "ca_file": str(ca),
            "poll_s": "0.5", "timeout_s": "10", "connections": "4", "agent": "x", "overlap": "?",
            "fingerprint": " "}  # fmt: skip
    full = Config.parse(GOOD | more, "secret")
    assert (full.host, full.port, full.base) == ("::1", 443, "/mt5")
    assert full.groups == r"real\*,!real\test*"
    assert full.ca_file == ca
    pinned = Config.parse(GOOD | {"fingerprint": "SHA256:" + ":".join(["0A"] * 32)}, "secret")
    assert pinned.fingerprint == HEX


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("url", ""), ("url", "http://mt5.example.com"), ("url", "mt5.example.com:443"),
        ("url", "https://"), ("url", "https://me:secret@host"), ("url", "https://host:99999"),
        ("url", "https://host/?x=1"), ("url", "https://[::1"),
        ("login", ""), ("login", "0"), ("login", "-5"), ("login", "anna"), ("login", "9" * 20),
        ("groups", "!demo*"), ("groups", " , "), ("ca_file", "/nonexistent/ca.pem"),
        ("fingerprint", "0a0b"), ("fingerprint", "zz" * 32), ("agent", "two words"),
        ("timeout_s", "0"), ("poll_s", "0"), ("poll_s", "soon"), ("connections", "99"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(name: str, text: str) -> None:
    settings = {**GOOD, name: text}
    if name == "groups" and not text.strip(", "):
        settings["groups"] = ","
    with pytest.raises(BadInput, match=f"setting {name} ") as found:
        Config.parse(settings, "secret")
    assert "secret" not in found.value.message


def test_no_password_and_two_kinds_of_trust(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="setting password is empty"):
        Config.parse(GOOD, "")
    with pytest.raises(BadInput, match="setting fingerprint and ca_file are both given"):
        Config.parse(GOOD | {"fingerprint": HEX, "ca_file": "x"}, "secret")
