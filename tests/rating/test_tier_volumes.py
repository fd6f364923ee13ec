"""Whose volume a tier counts: every trade on whose chain a partner stands, paid for it or not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from twin_stories import among, amounts, chain, e8, part, plan, rate, trade, utc

from pipshare.plans.conditions import Conditions, Hedged
from pipshare.plans.periods import Tier
from pipshare.plans.terms import Component, Programme
from pipshare.rating.twin_values import Partner

MASTER, FIRST, SECOND, THIRD = 1, 2, 3, 4
NETWORK = Tier(1, "lots", of="network", method="retroactive")
BANDS = (rate("1", level=2), rate("1.5", level=2, start="100"), rate("2", level=2, start="200"))


def people_of(component: Component) -> tuple[Programme, tuple[Partner, ...]]:
    """Return a programme of one component, and a master and three sub-IBs in it."""
    whole = plan(component)
    return whole, chain(whole, ["m", "s", "s", "s"])


def test_a_masters_volume_is_that_of_his_sub_ibs_and_of_his_own_clients() -> None:
    whole, people = people_of(part("lot", *BANDS, tier=NETWORK))
    subs = [(trade("50", client_id=n), (n, MASTER)) for n in (FIRST, SECOND, THIRD)]
    own = (trade("60", client_id=9), (MASTER,))
    # 150 lots below him and 60 of his own clients: 210, the band from 200, for what he is paid on.
    assert amounts(among(whole, people, *subs, own), MASTER) == ["100", "100", "100"]
    assert amounts(among(whole, people, *subs), MASTER) == ["75", "75", "75"]


def test_own_volume_counts_where_only_the_network_is_paid() -> None:
    tier = replace(NETWORK, of="own")
    whole, people = people_of(part("lot", *BANDS, tier=tier))
    sub = (trade("500"), (FIRST, MASTER))
    assert amounts(among(whole, people, sub, (trade("99"), (MASTER,))), MASTER) == ["500"]
    assert amounts(among(whole, people, sub, (trade("100"), (MASTER,))), MASTER) == ["750"]


def test_what_is_deeper_than_the_paid_levels_counts() -> None:
    rates = (rate("1"), rate("2", start="100"))
    whole = plan(part("lot", *rates, tier=NETWORK), depth=1)
    people = chain(whole, ["m", "s", "s", "s"])
    deep = (trade("99"), (THIRD, SECOND, FIRST, MASTER))
    result = among(whole, people, deep, (trade("1"), (MASTER,)))
    assert (amounts(result, MASTER), amounts(result, THIRD)) == (["2"], ["99"])


def test_marginal_bands_go_on_from_trades_without_a_line() -> None:
    tier = replace(NETWORK, method="marginal")
    whole, people = people_of(part("lot", *BANDS, tier=tier))
    given = [(trade("90"), (MASTER,)), (trade("20"), (FIRST, MASTER)), (trade("80"), (MASTER,)),
             (trade("20"), (SECOND, MASTER))]  # fmt: skip
    # 10 at 1 and 10 at 1.5; then 190 to 210: 10 at 1.5 and 10 at 2.
    assert amounts(among(whole, people, *given), MASTER) == ["25", "35"]


@pytest.mark.parametrize("barred", ["cancelled", "too short", "reason", "unknown", "terminated"])
def test_what_the_component_does_not_pay_for_does_not_count(barred: str) -> None:
    whole, people = people_of(part("lot", *BANDS, tier=NETWORK, min_hold_s=180))
    changed: dict[str, dict[str, Any]] = {
        "cancelled": {"cancelled": True}, "too short": {"hold_ms": 1000},
        "reason": {"deal_reason": 6}, "unknown": {"hold_ms": None},
    }  # fmt: skip
    other = trade("100", **changed.get(barred, {}))
    if barred == "terminated":
        ended = replace(people[0], statuses=((utc("2026-11-17"), "terminated"),))
        people = (ended, *people[1:])
        other = replace(other, close_utc_ms=utc("2026-11-18"))
    result = among(whole, people, (trade("100"), (FIRST, MASTER)), (other, (MASTER,)))
    assert amounts(result, MASTER) == ["150"]


def test_hedged_volume_counts_once_in_a_measure_without_lines() -> None:
    whole, people = people_of(
        part("lot", *BANDS, tier=NETWORK, conditions=Conditions(hedged=Hedged()))
    )
    own = [(trade("60", side=1, client_id=9), (MASTER,)),
           (trade("60", side=-1, client_id=9), (MASTER,))]  # fmt: skip
    result = among(whole, people, *own, (trade("50", client_id=1), (FIRST, MASTER)))
    assert amounts(result, MASTER) == ["75"]
    assert result.measures[1, MASTER, next(iter(result.measures))[2]] == 110


def test_clients_of_the_network_and_own_are_counted_once_each() -> None:
    tier = Tier(1, "clients", of="network", method="retroactive")
    rates = (rate("1", level=2), rate("5", level=2, start="3"))
    whole, people = people_of(part("lot", *rates, tier=tier))
    given = [(trade(client_id=1), (FIRST, MASTER)), (trade(client_id=2), (SECOND, MASTER)),
             (trade(client_id=1), (FIRST, MASTER))]  # fmt: skip
    assert amounts(among(whole, people, *given), MASTER) == ["1", "1", "1"]
    third = (trade(client_id=3), (MASTER,))
    assert amounts(among(whole, people, *given, third), MASTER) == ["5", "5", "5"]


def test_the_lot_factor_counts_in_a_measure_of_value() -> None:
    tier = Tier(1, "value", method="retroactive")
    component = part("lot", rate("1"), rate("2", start="1"), tier=tier)
    whole, people = people_of(component)
    cents = trade("99", lot_factor=Fraction(1, 100))
    assert cents.lots_e8 == e8("99")
    assert amounts(among(whole, people, (cents, (MASTER,))), MASTER) == ["0.99"]
