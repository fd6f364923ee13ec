"""What does not fit a basis, a mode, a tier or another component is refused with its line."""

from __future__ import annotations

import re

import pytest

from pipshare.plans.check import check
from pipshare.plans.parse import parse
from pipshare.plans.problems import BadPlan

HEAD = '[programme]\ncode = "p"\nlevels = 3\ncurrency = "USD"\n'  # the component is on line 5


def refused(text: str) -> list[str]:
    with pytest.raises(BadPlan) as caught:
        parse(text, "p.toml")
    return caught.value.message.split("\n")


def component(basis: str, mode: str, rest: str) -> str:
    """Lines 5 to 8 are the component's own, `rest` begins on line 9."""
    return f'{HEAD}[[component]]\ncode = "c"\nbasis = "{basis}"\nmode = "{mode}"\n{rest}\n'


def told(text: str, line: int, says: str) -> None:
    lines = refused(text)
    assert any(one.startswith(f"p.toml:{line}: ") and says in one for one in lines), lines


@pytest.mark.parametrize(
    ("carry", "says"),
    [
        ('negative = "reset", forgive = 5', 'with negative = "reset" all below zero is forgiven'),
        ('within = "month"', 'within = "month" is the period itself, so that nothing is ever'),
        ('share = "101%"', "out of range"),
        ("periods = 0", "periods"),
    ],
)
def test_what_is_forgiven_has_a_meaning(carry: str, says: str) -> None:
    rest = f'per = "month"\ncarry = {{ {carry} }}\nrate = [{{ level = 1, share = 1 }}]'
    assert any(says in one for one in refused(component("result", "per_level", rest)))


DEPOSITS = 'currency = "USD"\nrate = [{ level = 1, share = 1 }]\n'
SHARED = "qualify.lots = 1\nrate = [{ level = 1, share = 1 }]\n"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        (DEPOSITS, "deposits are of no trade: write event"),
        ('per = "month"\nrate = [{ level = 1, share = 1 }]', "deposits are summed in one currency"),
        (DEPOSITS + 'per = "month"\nmin_hold_seconds = 5', "deposits are not held for seconds"),
        (DEPOSITS + 'per = "month"\nwhen.min_points = 5', "min_points is asked of trades, and"),
        (SHARED + 'event = "qualified"\ndeposits = "net"', "what is withdrawn later takes back"),
        (SHARED + 'event = "qualified"\nper = "month"', "when a client qualifies is of no month"),
        (SHARED + 'event = "registration"', 'event = "registration" has no deposit'),
        (SHARED + 'event = "qualified"\ntier.measure = "conversions"', "has one rate; bands"),
    ],
)
def test_deposits_that_have_no_meaning(rest: str, says: str) -> None:
    lines = refused(component("deposits", "per_level", rest))
    assert any(says in one for one in lines), lines


@pytest.mark.parametrize(
    ("tier", "says"),
    [
        ('measure = "first_deposit", window = "month"', "is of one client and his whole life"),
        ('measure = "deposits", method = "marginal"', "a client is paid one amount for his deposi"),
        ('measure = "deposits", currency = "EUR"', "the bands count deposits in EUR, [component."),
    ],
)
def test_bands_of_deposits_that_have_no_meaning(tier: str, says: str) -> None:
    rest = f'event = "qualified"\nqualify.first_deposit = 5\ntier = {{ {tier} }}\n'
    rest += "rate = [{ level = 1, amount = 1 }]"
    lines = refused(component("fixed", "per_level", rest))
    assert any(says in one for one in lines), lines


@pytest.mark.parametrize(
    ("basis", "rate", "says"),
    [
        ("lot", 'share = "10%"', "share needs of, the component whose earnings"),
        ("lot", "points = 1", 'on the basis lot a rate has no points: write amount = "6.50"'),
        ("points", "amount = 1", "on the basis points a rate has no amount: write points = 10"),
        ("points", "points = 1\npips = 1", "rates in points or in pips, not both"),
        ("points", "", "on the basis points write points = 10 or pips = 1"),
        ("points", 'points = 1\ncurrency = "USD"', "a rate with points has no currency"),
        ("spread", "amount = 1", 'on the basis spread with unit = "money" a rate has no amount'),
        ("spread", 'share = "101%"', "out of range: from 0 to 1"),
        ("commission", "", 'on the basis commission write share = "30%"'),
        ("notional", "amount = 1", "a rate has no amount: write per_million = 30 or per_100k"),
        ("notional", "per_million = 1\nbasis_points = 1", "has one of per_million and basis_point"),
        ("notional", 'per_million = "0.0001"', "per_million is finer than rates can be"),
        ("notional", "basis_points = 10001", "basis_points is more than all of the volume"),
        ("lot", 'amount = 1\ncountry = "cy"', 'country: "cy" is not a country, such as "CY"; did'),
        ("lot", 'amount = 1\nside = "both"', 'side "both" is not known'),
        ("commission", 'share = "1%"\nside = "open"', "side belongs to the bases"),
        ("lot", "amount = 1\nfrom = 5", "from is where a band of a tier begins: this component"),
        ("lot", "amount = 1\nto = 5", "to is where a band of a tier ends: this component has no"),
        ("lot", "amount = 1\nlevel = 4", "level 4 is never paid"),
    ],
)
def test_rates_that_do_not_fit_their_basis(basis: str, rate: str, says: str) -> None:
    lines = refused(component(basis, "per_level", f"[[component.rate]]\n{rate}"))
    assert any(says in one and 9 <= int(one.split(":")[1]) <= 11 for one in lines), lines


def test_a_rate_without_currency() -> None:
    text = component("spread", "per_level", 'unit = "pips"\n[[component.rate]]\namount = 1')
    told(text.replace('currency = "USD"\n', ""), 9, "this rate has no currency")


@pytest.mark.parametrize(
    ("basis", "mode", "rest", "line", "says"),
    [
        ("earned", "difference", 'per = "month"\nrate = [{ share = 1, of = "a" }]', 5,
         'on the basis earned the modes are "per_level", "override"'),
        ("commission", "difference", 'per = "month"\ncarry = {}\nrate = [{ share = 1 }]', 5,
         "never pays below zero, so there is nothing to carry over"),
        ("lot", "pot_split", "rate = [{ level = 1, amount = 1 }]", 5,
         "the mode pot_split needs shares: [[component.split]]"),
        ("lot", "share_up", 'rate = [{ level = 2, amount = 1 }]\nsplit = [{ share = "1%" }]', 9,
         "in the mode share_up rates say the pot: they are for level 1; level 2 has its share in"),
        ("lot", "per_level", 'rate = [{ level = 1, amount = 1 }]\nsplit = [{ share = "1%" }]', 10,
         "the mode per_level splits no pot: remove this split"),
        ("lot", "pot_split", 'rate = [{ amount = 1 }]\nsplit = [{ share = "50%" }]', 10,
         "the shares of the pot over 3 levels add up to 150%: more than all of it"),
        ("lot", "pot_split", 'rate = [{ amount = 1 }]\nsplit = [\n{ level = 1, share = "70%" },\n'
         '{ level = 2, share = "30%" },\n{ card = "a", level = 1, share = "71%" },\n]', 13,
         "the shares of the pot of partners with the card a over 3 levels add up to 101%"),
        ("lot", "share_up", 'rate = [{ amount = 1 }]\nsplit = [{ share = "101%" }]', 10,
         'share "101%" is out of range'),
        ("lot", "share_up", 'rate = [{ amount = 1 }]\nsplit = [{ level = 1 }]', 10,
         "a split needs a share"),
        ("lot", "share_up", 'rate = [{ amount = 1 }]\nsplit = [{ level = 9, share = "1%" }]', 10,
         "level 9 is never paid: [programme] says levels = 3; raise it or remove this split"),
        ("lot", "percent_of_child", 'rate = [{ amount = 1 }]\nsplit = [\n{ share = "1%" },\n'
         '{ share = "2%" },\n{ level = 1, share = "2%" }]', 12,
         "this split and the one on line 11 are both for any card, all levels"),
        ("lot", "percent_of_child", 'rate = [{ amount = 1 }]\nsplit = [{level = 1, share = "2%"}]',
         10, "level 1 has nobody below: its part is by rates"),
        ("lot", "rank", "rate = [{ amount = 1 }]", 5, "the mode rank needs ranks, the lowest"),
        ("lot", "rank", 'ranks = ["a"]\nrate = [{ amount = 1 }]', 10, "names its rank: write its"),
        ("lot", "rank", 'ranks = ["gold"]\nrate = [{ card = "glod", amount = 1 }]', 10,
         'card "glod" is no rank of this component; did you mean "gold"? its ranks are "gold"'),
        ("lot", "rank", 'ranks = ["a"]\nrate = [{ card = "a", level = 1, amount = 1 }]', 10,
         "whatever the level: remove level"),
        ("lot", "rank", 'ranks = ["a", "b"]\nrate = [{ card = "a", amount = 1 }]', 5,
         'rank "b" has no rate: to add nothing for it write one'),
        ("lot", "rank", 'ranks = ["a", "a"]\nrate = [{ card = "a", amount = 1 }]', 9,
         'ranks: "a" is there twice'),
        ("lot", "per_level", 'ranks = ["a"]\nrate = [{ level = 1, amount = 1 }]', 5,
         'ranks are of mode = "rank", not of per_level'),
        ("lot", "difference", 'rate = [\n{ level = 1, amount = 1 },\n'
         '{ level = 2, amount = 1, currency = "EUR" },\n]', 11,
         "all rates need one currency; line 10 is in USD, this one in EUR"),
        ("lot", "per_level", "skip_levels = [2]\nrate = [{ level = 2, amount = 1 }]", 10,
         "level 2 is never paid: it is among the component's skip_levels"),
    ],
)  # fmt: skip
def test_what_a_mode_does_not_define(
    basis: str, mode: str, rest: str, line: int, says: str
) -> None:
    told(component(basis, mode, rest), line, says)


@pytest.mark.parametrize(
    ("basis", "rest", "line", "says"),
    [
        ("lot", 'unit = "pips"', 5, "unit belongs to the bases spread and markup, not to lot"),
        ("points", 'unit = "pips"', 9, "the basis points has no unit: its rates say points or"),
        ("lot", 'spread.measured = "open"', 5, "[component.spread] belongs to the basis spread"),
        ("lot", 'sides = "both"', 5, "sides belongs to the basis notional, not to lot"),
        ("lot", 'counts = ["swap"]', 5, "counts belongs to the bases"),
        ("commission", "counts = []", 9, "counts is a list of one or more values"),
        ("commission", 'counts = "fee"', 9, 'write counts = ["fee"], or leave it out'),
        ("commission", 'counts = ["fees"]', 9, 'counts: "fees" is not known; did you mean "fee"?'),
        ("lot", 'event = "qualified"', 5, 'event belongs to the bases fixed and deposits, not to'),
        ("fixed", "", 5, "the basis fixed needs an event"),
        ("fixed", 'event = "qualified"', 5, 'event = "qualified" needs [component.qualify]'),
        ("fixed", 'event = "trade"\nper = "day"', 5, "paid at the event: remove per"),
        ("revenue", "", 5, 'revenue is of a period: write per = "month"'),
        ("earned", "", 5, 'the basis earned is of a period: write per = "month"'),
        ("commission", "when.hedged.by = 'account'", 5, "hedged volume is netted on the bases"),
        ("commission", 'per = "day"\nrebate.share = "1%"', 5, "a client has his part of each"),
        ("commission", 'per = "day"\ncap = [{ amount = 1, per = "client_day" }]', 10,
         "a sum over a day is of no one client"),
        ("commission", 'cap = [{ amount = 1, per = "order", unit = "lots" }]', 9, "in lots is for"),
        ("lot", 'cap = [{ amount = 1, per = "order", currency = "EUR" }]', 9,
         "the cap is in EUR, but lines are in USD"),
        ("lot", 'cap = [{ per = "order" }]', 9, "a cap needs an amount"),
        ("lot", "cap = [{ amount = 1 }]", 9, "a cap needs per, for example"),
        ("lot", 'cap = [{ amount = 1, per = "order", unit = "lots", currency = "USD" }]', 9,
         "a cap in lots has no currency"),
        ("lot", 'currency = "EUR"', 5, "currency converts a basis that is money, which lot here"),
        ("lot", 'rebate.share = "101%"', 9, 'share "101%" is out of range: from 0 to 1'),
        ("lot", "rebate = {}", 9, "a rebate needs a share"),
        ("lot", "rebate = 5", 9, "rebate: a table is written [component.rebate], in single"),
        ("lot", "rebate = [{ share = 1 }]", 9, "there is one of these: write [component.rebate]"),
        ("lot", 'rebate = { shar = "1%" }', 9, 'unknown key "shar" in [component.rebate]; did'),
        ("lot", "rounding.value = 9", 9, "value is a whole number from 0 to 8, not 9"),
        ("lot", "skip_levels = [0]", 9, "skip_levels holds whole numbers from 1 to 50, not 0"),
        ("lot", "min_hold_seconds = 1\nwhen.min_hold_seconds = 1", 10, "is here and in [[compon"),
        ("lot", 'when.hours = ["8-17"]', 9, 'hours: "8-17" is no span of a day: write "08:00-'),
        ("lot", 'when.weekdays = ["monday"]', 9, '"monday" is not known; did you mean "mon"?'),
        ("lot", 'when.countries = ["us"]', 9, 'did you mean "US"? two capital letters'),
        ("lot", 'when = { countries = ["US"], not_countries = ["US"] }', 9, "is among countries"),
        ("lot", "when = { from = 2026-02-01, until = 2026-01-01 }", 9, "until has to be later"),
        ("lot", 'when.excluded_reasons = ["dealr"]', 9, 'did you mean "dealer"?'),
        ("spread", "spread.guard = 1", 9, "guard is true or false, without quotes, not 1"),
        ("spread", 'spread.cap_currency = "USD"', 9, "cap_currency is that of cap_per_lot"),
        ("lot", "qualify = {}", 9, "[component.qualify] asks nothing: write a condition"),
        ("lot", 'qualify = { who = "both" }', 9, "asks nothing of our own"),
        ("lot", 'qualify = { who = "crm", lots = 1 }', 9, "the CRM's word alone: remove lots"),
        ("lot", "qualify = { kyc = true, sum_hours = 1 }", 9, "belongs to first_deposit"),
        ("lot", 'qualify = { kyc = true, calendar = "business" }', 9, "belongs to within_days"),
        ("lot", "qualify = { kyc = true, keep_days = 30 }", 9, "neither is here: write one, or"),
        ("lot", "qualify = { lots = 1, keep_days = 0 }", 9, "keep_days"),
        ("lot", "qualify = { kyc = true, gate = {} }", 9, "a gate needs a conversion"),
        ("lot", "qualify.lots = 1", 9, 'an amount is paid: it needs event = "qualified"; that'),
        ("fixed", 'event = "trade"\nqualify.lots = 1', 10, "said for the whole programme, in [p"),
        ("lot", "carry.across = ['x']", 5, 'across: "x" is no component'),
        ("lot", "carry.across = ['c']", 5, "is this component itself: it is netted anyway"),
        ("lot", 'advance = "x"', 5, 'advance = "x" is no component above this one'),
    ],
)  # fmt: skip
def test_keys_that_have_no_meaning_where_they_stand(
    basis: str, rest: str, line: int, says: str
) -> None:
    forms = {"lot": "amount = 1", "fixed": "amount = 1", "points": "points = 1"}
    rate = forms.get(basis, "share = 1") + (', of = "a"' if basis == "earned" else "")
    told(component(basis, "per_level", f"{rest}\nrate = [{{ level = 1, {rate} }}]"), line, says)


def test_a_sum_over_a_period_is_of_everything() -> None:
    for key in ('symbol = "A"', 'account_type = "ecn"', 'country = "CY"', 'account_group = "a*"'):
        rest = f'per = "month"\nrate = [{{ level = 1, share = 1, {key} }}]'
        told(component("commission", "per_level", rest), 10, "is of all symbols, accounts and")


TIER = (
    'tier = {{ measure = "lots", {tier} }}\n'
    "rate = [\n  {{ level = 1, amount = 1{first} }},\n  {{ level = 1, amount = 2{second} }},\n]"
)


@pytest.mark.parametrize(
    ("tier", "first", "second", "line", "says"),
    [
        ("", ", from = 10", ", from = 20", 11, "hole: nothing holds from 0 to 10"),
        ("", ", to = 10", ", from = 20", 11,
         "a tier table with a hole: this band ends at 10, the next one (line 12) begins at 20"),
        ("", ", to = 30", ", from = 20", 11, "bands overlap: this one ends at 30"),
        ("", "", ", from = 20, to = 30", 12, "a tier table with a hole: nothing holds from 30 on"),
        ("", "", ", from = 0", 12, "overlaps itself: this rate and the one on line 11"),
        ("length = 2", "", ", from = 1", 9, 'average belong to window = "rolling"'),
        ('window = "rolling"', "", ", from = 1", 9, "a rolling window forgets"),
        ("grace = 1", "", ", from = 1", 9, "promotion and grace are about whole windows"),
        ('method = "ladder"', "", ", from = 1", 9, "a ladder pays the steps of an amount"),
        ('currency = "USD"', "", ", from = 1", 9, "measure lots is counted, it has no currency"),
        ('of_component = "a"', "", ", from = 1", 9, "of_component belongs to the measure earned"),
        ('of = "all"', "", ", from = 1", 9, 'of "all" is not known; allowed: "own", "network"'),
    ],
)  # fmt: skip
def test_tiers(tier: str, first: str, second: str, line: int, says: str) -> None:
    rest = TIER.format(tier=tier, first=first, second=second).replace(",  }", " }")
    told(component("lot", "per_level", rest), line, says)


@pytest.mark.parametrize("measure", ["lots", "conversions", "clients", "trades"])
def test_a_ladder_per_qualified_client_counts_his_deposits(measure: str) -> None:
    text = component("fixed", "per_level", (
        'event = "qualified"\nqualify = { first_deposit = 10 }\n'
        f'tier = {{ measure = "{measure}", method = "ladder" }}\n'
        "rate = [{ level = 1, from = 2, amount = 500 }]"
    ))  # fmt: skip
    told(text, 11, f"a ladder per qualified client counts his deposits, not {measure}")


def test_a_share_of_what_is_earned_of_another_sum() -> None:
    text = component("loss", "per_level", 'per = "month"\nrate = [{ level = 1, share = "25%" }]')
    text += (
        '[[component]]\ncode = "second"\nbasis = "commission"\nmode = "override"\nper = "month"\n'
        'rate = [{ level = 2, share = "10%", of = "CODE" }]\n'
    )
    text = text.replace("CODE", re.findall('code = "(.*)"', text)[1])
    assert any("make basis of both the same" in one for one in refused(text)), refused(text)


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        ("deposits", "the measure deposits is for amounts per qualified client"),
        ("conversions", "the measure conversions is for amounts per qualified client"),
        ("value", "the measure value is money, which this basis has not"),
        ("earned", "the measure earned needs of_component"),
    ],
)
def test_what_a_tier_cannot_count(measure: str, says: str) -> None:
    rest = f'tier.measure = "{measure}"\nrate = [{{ level = 1, amount = 1 }}]'
    told(component("lot", "per_level", rest), 9, says)


def test_a_tier_in_money_needs_a_currency() -> None:
    rest = 'tier.measure = "notional"\nrate = [{ level = 1, amount = 1, currency = "EUR" }]'
    text = component("lot", "per_level", rest).replace('currency = "USD"\n', "")
    told(text, 8, "the measure notional needs a currency")


OF = '[[component]]\ncode = "{code}"\nbasis = "lot"\nmode = "override"\nrate = [{rate}]\n'


def of(code: str, other: str) -> str:
    return OF.format(code=code, rate=f'{{ level = 2, share = "10%", of = "{other}" }}')


def test_components_that_stand_on_each_other() -> None:
    text = HEAD + of("a", "b") + of("b", "c") + of("c", "a")
    told(text, 9, 'of = "b" goes in a circle: a -> b -> c -> a; what is earned cannot stand on')
    told(text, 14, 'of = "c" goes in a circle: b -> c -> a -> b')
    below = HEAD + of("a", "b") + OF.format(code="b", rate="{ amount = 1 }")
    told(below, 9, 'of = "b" stands below: move that component above this one')
    over = HEAD + OF.format(code="b", rate="{ amount = 1 }").replace("lot", "lot") + of("a", "b")
    assert len(parse(over, "p").components) == 2
    twisted = over.replace('code = "b"', 'code = "b"\nadvance = "a"')
    told(twisted, 5, 'advance = "a" goes in a circle: b -> a -> b')


def test_a_share_of_what_is_paid_for_something_else() -> None:
    monthly = (
        '[[component]]\ncode = "m"\nbasis = "commission"\nmode = "per_level"\nper = "month"\n'
        'rate = [{ level = 1, share = "10%" }]\n'
    )
    told(HEAD + monthly + of("a", "m"), 15, 'of = "m" is paid per month, this component per trade')
    taking = of("a", "m").replace("override", "share_up") + 'split = [{ share = "1%" }]\n'
    told(HEAD + monthly + taking, 15, 'is for the modes "per_level", "override", not share_up')


def test_what_is_netted_with_what() -> None:
    one = (
        '[[component]]\ncode = "{code}"\nbasis = "commission"\nmode = "per_level"\n'
        'per = "{per}"\n{carry}\nrate = [{{ level = 1, share = "10%" }}]\n'
    )
    a = one.format(code="a", per="month", carry='carry.across = ["b"]')
    assert len(parse(HEAD + a + one.format(code="b", per="month", carry=""), "p").components) == 2
    told(HEAD + a + one.format(code="b", per="week", carry=""), 5, "sums of different periods")
    told(HEAD + a + one.format(code="b", per="month", carry="carry = {}"), 5, "of its own: say in")
    three = a + one.format(code="c", per="month", carry='carry.across = ["b"]')
    told(HEAD + three + one.format(code="b", per="month", carry=""), 12, "netted with a already")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ('qualified_pays = "from_then"', "has no meaning without [programme.qualify]"),
        ("kyc_forfeit_days = 3", 'kyc_forfeit_days has no meaning without kyc = "hold"'),
        ("guard = {}", "a guard needs an action"),
        ("payout = {}", "a payout needs a minimum"),
        ('guard = { action = "stop" }', 'action "stop" is not known'),
        ('moment = "now"', 'moment "now" is not known; allowed: "close", "open"'),
    ],
)
def test_the_programme_itself(head: str, says: str) -> None:
    text = component("lot", "per_level", "rate = [{ level = 1, amount = 1 }]")
    told(text.replace('code = "p"', f'code = "p"\n{head}'), 3, says)


def test_rates_apart_for_opening_and_closing_stand_beside_no_share() -> None:
    first = 'rate = [{ amount = 1 }]\n[[component]]\ncode = "d"\nbasis = "lot"\nmode = "override"\n'
    rates = (
        'rate = [\n{ level = 1, amount = 1, side = "open" },\n'
        '{ level = 2, share = "20%", of = "c" },\n]'
    )
    told(
        component("lot", "per_level", first + rates), 15, "has no sides: write the rates with `of`"
    )


def test_a_pot_that_different_cards_could_take_too_much_of_is_noted() -> None:
    rest = (
        'rate = [{ amount = 1 }]\nsplit = [\n{ level = 1, share = "50%" },\n'
        '{ level = 2, share = "50%" },\n{ card = "a", level = 1, share = "70%" },\n'
        '{ card = "a", level = 2, share = "30%" },\n]'
    )
    text = component("lot", "pot_split", rest)
    assert check(text, "p.toml").notes == [
        "p.toml:5: in c partners of different cards on one chain could have 120% of the pot: such "
        "a trade waits"
    ]
    assert check(text.replace("70%", "50%"), "p.toml").notes == []


def test_days_of_a_client_that_do_not_come() -> None:
    rest = "when = { client_days = 30, client_after = 30 }\nrate = [{ level = 1, amount = 1 }]"
    lines = refused(component("lot", "per_level", rest))
    assert any("client_days has to be more than client_after" in one for one in lines), lines
