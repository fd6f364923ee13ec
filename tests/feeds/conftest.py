"""Fixtures of the feeds' tests: a hand-written world behind the real sandbox server, over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from feed_broker import GO_LIVE, LOGINS, FeedBroker, fill
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
    templates: Any, tmp_path: Path, hand: HandWorld, certificate_folder: Path
) -> Iterator[Callable[..., FeedBroker]]:
    """A function that sets up the broker, once a test, and its source."""
    made: list[FeedBroker] = []
    with ExitStack() as stack:
        server = stack.enter_context(Mt5Server(hand, folder=certificate_folder))  # type: ignore[arg-type]

        def make(go_live: str = GO_LIVE, **options: Any) -> FeedBroker:
            def loaded(database: Any) -> None:
                with database.app() as conn:
                    fill(conn, tmp_path, go_live, LOGINS)

            name = "feeds_" + "".join(filter(str.isdigit, go_live))
            database = stack.enter_context(templates.copy(name, loaded))
            conn = stack.enter_context(database.app())
            made.append(FeedBroker(conn, tmp_path, hand, server, **options))
            return made[-1]

        yield make
        for one in made:
            one.feed.close()
