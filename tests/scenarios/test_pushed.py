"""Trades pushed one by one: booked together where they come together, each with its own answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_broker import LOADS, SmallBroker

from pipshare.facts import TRADE
from pipshare.pipeline.desk import Desk
from pipshare.pipeline.pushed import Door, Pushed
from pipshare.sources.reading import CLIENT, OPERATOR

DOOR = Door("Live-4", OPERATOR, "key bridge")
HOUR = 3_600_000
CLOSED = 1_772_449_200_000  # 2026-03-02 11:00


def trade(ticket: int, hundredths: int = 10, **values: int) -> Pushed:
    told = dict.fromkeys(TRADE, 0) | {
        "ticket": ticket, "login": 1001, "symbol": "EURUSD", "lots_e8": hundredths * 10**6,
        "open_ms": CLOSED - HOUR, "close_ms": CLOSED, "open_price_e8": 110_000_000,
        "close_price_e8": 110_100_000, "profit_e8": 10 * 10**8, "opening": 1, "reason": -1,
        **values,
    }  # fmt: skip
    return Pushed(DOOR, pl.DataFrame([told], schema=TRADE), (b'{"ticket": %d}' % ticket,))


@pytest.fixture
def small(db: Any, tmp_path: Path) -> Iterator[SmallBroker]:
    """The small broker, whose MT4 trades are pushed."""
    with pytest.MonkeyPatch.context() as patch, db.app() as conn:
        patch.setitem(LOADS, "servers", LOADS["servers"].replace("clock,go_live", "clock,go_live,"
                      "authority").replace("Z\n", "Z,api\n"))  # fmt: skip
        yield SmallBroker(conn, tmp_path)


@pytest.fixture
def desk(small: SmallBroker) -> Iterator[Desk]:
    found = Desk()
    yield found
    found.close()


def test_a_hundred_callers_at_once_are_each_answered_and_booked_once(
    small: SmallBroker, desk: Desk
) -> None:
    tickets = [*range(1, 101), *range(1, 11)]  # ten come twice
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda number: desk.submit(trade(number)), tickets))
    verdicts = sorted((one.ticket, one.verdict) for (one,) in answers)
    assert [v for _, v in verdicts].count("new") == 100
    assert [v for _, v in verdicts].count("repeated") == 10
    small.assert_paid(100 * 10)
    assert 0 < small.count("inbox_batch") < 110
    assert small.count("inbox_raw_record") > 0


def test_another_content_is_a_revision_and_posts_the_difference(
    small: SmallBroker, desk: Desk
) -> None:
    assert desk.submit(trade(1, 10))[0].verdict == "new"
    assert desk.submit(trade(1, 30))[0].verdict == "revised"
    assert desk.submit(trade(1, 30))[0].verdict == "repeated"
    small.assert_paid(30)


def test_a_row_that_cannot_be_stored_is_refused_beside_good_ones(
    small: SmallBroker, desk: Desk
) -> None:
    rows = [trade(1).frame, trade(2, close_ms=0).frame, trade(3).frame, trade(3).frame]
    outcomes = desk.submit(Pushed(DOOR, pl.concat(rows)))
    assert [one.verdict for one in outcomes] == ["new", "refused", "new", "repeated"]
    assert "outside what can be stored" in outcomes[1].reason
    small.assert_paid(20)


def test_a_submission_that_breaks_does_not_cost_its_neighbours(
    small: SmallBroker, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.pipeline import desk as module

    take = module.take_pushed

    def breaks_on_13(run: Any, pushed: Any) -> Any:
        if any(13 in one.frame["ticket"] for one in pushed):
            raise ZeroDivisionError("a bug")
        return take(run, pushed)

    monkeypatch.setattr(module, "take_pushed", breaks_on_13)

    def send(number: int) -> str:
        try:
            return desk.submit(trade(number))[0].verdict
        except ZeroDivisionError:
            return "broke"

    with ThreadPoolExecutor(8) as callers:
        verdicts = list(callers.map(send, range(1, 31)))
    assert verdicts.count("broke") == 1
    assert verdicts[12] == "broke"
    assert verdicts.count("new") == 29
    small.assert_paid(290)


def test_a_key_that_does_not_book_compares(small: SmallBroker, desk: Desk) -> None:
    desk.submit(trade(1))
    client = replace(DOOR, provenance=CLIENT)
    told = pl.concat([trade(n, lots).frame for n, lots in ((1, 10), (2, 10))])
    outcomes = desk.submit(Pushed(client, told))
    assert [one.verdict for one in outcomes] == ["matches", "missing"]
    (other,) = desk.submit(replace(trade(1, 50), door=client))
    assert other.verdict == "differs"
    assert "lots" in other.reason
    small.assert_paid(10)


def test_after_the_connection_is_lost_the_desk_goes_on(small: SmallBroker, desk: Desk) -> None:
    desk.submit(trade(1))
    small.conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user"
        " AND pid <> pg_backend_pid()"
    )
    small.conn.commit()
    answers = []
    for _ in range(3):
        try:
            answers.append(desk.submit(trade(2))[0].verdict)
        except Exception:  # the one under way is told, and comes again
            answers.append("lost")
    assert answers in (["lost", "new", "repeated"], ["new", "repeated", "repeated"])
    small.assert_paid(20)
