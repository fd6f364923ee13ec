"""Which positions lack an opening: sums in order of time."""

from __future__ import annotations

import polars as pl
import pytest

from pipshare.facts import DEAL
from pipshare.pipeline.feeds.mt5_openings import lacking

IN, OUT, INOUT, OUT_BY = range(4)


def frame(*steps):
    """Deals of one position from (entry, volume, closed), a second apart."""
    plain = dict.fromkeys(DEAL, 0)
    rows = [
        {**plain, "symbol": "X", "deal": at, "login": 5, "position": 9, "entry": entry,
         "time_ms": at * 1000, "volume_e8": volume, "closed_e8": closed}
        for at, (entry, volume, closed) in enumerate(steps, 1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=DEAL)


@pytest.mark.parametrize(("steps", "second"), [
    ([(IN, 10, 0)], None),
    ([(IN, 10, 0), (OUT, 10, 10)], None),
    ([(IN, 10, 0), (OUT, 10, 0)], None),
    ([(OUT, 10, 10)], 1),
    ([(IN, 4, 0), (OUT, 10, 10)], 2),
    ([(IN, 4, 0), (OUT, 4, 4), (OUT_BY, 1, 1)], 3),
    ([(INOUT, 30, 10)], 1),
    ([(IN, 10, 0), (INOUT, 30, 10), (OUT, 20, 20)], None),
    ([(IN, 10, 0), (INOUT, 30, 10), (OUT, 21, 21)], 3),
    ([(OUT, 5, 5), (IN, 50, 0)], 1),
])  # fmt: skip
def test_a_position_lacks_what_it_closed_before_it_was_opened(steps, second):
    assert lacking(frame(*steps)) == ({(5, 9): second} if second else {})


def test_positions_do_not_mix_and_cash_does_not_count():
    one = frame((IN, 10, 0), (OUT, 10, 10))
    other = frame((OUT, 10, 10)).with_columns(login=pl.lit(6, pl.Int64))
    cash = frame((OUT, 10, 10)).with_columns(action=pl.lit(2, pl.Int16), login=pl.lit(7, pl.Int64))
    alone = frame((OUT, 10, 10)).with_columns(position=pl.lit(0, pl.Int64))
    assert lacking(pl.concat([one, other, cash, alone])) == {(6, 9): 1}
    assert lacking(one.clear()) == {}
