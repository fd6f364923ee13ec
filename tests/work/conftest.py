"""Fixtures: a small broker with a watched folder, and real `pipshare work` processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker
from tests.work.processes import Workers


@pytest.fixture
def broker(db: Any, tmp_path: Path) -> Iterator[SmallBroker]:
    """A loaded broker of one client and two partners; his files are not in the watched folder."""
    (tmp_path / "loads").mkdir()
    with db.app() as conn:
        yield SmallBroker(conn, tmp_path / "loads")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The watched folder."""
    made = tmp_path / "exports"
    made.mkdir()
    return made


@pytest.fixture
def workers(db: Any) -> Iterator[Workers]:
    """Start processes that work on the test's database."""
    made = Workers({**os.environ, **db.environment, "PYTHONUNBUFFERED": "1"})
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
        process.communicate()
