"""A plan file becomes a Programme: every key, exact amounts, defaults."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.period import Clock
from pipshare.plans.parse import parse
from pipshare.plans.terms import RateRule

HEAD = '[programme]\ncode = "p"\ncurrency = "USD"\nlevels = 5\n'
LOTS = HEAD + '[[component]]\ncode = "lots"\nbasis = "lot"\nmode = "per_level"\n'


def one_rate(keys: str) -> RateRule:
    programme = parse(f"{LOTS}[[component.rate]]\n{keys}\n", "p.toml")
    return programme.components[0].rates[0]


def test_every_key_is_read() -> None:
    text = """
[programme]
code = "ecn-2026"
name = "ECN partners"
entity = "cy"
valid_from = 2026-11-01T00:00:00+02:00
currency = "EUR"
levels = 3
unknown_opening = "pay"
own_trading = "none"
other_programmes = "pay"

[[component]]
code = "lots"
name = "Per lot"
basis = "lot"
mode = "per_level"
min_hold_seconds = 180

[[component.rate]]
card = "gold"
level = 1
amount = "6.50"
currency = "USD"
symbol = "XAUUSD"
account_group = 'real\\ecn*'

[[component.rate]]
level = 2
amount = 2
symbol_group = "forex"
account_type = "ecn"

[[component]]
code = "head"
basis = "lot"
mode = "override"
rate = [ { level = 3, share = "20%", of = "lots" }, { level = 2, share = "1/8", of = "lots" } ]
"""
    p = parse(text, "ecn.toml")
    assert (p.code, p.name, p.entity, p.currency, p.depth) == (
        "ecn-2026", "ECN partners", "cy", "EUR", 3)  # fmt: skip
    assert p.valid_from_ms == 1_793_484_000_000  # 2026-10-31 22:00 UTC
    assert (p.unknown_opening, p.own_trading, p.other_programmes) == ("pay", "none", "pay")
    lots, head = p.components
    assert (lots.code, lots.name, lots.mode, lots.min_hold_s) == (
        "lots",
        "Per lot",
        "per_level",
        180,
    )
    assert lots.rates == (
        RateRule(0, 20, "gold", 1, Fraction(13, 2), "USD", "XAUUSD", None, r"real\ecn*", None),
        RateRule(1, 28, "*", 2, Fraction(2), "EUR", None, "forex", None, "ecn"),
    )
    assert (head.mode, head.min_hold_s, head.line) == ("override", None, 34)
    assert [(r.level, r.amount, r.of, r.currency) for r in head.rates] == [
        (3, Fraction(1, 5), "lots", ""), (2, Fraction(1, 8), "lots", "")]  # fmt: skip
    assert all(rule.is_share for rule in head.rates)
    assert not lots.rates[0].is_share


def test_defaults() -> None:
    p = parse(
        LOTS.replace("levels = 5\n", "") + '[[component.rate]]\nlevel = 2\namount = "1"\n', "p"
    )
    assert (p.entity, p.name, p.valid_from_ms, p.depth) == ("main", "p", 0, 2)
    assert (p.unknown_opening, p.own_trading, p.other_programmes) == ("wait", "pay", "none")
    assert p.components[0].rates[0].card == "*"
    assert p.components[0].name == "lots"


def test_amounts_are_exact() -> None:
    assert one_rate('amount = "1/3"').amount == Fraction(1, 3)
    assert one_rate('amount = "0.1"').amount == Fraction(1, 10)
    assert one_rate('amount = "6.50"').amount == Fraction(13, 2)
    assert one_rate("amount = 7").amount == 7
    assert one_rate('amount = "0"').amount == 0
    assert one_rate('amount = "0.5/1.5"').amount == Fraction(1, 3)


@given(st.integers(0, 10**6), st.integers(1, 10**9))
def test_any_fraction_comes_back_unchanged(top: int, bottom: int) -> None:
    assert one_rate(f'amount = "{top}/{bottom}"').amount == Fraction(top, bottom)


def test_a_date_is_the_start_of_the_brokers_day() -> None:
    text = LOTS.replace("levels", "valid_from = 2026-07-01\nlevels")
    text += '[[component.rate]]\namount = "1"\n'
    new_york_7 = Clock.parse("America/New_York+7h")
    # 00:00 there is 17:00 of the day before in New York, in summer 21:00 UTC.
    assert parse(text, "p", new_york_7).valid_from_ms == 1_782_853_200_000
    assert parse(text, "p").valid_from_ms == 1_782_864_000_000


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t])
def test_line_ends_and_byte_order_mark_do_not_matter(change) -> None:
    text = LOTS + '[[component.rate]]\namount = "1"\n'
    assert parse(change(text), "p") == parse(text, "p")


def test_masks_lose_needless_stars() -> None:
    assert one_rate("amount = 1\naccount_group = 'real\\**'").account_group == "real\\*"
