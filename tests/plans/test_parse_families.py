"""Every key beside those of the first plans becomes its field."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pipshare.plans.conditions import EXCLUDED_REASONS, Bonus, Conditions, Hedged
from pipshare.plans.parse import parse
from pipshare.plans.periods import Cap, Carry, Guard, Payout, Tier
from pipshare.plans.problems import BadPlan
from pipshare.plans.qualifying import Gate, Qualify
from pipshare.plans.terms import Component, Programme, Rebate, Rounding, Split, Spread

HEAD = '[programme]\ncode = "p"\ncurrency = "USD"\nlevels = 5\n'


def read(text: str, head: str = "") -> Programme:
    return parse(HEAD + head + text, "p.toml")


def one(keys: str, rate: str = 'level = 1\nshare = "10%"') -> Component:
    text = f'[[component]]\ncode = "c"\n{keys}\n[[component.rate]]\n{rate}\n'
    if "mode" not in keys:
        text = text.replace('code = "c"\n', 'code = "c"\nmode = "per_level"\n')
    return read(text).components[0]


def test_the_programme() -> None:
    p = read(
        '[[component]]\ncode = "c"\nbasis = "lot"\nmode = "per_level"\nrate = [{ amount = 1 }]\n',
        'moment = "close"\nqualified_pays = "since_registration"\nkyc = "hold"\n'
        "kyc_forfeit_days = 30\n[programme.qualify]\nkyc = true\n"
        '[programme.guard]\naction = "cap"\nlimit = "80%"\nof = ["markup", "swap"]\n'
        "[programme.payout]\nminimum = 500\n",
    )
    assert (p.moment, p.qualified_pays, p.kyc, p.kyc_forfeit_days) == (
        "close", "since_registration", "hold", 30)  # fmt: skip
    assert p.qualify == Qualify(line=9, kyc=True)
    assert p.guard == Guard(11, "cap", Fraction(4, 5), ("markup", "swap"))
    assert p.payout == Payout(Fraction(500), "")


def test_keys_of_a_component() -> None:
    c = one(
        'basis = "commission"\nper = "week"\ncounts = ["commission", "fee"]\ncurrency = "EUR"\n'
        'value_fx = "bid"\nwallet_fx = "ask"\nhold_days = 30\nclawback_days = 60\n'
        "skip_levels = [2, 3]\nrounding = { value = 2, amount = 3, wallet = 4, how = 'up' }\n"
        "carry = { negative = 'reset' }"
    )
    assert (c.basis, c.per, c.counts, c.currency) == (
        "commission", "week", ("commission", "fee"), "EUR")  # fmt: skip
    assert (c.value_fx, c.wallet_fx, c.hold_days, c.clawback_days) == ("bid", "ask", 30, 60)
    assert (c.skip_levels, c.carry) == ((2, 3), Carry("reset"))
    assert c.rounding == Rounding(2, 3, 4, "up")
    assert (c.rates[0].amount, c.rates[0].currency, c.builds_up) == (Fraction(1, 10), "", True)


def test_what_is_taken_from_a_periods_sum() -> None:
    net = 'basis = "revenue"\nper = "month"\ncurrency = "USD"\nless = ["bonuses", "fees"]'
    assert one(net).less == ("bonuses", "fees")


@pytest.mark.parametrize(("keys", "says"), [
    ('basis = "revenue"\nper = "month"\nless = ["fees"]', "a sum in one currency"),
    ('basis = "result"\ncurrency = "USD"\nless = ["fees"]', 'less needs per = "month"'),
    ('basis = "profit"\nper = "month"\ncurrency = "USD"\nless = ["fees"]', "it belongs to"),
    ('basis = "result"\nper = "day"\ncurrency = "USD"\nless = ["bonus"]', "did you mean"),
])  # fmt: skip
def test_what_cannot_be_taken_from_a_sum(keys: str, says: str) -> None:
    with pytest.raises(BadPlan, match=says):
        one(keys)


def test_a_component_without_any_of_it_is_as_before() -> None:
    c = one('basis = "lot"', "level = 1\namount = 1")
    assert c == Component("c", "lot", "per_level", None, c.rates, "c", 5)
    assert not c.builds_up


def test_conditions() -> None:
    c = one(
        'basis = "lot"\n[component.when]\nmin_hold_seconds = 60\nmin_points = 30\n'
        'min_pips = "2.5"\n'
        'partial_close = "none"\nclose_by = "both"\nexcluded_reasons = ["dealer", "split"]\n'
        'zero_result = "none"\nsame_price = "none"\nnegative_balance = "none"\n'
        'account_types = ["ecn"]\ncountries = ["CY", "Germany"]\nnot_countries = ["US"]\n'
        "from = 2026-11-01\nuntil = 2026-12-01T00:00:00Z\n"
        'hours = ["08:00-17:30", "22:00-02:00", "23:00-24:00"]\nweekdays = ["mon", "sun"]\n'
        'hedged.by = "client"\n[component.when.bonus]\nbelow = "50%"\nmax_age_h = 48',
        "amount = 1",
    )
    assert c.min_hold_s == 60
    assert c.conditions == Conditions(
        min_points=Fraction(30), min_pips=Fraction(5, 2), partial_close="none", close_by="both",
        hedged=Hedged("client", "day"), excluded_reasons=("dealer", "split"), zero_result="none",
        same_price="none", negative_balance="none", bonus=Bonus(Fraction(1, 2), 48),
        account_types=("ecn",), countries=("CY", "Germany"), not_countries=("US",),
        from_ms=1_793_491_200_000, until_ms=1_796_083_200_000,
        hours=((480, 1050), (1320, 1440), (0, 120), (1380, 1440)), weekdays=(1, 7),
    )  # fmt: skip
    bare = one('basis = "lot"\n[component.when]\nhedged = {}', "amount = 1").conditions
    assert (bare.hedged, bare.excluded_reasons) == (Hedged("account", "day"), EXCLUDED_REASONS)


@pytest.mark.parametrize(
    ("keys", "rate", "amount", "currency"),
    [
        ('basis = "points"', "points = 10", Fraction(10), ""),
        ('basis = "points"', 'pips = "1.5"', Fraction(3, 2), ""),
        ('basis = "spread"', 'share = "35%"', Fraction(7, 20), ""),
        ('basis = "spread"\nunit = "pips"', "amount = 1", Fraction(1), "USD"),
        ('basis = "markup"\nunit = "points"', 'amount = "0.1"\ncurrency = "EUR"',
         Fraction(1, 10), "EUR"),
        ('basis = "markup"', 'share = "1/3"', Fraction(1, 3), ""),
        ('basis = "profit"', 'share = "0.2"', Fraction(1, 5), ""),
        ('basis = "loss"', "share = 1", Fraction(1), ""),
        ('basis = "result"', 'share = "5%"', Fraction(1, 20), ""),
        ('basis = "notional"', "per_million = 30", Fraction(30, 10**6), ""),
        ('basis = "notional"', 'per_100k = "2.5"', Fraction(25, 10**6), ""),
        ('basis = "notional"', "basis_points = 20", Fraction(2, 1000), ""),
        ('basis = "notional"', 'share = "0.01%"', Fraction(1, 10**4), ""),
        ('basis = "revenue"\nper = "month"', 'share = "30%"', Fraction(3, 10), ""),
        ('basis = "fixed"\nevent = "registration"', "amount = 2", Fraction(2), "USD"),
    ],
)  # fmt: skip
def test_a_rate_of_each_basis(keys: str, rate: str, amount: Fraction, currency: str) -> None:
    rule = one(keys, rate).rates[0]
    assert (rule.amount, rule.currency, rule.of) == (amount, currency, None)


def test_points_in_pips_are_the_unit_of_the_component() -> None:
    assert one('basis = "points"', "pips = 1").unit == "pips"
    assert one('basis = "points"', "points = 1").unit == "money"


def test_selectors_of_a_rate() -> None:
    rule = one('basis = "lot"', 'amount = 1\ncountry = "CY"\nside = "open"').rates[0]
    assert (rule.country, rule.side) == ("CY", "open")


def test_the_spread() -> None:
    c = one(
        'basis = "spread"\n[component.spread]\nmeasured = "average"\nquotes = ["typical", "deal"]\n'
        "cap_points = 35\ncap_per_lot = 20\nguard = true"
    )
    assert c.spread == Spread(
        "average", ("typical", "deal"), Fraction(35), Fraction(20), "USD", True
    )
    assert one('basis = "spread"').spread == Spread()


def test_bands_tier_and_caps() -> None:
    c = one(
        'basis = "commission"\n[component.tier]\nmeasure = "value"\nof = "network"\n'
        'window = "rolling"\nlength = 3\nunit = "month"\naverage = true\nmethod = "retroactive"\n'
        'boundary = "above"\napplies = "following"\npromotion = "stepwise"\ngrace = 1\n'
        '[[component.cap]]\namount = 100\nper = "order"\n'
        '[[component.cap]]\namount = "0.5"\nper = "client_day"\nunit = "money"\ncurrency = "EUR"\n'
        "level = 1",
        'level = 1\nshare = "10%"\nto = 5000\n'
        '[[component.rate]]\nlevel = 1\nfrom = 5000\nshare = "15%"',
    )
    assert c.tier == Tier(
        9, "value", "network", "rolling", 3, "month", True, "retroactive", "above", "following",
        "stepwise", 1, "USD",
    )  # fmt: skip
    assert [(r.start, r.amount) for r in c.rates] == [(0, Fraction(1, 10)), (5000, Fraction(3, 20))]
    assert c.caps == (
        Cap(21, Fraction(100), "order", "money", "USD"),
        Cap(24, Fraction(1, 2), "client_day", "money", "EUR", 1),
    )
    lots = one('basis = "lot"\n[[component.cap]]\namount = 9\nper = "partner_day"\nunit = "lots"',
               "amount = 1")  # fmt: skip
    assert lots.caps == (Cap(9, Fraction(9), "partner_day", "lots"),)


def test_modes_that_split_and_rank() -> None:
    c = one(
        'basis = "lot"\nmode = "pot_split"\nrebate = { share = "50%", taken = "before" }\n'
        'split = [{ level = 1, share = "60%" }, { card = "a", level = 2, share = "40%" }]',
        "amount = 10",
    )
    assert c.splits == (Split(10, "*", 1, Fraction(3, 5)), Split(10, "a", 2, Fraction(2, 5)))
    assert c.rebate == Rebate(Fraction(1, 2), "before")
    ranks = one('basis = "lot"\nmode = "rank"\nranks = ["a", "b"]',
                'card = "a"\namount = 1\n[[component.rate]]\ncard = "b"\namount = 2')  # fmt: skip
    assert ranks.ranks == ("a", "b")


def test_qualification_and_an_advance() -> None:
    p = read(
        '[[component]]\ncode = "cpa"\nbasis = "fixed"\nevent = "qualified"\nmode = "per_level"\n'
        "[component.qualify]\nfirst_deposit = 10\nsum_hours = 24\nnet_deposits = 100\nlots = 5\n"
        "keep_days = 60\n"
        "spread = 80\ncommission = 1\norders = 3\nactive_days = 2\nkyc = true\nwithin_days = 30\n"
        'calendar = "business"\nwho = "both"\n[component.qualify.gate]\nconversion = "5%"\n'
        "[[component.rate]]\namount = 200\n"
        '[[component]]\ncode = "share"\nbasis = "commission"\nmode = "per_level"\nadvance = "cpa"\n'
        '[[component.rate]]\nshare = "30%"\n'
    )
    cpa, share = p.components
    assert cpa.qualify == Qualify(
        10, Fraction(10), 24, Fraction(100), Fraction(5), Fraction(80), Fraction(1), 3, 2, True, 30,
        "business", "both", "USD", Gate(Fraction(1, 20)), keep_days=60,
    )  # fmt: skip
    assert cpa.qualify.keeps == 100
    assert (share.advance, share.builds_up, cpa.builds_up) == ("cpa", True, True)


def test_what_names_a_component_that_builds_up_is_settled_with_it() -> None:
    text = (
        '[[component]]\ncode = "{code}"\nbasis = "lot"\nmode = "override"\n{tier}'
        "[[component.rate]]\nlevel = {level}\n{rate}\n"
    )
    tier = '[component.tier]\nmeasure = "lots"\n'
    p = read(
        text.format(code="a", tier=tier, level=1, rate="amount = 1")
        + text.format(code="b", tier="", level=2, rate='share = "10%"\nof = "a"')
        + text.format(code="c", tier="", level=3, rate='share = "10%"\nof = "b"')
        + text.format(code="d", tier="", level=1, rate="amount = 1")
        + text.format(code="e", tier="", level=2, rate='share = "10%"\nof = "d"')
    )
    assert [c.in_window for c in p.components] == [False, True, True, False, False]
    assert [c.builds_up for c in p.components] == [True, True, True, False, False]


def test_levels_follow_from_rates_and_splits() -> None:
    head = '[programme]\ncode = "p"\ncurrency = "USD"\n[[component]]\ncode = "c"\nbasis = "lot"\n'
    pot = 'mode = "pot_split"\nrate = [{ amount = 1 }]\nsplit = [{ level = 3, share = "1%" }]\n'
    assert parse(head + pot, "p").depth == 3
    assert parse(head + 'mode = "per_level"\nrate = [{ level = 2, amount = 1 }]\n', "p").depth == 2
