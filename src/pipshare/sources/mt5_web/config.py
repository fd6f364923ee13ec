"""The settings of one MT5 Web API source, checked and named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pipshare.errors import BadInput

MIB = 2**20
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Config:
    """How to reach one access server. `Config.parse` reads it from a source's settings.

    groups: comma list of group masks, * as wildcard, ! for "not". Without ca_file and fingerprint
    the certificate has to be one that this machine trusts. fingerprint: sha256 of the certificate.
    answer_limit: bytes that one answer may have; longer ones are asked for in halves.
    """

    url: str
    login: int
    password: str = field(repr=False)
    groups: str = "*"
    ca_file: Path | None = None
    fingerprint: str | None = None
    agent: str = "pipshare"
    timeout_s: int = 30
    poll_s: float = 1.0
    connections: int = 2
    answer_limit: int = 32 * MIB

    @property
    def host(self) -> str:
        """The name or address to connect to."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        return urlsplit(self.url).port or 443

    @property
    def base(self) -> str:
        """A path before /api, where the server is behind a proxy; commonly empty."""
        return urlsplit(self.url).path.rstrip("/")

    @classmethod
    def parse(cls, settings: Mapping[str, str], password: str) -> Config:
        """Read a source's settings; keys are the fields' names, others are none of our business.

        Raises BadInput that names the field.
        """
        if not password:
            raise _bad("password", "is empty: give the API password of the manager login "
                       "(MetaTrader 5 Administrator, the manager's Security tab)")  # fmt: skip
        given = {name: text.strip() for name, text in settings.items() if text.strip()}
        ca_file, fingerprint = given.get("ca_file"), given.get("fingerprint")
        if ca_file and fingerprint:
            raise _bad("fingerprint", "and ca_file are both given: give one of them")
        agent = given.get("agent", "pipshare")
        if not agent.isascii() or " " in agent:
            raise _bad("agent", f"{agent!r} has to be one word")
        return cls(
            url=_url(given.get("url", "")),
            login=_whole("login", given.get("login", ""), 1, 2**63 - 1),
            password=password,
            groups=_groups(given.get("groups", "*")),
            ca_file=_file(ca_file) if ca_file else None,
            fingerprint=_fingerprint(fingerprint) if fingerprint else None,
            agent=agent,
            timeout_s=_whole("timeout_s", given.get("timeout_s", "30"), 1, 600),
            poll_s=_seconds("poll_s", given.get("poll_s", "1")),
            connections=_whole("connections", given.get("connections", "2"), 1, 16),
        )


def _bad(name: str, what: str) -> BadInput:
    return BadInput("bad_setting", f"setting {name} {what}")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _bad("url", f"{text!r} is no address such as https://mt5.example.com:443") from None
    if parts.scheme != "https" or not host:
        raise _bad("url", f"{text!r} is no address such as https://mt5.example.com:443 "
                   "(the Web API speaks https only)")  # fmt: skip
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _bad("url", "holds more than host, port and path: the login has a setting of its own")
    return text.rstrip("/")


def _whole(name: str, text: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise _bad(name, f"{text!r} is no whole number from {least} to {most}")


def _seconds(name: str, text: str) -> float:
    if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text) and float(text) >= 0.1:
        return float(text)
    raise _bad(name, f"{text!r} is no number of seconds such as 1 or 0.5 (at least 0.1)")


def _groups(text: str) -> str:
    masks = [mask.strip() for mask in text.split(",") if mask.strip()]
    if not any(not mask.startswith("!") for mask in masks):
        raise _bad("groups", f"{text!r} takes nothing in: give masks such as real\\*,!real\\test*")
    return ",".join(masks)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise _bad("ca_file", f"{text!r} is no file: give the certificate (PEM) that signed the "
                   "server's, or its fingerprint instead")  # fmt: skip
    return path


def _fingerprint(text: str) -> str:
    cleaned = re.sub(r"[\s:]|^sha-?256[:=]?", "", text.lower())
    if not _HEX.fullmatch(cleaned):
        raise _bad("fingerprint", f"{text!r} is no sha256 fingerprint: 64 hexadecimal digits, "
                   "with or without colons")  # fmt: skip
    return cleaned
