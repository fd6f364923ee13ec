"""Sums of periods less what clients cost: by hand, and the same in columns and by the twin."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from random import Random

from client_events import event
from hypothesis import given, settings
from hypothesis import strategies as st
from test_periods_properties import START, world_of
from test_periods_twin import by_columns, by_twin
from window_worlds import HEAD, Trade, Windows, at, months

from pipshare.market.fx import FxRow
from pipshare.rating.twin import Charge, Event, charges
from pipshare.rating.windows.calendar import DAY_MS

LESS = ("bonuses", "chargebacks", "compensation", "fees")
NET = (
    HEAD
    + """
[[component]]
code = "net"
basis = "result"
mode = "per_level"
per = "month"
currency = "USD"
less = {less}
{more}
[[component.rate]]
level = 1
share = "30%"
"""
)
LOST = [Trade(at(3), profit="-1000")]


def net(*events: dict[str, object], less: tuple[str, ...] = LESS, more: str = "") -> Windows:
    return Windows(NET.format(less=list(less), more=more), LOST, list(events))


def test_bonuses_chargebacks_compensation_and_fees_are_taken_off() -> None:
    told = (
        event("bonus", at(3), "100"), event("bonus_removed", at(3, 20), "40"),
        event("deposit", at(2), "500", event="d"),
        event("chargeback_lost", at(3, 5), "0", reference="d", event="lost"),
        event("compensation", at(3, 6), "25"), event("payment_fee", at(3, 7), "7.50"),
    )  # fmt: skip
    assert months(net(*told).settled()) == {"2026-03": "122.25"}  # 30% of 1000 - 592.50
    assert months(net(*told, less=("bonuses",)).settled()) == {"2026-03": "282"}


def test_a_chargeback_that_is_won_after_all_is_given_back_when_it_is() -> None:
    told = (
        event("deposit", at(2), "500", event="d"),
        event("chargeback_opened", at(3), "200", reference="d", event="o"),
        event("chargeback_lost", at(4), "0", reference="o", event="l"),
        event("chargeback_won", at(5), "0", reference="o", event="w"),
    )  # fmt: skip
    found = months(net(*told).settled())
    assert found == {"2026-03": "300", "2026-04": "-60", "2026-05": "60"}


def test_an_event_is_converted_at_its_moment_and_without_a_rate_the_sum_waits() -> None:
    told = event("bonus", at(3), "100", currency="EUR")
    world = net(told)
    world.fx = [FxRow(1, "EUR", "USD", at(3, 9), Fraction("1.25"))]
    assert months(world.settled()) == {"2026-03": "262.5"}
    other = net(told)
    other.trades = [*LOST, Trade(at(4), profit="-10", ticket=2)]
    found = other.settled()
    assert months(found) == {"2026-04": "3"}
    assert found.waits.select("moment_ms", "event", "client", "reason", "key").rows() == [
        (at(3), told["event"], 1, "no_fx", "EUR/USD")
    ]


def test_what_clients_cost_before_go_live_or_of_other_countries_is_not_taken() -> None:
    told = event("bonus", at(3), "100"), event("registration", at(1), "0", country="cy")
    assert months(net(*told).settled(live_ms=at(3) + 1)) == {"2026-03": "300"}
    world = net(*told, more='[component.when]\nnot_countries = ["CY"]')
    assert months(world.settled()) == {"2026-03": "300"}  # his trades name no country
    world = net(*told, more='[component.when]\nnot_countries = ["MT"]')
    assert months(world.settled()) == {"2026-03": "270"}


def _events(rnd: Random) -> list[dict[str, object]]:
    out = []
    for n in range(rnd.choice((1, 4, 15))):
        when = START + rnd.randrange(120) * DAY_MS + rnd.randrange(3)
        kind = rnd.choice(("deposit", "bonus", "bonus_removed", "compensation", "payment_fee"))
        more = {"currency": rnd.choice(("USD", "EUR", "EUR", "USD", "JPY"))}
        who = rnd.randint(1, 4)
        out.append(event(kind, when, rnd.choice(("50", "0.07", "400")), client_id=who,
                         event=f"e{n}", **more))  # fmt: skip
        for place in range(rnd.choice((0, 2, 4)) if kind == "deposit" else 0):
            later = START + rnd.randrange(150) * DAY_MS
            word = rnd.choice(("chargeback_opened", "chargeback_lost", "chargeback_won"))
            out.append(event(word, later, rnd.choice(("0", "30")), client_id=who,
                             event=f"t{n}.{place}", reference=f"e{n}"))  # fmt: skip
    return out


def _moved(rnd: Random) -> list[dict[str, object]]:
    """Deposits and withdrawals, some of which clear later, and what takes them back."""
    out = []
    for n in range(rnd.choice((1, 3, 9))):
        when = START + rnd.randrange(90) * DAY_MS + rnd.randrange(3)
        kind = rnd.choice(("deposit", "deposit", "withdrawal"))
        who, currency = rnd.randint(1, 4), rnd.choice(("USD", "EUR", "USD", "JPY"))
        cleared = when + rnd.choice((0, 0, 40 * DAY_MS))
        out.append(event(kind, when, rnd.choice(("50", "0.07", "400")), client_id=who,
                         event=f"e{n}", cleared_ms=cleared, currency=currency))  # fmt: skip
        words = ["withdrawal_reversed"]
        if kind == "deposit":
            words = ["deposit_reversed", "chargeback_opened", "chargeback_lost", "chargeback_won"]
        for place in range(rnd.choice((0, 0, 1, 3))):
            later = START + rnd.randrange(150) * DAY_MS
            out.append(event(rnd.choice(words), later, rnd.choice(("0", "30")), client_id=who,
                             event=f"t{n}.{place}", reference=f"e{n}"))  # fmt: skip
    return out


DEPOSITS = NET.replace('"result"', '"deposits"').replace("less = {less}", 'deposits = "{which}"')


def deposits(*events: dict[str, object], which: str = "net", more: str = "") -> Windows:
    return Windows(DEPOSITS.format(which=which, more=more), LOST, list(events))


def test_a_share_of_deposits_by_month() -> None:
    told = (
        event("deposit", at(3), "500", event="d"), event("deposit", at(3, 20), "100", event="e"),
        event("withdrawal", at(3, 25), "150", event="w"),
        event("deposit_reversed", at(4), "0", reference="d"),
        event("withdrawal_reversed", at(5), "0", reference="w"),
    )  # fmt: skip
    found = {which: months(deposits(*told, which=which).settled())
             for which in ("all", "net", "first")}  # fmt: skip
    assert found == {
        "all": {"2026-03": "180", "2026-04": "-150"},
        "net": {"2026-03": "135", "2026-04": "-150", "2026-05": "45"},
        "first": {"2026-03": "150", "2026-04": "-120"},  # of the second, which is the first now
    }


def test_deposits_of_a_campaign() -> None:
    told = (event("deposit", at(3, 30), "100"), event("deposit", at(4), "10", event="d"),
            event("deposit_reversed", at(5), "0", reference="d"))  # fmt: skip
    world = deposits(*told, more="[component.when]\nfrom = 2026-04-01\nuntil = 2026-05-01\n")
    assert months(world.settled()) == {"2026-04": "3", "2026-05": "-3"}


@given(seed=st.integers(0, 2**63))
@settings(max_examples=30, deadline=None)
def test_columns_and_twin_sum_the_same_deposits(seed: int) -> None:
    rnd = Random(seed)
    which, per = rnd.choice(("all", "net", "first")), rnd.choice(("day", "week", "month"))
    carry = rnd.choice(("", '[component.carry]\nnegative = "carry"\n'))
    plan = DEPOSITS.replace('"month"', f'"{per}"').format(which=which, more=carry)
    plan += '[[component.rate]]\nlevel = 2\nshare = "1/7"\n'
    world = replace(world_of(rnd), plan=plan, events=_moved(rnd))
    assert by_columns(world) == by_twin(world, _charged(world))


def _charged(world: Windows) -> list[tuple[Charge, int]]:
    """Return what the clients cost, with the place of the chain above them."""
    by_client: dict[int, list[Event]] = defaultdict(list)
    for one in world.events:
        by_client[one["client_id"]].append(Event(  # type: ignore[index]
            str(one["event"]), str(one["kind"]), one["at_ms"],  # type: ignore[arg-type]
            Fraction(one["amount_e8"], 10**8), str(one["currency"]),  # type: ignore[arg-type]
            str(one["reference"]), one["cleared_ms"],  # type: ignore[arg-type]
        ))  # fmt: skip
    return [(charge, world.introduced.get(client, 0))
            for client, told in by_client.items() for charge in charges(client, told)]  # fmt: skip


@given(seed=st.integers(0, 2**63))
@settings(max_examples=30, deadline=None)
def test_columns_and_twin_take_the_same_off(seed: int) -> None:
    rnd = Random(seed)
    less = rnd.sample(LESS, rnd.randint(1, 4))
    basis, per = rnd.choice(("result", "commission")), rnd.choice(("day", "week", "month"))
    carry = rnd.choice(("", '[component.carry]\nnegative = "carry"\n'))
    plan = NET.replace('"result"', f'"{basis}"').replace('"month"', f'"{per}"')
    plan = plan.format(less=less, more=carry) + '[[component.rate]]\nlevel = 2\nshare = "1/7"\n'
    world = replace(world_of(rnd), plan=plan, events=_events(rnd))
    assert by_columns(world) == by_twin(world, _charged(world))
