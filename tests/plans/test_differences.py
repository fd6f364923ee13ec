"""What changes between two versions, in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pipshare.plans.differences import amount_text, differences
from pipshare.plans.parse import parse

OLD = """[programme]
code = "p"
currency = "USD"
levels = 2
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "6.50"
[[component.rate]]
level = 2
symbol = "XAUUSD"
amount = "1"
[[component]]
code = "gone"
basis = "lot"
mode = "override"
rate = [{ level = 2, amount = "1" }]
"""
NEW = """[programme]
code = "p"
name = "Partners"
currency = "EUR"
levels = 3
other_programmes = "pay"
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
min_hold_seconds = 60
rate = [
  { card = "gold", level = 1, account_group = 'a*', amount = "1/3" },
  { level = 1, amount = "6.5" },
]
[[component]]
code = "top"
basis = "lot"
mode = "override"
rate = [{ level = 2, share = "12.5%", of = "lots" }]
"""


def test_every_kind_of_change_is_told() -> None:
    assert differences(parse(OLD, "old"), parse(NEW, "new")) == [
        "~ name: p -> Partners",
        "~ currency: USD -> EUR",
        "~ levels: 2 -> 3",
        "~ other_programmes: none -> pay",
        "- component gone: nothing is earned in it any more",
        "  component lots",
        "~   min_hold_seconds: none -> 60",
        "+   card gold, level 1, account group a*: 1/3 EUR per lot",
        "~   any card, level 1: 6.50 USD per lot -> 6.50 EUR per lot",
        "-   any card, level 2, symbol XAUUSD: 1.00 USD per lot",
        "+ component top (override)",
        "+   any card, level 2: 12.5% of lots",
    ]


def test_order_and_spelling_are_no_change() -> None:
    turned = OLD.replace('symbol = "XAUUSD"', 'symbol = "xauusd"').replace('"6.50"', '"13/2"')
    first, second = turned.split("[[component.rate]]\n")[1:3]
    second, rest = second.split("[[component]]")
    head = turned.split("[[component.rate]]\n")[0]
    turned = f"{head}[[component.rate]]\n{second}[[component.rate]]\n{first}[[component]]{rest}"
    assert differences(parse(OLD, "old"), parse(turned, "new")) == []


def test_amounts_are_written_exactly() -> None:
    assert amount_text(Fraction(13, 2)) == "6.50"
    assert amount_text(Fraction(1, 3)) == "1/3"
    assert amount_text(Fraction(1, 10**8)) == "0.00000001"
    assert amount_text(Fraction(1, 10**9)) == "1/1000000000"
    assert amount_text(Fraction(0)) == "0.00"


BEFORE = """[programme]
code = "p"
currency = "USD"
levels = 2
[programme.guard]
action = "warn"
[[component]]
code = "c"
basis = "markup"
mode = "pot_split"
[component.when]
weekdays = ["mon"]
hedged.by = "account"
[component.tier]
measure = "trades"
[[component.rate]]
share = "10%"
[[component.rate]]
from = 100
country = "CY"
share = "1%"
[[component.rate]]
country = "CY"
share = "0"
[[component.split]]
level = 1
share = "50%"
[[component.cap]]
amount = 100
per = "client_day"
"""


def test_changes_of_every_part_are_told() -> None:
    text = BEFORE.replace("hedged.by", "#").replace("markup", "spread")
    text = text.replace('["mon"]', '["mon", "fri"]\nhours = ["08:00-17:00"]')
    text = text.replace('"trades"', '"clients"\nmethod = "retroactive"').replace('"warn"', '"cap"')
    text = text.replace("from = 100", "from = 200").replace('"50%"', '"60%"')
    text = text.replace("amount = 100", "amount = 90").replace('"10%"', '"15%"')
    text += '[[component.cap]]\namount = 5\nper = "partner_month"\nlevel = 2\n'
    text += '[component.spread]\nquotes = ["typical"]\n[component.rebate]\nshare = "20%"\n'
    text += "[component.rounding]\nvalue = 2\n"
    new = text.replace("levels = 2", "levels = 2\npayout = { minimum = 50 }")
    assert differences(parse(BEFORE, "old"), parse(new, "new")) == [
        "~ guard.action: warn -> cap",
        "~ payout: none -> minimum 50",
        "  component c",
        "~   basis: markup -> spread",
        "~   spread.quotes: deal, imported, typical -> typical",
        "~   when.hedged: by account, window day -> none",
        "~   when.hours: none -> 08:00-17:00",
        "~   when.weekdays: mon -> mon, fri",
        "~   tier.measure: trades -> clients",
        "~   tier.method: marginal -> retroactive",
        "~   rounding.value: none -> 2",
        "~   rebate: none -> share 20%, taken after",
        "~   any card, all levels: 10% of the markup -> 15% of the spread",
        "+   any card, all levels, country CY, from 200: 1% of the spread",
        "~   any card, all levels, country CY: 0% of the markup -> 0% of the spread",
        "-   any card, all levels, country CY, from 100: 1% of the markup",
        "~   any card, level 1: 50% of the pot -> 60% of the pot",
        "+   cap: at most 90.00 USD per client and day",
        "+   cap: at most 5.00 USD per partner and month, level 2",
        "-   cap: at most 100.00 USD per client and day",
    ]
    assert differences(parse(BEFORE, "old"), parse(BEFORE, "again")) == []


@pytest.mark.parametrize(
    ("keys", "rate", "says"),
    [
        ('basis = "notional"', "basis_points = 20", "2000 per million"),
        ('basis = "points"', "points = 10", "10 points per lot"),
        ('basis = "points"', "pips = 1", "1 pips per lot"),
        ('basis = "spread"\nunit = "pips"', "amount = 1", "1.00 USD per pip and lot"),
        ('basis = "loss"', 'share = "1/3"', "100/3% of the client's loss"),
        ('basis = "fixed"\nevent = "registration"', "amount = 2", "2.00 USD per registration"),
    ],
)
def test_a_new_component_is_told_whole(keys: str, rate: str, says: str) -> None:
    new = f'{BEFORE}[[component]]\ncode = "n"\nmode = "per_level"\n{keys}\nhold_days = 3\n'
    new += f"[[component.rate]]\nlevel = 1\n{rate}\n"
    lines = differences(parse(BEFORE, "old"), parse(new, "new"))
    assert lines[0] == "+ component n (per_level)"
    assert lines[-2:] == ["+   hold_days: 3", f"+   any card, level 1: {says}"]
