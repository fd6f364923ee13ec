"""Fakes that end with the test, and a caller that may reach loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import pytest

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def fake() -> Iterator[Callable[..., Any]]:
    """Start fakes that end with the test."""
    made: list[Any] = []

    def start(kind: Callable[[], Any]) -> Any:
        made.append(kind())
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def call() -> Iterator[Any]:
    """A caller that reaches loopback, and waits no longer than three seconds."""
    from pipshare.pipeline.crm.calling import Caller

    made = Caller(LOOPBACK, timeout_s=3.0)
    yield made
    made.close()
