"""The quick column reader and Python's Decimal agree to the last digit, rounding included."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.sources.files.numbers import e8

DIGITS = st.text("0123456789", max_size=14)
PLAIN = st.builds(
    lambda sign, whole, point, part: f"{sign}{whole}{point}{part}",
    st.sampled_from(["", "-", "+"]), DIGITS, st.sampled_from(["", "."]), DIGITS,
)  # fmt: skip
# Half-way cases: nine or more decimals that end in 5 and noughts.
HALVES = st.builds(
    lambda sign, whole, part, tail: f"{sign}{whole}.{part:08d}5{tail}",
    st.sampled_from(["", "-"]), st.integers(0, 10**9), st.integers(0, 10**8 - 1),
    st.sampled_from(["", "0", "000", "0001", "0000000000000001"]),
)  # fmt: skip
ANYTHING = st.text("0123456789.+-eE ,_xnaif", max_size=12)


def quick(texts: list[str]) -> list[int | None]:
    frame = pl.DataFrame({"cell": pl.Series(texts, dtype=pl.String)})
    return frame.select(e8("cell"))["cell"].to_list()


def exact(text: str) -> int | None:
    try:
        return parse_e8(text)
    except BadInput:
        return None


@settings(max_examples=300, deadline=None)
@given(st.lists(PLAIN | HALVES, min_size=1, max_size=30))
@example(["1.1390900000000002", "1.2788599999999999", "0.000000005", "0.000000015", "-0.000000025"])
@example(["92233720368.54775807", "-92233720368.54775807", "92233720368.547758074"])
def test_what_the_quick_reader_reads_is_exact(texts: list[str]) -> None:
    for text, units in zip(texts, quick(texts), strict=True):
        if units is not None:
            assert units == exact(text), text
        else:
            # Left to the scalar reader: no number, or larger than an amount can be.
            assert exact(text) is None, text


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
@example("1e-05")
@example("0E0000")
@example("1E00001")
@example("1E-99999")
@example("1e9999")
@example("0e99999999")
@example("1,000.50")
@example("1_000")
@example(" 1.5")
def test_the_quick_reader_never_reads_more_than_the_exact_one(text: str) -> None:
    (units,) = quick([text])
    assert units is None or units == exact(text)


@pytest.mark.parametrize(
    "text", ["0.123456785", "0.123456775", "-7.000000005", "12345678.999999995"]
)
def test_halves_go_to_the_even_digit(text: str) -> None:
    scaled = (Decimal(text) * 10**8).quantize(Decimal(1), rounding="ROUND_HALF_EVEN")
    assert quick([text]) == [int(scaled)]
