"""Settling by columns and the scalar twin come to the same: trades, sums of periods, carry-over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_periods_properties import world_of
from window_worlds import ACCOUNTS, GROUPS, HEAD, SYMBOLS, Trade, Windows, at

from pipshare.market.fx import FxTable
from pipshare.rating import twin_values as tv
from pipshare.rating.twin import BrokerDay, Charge, rate_many
from pipshare.rating.twin.many import window_name

FAMILIES = ("marginal", "capped", "hedged", "sums", "weeks", "carried", "rolling",
            "banded", "volumes", "sized", "reached")  # fmt: skip


def _facts(trade: Trade) -> tv.TradeFacts:
    symbol, group = SYMBOLS[0], GROUPS[0]

    def e8(text: str) -> int:
        return int(Fraction(text) * 10**8)

    return tv.TradeFacts(
        e8(trade.lots), 3_600_000, trade.close, trade.client, trade.cancelled, symbol.name,
        symbol.symbol_group, True, group.name, group.account_type, group.lot_factor,
        side=trade.side, commission_e8=e8(trade.commission), profit_e8=e8(trade.profit),
        swap_e8=0, fee_e8=0, account=trade.client, currency=ACCOUNTS[trade.currency],
        ticket=trade.ticket, digits=5, contract_e8=symbol.contract_e8, profit_currency="USD",
        qualified_ms=0,
    )  # fmt: skip


def by_twin(
    world: Windows, charged: Sequence[tuple[Charge, int]] = ()
) -> dict[tuple[int, int, str], int]:
    """Return by component, partner and first day of the window what is payable."""
    book = world.given().book
    version = book.versions[0]
    history = tv.ProgrammeHistory(1, "p", (
        (0, tv.Version(1, version.programme, version.component_ids, version.rate_ids)),
    ))  # fmt: skip
    people = {
        one: tv.Partner(one, f"IB{one}", world.wallets.get(one, "USD"), (),
                        ((0, tv.TermsFacts(history, "standard")),), None, None)
        for chain in world.chains for one in chain
    }  # fmt: skip
    table = FxTable(world.fx)

    def fx(base: str, quote: str, at: int) -> tuple[Fraction, int, str] | None:
        found = table.find(base, quote, at)
        return None if found is None else (*found, "test")

    given_ = [(_facts(one), tuple(people[i] for i in world.chains[one.chain]))
              for one in world.trades]  # fmt: skip
    costs = [(one, tuple(people[i] for i in world.chains[chain])) for one, chain in charged]
    day = BrokerDay(world.clock.zone, world.clock.shift_ms)
    many = rate_many(given_, fx, day, charged=costs)
    return {(one.component_id, one.partner_id, f"{one.window}"): one.payable_e8
            for one in many.totals if one.payable_e8}  # fmt: skip


def by_columns(world: Windows) -> dict[tuple[int, int, str], int]:
    """Return the same of what settling comes to."""
    programme = world.given().book.versions[0]
    unit = {number: window_name(one) for number, one in
            zip(programme.component_ids, programme.programme.components, strict=True)}  # fmt: skip
    day = BrokerDay(world.clock.zone, world.clock.shift_ms)
    sums: dict[tuple[int, int, str], int] = defaultdict(int)
    for row in world.settled().lines.rows(named=True):
        window = day.window(row["moment_ms"], unit[row["component_id"]])
        sums[row["component_id"], row["partner_id"], f"{window}"] += row["amount_e8"]
    return {key: amount for key, amount in sums.items() if amount}


@given(seed=st.integers(0, 2**63))
@settings(max_examples=40, deadline=None)
def test_columns_and_twin_forgive_the_same(seed: int) -> None:
    rnd = Random(seed)
    said = rnd.sample(
        (
            'forgive = "15.5"',
            'share = "1/3"',
            f"periods = {rnd.randint(1, 3)}",
            f'within = "{rnd.choice(("quarter", "year"))}"',
        ),
        rnd.randint(1, 4),
    )
    world, carry = world_of(rnd, "carried"), 'negative = "carry"\n'
    world = replace(world, plan=world.plan.replace(carry, carry + "\n".join(said) + "\n"))
    assert by_columns(world) == by_twin(world)


def test_what_is_netted_counts_where_the_carrier_has_nothing() -> None:
    """Netted with each other, month by month: -30, then +20 of the other alone, then +15."""
    head = 'mode = "per_level"\nbasis = "{}"\nper = "month"\ncurrency = "USD"\n'
    rate = "[[component.rate]]\nlevel = 1\nshare = '10%'\n"
    plan = HEAD + '[[component]]\ncode = "a"\n' + head.format("result")
    plan += '[component.carry]\nacross = ["b"]\n' + rate
    plan += '[[component]]\ncode = "b"\n' + head.format("commission") + rate
    world = Windows(plan, [Trade(at(2), profit="300"), Trade(at(3), commission="-200", ticket=2),
                           Trade(at(4), commission="-150", ticket=3)])  # fmt: skip
    e8 = 10**8
    assert {key[2]: amount for key, amount in by_twin(world).items() if key[0] == 100} == {
        "2026-04-01": 5 * e8
    }
    sums: dict[str, int] = defaultdict(int)
    for (_, _, window), amount in by_columns(world).items():
        sums[window] += amount
    assert {window: amount for window, amount in sums.items() if amount} == {"2026-04-01": 5 * e8}


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 2**63))
@settings(max_examples=12, deadline=None)
def test_columns_and_twin_come_to_the_same(family: str, seed: int) -> None:
    world = world_of(Random(seed), family)
    assert by_columns(world) == by_twin(world)
