"""What can be done to the world from outside: money moved, deals edited, accounts hidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sandbox_worlds import BUSY, Ticks, cents, everything, ran, read, started

from pipshare.sandbox.mt5.world import Refused, Size, World

CALM = replace(BUSY, mischief=False)


@pytest.fixture
def world() -> World:
    return ran(15, CALM)


def _user(world: World, login: int) -> dict[str, Any]:
    return dict(json.loads(world.user(login) or b"{}"))


def _deal(world: World, ticket: int) -> dict[str, Any]:
    return dict(json.loads(world.deal(ticket) or b"{}"))


def _closing(world: World) -> dict[str, Any]:
    """Return the last closing deal that moved money."""
    return next(d for d in reversed(read(world.deals()))
                if d["Entry"] == "1" and d["Profit"] != "0.00" and d["Action"] in "01")  # fmt: skip


def test_a_payment_credits_and_is_a_deal(world: World) -> None:
    login = world.logins("real\\standard")[0]
    before = cents(_user(world, login)["Balance"])
    ticket = world.balance(login, 2, Decimal("150.25"), "PSH-2026-000017 commission November", True)
    deal = _deal(world, ticket)
    assert (deal["Action"], deal["Profit"], deal["Login"]) == ("2", "150.25", str(login))
    assert deal["Comment"] == "PSH-2026-000017 commission Nove", "cut to 31 characters"
    assert cents(_user(world, login)["Balance"]) == before + 15_025
    world.balance(login, 3, Decimal(50), "")
    assert _user(world, login)["Credit"] == "50.00"
    assert cents(_user(world, login)["Balance"]) == before + 15_025
    assert int(read(world.deals())[-1]["Deal"]) > ticket


@pytest.mark.parametrize(
    ("kind", "amount", "retcode"),
    [
        (1, "1", 3), (7, "1", 3), (2, "0", 3), (2, "NaN", 3), (2, "1000000000.01", 4005),
        (2, "-1000000000.01", 4005), (2, "-999999999", 10019), (3, "-999999", 10019),
    ],
)  # fmt: skip
def test_what_is_refused_moves_nothing(world: World, kind: int, amount: str, retcode: int) -> None:
    login = world.logins("real*")[0]
    before, deals = _user(world, login), len(world.deals())
    with pytest.raises(Refused) as caught:
        world.balance(login, kind, Decimal(amount), "x")
    assert caught.value.retcode == retcode
    assert (_user(world, login), len(world.deals())) == (before, deals)


def test_without_the_check_a_balance_may_go_below_zero(world: World) -> None:
    login = world.logins("real*")[0]
    world.balance(login, 2, Decimal(-999_999_999), "chargeback", check_margin=False)
    assert _user(world, login)["Balance"].startswith("-")


def test_nobody_pays_an_account_out_of_sight(world: World) -> None:
    login = world.logins("real*")[0]
    world.archive_login(login)
    for missing in (login, 1):
        with pytest.raises(Refused) as caught:
            world.balance(missing, 2, Decimal(1), "x")
        assert caught.value.retcode == 13


def test_masks_name_and_exclude_groups(world: World) -> None:
    def groups(mask: str) -> set[str]:
        return {_user(world, login)["Group"] for login in world.logins(mask)}

    real = {"real\\cent", "real\\ecn", "real\\pro-netting", "real\\standard"}
    assert groups("*") == real | {"demo\\forex"}
    assert groups("real*") == groups("REAL\\*") == real
    assert groups("*,!demo*") == real
    assert groups("real*,!real\\c*,!real\\pro*") == {"real\\ecn", "real\\standard"}
    assert groups("!real\\ecn,real\\ecn,demo\\forex") == {"demo\\forex"}
    assert groups("*netting") == {"real\\pro-netting"}
    assert groups("real\\st.ndard") == groups("") == groups("contest*") == set()


def test_hidden_groups_are_out_of_sight_until_shown(world: World) -> None:
    names = {group["Group"] for group in read(world.groups())}
    assert "coverage\\lp" not in names
    demo = world.logins("demo*")
    deals = world.deals(logins=demo)
    assert deals
    world.hide_group("demo*")
    assert world.logins("demo*") == world.deals(logins=demo) == []
    assert world.user(demo[0]) is None
    assert world.deal(int(json.loads(deals[0])["Deal"])) is None
    assert "demo\\forex" not in {group["Group"] for group in read(world.groups())}
    world.show_group("demo*")
    assert world.deals(logins=demo) == deals
    world.show_group("*")
    assert world.logins("coverage*")


def test_an_edit_shows_in_every_way_of_asking(world: World) -> None:
    deal = _closing(world)
    ticket, login = int(deal["Deal"]), int(deal["Login"])
    world.edit_deal(ticket, Volume="700", VolumeExt="7000000", Time="1700000000")
    edited = deal | {"Volume": "700", "VolumeExt": "7000000", "Time": "1700000000",
                     "ModificationFlags": "2"}  # fmt: skip
    assert _deal(world, ticket) == edited
    assert read(world.deals(from_s=1_700_000_000, to_s=1_700_000_000)) == [edited]
    assert edited in read(world.deals(logins=[login]))
    assert edited not in read(world.deals(from_s=int(deal["Time"])))
    with pytest.raises(Refused, match="a deal has no Colour to edit"):
        world.edit_deal(ticket, Colour="red")
    with pytest.raises(Refused, match="no deal 5"):
        world.edit_deal(5, Comment="x")


def test_a_cancelled_trade_changes_action_and_a_balance_deal_makes_it_up(world: World) -> None:
    deal = _closing(world)
    before = cents(_user(world, int(deal["Login"]))["Balance"])
    ticket = world.cancel_deal(int(deal["Deal"]))
    cancelled = _deal(world, int(deal["Deal"]))
    assert cancelled["Action"] == {"0": "13", "1": "14"}[deal["Action"]]
    assert (cancelled["Profit"], cancelled["Time"]) == ("0.00", deal["Time"])
    balance = _deal(world, ticket)
    assert (balance["Action"], cents(balance["Profit"])) == ("2", -cents(deal["Profit"]))
    after = cents(_user(world, int(deal["Login"]))["Balance"])
    assert after == before - cents(deal["Profit"])
    with pytest.raises(Refused, match="is not a trade"):
        world.cancel_deal(int(deal["Deal"]))


def test_a_deleted_deal_is_gone_and_its_login_is_not(world: World) -> None:
    deal = _closing(world)
    ticket = int(deal["Deal"])
    others = len(world.deals(logins=[int(deal["Login"])])) - 1
    world.delete_deal(ticket)
    assert world.deal(ticket) is None
    assert world.deals(tickets=[ticket]) == []
    assert len(world.deals(logins=[int(deal["Login"])])) == others > 0
    with pytest.raises(Refused):
        world.delete_deal(ticket)


def test_an_archived_login_is_gone_with_its_deals_and_trades_no_more() -> None:
    clock = Ticks()
    world = started(clock, CALM)
    clock.on(10)
    world.advance()
    login = int(_closing(world)["Login"])
    kept = len(everything(world)) - len(world.deals(logins=[login]))
    world.archive_login(login)
    assert login not in world.logins("*")
    assert (world.user(login), world.account(login)) == (None, None)
    assert world.positions([login]) == world.deals(logins=[login]) == []
    assert len(everything(world)) == kept
    clock.on(10)
    world.advance()
    world._realm.accounts.archived.clear()
    world._realm.accounts.changed()
    times = [int(d["TimeMsc"]) for d in read(world.deals(logins=[login]))]
    assert max(times) < world.server_ms(clock.utc_ms) - 9_000


def test_compacted_history_leaves_one_balance_deal_and_the_sum(world: World) -> None:
    deal = _closing(world)
    login, before_s = int(deal["Login"]), int(deal["Time"]) + 1

    def total() -> int:
        names = ("Profit", "Storage", "Commission", "Fee")
        return sum(cents(d[n]) for d in read(world.deals(logins=[login])) for n in names)

    had, balance = total(), _user(world, login)["Balance"]
    later = read(world.deals(logins=[login], from_s=before_s))
    ticket = world.compact(login, before_s)
    left = read(world.deals(logins=[login]))
    assert [d for d in left if int(d["Time"]) >= before_s] == later
    (one,) = [d for d in left if int(d["Time"]) < before_s]
    assert (one["Deal"], one["Action"], one["Symbol"]) == (str(ticket), "2", "")
    assert total() == had
    assert _user(world, login)["Balance"] == balance


def test_a_late_deal_is_new_and_old(world: World) -> None:
    last = int(read(everything(world))[-1]["Deal"])
    now_s = world.server_ms(world.clock()) // 1000
    ticket = world.late_deal(world.logins("real\\ecn")[0], seconds=5_000)
    deal = _deal(world, ticket)
    assert ticket == last + 2
    assert (int(deal["Time"]), deal["Entry"]) == (now_s - 5_000, "1")
    opening = _deal(world, ticket - 1)
    assert (opening["Entry"], opening["PositionID"]) == ("0", deal["PositionID"])
    assert deal in read(world.deals(from_s=now_s - 5_000, to_s=now_s - 5_000))


def test_an_account_trades_when_it_is_told_to(world: World) -> None:
    login = world.open_account()
    world.edit_user(login, Group="real\\standard")
    with pytest.raises(Refused, match="nothing to close"):
        world.close_trade(login)
    opening = _deal(world, world.open_trade(login))
    assert (opening["Login"], opening["Entry"]) == (str(login), "0")
    closing = _deal(world, world.close_trade(login))
    assert (closing["Entry"], closing["PositionID"]) == ("1", opening["PositionID"])
    assert closing["VolumeClosed"] == opening["Volume"]
    assert world.positions([login]) == []


def test_a_burst_lasts_as_long_as_it_was_told() -> None:
    clock = Ticks()
    world = started(clock, Size(logins=200, rate=0.01, history_days=0, positions=400))

    def closes(seconds: int) -> int:
        before = len(everything(world))
        clock.on(seconds)
        world.advance()
        return sum(d["Entry"] != "0" for d in read(everything(world)[before:]))

    assert closes(10) < 5
    world.burst(300, 10)
    assert 2_700 < closes(10) < 3_400
    assert closes(10) < 5


def test_windows_are_inclusive_and_symbols_exact(world: World) -> None:
    deal = _closing(world)
    at = int(deal["Time"])
    second = read(world.deals(from_s=at, to_s=at))
    assert deal in second
    assert {d["Time"] for d in second} == {deal["Time"]}
    of_symbol = read(world.deals(symbol=deal["Symbol"]))
    assert deal in of_symbol
    assert {d["Symbol"] for d in of_symbol} == {deal["Symbol"]}
    assert world.deals(symbol="NONE") == world.deals(from_s=at + 1, to_s=at) == []
    tickets = [int(deal["Deal"]), 1, BUSY.first_deal]
    assert [d["Deal"] for d in read(world.deals(tickets=tickets))] == [
        deal["Deal"],
        str(tickets[2]),
    ]


def test_other_records_are_strings_too(world: World) -> None:
    login = int(read(world.positions())[0]["Login"])
    filled = world.history([login], 0, 2**40)
    records: list[Callable[[], list[bytes]]] = [
        world.groups, world.symbols, world.positions, world.orders, lambda: filled,
        lambda: [world.user(login) or b"", world.account(login) or b""],
    ]  # fmt: skip
    for made in records:
        found = read(made())
        assert found
        for record in found:
            assert all(isinstance(value, str | list) for value in record.values())
    modes = {group["Group"]: group["MarginMode"] for group in read(world.groups())}
    assert (modes["real\\pro-netting"], modes["real\\ecn"]) == ("0", "2")
    gold = json.loads(world.symbol("XAUUSD.z") or b"{}")
    assert (gold["Digits"], gold["ContractSize"], gold["Point"]) == ("2", "100.00000000", "0.01")
    assert world.symbol("XAUUSD.q") is None


def test_users_can_change_group_and_agent(world: World) -> None:
    login, agent = world.logins("real\\standard")[0], world.logins("*")[0]
    world.edit_user(login, Group="real\\ecn", Agent=str(agent), Country="CY")
    user = _user(world, login)
    assert (user["Group"], user["Agent"], user["Country"]) == ("real\\ecn", str(agent), "CY")
    assert login in world.logins("real\\ecn")
    with pytest.raises(Refused, match="no group real"):
        world.edit_user(login, Group="real\\gold")
    new = world.open_account()
    assert new == max(world.logins("*"))
    assert _user(world, new)["Balance"] != "0.00"


def test_tickets_may_be_beyond_what_a_double_holds() -> None:
    world = ran(2, replace(CALM, first_deal=2**53 + 1))
    assert int(read(world.deals())[0]["Deal"]) == 2**53 + 1
    assert world.deal(2**53 + 2) is not None
