"""Fixtures of the scenarios: a broker whose files are written and not loaded yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_world import World
from small_broker import SmallBroker

from pipshare import sandbox
from pipshare.pipeline import Run


@pytest.fixture
def world(db: Any, tmp_path: Path) -> Iterator[World]:
    """A broker of 600 trades whose files are written and not loaded yet."""
    broker = sandbox.make_broker(seed=11, trades=600)
    paths = sandbox.write_demo(tmp_path, broker)
    with db.app() as conn:
        yield World(Run(conn), broker, paths)


@pytest.fixture
def broker(db: Any, tmp_path: Path) -> Iterator[SmallBroker]:
    """A broker of one client and two partners, loaded."""
    with db.app() as conn:
        yield SmallBroker(conn, tmp_path)
