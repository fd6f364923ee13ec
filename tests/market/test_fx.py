"""FX look-up: examples, and the columnar reading held to a plain one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.errors import BrokenBooks
from pipshare.market import CENT_ID, MAX_AGE_MS, FxRow, FxTable
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
        ("EUR", "JPY", 11 * DAY, None),  # never made up from two others
        ("GBP", "USD", 11 * DAY, None),
    ],
)
def test_find(base, quote, moment, wanted):
    assert TABLE.find(base, quote, moment) == wanted


def test_a_rate_that_does_not_fit_is_no_rate():
    for rate in (Fraction(0), Fraction(-1), Fraction(1, 10**17), Fraction(10**17)):
        with pytest.raises(BrokenBooks):
            FxTable([FxRow(1, "EUR", "USD", 0, rate)])


def plain(rows: list[FxRow], base: str, quote: str, moment: int) -> tuple[Fraction, int] | None:
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
    return None


CODES = st.sampled_from(["USD", "EUR", "USC", "EUC", "JPY"])
MOMENTS = st.integers(0, 12).map(lambda day: 20 * DAY + day * DAY) | st.integers(0, 40 * DAY)
RATES = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**8) | (
    st.sampled_from([Fraction(10**16), Fraction(1, 10**16), Fraction(10**16 - 1, 10**16)])
)
ROWS = st.lists(st.tuples(CODES, CODES, MOMENTS, RATES).filter(lambda r: r[0] != r[1]), max_size=15)


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
