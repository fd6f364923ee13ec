"""Real statements, where they are at hand: each prints its own total, which the rows must reach."""

from pathlib import Path

import pytest
from test_mt4_statement_rows import summed

from pipshare.money import format_e8
from pipshare.sources.files import read

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "metatrader"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the real samples are not beside the project (../shared/samples)"
)
# file, encoding, currency, closed trades, printed total, balance rows, cancelled orders
FILES = [
    ("mt4_detailed_utf8_spanish.htm", "utf-8", "USD", 23, "88.72", 0, 2),
    ("mt4_detailed_suffix_commission.htm", "utf-8", "USD", 112, "54.68", 2, 0),
    ("mt4_detailed_cp1251.htm", "cp1251", "USD", 73, "8215.66", 1, 0),
    ("mt4_detailed_cp932_japanese.htm", "cp932", "JPY", 5, "967.00", 0, 0),
    ("mt4_statement_financing_rows.htm", "utf-8", "USD", 35, "-4401.60", 7, 0),
    ("mt4_statement_cancelled_orders.htm", "utf-8", "USD", 42, "99.31", 1, 11),
]


@pytest.mark.parametrize(
    ("name", "encoding", "currency", "trades", "total", "cash", "cancelled"), FILES
)
def test_a_real_statement_reaches_the_total_it_prints(
    name: str, encoding: str, currency: str, trades: int, total: str, cash: int, cancelled: int
) -> None:
    reading = read(SAMPLES / name)
    (chunk,) = reading.chunks()
    meta = reading.meta
    assert (meta.format, meta.encoding, meta.currency) == ("mt4_statement", encoding, currency)
    assert str(meta.account) in (SAMPLES / name).read_bytes().decode("latin-1")
    assert meta.closed_pl_printed_e8 is not None
    assert format_e8(meta.closed_pl_printed_e8) == total
    assert summed(chunk) == meta.closed_pl_printed_e8
    assert (len(chunk.trades), len(chunk.cash), chunk.cancelled) == (trades, cash, cancelled)
    assert not chunk.refused
    assert meta.report_ms is not None
    assert (chunk.trades["close_ms"] >= chunk.trades["open_ms"]).all()


def test_financing_rows_are_swap_and_not_withdrawals() -> None:
    (chunk,) = read(SAMPLES / "mt4_statement_financing_rows.htm").chunks()
    swaps = chunk.cash.filter(chunk.cash["kind"] == "swap")
    assert len(swaps) == 4
    assert not chunk.cash["kind"].is_in(["withdrawal", "deposit"]).any()
