"""Fixtures of the feeds' tests: a hand-written world behind the real sandbox server, over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from feed_broker import FeedBroker
from hand_world import MONDAY_MS, HandWorld

from pipshare.sandbox.mt5 import Mt5Server


@pytest.fixture(scope="module")
def certificate_folder(scratch: Path) -> Path:
    """Where the server's certificate is made once."""
    return scratch


@pytest.fixture
def hand() -> HandWorld:
    """A world on a Monday morning, in which nothing happened yet."""
    return HandWorld(MONDAY_MS)


@pytest.fixture
def broker(
    db: Any, tmp_path: Path, hand: HandWorld, certificate_folder: Path
) -> Iterator[Callable[..., FeedBroker]]:
    """A function that sets up the broker and its source; options are FeedBroker's."""
    made: list[FeedBroker] = []
    with Mt5Server(hand, folder=certificate_folder) as server, db.app() as conn:  # type: ignore[arg-type]

        def make(**options: Any) -> FeedBroker:
            made.append(FeedBroker(conn, tmp_path, hand, server, **options))
            return made[-1]

        yield make
        for one in made:
            one.feed.close()
