"""Every wrong plan file is refused with file, line, and what is allowed instead."""

from __future__ import annotations

import pytest

from pipshare.errors import BadInput
from pipshare.plans.parse import parse
from pipshare.plans.problems import BadPlan

GOOD = """[programme]
code = "p"
currency = "USD"
levels = 3

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"

[[component.rate]]
level = 1
amount = "6.50"

[[component]]
code = "top"
basis = "lot"
mode = "override"

[[component.rate]]
level = 2
share = "20%"
of = "lots"
"""


def refused(text: str) -> list[str]:
    with pytest.raises(BadPlan) as caught:
        parse(text, "ib.toml")
    assert isinstance(caught.value, BadInput)
    return caught.value.message.split("\n")


def test_the_file_that_is_changed_below_is_good() -> None:
    assert parse(GOOD, "ib.toml").code == "p"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('code = "p"', "", 1, 'needs a code, for example code = "standard"'),
        ('code = "p"', 'code = "a b"', 2, 'code "a b" is not a code: letters, digits'),
        ('code = "p"', 'code = "none"', 2, 'code "none" is taken'),
        ('code = "p"', "code = 5", 2, 'code is a text: write it in quotes, code = "5"'),
        ('code = "p"', 'code = "p"\nname = ""', 3, "name has to have 1 to 200 characters"),
        ('code = "p"', 'code = "p"\nname = "a\\nb"', 3, "name has a line break or tab"),
        ('code = "p"', 'code = "p"\nentiy = "x"', 3,
         'unknown key "entiy" in [programme]; did you mean "entity"? allowed: code, name,'),
        ('"USD"', '"usd"', 3, '"usd" is not a currency code such as "USD"; did you mean "USD"?'),
        ('currency = "USD"', "", 11, "this rate has no currency: write it here or in [programme]"),
        ("levels = 3", "levels = 0", 4, "levels is a whole number from 1 to 50, not 0"),
        ("levels = 3", 'levels = "3"', 4, 'levels is a whole number from 1 to 50, not "3"'),
        ("levels = 3", "levels = true", 4, "levels is a whole number from 1 to 50, not true"),
        ("levels = 3", "levels = 3\nvalid_from = 2026-11-01T00:00:00", 5, "a time needs its zone"),
        ("levels = 3", 'levels = 3\nvalid_from = "2026-11-01"', 5, "a date without quotes"),
        ("levels = 3", "levels = 3\nvalid_from = 1960-01-01", 5, "outside 1970 to 2109"),
        ("levels = 3", "levels = 3\nvalid_from = 10:00:00", 5, "is not a date"),
        ("levels = 3", 'levels = 3\nunknown_opening = "wat"', 5,
         'unknown_opening "wat" is not known; did you mean "wait"? allowed: "wait", "pay"'),
        ("levels = 3", 'levels = 3\nown_trading = "no"', 5, 'allowed: "pay", "none"'),
        ("levels = 3", "levels = 3\nother_programmes = 1", 5, 'allowed: "none", "pay"'),
        ('basis = "lot"\nmode = "per_level"', 'basis = "spraed"\nmode = "per_level"', 8,
         'basis "spraed" is not known; did you mean "spread"? allowed: "lot", "points",'),
        ('basis = "lot"\nmode = "per_level"', 'mode = "per_level"', 6,
         'needs a basis: basis = "lot"'),
        ('mode = "per_level"', "", 6, 'needs a mode: "per_level", "override"'),
        ('mode = "per_level"', 'mode = "per level"', 9, 'did you mean "per_level"?'),
        ('mode = "per_level"', 'mode = "per_level"\nmin_hold_seconds = -1', 10,
         "min_hold_seconds is a whole number from 0 to"),
        ('mode = "per_level"', 'mode = "per_level"\nmin_hold_seconds = 1.5', 10, "not 1.5"),
        ('code = "top"', 'code = "lots"', 15, 'component "lots" is already on line 6'),
        ("[[component]]\ncode = \"top\"", "[component]\ncode = \"top\"", 15, "not valid TOML"),
        ("level = 1", "level = 4", 11, "level 4 is never paid: [programme] says levels = 3"),
        ("level = 1", "level = 1.0", 12, "level is a whole number from 1 to 50, not 1.0"),
        ('"6.50"', "6.50", 13,
         'amount = 6.50 is a TOML float, and a float cannot hold every amount: write it in quotes, '
         'exact: amount = "6.50"'),
        ('"6.50"', "nan", 13, "a float cannot hold"),
        ('"6.50"', '"6,50"', 13, 'amount "6,50" is not a number: write "6.50", "1/3" or 6'),
        ('"6.50"', '"1,000.50"', 13, "is not a number"),
        ('"6.50"', '"20%"', 13, "is not a number"),
        ('"6.50"', '"1/0"', 13, "is not a number"),
        ('"6.50"', '"' + "9" * 5000 + '"', 13, "is not a number"),
        ('"6.50"', '"-1"', 13, 'amount "-1" is out of range: from 0 to 1,000,000'),
        ('"6.50"', '"1000001"', 13, "out of range"),
        ('"6.50"', '"0.1234567891"', 13, "finer than rates can be: at most 9 decimals"),
        ('"6.50"', "true", 13, "amount true is not a number"),
        ('amount = "6.50"', "", 11, 'a rate needs an amount, for example amount = "6.50"'),
        ('amount = "6.50"', 'amount = "1"\ncurrency = "$"', 14, '"$" is not a currency code'),
        ('amount = "6.50"', 'amount = "1"\nsymbol = "A"\nsymbol_group = "b"', 15,
         "a rate has symbol or symbol_group, not both"),
        ('amount = "6.50"', 'amount = "1"\naccount_group = "A"\naccount_type = "b"', 15,
         "a rate has account_group or account_type, not both"),
        ('amount = "6.50"', 'amount = "1"\naccount_group = "*"', 14, "leave the key out"),
        ('amount = "6.50"', 'amount = "1"\naccount_group = "real\\ecn"', 14,
         r"not valid TOML: Unescaped '\' in a string; write names with a backslash in single"),
        ('amount = "6.50"', 'amount = "1"\naccount_group = "real\\new"', 14,
         r"Write it in single quotes, account_group = 'real\name'"),
        ('amount = "6.50"', 'amount = "1"\ncard = "a*"', 14, 'card "a*" is not a code'),
        ('amount = "6.50"', 'amount = "1"\nshare = "2%"\nof = "x"', 13,
         "a rate with a share has no amount"),
        ('of = "lots"', "", 20, 'share needs of, the component whose earnings'),
        ('of = "lots"', 'of = "lost"', 20,
         'of = "lost" is no component above this one; did you mean "lots"?'),
        ('of = "lots"', 'of = "top"', 20, 'of = "top" is this component itself'),
        ('share = "20%"\n', "", 22, 'of needs a share, for example share = "20%"'),
        ('"20%"', '"20"', 22, 'share "20" is out of range: from 0 to 1'),
        ('"20%"', '"101%"', 22, "out of range"),
        ('"20%"', '"x%"', 22, 'share "x%" is not a number: write "20%", "0.2" or "1/5"'),
        ("level = 2", "level = 1", 20, "cannot be for level 1: nobody is below the direct IB"),
        ('[programme]', '[program]', 1, 'did you mean "programme"? allowed: programme, component'),
        ('"p"', '"p', 2, "not valid TOML: Illegal character"),
        ('"p"', '"p"\ncode = "q"', 3, "not valid TOML: Cannot overwrite a value"),
    ],
)  # fmt: skip
def test_refused(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    lines = refused(GOOD.replace(old, new, 1))
    assert any(text.startswith(f"ib.toml:{line}: ") and says in text for text in lines), lines


def test_several_errors_are_told_at_once_by_line() -> None:
    text = GOOD.replace('"6.50"', "6.5").replace("levels = 3", "levels = 99")
    text = text.replace('"20%"', '"x"').replace('mode = "override"', 'mode = "over"')
    lines = refused(text)
    assert [line.split(":")[1] for line in lines] == ["4", "13", "18", "22"]


def test_many_errors_are_cut() -> None:
    rates = "".join(f'[[component.rate]]\nlevel = {i}\namount = "x"\n' for i in range(1, 31))
    lines = refused(GOOD.replace("levels = 3", "levels = 40") + rates)
    assert len(lines) == 21
    assert lines[-1] == "... and 10 more"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "a plan file begins with one table [programme]"),
        ("[programme]\n", 1, "a programme needs at least one [[component]]"),
        ('programme = 5\n', 1, "a plan file begins with one table [programme]"),
        ('[programme]\ncode="p"\n[component]\ncode="x"\n', 3,
         "there may be several of these: write [[component]], in double brackets"),
        ('component = 5\n[programme]\ncode="p"\n', 1,
         "component is a list of tables: write [[component]]"),
        ('[programme]\ncode="p"\n[[component]]\ncode="x"\nbasis="lot"\nmode="override"\n', 3,
         "a component needs at least one [[component.rate]]; to pay nothing"),
        ('[programme]\ncode="p"\n[[component]]\ncode="x"\nbasis="lot"\nmode="override"\n'
         '[component.rate]\namount=1\n', 7, "write [[component.rate]], in double brackets"),
        ('[programme]\ncode="p"\ncurrency="USD"\n[[component]]\ncode="x"\nbasis="lot"\n'
         'mode="override"\n[[component.rate]]\namount=1\n', 1, "say how many there are"),
        ("x = " + "[" * 100_000, 1, "nested too deeply"),
        ("x = " + "9" * 10_000, 1, "not valid TOML"),
        ("#" * 1_000_001, 1, "at most 1000000 characters"),
        ("\n\n\n[programme", 4, "not valid TOML"),
        ("\x00", 1, "not valid TOML"),
        ("x = 2026-13-45", 1, "not valid TOML"),
    ],
)  # fmt: skip
def test_files_that_are_no_plans(text: str, line: int, says: str) -> None:
    lines = refused(text)
    assert any(t.startswith(f"ib.toml:{line}: ") and says in t for t in lines), lines
