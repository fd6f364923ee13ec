"""Servers for the benchmarks' tests: times are not asserted, so they need not be as shipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipshare.db import cluster, embedded

QUICK = {"fsync": "off", "autovacuum": "off", "shared_buffers": "64MB", "max_wal_size": "1GB"}


@pytest.fixture
def quick_servers(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark's server does not wait for the disk, and lies on a quick one."""
    attach = embedded.attach
    monkeypatch.setattr(embedded, "attach", lambda folder: attach(folder, options=QUICK))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))


@pytest.fixture
def copied_databases(templates: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A benchmark that asks for a server gets a migrated database on the session's."""
    with contextlib.ExitStack() as stack:

        def attach(folder: Path) -> SimpleNamespace:
            target = stack.enter_context(templates.copy("bench", lambda database: None)).target
            reached = {cluster.APP: target.app, cluster.OWNER: target.owner}
            return SimpleNamespace(conninfo=lambda role, name: reached[role])

        monkeypatch.setattr(embedded, "attach", attach)
        monkeypatch.setattr(embedded, "destroy", lambda folder: None)
        yield
