"""Fixtures: certificates of the module's own, and a connector on a scripted server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mt5_web_talk import Talk, Talking
from scripted_tls import Script, TlsServer, certificate

from pipshare.sources.mt5_web import Config, Mt5Web


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, its own authority."""
    return certificate(tmp_path_factory.mktemp("mt5-web"))


@pytest.fixture
def talk(pem: Path) -> Iterator[Talking]:
    """Return a function that starts a scripted server and a connector on it."""
    with ExitStack() as stack:

        def start(script: Script, *, cert: Path | None = None, **settings: Any) -> Talk:
            server = stack.enter_context(TlsServer(cert or pem, script))
            given = {"ca_file": pem, "connections": 1, "timeout_s": 5} | settings
            if given.get("fingerprint"):
                given["ca_file"] = None
            config = Config(server.url, given.pop("login", 1000),
                            given.pop("password", "Password1"), **given)  # fmt: skip
            made = Talk(server, None)  # type: ignore[arg-type]
            made.web = Mt5Web(config, log=made.log.append, clock=lambda: made.now,
                              sleep=made.slept.append)  # fmt: skip
            stack.callback(made.web.close)
            return made

        yield start
