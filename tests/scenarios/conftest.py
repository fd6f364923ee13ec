"""Fixtures of the scenarios: brokers that are loaded, and one whose files are only written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker_world import World
from ready import standing
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
def ready(templates: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Make brokers, each loaded and with a database of its own: `ready(kind, *args, then=...)`."""
    with ExitStack() as ended:
        yield lambda kind, *args, **then: ended.enter_context(
            standing(templates, tmp_path, kind, *args, **then)
        )


@pytest.fixture
def broker(ready: Any) -> SmallBroker:
    """A broker of one client and two partners, loaded."""
    made: SmallBroker = ready(SmallBroker)
    return made
