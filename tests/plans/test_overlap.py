"""Two rates of equal rank in one component are refused, and nothing else is."""

from __future__ import annotations

import pytest

from pipshare.plans.parse import parse
from pipshare.plans.problems import BadPlan

HEAD = """[programme]
code = "p"
currency = "USD"
levels = 3
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
"""


def two(first: str, second: str) -> str:
    rates = (f'[[component.rate]]\namount = "1"\n{keys}\n' for keys in (first, second))
    return HEAD + "".join(rates)


@pytest.mark.parametrize(
    ("first", "second", "who"),
    [
        ("level = 1", "level = 1", "any card, level 1"),
        ("", "", "any card, all levels"),
        ('symbol = "EURUSD"', 'symbol = "eurusd"', "any card, all levels, symbol eurusd"),
        ("account_group = 'real\\*'", "account_group = 'Real\\**'", "account group Real\\*"),
        ('card = "gold"', 'card = "gold"', "card gold, all levels"),
        ('card = "*"', "", "any card, all levels"),
        ('account_type = "ECN"', 'account_type = "ecn"', "account type ecn"),
        ('symbol_group = "forex"', 'symbol_group = "forex"', "symbol group forex"),
    ],
)
def test_equal_rank_is_refused_with_both_lines(first: str, second: str, who: str) -> None:
    with pytest.raises(BadPlan) as caught:
        parse(two(first, second), "ib.toml")
    assert caught.value.message.startswith(
        "ib.toml:12: the programme overlaps itself: this rate and the one on line 9 have equal rank"
    )
    assert who in caught.value.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("level = 1", "level = 2"),
        ("level = 1", ""),
        ('card = "gold"', 'card = "Gold"'),
        ('card = "gold"', ""),
        ('symbol = "EURUSD"', 'symbol_group = "EURUSD"'),
        ('symbol = "EURUSD"', 'symbol = "EURUSD"\naccount_type = "ecn"'),
        ("account_group = 'ab*'", "account_group = '*ab'"),  # one length: the alphabet decides
        ("account_group = 'ecn'", "account_type = 'ecn'"),
    ],
)
def test_different_rank_is_not_refused(first: str, second: str) -> None:
    assert len(parse(two(first, second), "ib.toml").components[0].rates) == 2


def test_the_same_rate_in_two_components_is_no_overlap() -> None:
    text = HEAD + '[[component.rate]]\namount = "1"\n'
    text += text[text.index("[[component]]") :].replace('"lots"', '"more"')
    assert len(parse(text, "ib.toml").components) == 2


def test_each_overlap_is_named() -> None:
    text = two("", "") + '[[component.rate]]\namount = "3"\n'
    with pytest.raises(BadPlan) as caught:
        parse(text, "ib.toml")
    assert [problem.line for problem in caught.value.problems] == [12, 15]
