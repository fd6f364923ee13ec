"""Every amount and every volume of the world adds up, in whole cents and hundredths of a lot."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from sandbox_worlds import BUSY, SATURDAY, cents, everything, ran, read

from pipshare.sandbox.mt5.world import World

Deal = dict[str, Any]
IN, OUT, INOUT, OUT_BY = "0", "1", "2", "3"
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def world() -> World:
    return ran(300)


@pytest.fixture(scope="module")
def deals(world: World) -> list[Deal]:
    return read(everything(world))


def _trades(deals: list[Deal]) -> Iterator[Deal]:
    """Deals as their trade made them: an edited or cancelled one is somebody's word."""
    return (d for d in deals if d["Action"] in "01" and d["ModificationFlags"] == "0")


def _group(world: World, deal: Deal) -> str:
    number = world._realm.accounts.number(int(deal["Login"]))
    assert number is not None
    return world._realm.accounts.group_of(number).name


def test_everything_a_broker_has_is_there(world: World, deals: list[Deal]) -> None:
    entries = Counter(d["Entry"] for d in _trades(deals))
    assert all(entries[kind] > 20 for kind in (IN, OUT, INOUT, OUT_BY))
    actions = {d["Action"] for d in deals}
    assert actions >= {"0", "1", "2", "3", "18", "19"}
    assert {d["Reason"] for d in deals} >= {"0", "1", "2", "3", "4", "5", "16", "17"}
    groups = {_group(world, d) for d in _trades(deals)}
    assert len(groups) == 6
    suffixes = {d["Symbol"].partition(".")[2] for d in _trades(deals)}
    assert suffixes == {"", "c", "n", "p", "z"}
    assert any(d["MarketBid"].strip("0.") == "" for d in _trades(deals)), "old builds, no quotes"
    assert any("IT From" in d["Comment"] for d in deals)
    assert any(d["Storage"] != "0.00" for d in deals)


def test_profit_is_raw_profit_at_the_rate_and_raw_profit_is_the_way_of_the_price(
    deals: list[Deal],
) -> None:
    for deal in _trades(deals):
        closed = Decimal(deal["VolumeClosedExt"]) / 10**8
        way = Decimal(deal["Price"]) - Decimal(deal["PricePosition"])
        raw = way * closed * Decimal(deal["ContractSize"]) * (1 if deal["Action"] == "1" else -1)
        assert Decimal(deal["ProfitRaw"]) == raw.quantize(CENT, ROUND_HALF_UP), deal
        profit = Decimal(deal["ProfitRaw"]) * Decimal(deal["RateProfit"])
        assert Decimal(deal["Profit"]) == profit.quantize(CENT, ROUND_HALF_UP), deal
        assert int(deal["VolumeExt"]) == 10_000 * int(deal["Volume"])
        assert int(deal["VolumeClosedExt"]) == 10_000 * int(deal["VolumeClosed"])


def test_volumes_of_a_position_are_conserved(world: World, deals: list[Deal]) -> None:
    opened: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    for deal in (d for d in deals if d["Action"] in ("0", "1", "13", "14")):
        whole, gone = int(deal["VolumeExt"]), int(deal["VolumeClosedExt"])
        assert gone == {IN: 0, OUT: whole, OUT_BY: whole}.get(deal["Entry"], gone)
        if deal["Entry"] == INOUT:
            assert 0 < gone < whole
        opened[deal["PositionID"]] += whole - gone
        closed[deal["PositionID"]] += gone
    masks, world._realm.accounts.masks = world._realm.accounts.masks, []
    world._realm.accounts.changed()
    still = {p["Position"]: int(p["VolumeExt"]) for p in read(world.positions())}
    world._realm.accounts.masks = masks
    world._realm.accounts.changed()
    gone_for_good = _deleted_positions(world) | _archived_positions(world, deals)
    for position in opened | closed:
        if position not in gone_for_good:
            assert opened[position] - closed[position] == still.get(position, 0), position
    assert len(still) > 300


def _deleted_positions(world: World) -> set[str]:
    store = world._realm.deals
    return {
        json.loads(block.texts()[place])["PositionID"]
        for block in store._all()
        for place, row in block.changed.items()
        if row is None
    }


def _archived_positions(world: World, deals: list[Deal]) -> set[str]:
    accounts = world._realm.accounts
    return {d["PositionID"] for d in deals
            if accounts.number(int(d["Login"])) in accounts.archived}  # fmt: skip


def test_a_position_tells_one_story(deals: list[Deal]) -> None:
    stories: dict[str, list[Deal]] = defaultdict(list)
    for deal in _trades(deals):
        stories[deal["PositionID"]].append(deal)
    for position, story in stories.items():
        assert len({(d["Login"], d["Symbol"], d["ContractSize"]) for d in story}) == 1
        first = story[0]
        if first["Entry"] == IN:
            assert first["Order"] == position, "a position has the number of its first order"
            assert Decimal(first["PricePosition"]) == 0
        for deal in story:
            if deal["Entry"] != IN:
                assert Decimal(deal["PricePosition"]) > 0
            if deal["Reason"] == "3":
                assert deal["PriceSL"] == deal["Price"]
                assert deal["Comment"] == f"[sl {deal['Price']}]"


def test_netting_accounts_have_one_position_a_symbol(world: World, deals: list[Deal]) -> None:
    held: set[tuple[str, str]] = set()
    for position in read(world.positions()):
        if position["Symbol"].endswith(".n"):
            assert (position["Login"], position["Symbol"]) not in held
            held.add((position["Login"], position["Symbol"]))
    assert held
    for deal in _trades(deals):
        if deal["Entry"] == INOUT:
            assert _group(world, deal) in ("real\\pro-netting", "coverage\\lp")
        if deal["Entry"] == OUT_BY:
            assert _group(world, deal) not in ("real\\pro-netting", "coverage\\lp")


def test_commission_sits_where_the_group_has_it(world: World, deals: list[Deal]) -> None:
    charged: Counter[tuple[str, str]] = Counter()
    for deal in _trades(deals):
        assert cents(deal["Commission"]) <= 0
        charged[_group(world, deal), deal["Entry"]] += cents(deal["Commission"])
    assert charged["real\\ecn", IN] < 0
    assert charged["real\\ecn", OUT] < 0
    assert charged["real\\pro-netting", IN] < 0
    assert charged["real\\pro-netting", OUT] == 0
    assert charged["real\\standard", IN] == charged["real\\standard", OUT] == 0


def test_balances_are_the_sum_of_their_deals() -> None:
    world = ran(60, replace(BUSY, mischief=False))
    sums: Counter[str] = Counter()
    credits: Counter[str] = Counter()
    for deal in read(everything(world)):
        amount = sum(cents(deal[name]) for name in ("Profit", "Storage", "Commission", "Fee"))
        (credits if deal["Action"] == "3" else sums)[deal["Login"]] += amount
    for login in world.logins("*"):
        user = json.loads(world.user(login) or b"")
        assert cents(user["Balance"]) == sums[str(login)]
        assert cents(user["Credit"]) == credits[str(login)]


def test_agents_are_paid_by_the_platform_at_once(world: World, deals: list[Deal]) -> None:
    paid = [deal for deal in deals if deal["Action"] == "18"]
    assert paid
    for deal in paid:
        client, _, ticket = deal["Comment"].removeprefix("agent '").partition("' - #")
        user = json.loads(world.user(int(client)) or b"{}")
        assert user.get("Agent", deal["Login"]) == deal["Login"]
        source = world.deal(int(ticket))
        assert source is None or json.loads(source)["Login"] == client


def test_only_crypto_trades_at_a_weekend() -> None:
    world = ran(20, at_ms=SATURDAY)
    since = world.server_ms(SATURDAY) // 1000
    deals = [d for d in read(everything(world)) if int(d["Time"]) >= since]
    traded = {d["Symbol"].partition(".")[0] for d in _trades(deals)}
    assert traded == {"BTCUSD", "ETHUSD"}
    assert sum(d["Entry"] in (OUT, OUT_BY) for d in _trades(deals)) > 700
