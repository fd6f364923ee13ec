"""Published commission examples, as plan files: kernel and twin both give the printed sums."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from rating_worlds import Person, Row, World, kernel_lines, twin_lines

from pipshare.money import from_e8
from pipshare.plans.parse import parse
from pipshare.rating.places import GroupPlace, SymbolPlace

SYMBOLS = [
    SymbolPlace("EURUSD", "forex"),
    SymbolPlace("XAUUSD", "metals"),
    SymbolPlace("US30", "indices"),
]
GROUPS = [
    GroupPlace("real\\std", "standard", Fraction(1)),
    GroupPlace("real\\mod", "", Fraction("0.4")),
    GroupPlace("real\\cent", "cent", Fraction(1, 100)),
]
EURUSD, XAUUSD, US30 = range(3)
STANDARD, MODIFIED, CENT = range(3)
LOT = 10**8
LOTS = '[[component]]\ncode = "lots"\nbasis = "lot"\nmode = "per_level"\n'


def rate(**keys: str | int) -> str:
    """Write one [[component.rate]]."""
    lines = (f"{k} = {v}" if isinstance(v, int) else f"{k} = '{v}'" for k, v in keys.items())
    return "[[component.rate]]\n" + "\n".join(lines) + "\n"


def paid(
    body: str, *trades: Row, chain: int = 1, currency: str = "USD", levels: int = 9
) -> list[list[str]]:
    """Rate trades of one chain under a plan; returns the amounts by trade, in order of lines."""
    head = f'[programme]\ncode = "p"\ncurrency = "{currency}"\nlevels = {levels}\n'
    programme = parse(head + body, "p.toml")
    people = [Person(i, currency, terms=[(0, (1, "standard"))]) for i in range(1, chain + 1)]
    ids = tuple(person.id for person in people)
    world = World({1: [(0, programme)]}, people, SYMBOLS, GROUPS, [ids], list(trades))
    assert kernel_lines(world.rated()) == twin_lines(world)
    assert not len(world.rated().waits)
    lines = world.rated().lines
    amounts: list[list[str]] = [[] for _ in trades]
    for row, units in zip(lines.trade_row.tolist(), lines.amount_e8.tolist(), strict=True):
        amounts[row].append(f"{from_e8(units).normalize():f}")
    return amounts


def lots(text: str, **known: int) -> Row:
    return Row(int(Decimal(text) * LOT), **known)


def test_ten_lots_at_two() -> None:
    assert paid(LOTS + rate(amount="2"), lots("10")) == [["20"]]


def test_symbol_rate_beats_group_rate() -> None:
    body = LOTS + rate(amount="4", symbol_group="forex") + rate(amount="6", symbol="EURUSD")
    assert paid(body, lots("1")) == [["6"]]


def test_account_group_goes_before_symbol() -> None:
    body = LOTS + rate(amount="4", account_group="real\\*") + rate(amount="6", symbol="EURUSD")
    assert paid(body, lots("1")) == [["4"]]


def test_lot_modifier_of_a_group() -> None:
    assert paid(LOTS + rate(amount="1"), lots("100", group=MODIFIED)) == [["40"]]


def test_cent_lots_count_a_hundredth() -> None:
    assert paid(LOTS + rate(amount="4"), lots("250", group=CENT)) == [["10"]]


def test_one_third_of_three() -> None:
    assert paid(LOTS + rate(amount="1/3"), lots("3")) == [["1"]]


def test_one_third_of_one_is_quantised_once() -> None:
    assert paid(LOTS + rate(amount="1/3"), lots("1")) == [["0.33333333"]]


@pytest.mark.parametrize(
    ("hundredths_of_a_micro", "expected"), [("5", "0.00000000"), ("15", "0.00000002")]
)
def test_halves_go_to_even(hundredths_of_a_micro: str, expected: str) -> None:
    # 0.000000005 and 0.000000015 per lot: half of a unit of 1e-8, and one and a half.
    amount = f"{int(hundredths_of_a_micro)}/1000000000"
    [[found]] = paid(LOTS + rate(amount=amount), lots("1"))
    assert Decimal(found) == Decimal(expected)


def test_fixed_amounts_per_level() -> None:
    body = LOTS + rate(level=1, amount="3") + rate(level=2, amount="2")
    assert paid(body, lots("1"), chain=3) == [["3", "2"]]


def test_override_share_of_the_childs_amount() -> None:
    body = (
        LOTS + rate(level=1, amount="10")
        + '[[component]]\ncode = "head"\nbasis = "lot"\nmode = "override"\n'
        + rate(level=2, share="20%", of="lots")
    )  # fmt: skip
    assert paid(body, lots("1"), chain=2) == [["10", "2"]]


def test_shares_in_a_row_are_each_quantised() -> None:
    body = (
        LOTS + rate(level=1, amount="1/3")
        + '[[component]]\ncode = "a"\nbasis = "lot"\nmode = "override"\n'
        + rate(level=2, share="1/2", of="lots")
        + '[[component]]\ncode = "b"\nbasis = "lot"\nmode = "override"\n'
        + rate(level=3, share="1/2", of="a")
    )  # fmt: skip
    # 0.33333333; its half is 0.166666665, to even 0.16666666; half of that exactly.
    assert paid(body, lots("1"), chain=3) == [["0.33333333", "0.16666666", "0.08333333"]]


def test_two_rates_on_one_statement() -> None:
    body = LOTS + rate(amount="3.50", symbol_group="indices") + rate(amount="4.00")
    assert paid(body, lots("2"), lots("1", symbol=US30)) == [["8"], ["3.5"]]
    assert sum(Decimal(x) for [x] in paid(body, lots("2"), lots("1", symbol=US30))) == Decimal(
        "11.50"
    )


def test_minimum_holding_time_is_reached_at_its_second() -> None:
    body = LOTS.replace("mode", "min_hold_seconds = 180\nmode") + rate(amount="4")
    held = [lots("1", hold_ms=ms) for ms in (179_000, 179_999, 180_000)]
    assert paid(body, *held) == [["0"], ["0"], ["4"]]


def test_depth_is_limited() -> None:
    assert paid(LOTS + rate(amount="1"), lots("1"), chain=4, levels=2) == [["1", "1"]]


def test_a_rate_of_zero_pays_nothing_and_waits_for_nothing() -> None:
    body = LOTS + rate(amount="0", currency="EUR")
    assert paid(body, lots("1")) == [["0"]]


def test_account_types_and_masks() -> None:
    body = (
        LOTS
        + rate(amount="1")
        + rate(amount="2", account_type="cent")
        + rate(amount="3", account_group="real\\c*")
        + rate(amount="4", account_group="REAL\\CENT")
    )
    assert paid(body, lots("1"), lots("100", group=CENT)) == [["1"], ["4"]]
