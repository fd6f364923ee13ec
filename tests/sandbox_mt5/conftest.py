"""Fixtures: one small world on a stopped clock, and a server on it for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from web_api import NOW, Client, signed_in

from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.world import Size, World


@pytest.fixture(scope="module")
def world() -> World:
    size = Size(logins=60, rate=0.05, history_days=2, history_rate=0.002)
    return World(7, size, clock=lambda: NOW)


Serve = Callable[..., Mt5Server]


@pytest.fixture
def serve(world: World, tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts a server on the world, and ends it after the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Mt5Server:
            options = {"folder": tmp_path} | options
            return stack.enter_context(Mt5Server(options.pop("world", world), **options))

        yield start


@pytest.fixture
def server(serve: Serve) -> Mt5Server:
    return serve()


@pytest.fixture
def client(server: Mt5Server) -> Iterator[Client]:
    one = signed_in(server)
    yield one
    one.close()
