"""What must hold for any deals: conservation, and no dependence on order."""

from __future__ import annotations

from random import Random

from deal_worlds import any_deals, closed_books, frame
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts import Opening
from pipshare.trades.assemble import assemble, legs
from pipshare.trades.walk import IN, Step, walk

TOTALS = ("commission_e8", "fee_e8", "profit_e8", "swap_e8")


@given(closed_books())
@settings(max_examples=150, deadline=None)
def test_positions_that_end_flat_keep_every_sum(deals):
    trades = assemble(frame(*deals))
    assert (trades["opening"] == Opening.KNOWN).all()
    assert set(trades["ticket"]) == {d["deal"] for d in deals if d["entry"] != IN}
    for name in TOTALS:
        counted = deals if name in ("commission_e8", "fee_e8") else _closing(deals)
        assert trades[name].sum() == sum(d[name] for d in counted)
    opened = sum(d["volume_e8"] - d["closed_e8"] for d in deals if d["entry"] in (0, 2))
    assert trades["lots_e8"].sum() == opened


@given(closed_books())
@settings(max_examples=60, deadline=None)
def test_legs_add_up_to_their_trade(deals):
    own = {d["deal"]: d for d in deals}
    for trade in assemble(frame(*deals)).iter_rows(named=True):
        taken = legs(frame(*deals), trade["ticket"])
        assert sum(leg.lots_e8 for leg in taken) == trade["lots_e8"]
        assert taken[0].time_ms == trade["open_ms"]
        if own[trade["ticket"]]["entry"] != 2:  # a reversal gives part of its own to the new leg
            shares = sum(leg.commission_e8 for leg in taken)
            assert shares + own[trade["ticket"]]["commission_e8"] == trade["commission_e8"]


@given(st.one_of(closed_books(), any_deals()), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_the_deals_does_not_matter(deals, random: Random):
    shuffled = random.sample(deals, len(deals))
    assert assemble(frame(*deals)).equals(assemble(frame(*shuffled)))


@given(st.one_of(closed_books(), any_deals()))
@settings(max_examples=200, deadline=None)
def test_columns_and_scalar_walk_agree(deals):
    trades = {t["ticket"]: t for t in assemble(frame(*deals)).iter_rows(named=True)}
    standing = [d for d in deals if d["action"] in (0, 1) and d["position"]]
    for key in {(d["login"], d["position"]) for d in standing}:
        steps = [_step(d) for d in standing if (d["login"], d["position"]) == key]
        for closing in walk([s for s in steps if s.entry or s.volume_e8]):
            trade = trades[closing.deal]
            for name in ("side", "kind", "lots_e8", "open_ms", "open_price_e8", "commission_e8",
                         "fee_e8"):  # fmt: skip
                assert trade[name] == getattr(closing, name), name
            assert trade["opening"] == closing.known


def _closing(deals):
    return [d for d in deals if d["entry"] != IN]


def _step(d):
    closed = 0 if d["entry"] == 0 else d["closed_e8"]
    volume = d["volume_e8"]
    return Step(0, d["deal"], d["action"], d["entry"], d["time_ms"], volume, closed,
                d["price_e8"], d["position_price_e8"], d["commission_e8"], d["fee_e8"])  # fmt: skip
