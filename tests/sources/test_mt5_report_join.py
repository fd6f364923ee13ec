"""The opening of a closing deal: known when one position and one deal fit, unknown otherwise."""

from decimal import Decimal

import polars as pl
from fixtures_html import mt5
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts import Kind, Opening
from pipshare.money import to_e8
from pipshare.sources.files.markup import Rows
from pipshare.sources.mt5_report.grid import page_rows
from pipshare.sources.mt5_report.parse import parse_report
from pipshare.sources.reading import Chunk

OPEN, CLOSE = "2025.06.02 09:15:02", "2025.06.03 11:40:31"


def parsed(deals: mt5.Rows, positions: mt5.Rows) -> Chunk:
    page = mt5.html(mt5.Report(deals, positions)).encode()
    return parse_report(page_rows(Rows(page, "x")), "x", "utf-8")[1]


def position(number: int, **changes: str) -> tuple[str, ...]:
    usual = {"opened": OPEN, "price": "1.09000", "closed": CLOSE, "close_price": "1.10000"}
    return mt5.position(number, **{**usual, **changes})


def openings(chunk: Chunk) -> list[tuple[int, int, int, int, int]]:
    columns = ("ticket", "position", "opening", "open_ms", "open_price_e8")
    return chunk.trades.select(columns).rows()


def test_absent_positions_leave_the_opening_unknown() -> None:
    chunk = parsed([mt5.deal(1, time=CLOSE, profit="5.00", commission="-3.50")], [])
    assert openings(chunk) == [(1, 0, int(Opening.UNKNOWN), 0, 0)]
    assert chunk.trades["commission_e8"].to_list() == [to_e8(Decimal("-3.5"))]


def test_each_part_of_the_key_counts() -> None:
    deals = [mt5.deal(1, time=CLOSE)]
    assert openings(parsed(deals, [position(7)]))[0][1] == 7
    for changes in (
        {"symbol": "EURUSD"},
        {"closed": "2025.06.03 11:40:32"},
        {"lots": "0.2"},
        {"lots": "0.1 / 0.2"},
        {"close_price": "1.10001"},
        {"side": "sell"},
    ):
        assert openings(parsed(deals, [position(7, **changes)]))[0][1:3] == (0, 0), changes


def test_two_that_fit_are_ambiguous_whichever_side_has_them() -> None:
    one, two = mt5.deal(1, time=CLOSE, profit="1"), mt5.deal(2, time=CLOSE, profit="2")
    for deals, positions in (
        ([one], [position(7), position(8, price="1.08000")]),
        ([one, two], [position(7), position(8, price="1.08000")]),
        ([one, two], [position(7)]),
    ):
        chunk = parsed(deals, positions)
        assert len(chunk.trades) == len(deals)
        assert set(chunk.trades["opening"]) == {int(Opening.UNKNOWN)}
        assert set(chunk.trades["position"]) == {0}


def test_the_opening_commission_comes_from_its_deal_or_else_from_the_position() -> None:
    opening = mt5.deal(1, time=OPEN, type="buy", entry="in", price="1.09000", commission="-3.00",
                       fee="-0.10")  # fmt: skip
    closing = mt5.deal(2, time=CLOSE, commission="-3.50", fee="-0.20")
    whole = position(7, commission="-6.90")
    money = ("commission_e8", "fee_e8")
    both = parsed([opening, closing], [whole]).trades.select(money).row(0)
    assert both == (to_e8(Decimal("-6.5")), to_e8(Decimal("-0.3")))
    late = parsed([closing], [whole]).trades.select(money).row(0)
    assert late == (to_e8(Decimal("-6.9")), to_e8(Decimal("-0.2")))


def test_a_reversal_takes_its_volume_from_the_position_or_is_refused() -> None:
    reversal = mt5.deal(1, time=CLOSE, entry="in/out", lots="0.5", profit="9.00")
    chunk = parsed([reversal], [position(7, lots="0.2")])
    assert chunk.trades.select("lots_e8", "kind", "position").row(0) == (
        to_e8(Decimal("0.2")), int(Kind.REVERSAL), 7)  # fmt: skip
    for positions in ([], [position(7, lots="0.2"), position(8)], [position(7, lots="0.7")]):
        chunk = parsed([reversal, mt5.deal(2, time=CLOSE, symbol="X")], positions)
        assert chunk.trades["ticket"].to_list() == [2]
        assert [refusal.code for refusal in chunk.refused] == ["closed_volume_unknown"]


def test_close_by_deals_are_closing_deals() -> None:
    deals = [mt5.deal(1, time=CLOSE, entry="out by", price="1.10000"),
             mt5.deal(2, time=CLOSE, entry="out by", type="buy", price="1.09000")]  # fmt: skip
    positions = [position(7), position(8, side="sell", close_price="1.09000", price="1.10000")]
    chunk = parsed(deals, positions)
    assert chunk.trades["kind"].to_list() == [int(Kind.CLOSE_BY)] * 2
    assert chunk.trades["position"].to_list() == [7, 8]
    assert chunk.trades["side"].to_list() == [1, -1]


def test_cancelled_deals_are_no_trades_and_no_money() -> None:
    chunk = parsed([mt5.deal(1, time=CLOSE, type="buy canceled")], [])
    assert (len(chunk.trades), len(chunk.cash), chunk.refused) == (0, 0, [])


def test_a_bad_position_is_refused_and_its_deal_kept_with_unknown_opening() -> None:
    chunk = parsed([mt5.deal(1, time=CLOSE)], [position(7, opened="2025.06.09 00:00:00")])
    assert openings(chunk)[0][:3] == (1, 0, int(Opening.UNKNOWN))
    assert [refusal.code for refusal in chunk.refused] == ["close_before_open"]


FEW = (["A", "b.x"], ["buy", "sell"], ["0.1", "2"], [CLOSE, "2025.06.04 00:00:00"], ["1.5", "1.6"])
trade = st.tuples(*map(st.sampled_from, FEW))


@settings(max_examples=40, deadline=None)
@given(st.lists(trade, max_size=6), st.lists(trade, max_size=6))
def test_the_join_is_what_counting_by_hand_says(closing: list, held: list) -> None:
    other = {"buy": "sell", "sell": "buy"}
    deals = [mt5.deal(n, symbol=s, type=other[t], lots=v, time=c, price=p, profit=f"{n}.25")
             for n, (s, t, v, c, p) in enumerate(closing, 1)]  # fmt: skip
    positions = [position(n, symbol=s, side=t, lots=v, closed=c, close_price=p)
                 for n, (s, t, v, c, p) in enumerate(held, 101)]  # fmt: skip
    got = parsed(deals, positions).trades
    assert got["ticket"].to_list() == list(range(1, len(closing) + 1))
    assert got["position"].to_list() == [
        101 + held.index(key) if closing.count(key) == held.count(key) == 1 else 0
        for key in closing
    ]
    assert got["profit_e8"].sum() == sum(n * 10**8 + 25 * 10**6 for n in range(1, len(closing) + 1))
    known = got.filter(pl.col("position") > 0)
    assert (known["open_price_e8"] == 109000000).all()
