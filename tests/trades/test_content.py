"""Fingerprints and verdicts: stable for ever, and sensitive to what they count only."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from deal_worlds import deal, frame
from hypothesis import given
from hypothesis import strategies as st
from trade_worlds import trade, trades

from pipshare.facts import DEAL, TRADE, Verdict, deal_content, trade_content
from pipshare.facts.content import COUNTED, DEAL_COUNTED, UNKNOWN_MS, closed_volume, judge

BIG = 2**63 - 1


def test_fingerprints_never_change():
    """They are stored: a change of these figures would make every known trade a revision."""
    assert trade_content(trades(trade(1), trade(1, symbol="xauusd.p"))).tolist() == TRADES
    assert deal_content(frame(deal(1), deal(1, symbol=""))).tolist() == DEALS


@pytest.mark.parametrize("name", [name for name in TRADE if name != "symbol"])
def test_a_trade_counts_exactly_what_is_counted(name):
    plain = trade(1)
    other = {**plain, name: plain[name] + 1000}
    if TRADE[name] == pl.Int8:
        other[name] = -plain[name] - 1
    one, two = trade_content(trades(plain, other))
    assert (one != two) == (name in COUNTED)


@pytest.mark.parametrize("name", [name for name in DEAL if name != "symbol"])
def test_a_deal_counts_exactly_what_is_counted(name):
    plain = deal(1, entry=2)
    one, two = deal_content(frame(plain, {**plain, name: plain[name] + 1000}))
    assert (one != two) == (name in (*DEAL_COUNTED, "closed_e8"))


def test_symbols_count_without_case():
    content = trade_content(trades(*[trade(1, symbol=s) for s in ("EURUSD", "eurusd", "EURUSD.")]))
    assert content[0] == content[1] != content[2]


@given(st.lists(st.integers(-BIG - 1, BIG), min_size=2, max_size=20, unique=True))
def test_neighbours_do_not_collide(values):
    rows = trades(*[trade(1, profit_e8=value) for value in values])
    assert len(set(trade_content(rows).tolist())) == len(values)


def test_closed_volume_is_the_whole_of_a_close_that_does_not_tell():
    deals = frame(*[deal(1, entry=entry, volume_e8=9, closed_e8=closed)
                    for entry in (0, 1, 2, 3) for closed in (0, 4)])  # fmt: skip
    assert closed_volume(deals).tolist() == [0, 0, 9, 4, 0, 4, 9, 4]


@given(st.booleans(), st.booleans(), st.sampled_from((UNKNOWN_MS, 5, 6, 7)),
       st.sampled_from((None, 5, 6, 7)))  # fmt: skip
def test_the_verdict(found, same, stored, as_of):
    (verdict,) = judge(np.array([found]), np.array([found and same]), np.array([stored]), as_of)
    if not found:
        assert verdict == Verdict.NEW
    elif same:
        assert verdict == Verdict.SAME
    elif as_of is None or stored in (UNKNOWN_MS, as_of):
        assert verdict == Verdict.CONFLICT
    else:
        assert verdict == (Verdict.REVISION if as_of > stored else Verdict.OLDER)


TRADES = [-8231604463700976268, -3630566417308225489]
DEALS = [6909992610623442586, -6859251210259473521]
