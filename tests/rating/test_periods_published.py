"""The published and derived cases of clients and periods, settled by window from plan files."""

from __future__ import annotations

import polars as pl
import pytest
from client_events import event
from window_worlds import HEAD, Trade, Windows, at, months

from pipshare.rating.reasons import Reason

RATE = "[[component.rate]]\nlevel = 1\n"
CPA = '[[component]]\ncode = "cpa"\nbasis = "fixed"\nmode = "per_level"\nevent = "qualified"\n'
FIRST = '[component.qualify]\nfirst_deposit = "100"\n'
SHARE = '[[component]]\ncode = "share"\nbasis = "result"\nmode = "per_level"\nper = "month"\n'


def deposit(month: int, amount: str = "100", client: int = 1, **told: object) -> dict[str, object]:
    told = {"event": f"d{client}-{month}", **told}
    return event("deposit", at(month), amount, client_id=client, **told)


def test_a_bad_month_is_earned_back_first() -> None:
    trades = [Trade(at(2), profit="10000"), Trade(at(3), profit="-15000")]
    rate = RATE + 'share = "30%"\n'
    carry = HEAD + SHARE + '[component.carry]\nnegative = "carry"\n' + rate
    found = Windows(carry, trades).settled()
    assert months(found) == {"2026-02": "0", "2026-03": "1500"}
    assert found.lines["amount_e8"].to_list() == [-3000 * 10**8, 3000 * 10**8,
                                                  4500 * 10**8, -3000 * 10**8]  # fmt: skip
    forget = HEAD + SHARE + '[component.carry]\nnegative = "reset"\n' + rate
    assert months(Windows(forget, trades).settled()) == {"2026-02": "0", "2026-03": "4500"}
    neither = HEAD + SHARE + rate
    assert months(Windows(neither, trades).settled()) == {"2026-02": "-3000", "2026-03": "4500"}


def test_what_was_carried_before_is_history() -> None:
    rate = RATE + 'share = "30%"\n'
    plan = HEAD + SHARE + '[component.carry]\nnegative = "carry"\n' + rate
    history = pl.DataFrame({"component_id": [100], "partner_id": [1], "window_start_ms": [at(1, 1)],
                            "kind": ["carried"], "value_e8": [-1000 * 10**8]})  # fmt: skip
    found = Windows(plan, [Trade(at(3), profit="-15000")], history=history).settled()
    assert months(found) == {"2026-03": "3500"}


def test_a_chargeback_takes_back_what_the_deposit_caused() -> None:
    plan = HEAD + CPA + FIRST + RATE + 'amount = "200"\n'
    first = deposit(3, event="d")
    opened = event("chargeback_opened", at(3, 20), reference="d", event="o")
    lost = event("chargeback_lost", at(4), reference="d", event="l")
    held = Windows(plan, events=[first, opened]).settled()
    assert held.targets["held_by"].to_list() == ["o"]
    found = Windows(plan, events=[first, opened, lost]).settled()
    assert months(found) == {"2026-03": "200", "2026-04": "-200"}
    assert found.lines["reason"].to_list() == [Reason.PAID, Reason.CLAWBACK]
    assert found.lines["event"].to_list() == ["d", "l"]
    assert found.targets["held_by"].to_list() == ["", ""]


def test_steps_of_deposits_pay_the_difference() -> None:
    rates = "".join(f'{RATE}from = {start}\namount = "{due}"\n' for start, due in
                    ((100, 35), (200, 60), (500, 120), (1000, 150)))  # fmt: skip
    tier = '[component.tier]\nmeasure = "deposits"\nwindow = "life"\nmethod = "ladder"\n'
    plan = HEAD + CPA + FIRST + tier + rates
    events = [deposit(1), deposit(2, "400"), deposit(3, "500")]
    assert months(Windows(plan, events=events).settled()) == {
        "2026-01": "35", "2026-02": "85", "2026-03": "30"}  # fmt: skip
    gone = event("deposit_reversed", at(5), reference="d1-3")
    assert months(Windows(plan, events=[*events, gone]).settled())["2026-05"] == "-30"
    all_gone = event("deposit_reversed", at(6), reference="d1-1")
    more = event("deposit_reversed", at(6), reference="d1-2", event="x")
    found = Windows(plan, events=[*events, gone, all_gone, more]).settled()
    assert found.targets["amount_e8"].sum() == 0


def test_an_advance_is_earned_back_first() -> None:
    share = ('[[component]]\ncode = "share"\nbasis = "commission"\nmode = "per_level"\n'
             f'advance = "cpa"\n{RATE}share = "30%"\n')  # fmt: skip
    plan = HEAD + CPA + FIRST + RATE + 'amount = "20"\n' + share
    trades = [Trade(at(3, 11), commission="-40"), Trade(at(4), commission="-30")]
    found = Windows(plan, trades, [deposit(3)]).settled()
    assert months(found, 100) == {"2026-03": "20"}
    assert months(found, 101) == {"2026-03": "0", "2026-04": "1"}


def test_months_with_too_few_conversions_pay_nothing() -> None:
    gate = '[component.qualify.gate]\nconversion = "30%"\n'
    plan = HEAD + CPA + FIRST + gate + RATE + 'amount = "20"\n'
    months_of = {1: 3, 2: 3, 3: 3, 4: 3, 5: 4, 6: 4}
    registered = [
        event("registration", at(month, 1), client_id=client, event=f"r{client}")
        for client, month in months_of.items()
    ]
    deposits = [deposit(3, client=1), deposit(4, client=5), deposit(4, client=4)]
    found = Windows(plan, events=[*registered, *deposits]).settled()
    assert months(found) == {"2026-04": "40"}
    assert found.lines["reason"].to_list().count(Reason.GATE) == 1


def test_deposit_spread_and_lots_have_all_to_be_enough() -> None:
    asked = '[component.qualify]\nfirst_deposit = "100"\ncommission = "80"\nlots = "5"\n'
    plan = HEAD + CPA + asked + RATE + 'amount = "50"\n'
    short = [Trade(at(3, 11), "6", "-79.99")]
    assert months(Windows(plan, short, [deposit(3, "150")]).settled()) == {}
    enough = [*short, Trade(at(3, 12), "0.01", "-0.01")]
    found = Windows(plan, enough, [deposit(3, "150")]).settled()
    assert months(found) == {"2026-03": "50"}
    assert found.lines["moment_ms"].to_list() == [at(3, 12)]


def test_rates_by_country_pay_by_the_clients() -> None:
    plan = (HEAD + CPA + FIRST + RATE + 'amount = "50"\n' + RATE
            + 'country = "DE"\namount = "300"\n')  # fmt: skip
    german = event("registration", at(1), client_id=2, country="DE")
    events = [german, deposit(3), deposit(4, client=2)]
    assert months(Windows(plan, events=events).settled()) == {"2026-03": "50", "2026-04": "300"}


def test_lines_of_clients_without_kyc_are_held_released_or_forfeited() -> None:
    head = HEAD + 'kyc = "hold"\nkyc_forfeit_days = 30\n'
    plan = head + CPA + FIRST + RATE + 'amount = "50"\n'
    early = {"as_of_ms": at(3, 20)}
    assert Windows(plan, events=[deposit(3)]).settled(**early).targets["held_by"].to_list() == [
        "kyc"
    ]
    told = event("kyc_approved", at(4, 1))
    assert Windows(plan, events=[deposit(3), told]).settled().targets["held_by"].to_list() == [""]
    lost = Windows(plan, events=[deposit(3)]).settled()
    assert lost.lines["reason"].to_list() == [Reason.FORFEITED]
    assert not len(lost.targets)


def test_sums_of_months_are_shared_over_the_chain() -> None:
    share = (
        '[[component]]\ncode = "share"\nbasis = "commission"\nmode = "per_level"\nper = "month"\n'
    )
    share += RATE + 'share = "30%"\n' + RATE.replace("1", "2") + 'share = "20%"\n'
    trades = [
        Trade(at(2), commission="-7"),
        Trade(at(2, 12), commission="-3", client=2),
        Trade(at(3), commission="4"),
        Trade(at(3), commission="-5", cancelled=True),
    ]
    found = Windows(HEAD + share, trades, chains=((1, 2),)).settled()
    assert months(found) == {"2026-02": "3", "2026-03": "-1.2"}
    assert months(found, partner=2) == {"2026-02": "2", "2026-03": "-0.8"}


@pytest.mark.parametrize("lots", [("5500", "4800", "6800")])
def test_a_rolling_average_pays_a_bonus_on_the_last_month(lots: tuple[str, ...]) -> None:
    plan = (
        HEAD
        + f"""[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
{RATE}amount = "1"
[[component]]
code = "bonus"
basis = "earned"
mode = "per_level"
per = "month"
[component.tier]
measure = "earned"
of_component = "lots"
window = "rolling"
length = 3
unit = "month"
average = true
method = "retroactive"
{RATE}from = 0
share = "0%"
of = "lots"
{RATE}from = 5000
share = "8%"
of = "lots"
"""
    )
    trades = [Trade(at(month), one) for month, one in enumerate(lots, 1)]
    assert months(Windows(plan, trades).settled(), 101) == {"2026-03": "544"}
    before = [("2026-01", "5500"), ("2026-02", "4800")]
    history = pl.DataFrame({
        "component_id": [100, 100], "partner_id": [1, 1],
        "window_start_ms": [at(1, 1), at(2, 1)], "kind": ["earned"] * 2,
        "value_e8": [int(amount) * 10**8 for _, amount in before],
    })  # fmt: skip
    found = Windows(plan, trades[2:], history=history).settled()
    assert months(found, 101) == {"2026-03": "544"}


@pytest.mark.parametrize(
    ("window", "expected"),
    [("life", {"2026-01": "250", "2026-02": "250", "2026-03": "325", "2026-04": "275",
               "2026-05": "400"}),
     ("month", dict.fromkeys(("2026-01", "2026-02", "2026-03", "2026-04", "2026-05"), "250"))],
)  # fmt: skip
def test_an_amount_per_client_rises_with_their_number(
    window: str, expected: dict[str, str]
) -> None:
    rates = "".join(f'{RATE}from = {start}\namount = "{due}"\n'
                    for start, due in ((0, 250), (3, 275), (5, 300)))  # fmt: skip
    tier = (
        f'[component.tier]\nmeasure = "conversions"\nwindow = "{window}"\nmethod = "retroactive"\n'
    )
    plan = HEAD + CPA + FIRST + tier + rates
    events = [deposit(month, client=month) for month in range(1, 6)]
    assert months(Windows(plan, events=events).settled()) == expected


def test_a_measure_of_earlier_months_is_history() -> None:
    plan = HEAD + (
        '[[component]]\ncode = "lots"\nbasis = "lot"\nmode = "per_level"\n[component.tier]\n'
        'measure = "lots"\nwindow = "month"\napplies = "following"\nmethod = "retroactive"\n'
        f'{RATE}from = 0\namount = "3"\n{RATE}from = 100\namount = "5"\n'
    )
    assert months(Windows(plan, [Trade(at(3), "10")]).settled()) == {"2026-03": "30"}
    history = pl.DataFrame({
        "component_id": [100], "partner_id": [1], "window_start_ms": [at(2, 1)],
        "kind": ["measure"], "value_e8": [100 * 10**8],
    })  # fmt: skip
    found = Windows(plan, [Trade(at(3), "10")], history=history).settled()
    assert months(found) == {"2026-03": "50"}


def test_half_an_amount_per_client_goes_with_a_share() -> None:
    share = SHARE.replace("result", "commission") + RATE + 'share = "15%"\n'
    plan = HEAD + CPA + FIRST + RATE + 'amount = "100"\n' + share
    found = Windows(plan, [Trade(at(3), commission="-40")], [deposit(3)]).settled()
    assert months(found, 100) == {"2026-03": "100"}
    assert months(found, 101) == {"2026-03": "6"}


def test_the_crm_may_say_who_qualifies() -> None:
    word = event("qualified", at(4))
    plan = HEAD + CPA + '[component.qualify]\nwho = "crm"\n' + RATE + 'amount = "100"\n'
    assert months(Windows(plan, events=[deposit(3), word]).settled()) == {"2026-04": "100"}
    both = HEAD + CPA + FIRST + 'who = "both"\n' + RATE + 'amount = "100"\n'
    assert months(Windows(both, events=[word]).settled()) == {}


def test_a_registration_is_paid_for() -> None:
    plan = HEAD + CPA.replace("qualified", "registration") + RATE + 'amount = "2"\n'
    told = [event("registration", at(4), client_id=one, event=f"r{one}") for one in (1, 2, 3)]
    found = Windows(plan, events=told, introduced={3: -1}).settled()
    assert months(found) == {"2026-04": "4"}  # nobody introduced the third


def test_components_are_netted_with_each_other_when_the_plan_says_so() -> None:
    one = (
        SHARE.replace('"share"', '"a"') + '[component.carry]\nnegative = "carry"\nacross = ["b"]\n'
    )
    two = SHARE.replace('"share"', '"b"').replace("result", "commission")
    rate = RATE + 'share = "100%"\n'
    trades = [Trade(at(2), profit="100", commission="-30"), Trade(at(3), profit="-90")]
    found = Windows(HEAD + two + rate + one + rate, trades).settled()
    assert months(found, 100) == {"2026-02": "30"}
    assert months(found, 101) == {"2026-02": "-30", "2026-03": "20"}
    apart = one.replace('across = ["b"]\n', "")
    fenced = Windows(HEAD + two + rate + apart + rate, trades).settled()
    assert months(fenced, 101) == {"2026-02": "0", "2026-03": "0"}
