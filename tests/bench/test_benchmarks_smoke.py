"""Every benchmark runs at a tiny size, and what it measures agrees; times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import checking, racing
from benchmarks.__main__ import main
from benchmarks.databases import Databases
from benchmarks.exports import code, write_files
from benchmarks.world import SERVERS, Size, World, make_world

from pipshare.sources import files

TINY = Size(trades=1_200, logins=200, partners=80, programmes=1, cards=1)
ARGUMENTS = ["--trades", "1200", "--logins", "200", "--partners", "80", "--programmes", "1",
             "--cards", "1", "--rounds", "1", "--naive", "20"]  # fmt: skip


@pytest.fixture(scope="module")
def broker() -> World:
    return make_world(TINY)


def test_the_same_seed_makes_the_same_broker(broker: World) -> None:
    again = make_world(TINY)
    for number in range(len(SERVERS)):
        assert next(broker.trades(number)).equals(next(again.trades(number)))


def test_more_trades_leave_the_broker_as_it_is(broker: World) -> None:
    more = make_world(Size(2_400, TINY.logins, TINY.partners, TINY.programmes, TINY.cards))
    assert (more.login_partner == broker.login_partner).all()
    assert (more.market.card == broker.market.card).all()


def test_the_files_say_what_the_columns_say(broker: World, tmp_path: Path) -> None:
    written = write_files(broker, tmp_path)
    for number, server in enumerate(SERVERS):
        chunks = list(files.read(written.trades(server)).chunks())
        assert not any(chunk.refused for chunk in chunks)
        told = chunks[0].trades.drop("line")
        assert told.equals(next(broker.trades(number)).drop("line"))


@pytest.mark.usefixtures("quick_servers")
def test_files_and_stored_trades_are_booked_to_what_the_gather_computes(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmarks hold every runner to it by themselves; here they run."""
    monkeypatch.setattr(Databases, "settle", lambda databases: None)
    told = scratch / "told.json"
    results = main([*ARGUMENTS, "--only", "file", "--only", "post", "--only", "memory",
                    "--folder", str(scratch), "--json", str(told)])  # fmt: skip
    assert {one.goal for one in results} == {0, 1, 2, 6, 7}
    assert all(one.rate > 0 for one in results)
    written = json.loads(told.read_text())
    assert len(written["results"]) == len(results)
    assert {"file", "post"} <= written["rates"].keys()
    assert not list(scratch.glob("server-*")), "the server's folder was left behind"


def test_a_wrong_amount_is_named(broker: World) -> None:
    wanted = checking.expected(broker)
    booked = {code(p): int(amount) for p, amount in enumerate(wanted)}
    assert wanted.sum() > 0
    checking.hold_to(wanted, checking.by_number(broker, booked), "here")
    one = int(wanted.argmax())
    booked[code(one)] += 1
    with pytest.raises(AssertionError, match=f"1 partners differ, first {code(one)}"):
        checking.hold_to(wanted, checking.by_number(broker, booked), "here")


def test_rating_only_and_html_run() -> None:
    results = main(["--trades", "500", "--rounds", "1", "--only", "rating", "--only", "html"])
    assert {one.goal for one in results} >= {3}


@pytest.mark.usefixtures("quick_servers")
def test_families_and_rating_again_run(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Databases, "settle", lambda databases: None)
    results = main([*ARGUMENTS, "--only", "families", "--only", "rerate", "--folder", str(scratch)])
    named = {one.what for one in results}
    assert {"per lot", "spread", "difference", "rank", "share-up", "tiers", "caps"} <= named
    assert [one.target for one in results if one.goal == 11] == [3]


def test_turns_are_taken_and_medians_compared() -> None:
    turns: list[str] = []
    rates = iter([10.0, 1.0, 1.0, 20.0, 40.0, 1.0])

    def runner(name: str) -> racing.Runner:
        def run() -> float:
            turns.append(name)
            return next(rates)

        return run

    run = racing.race({"a": runner("a"), "b": runner("b")}, 3, lambda text: None)
    assert turns == ["a", "b", "b", "a", "a", "b"]
    assert run.rates == {"a": [10.0, 20.0, 40.0], "b": [1.0, 1.0, 1.0]}
    assert run.ratio("a", "b") == 20.0
