"""FX look-up: examples, and the columnar reading held to a plain one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipshare.errors import BrokenBooks
from pipshare.market import CENT_ID, CHAIN_ID, MAX_AGE_MS, FxLeg, FxRow, FxTable
from pipshare.money.currencies import CENT_CURRENCIES

DAY = 86_400_000
TABLE = FxTable([
    FxRow(1, "EUR", "USD", 10 * DAY, Fraction("1.10")),
    FxRow(2, "EUR", "USD", 11 * DAY, Fraction("1.20")),
    FxRow(3, "EUR", "USD", 11 * DAY, Fraction("1.25")),
    FxRow(4, "USD", "JPY", 10 * DAY, Fraction(150)),
    FxRow(5, "JPY", "USD", 12 * DAY, Fraction(1, 200)),
])  # fmt: skip


@pytest.mark.parametrize(
    ("base", "quote", "moment", "wanted"),
    [
        ("EUR", "USD", 10 * DAY, (Fraction("1.10"), 1)),
        ("EUR", "USD", 11 * DAY - 1, (Fraction("1.10"), 1)),
        ("EUR", "USD", 11 * DAY, (Fraction("1.25"), 3)),
        ("USD", "EUR", 11 * DAY, (Fraction("0.8"), -3)),
        ("EUR", "USD", 10 * DAY - 1, None),
        ("EUR", "USD", 18 * DAY, (Fraction("1.25"), 3)),
        ("EUR", "USD", 18 * DAY + 1, None),
        ("USD", "USD", 0, (Fraction(1), 0)),
        ("USC", "USD", 0, (Fraction(1, 100), CENT_ID)),
        ("USD", "USC", 0, (Fraction(100), CENT_ID)),
        ("USC", "EUR", 11 * DAY, (Fraction("0.008"), -3)),
        ("EUR", "USC", 11 * DAY, (Fraction(125), 3)),
        ("USC", "EUC", 11 * DAY, (Fraction("0.8"), -3)),
        ("USD", "JPY", 13 * DAY, (Fraction(150), 4)),  # the pair itself goes before its inverse
        ("JPY", "USD", 13 * DAY, (Fraction(1, 200), 5)),
        ("USD", "JPY", 18 * DAY, (Fraction(200), -5)),
        ("EUR", "JPY", 11 * DAY, (Fraction("187.5"), CHAIN_ID)),  # through USD
        ("JPY", "EUC", 11 * DAY, (100 / Fraction("187.5"), CHAIN_ID)),
        ("EUR", "JPY", 18 * DAY + 1, None),  # one of the two is too old
        ("GBP", "USD", 11 * DAY, None),
    ],
)
def test_find(base, quote, moment, wanted):
    assert TABLE.find(base, quote, moment) == wanted


def test_a_rate_that_does_not_fit_is_no_rate():
    for rate in (Fraction(0), Fraction(-1), Fraction(1, 10**17), Fraction(10**17)):
        with pytest.raises(BrokenBooks):
            FxTable([FxRow(1, "EUR", "USD", 0, rate)])


def plain(
    rows: list[FxRow], base: str, quote: str, moment: int, deep: bool = True
) -> tuple[Fraction, int] | None:
    """Look up a rate as the rules are written, one row at a time."""
    if base == quote:
        return Fraction(1), 0
    main_base, main_quote = CENT_CURRENCIES.get(base, base), CENT_CURRENCIES.get(quote, quote)
    factor = Fraction(100 ** (main_quote != quote), 100 ** (main_base != base))
    if main_base == main_quote:
        return factor, CENT_ID
    for one, other, times in ((base, quote, Fraction(1)), (main_base, main_quote, factor)):
        for first, second, sign in ((one, other, 1), (other, one, -1)):
            held = [r for r in rows if (r.base, r.quote) == (first, second) and r.at_ms <= moment]
            best = max(held, key=lambda r: (r.at_ms, r.id), default=None)
            if best and moment - best.at_ms <= MAX_AGE_MS:
                return times * best.rate**sign, sign * best.id
    if not deep:
        return None
    for pivot in ("USD", "EUR"):
        if pivot in (main_base, main_quote):
            continue
        legs = [
            plain(rows, *leg, moment, False) for leg in ((main_base, pivot), (pivot, main_quote))
        ]
        if None not in legs and (rate := shortened(legs[0][0] * legs[1][0])):
            return factor * rate, CHAIN_ID
    return None


def shortened(rate: Fraction) -> Fraction:
    """Leave a product as it is, or with as many decimals as 16 digits allow, half to even."""
    if max(rate.numerator, rate.denominator) <= 10**16:
        return rate
    places = next((n for n in range(16, -1, -1) if rate * 10**n <= 10**16), None)
    return Fraction(0) if places is None else Fraction(round(rate * 10**places), 10**places)


CODES = st.sampled_from(["USD", "EUR", "USC", "EUC", "JPY", "GBP"])
MOMENTS = st.integers(0, 12).map(lambda day: 20 * DAY + day * DAY) | st.integers(0, 40 * DAY)
RATES = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**8) | (
    st.sampled_from([Fraction(10**16), Fraction(1, 10**16), Fraction(10**16 - 1, 10**16)])
)
ROWS = st.lists(st.tuples(CODES, CODES, MOMENTS, RATES).filter(lambda r: r[0] != r[1]), max_size=15)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.lists(st.tuples(CODES, CODES, MOMENTS), max_size=25))
def test_columns_equal_the_plain_reading(rows, asked):
    recorded = [FxRow(id_, *row) for id_, row in enumerate(rows, 1)]
    table = FxTable(recorded)
    wanted = [plain(recorded, *one) for one in asked]
    assert [table.find(*one) for one in asked] == wanted
    moments = np.array([one[2] for one in asked], np.int64)
    found = table.find_column([a[0] for a in asked], [a[1] for a in asked], moments)
    assert (found.top.dtype, found.id.dtype) == (np.int64, np.int32)
    columns = [
        (Fraction(int(top), int(bottom)), int(id_)) if ok else None
        for top, bottom, id_, ok in zip(*found, strict=True)
    ]
    assert columns == wanted
    assert (found.bottom > 0).all()


BOTH = FxTable([
    FxRow(1, "EUR", "USD", 0, Fraction("1.2"), Fraction("1.1"), Fraction("1.3")),
    FxRow(2, "USD", "JPY", 0, Fraction(150)),
    FxRow(3, "GBP", "USD", 0, Fraction("1.5"), Fraction("1.4"), Fraction("1.6")),
])  # fmt: skip


@pytest.mark.parametrize(
    ("base", "quote", "side", "wanted"),
    [
        ("EUR", "USD", "bid", (Fraction("1.1"), 1)),
        ("EUR", "USD", "ask", (Fraction("1.3"), 1)),
        ("USD", "EUR", "ask", (1 / Fraction("1.3"), -1)),  # divided by the ask of the pair
        ("USC", "EUR", "bid", (Fraction("0.01") / Fraction("1.1"), -1)),
        ("USD", "JPY", "ask", (Fraction(150), 2)),  # one rate stands for both sides
        ("EUR", "GBP", "bid", (Fraction("1.1") / Fraction("1.4"), CHAIN_ID)),
        ("EUR", "USD", "mid", (Fraction("1.2"), 1)),
    ],
)
def test_sides_are_those_of_the_pair_as_recorded(base, quote, side, wanted):
    assert BOTH.find(base, quote, DAY, side) == wanted
    column = BOTH.find_column([base], [quote], np.array([DAY]), side)
    assert Fraction(int(column.top[0]), int(column.bottom[0])) == wanted[0]


def test_a_chain_names_its_two_steps():
    assert BOTH.legs("EUR", "GBP", DAY) == (
        FxLeg("EUR", "USD", Fraction("1.2"), 1),
        FxLeg("USD", "GBP", 1 / Fraction("1.5"), -3),
    )
    assert BOTH.legs("EUR", "CHF", DAY) is None


def test_the_entities_own_currencies_come_after_dollar_and_euro():
    rows = [FxRow(1, "AUD", "GBP", 0, Fraction(1, 2)), FxRow(2, "GBP", "CHF", 0, Fraction(1, 3))]
    assert FxTable(rows).find("AUD", "CHF", DAY) is None
    assert FxTable(rows, ("USD", "GBP")).find("AUD", "CHF", DAY) == (Fraction(1, 6), CHAIN_ID)


def test_a_chain_that_is_too_long_is_rounded_to_sixteen_digits():
    odd = Fraction(10**15 + 1, 10**15)
    table = FxTable([FxRow(1, "AUD", "USD", 0, odd), FxRow(2, "USD", "CHF", 0, odd)])
    assert table.find("AUD", "CHF", DAY) == (Fraction(10**15 + 2, 10**15), CHAIN_ID)
