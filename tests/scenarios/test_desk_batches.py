"""What the desk puts into one transaction: one server's trades, none twice, in order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep
from typing import Any

import polars as pl
import pytest

from pipshare.facts import TRADE
from pipshare.pipeline import desk as module
from pipshare.pipeline.desk import Desk
from pipshare.pipeline.pushed import Door, Outcome, Pushed
from pipshare.sources.reading import OPERATOR


class Booking:
    """Stands in for take_pushed: remembers the batches; the first waits until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, int]]] = []
        self.may_go_on = Event()

    def __call__(self, run: Any, pushed: list[Pushed]) -> list[list[Outcome]]:
        told = [(one.door.server, one.frame["ticket"][0]) for one in pushed]
        self.batches.append(told)
        assert self.may_go_on.wait(20)
        return [[Outcome(ticket, f"new on {server}")] for server, ticket in told]


def trade(server: str, ticket: int) -> Pushed:
    row = dict.fromkeys(TRADE, 0) | {"ticket": ticket, "symbol": "EURUSD"}
    return Pushed(Door(server, OPERATOR, "key"), pl.DataFrame([row], schema=TRADE))


@pytest.fixture
def booking(monkeypatch: pytest.MonkeyPatch) -> Booking:
    found = Booking()
    monkeypatch.setattr(module, "take_pushed", found)
    monkeypatch.setattr(Desk, "_ready", lambda self: None)
    return found


@pytest.fixture
def desk(booking: Booking) -> Iterator[Desk]:
    found = Desk()
    yield found
    booking.may_go_on.set()
    found.close()


def test_servers_take_turns_and_each_is_answered_for_its_own(desk: Desk, booking: Booking) -> None:
    came = [("A", 1), ("A", 2), ("B", 1), ("A", 3), ("B", 2), ("A", 2), ("B", 3), ("A", 4)]
    answers = _sent_in_order(desk, booking, came)
    assert [one.verdict for (one,) in answers] == [f"new on {server}" for server, _ in came]
    assert [one.ticket for (one,) in answers] == [ticket for _, ticket in came]
    assert booking.batches == [
        [("A", 1)],
        [("A", 2), ("A", 3)],  # ticket 2 comes again: what follows it stays behind it
        [("B", 1), ("B", 2), ("B", 3)],
        [("A", 2), ("A", 4)],
    ]


def _sent_in_order(
    desk: Desk, booking: Booking, came: list[tuple[str, int]]
) -> list[list[Outcome]]:
    """Send all while the first is being booked."""
    with ThreadPoolExecutor(len(came)) as callers:
        answers = []
        for number, one in enumerate(came):
            answers.append(callers.submit(desk.submit, trade(*one)))
            _until(lambda n=number: len(booking.batches) == 1 and len(desk._waiting) == n)
        booking.may_go_on.set()
        return [answer.result(20) for answer in answers]


def _until(done: Any) -> None:
    last = monotonic() + 20
    while not done():
        assert monotonic() < last
        sleep(0.002)
