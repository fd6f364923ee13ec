"""What changes between two versions, in words."""

from __future__ import annotations

from fractions import Fraction

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
