"""The same seed writes the same bytes, however time passes and over any end of the process."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sandbox_worlds import BUSY, WEDNESDAY, Ticks, everything, ran, read, started

from pipshare.errors import BadInput, Conflict
from pipshare.sandbox.mt5.world import Size, World

CALM = replace(BUSY, mischief=False)
_FIELDS = [
    "Deal", "ExternalID", "Login", "Dealer", "Order", "Action", "Entry", "Reason", "Digits",
    "DigitsCurrency", "ContractSize", "Time", "TimeMsc", "Symbol", "Price", "Volume", "VolumeExt",
    "Profit", "Storage", "Commission", "Fee", "CommissionAgent", "RateProfit", "RateMargin",
    "ExpertID", "PositionID", "Comment", "ProfitRaw", "PricePosition", "PriceSL", "PriceTP",
    "VolumeClosed", "VolumeClosedExt", "TickValue", "TickSize", "Flags", "Gateway",
    "PriceGateway", "ModificationFlags", "Value", "ApiData", "MarketBid", "MarketAsk",
    "MarketLast",
]  # fmt: skip


def test_a_seed_writes_the_same_bytes_however_time_is_cut() -> None:
    whole = everything(ran(40))
    clock = Ticks()
    stepped = started(clock)
    for _ in range(40):
        clock.on(1)
        stepped.advance()
        assert stepped.advance() == 0, "a second call at the same moment makes nothing"
    assert everything(stepped) == whole
    clock = Ticks()
    other = started(clock, seed=8)
    clock.on(40)
    other.advance()
    assert everything(other) != whole


def test_every_field_is_there_as_a_string() -> None:
    deals = read(everything(ran(60)))
    for deal in deals:
        assert list(deal) == _FIELDS
        assert deal.pop("ApiData") == []
        assert all(isinstance(value, str) for value in deal.values())
    assert {deal["Action"] for deal in deals} >= {"0", "1", "2"}


def test_tickets_go_up_by_one_and_times_up() -> None:
    deals = read(everything(ran(60, CALM)))
    tickets = [int(deal["Deal"]) for deal in deals]
    assert tickets == list(range(BUSY.first_deal, BUSY.first_deal + len(deals)))
    times = [int(deal["TimeMsc"]) for deal in deals]
    assert times == sorted(times)
    assert all(int(deal["TimeMsc"]) // 1000 == int(deal["Time"]) for deal in deals)


def _busy_story(world: World, clock: Ticks) -> list[object]:
    """Do something of everything; return what the calls answered."""
    answers: list[object] = []
    clock.on(20)
    login = world.logins("real*")[0]
    answers.append(world.balance(login, 2, Decimal("12.34"), "PSH-1"))
    tickets = [int(deal["Deal"]) for deal in read(world.deals()) if deal["Entry"] == "1"]
    world.edit_deal(tickets[0], Comment="edited")
    answers.append(world.cancel_deal(tickets[-1]))
    clock.on(5)
    world.delete_deal(tickets[1])
    answers.append(world.late_deal(seconds=900))
    world.archive_login(world.logins("real*")[3])
    world.burst(200, 3)
    clock.on(5)
    answers.append(world.compact(login, world.server_ms(clock.utc_ms) // 1000 - 12))
    answers.append(world.open_account())
    answers.append(world.open_trade(login))
    answers.append(world.close_trade(login))
    world.edit_user(login, Group="real\\ecn", Agent=str(world.logins("*")[2]))
    clock.on(7)
    world.advance()
    return answers


def _seen(world: World) -> list[object]:
    logins = world.logins("*")
    return [everything(world), logins, [world.user(login) for login in logins],
            world.positions(), world.orders()]  # fmt: skip


@pytest.mark.parametrize("killed", [False, True])
def test_a_restart_goes_on_as_if_there_had_been_none(tmp_path: Path, killed: bool) -> None:
    clock = Ticks()
    undisturbed = started(clock)
    answers = _busy_story(undisturbed, clock)
    clock.on(30)
    undisturbed.advance()

    again = Ticks()
    first = started(again, folder=tmp_path / "first")
    assert _busy_story(first, again) == answers
    before = _seen(first)
    if not killed:
        first.close()
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    second = started(again, folder=tmp_path / "second")
    assert _seen(second) == before, "what was shown stays"
    again.on(30)
    second.advance()
    assert _seen(second) == _seen(undisturbed)
    second.close()
    first.close()


_BROKER = """
import sys
from pathlib import Path
from pipshare.sandbox.mt5.world import Size, World
size = Size(logins=50, rate=300, history_days=0, steady=True, positions=200, mischief=False)
world = World(7, size, folder=Path(sys.argv[1]))
while True:
    if world.advance():
        sys.stdout.buffer.write(world.deals()[-1] + b"\\n")
        sys.stdout.flush()
"""


def test_what_was_told_before_a_sigkill_stays_told(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BROKER, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(60)]
        process.send_signal(signal.SIGKILL)
        told += [line.strip() for line in process.stdout if line.endswith(b"}\n")]
    world = World(7, Size(logins=50, rate=1, mischief=False), folder=tmp_path)
    kept = world.deals()
    assert set(told) <= set(kept)
    tickets = [int(deal["Deal"]) for deal in read(kept)]
    assert len(set(tickets)) == len(tickets)
    world.close()


def test_threads_see_one_world() -> None:
    clock = Ticks()
    world = started(clock, CALM)
    seen: list[list[bytes]] = []

    def look() -> None:
        for _ in range(10):
            world.advance()
            seen.append(world.deals())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        clock.on(1)
        world.advance()
    for thread in threads:
        thread.join()
    single = Ticks(clock.utc_ms - 5_000)
    alone = started(single, CALM)
    single.on(5)
    alone.advance()
    assert everything(alone) == everything(world)
    whole = world.deals()
    assert all(part == whole[: len(part)] for part in seen)


def test_a_line_cut_short_by_a_kill_is_forgotten(tmp_path: Path) -> None:
    clock = Ticks()
    world = started(clock, folder=tmp_path / "a")
    clock.on(10)
    world.advance()
    before = everything(world)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (journal,) = (tmp_path / "b").glob("journal-*.jsonl")
    with journal.open("ab") as file:
        file.write(b'{"events": 99')
    again = started(clock, folder=tmp_path / "b")
    assert everything(again) == before
    again.balance(again.logins("real*")[0], 2, Decimal(1), "x")
    shutil.copytree(tmp_path / "b", tmp_path / "c")
    third = started(clock, folder=tmp_path / "c")
    assert len(everything(third)) == len(before) + 1
    for one in (world, again, third):
        one.close()


def test_another_rate_after_a_kill_changes_nothing_that_was_shown(tmp_path: Path) -> None:
    clock = Ticks()
    world = started(clock, folder=tmp_path / "a")
    clock.on(20)
    world.advance()
    before = everything(world)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    faster = started(clock, replace(BUSY, rate=500), folder=tmp_path / "b")
    assert everything(faster) == before
    clock.on(10)
    assert faster.advance() > 6_000
    for one in (world, faster):
        one.close()


def test_blocks_of_deals_come_back_with_their_changes(tmp_path: Path) -> None:
    clock = Ticks()
    world = started(clock, folder=tmp_path)
    clock.on(60)
    world.advance()
    first = read(world.deals())[0]
    world.edit_deal(int(first["Deal"]), Comment="old and edited")
    world.close()
    again = started(clock, folder=tmp_path)
    assert len(again._realm.deals.blocks) > 4
    edited = again.deal(int(first["Deal"]))
    assert edited is not None
    assert json.loads(edited) == first | {"Comment": "old and edited", "ModificationFlags": "2"}
    again.close()


def test_a_long_shutdown_is_filled_at_the_quiet_rate(tmp_path: Path) -> None:
    clock = Ticks()
    world = started(clock, folder=tmp_path)
    last = int(read(everything(world))[-1]["TimeMsc"])
    world.close()
    clock.on(7_200)
    again = started(clock, folder=tmp_path)
    since = [int(d["TimeMsc"]) for d in read(everything(again))
             if int(d["TimeMsc"]) > last]  # fmt: skip
    assert 200 < len(since) < 3_000, "neither a gap nor 360,000 closes"
    assert max(b - a for a, b in zip([last, *since], since, strict=False)) < 600_000
    again.close()


def test_a_folder_belongs_to_one_process_and_one_seed(tmp_path: Path) -> None:
    world = started(folder=tmp_path)
    with pytest.raises(Conflict, match="in use by another sandbox server"):
        started(folder=tmp_path)
    world.close()
    world.close()
    with pytest.raises(BadInput, match="seed 7 and 200 logins"):
        started(seed=8, folder=tmp_path)
    started(folder=tmp_path).close()
    (tmp_path / "state.json").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="to begin anew"):
        started(folder=tmp_path)


def test_a_size_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadInput, match="5 logins or more"):
        World(7, Size(rate=0))


def test_the_servers_clock_is_new_york_plus_seven_hours() -> None:
    world = started()
    assert world.server_ms(WEDNESDAY) == WEDNESDAY + 2 * 3_600_000
    summer = 1_784_000_000_000  # July 2026
    assert world.server_ms(summer) == summer + 3 * 3_600_000
    settings = world.time_settings()
    assert (settings["TimeZone"], settings["DaylightState"]) == ("120", "0")
