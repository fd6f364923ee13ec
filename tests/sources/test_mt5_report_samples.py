"""The real report, where it is at hand: nine closing deals that reach the result it prints."""

from pathlib import Path

import pytest

from pipshare.money import format_e8
from pipshare.sources.files import read

SAMPLE = Path(__file__).parents[3] / "shared/samples/metatrader/mt5_report_history_hedge.xlsx"
pytestmark = pytest.mark.skipif(
    not SAMPLE.is_file(), reason="the real samples are not beside the project (../shared/samples)"
)


def test_nine_closing_deals_reach_the_result() -> None:
    reading = read(SAMPLE)
    (chunk,) = reading.chunks()
    meta = reading.meta
    assert (meta.account, meta.currency, meta.encoding) == (70001234, "USD", "utf-16")
    assert format_e8(meta.closed_pl_printed_e8 or 0) == "-49.67"
    assert chunk.trades["profit_e8"].sum() == meta.closed_pl_printed_e8
    assert (len(chunk.trades), len(chunk.cash), chunk.cancelled) == (9, 1, 7)
    assert not chunk.refused
    assert set(chunk.trades["symbol"].str.slice(-2)) == {".Z"}


def test_every_opening_is_found_in_positions() -> None:
    (chunk,) = read(SAMPLE).chunks()
    assert chunk.trades["opening"].to_list() == [1] * 9
    assert len(set(chunk.trades["position"])) == 9
    first = chunk.trades.row(0, named=True)
    assert (first["ticket"], first["position"]) == (25615362, 35324172)
    assert (first["open_price_e8"], first["close_price_e8"]) == (112895000, 114086000)
    assert chunk.trades["reason"].to_list() == [4, 4, -1, -1, 4, -1, 3, 3, 5]
