"""Worlds for tests: small, busy, on a clock that the test moves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipshare.sandbox.mt5.world import Size, World

WEDNESDAY = int(datetime(2026, 11, 18, 10, tzinfo=UTC).timestamp()) * 1000
SATURDAY = WEDNESDAY + 3 * 86_400_000
BUSY = Size(logins=200, rate=50, history_days=0, steady=True, positions=400)


@dataclass
class Ticks:
    """A clock that stands still until it is moved."""

    utc_ms: int = WEDNESDAY

    def __call__(self) -> int:
        return self.utc_ms

    def on(self, seconds: int) -> None:
        self.utc_ms += seconds * 1000


def started(
    clock: Ticks | None = None, size: Size = BUSY, *, seed: int = 7, folder: Path | None = None
) -> World:
    """Start a world on a clock of its own, or on one that is given."""
    return World(seed, size, folder=folder, clock=clock or Ticks())


def ran(seconds: int, size: Size = BUSY, *, at_ms: int = WEDNESDAY) -> World:
    """Return a world that has run for some seconds."""
    clock = Ticks(at_ms)
    world = started(clock, size)
    clock.on(seconds)
    world.advance()
    return world


def read(records: list[bytes]) -> list[dict[str, Any]]:
    """Read records."""
    return [json.loads(record) for record in records]


def everything(world: World) -> list[bytes]:
    """Return all deals, those of hidden groups too."""
    with world.lock:
        masks = list(world._realm.accounts.masks)
        world._realm.accounts.masks = []
        world._realm.accounts.changed()
        found = world.deals()
        world._realm.accounts.masks = masks
        world._realm.accounts.changed()
    return found


def cents(amount: str) -> int:
    """Read an amount with two decimals."""
    assert amount[-3] == "."
    return int(amount.replace(".", ""))
