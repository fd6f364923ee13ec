"""Lines become legs that sum to zero per day, and to the lines per account."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.ledger.journal import sum_legs

LINE = st.tuples(
    st.integers(0, 4),  # day
    st.integers(10, 16),  # payee's account
    st.integers(1, 2),  # house account
    st.integers(-(10**14), 10**14),
)


def _column(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


@given(st.lists(LINE, max_size=60))
def test_legs_balance_per_day_and_carry_the_lines(lines: list[tuple[int, int, int, int]]) -> None:
    day, account, contra, amount = ([line[i] for line in lines] for i in range(4))
    legs = sum_legs(_column(day), _column(account), _column(contra), _column(amount))

    per_day: Counter[int] = Counter()
    found = {}
    for leg_day, leg_account, leg_amount in zip(
        legs.day.tolist(), legs.account.tolist(), legs.amount_e8.tolist(), strict=True
    ):
        assert (leg_day, leg_account) not in found, "each account has one leg a day"
        found[leg_day, leg_account] = leg_amount
        per_day[leg_day] += leg_amount
    assert not any(per_day.values())

    wanted: Counter[tuple[int, int]] = Counter()
    for line_day, line_account, line_contra, line_amount in lines:
        wanted[line_day, line_account] += line_amount
        wanted[line_day, line_contra] -= line_amount
    assert found == dict(wanted)


def test_a_batch_too_large_for_a_leg_is_refused() -> None:
    huge = _column([2**61, 2**61])
    with pytest.raises(BadInput, match="exceed what a leg can hold"):
        sum_legs(_column([1, 1]), _column([10, 11]), _column([1, 1]), huge)
