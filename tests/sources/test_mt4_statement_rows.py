"""Every shape of row in an MT4 statement is taken for what it is, and bad ones are told."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from fixtures_html import mt4

from pipshare.errors import BadInput
from pipshare.facts import Kind
from pipshare.money import format_e8, to_e8
from pipshare.sources.files import read
from pipshare.sources.reading import Chunk, Meta

EMPTIED = Decimal("0.00")


def parsed(text: str, tmp_path: Path, encoding: str = "utf-8") -> tuple[Meta, Chunk]:
    path = tmp_path / "statement.htm"
    path.write_bytes(text.encode(encoding))
    reading = read(path)
    (chunk,) = reading.chunks()
    return reading.meta, chunk


def summed(chunk: Chunk) -> int:
    money = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")
    trades = sum(int(chunk.trades[name].sum()) for name in money)
    return trades + chunk.compaction_pl_e8 + chunk.other_pl_e8


def test_the_head_tells_account_currency_and_time(tmp_path: Path) -> None:
    meta, chunk = parsed(mt4.statement([mt4.Trade(5)]), tmp_path)
    assert (meta.account, meta.currency, meta.platform) == (70001234, "USD", "mt4")
    assert meta.provenance == "client"
    assert meta.report_ms == 1743444300000  # 2025-03-31 18:05
    assert chunk.trades["login"].to_list() == [70001234]


def test_a_name_that_looks_like_a_currency_is_not_the_currency(tmp_path: Path) -> None:
    style = mt4.Style(mt4.ENGLISH, name="EURUSD", currency="GBP", when="2025 mars 31, 18:05")
    meta, _ = parsed(mt4.statement([], style), tmp_path)
    assert meta.currency == "GBP"


def test_a_month_in_another_language_leaves_the_time_unknown(tmp_path: Path) -> None:
    for month in ("Marraskuu", "Февраль", "三月"):  # the first is a November
        style = mt4.Style(mt4.ENGLISH, when=f"2025 {month} 3, 18:05")
        assert parsed(mt4.statement([], style), tmp_path)[0].report_ms is None


def test_orders_balance_rows_and_open_trades_are_no_trades(tmp_path: Path) -> None:
    rows = [
        mt4.Cash(1, Decimal("5000"), "Deposit ABC"),
        mt4.Trade(2),
        mt4.Cancelled(3),
        mt4.Cancelled(4, "sell stop"),
        mt4.Cash(5, Decimal("-12.5"), "Financing"),
        mt4.Cash(6, Decimal("30"), "welcome", type="credit"),
        mt4.Cash(7, Decimal("-40"), "IT From 123456"),
        mt4.Cash(8, Decimal("-1"), "Roll Over Adjustment"),
        mt4.Cash(9, Decimal("-2"), "CRM-S-1333365,261003Swap"),
        mt4.Cash(10, Decimal("-3"), ""),
        mt4.Cash(11, Decimal("7"), "No deposit bonus"),
    ]
    _, chunk = parsed(mt4.statement(rows), tmp_path)
    assert chunk.trades["ticket"].to_list() == [2]
    assert chunk.cancelled == 2
    assert not chunk.refused
    kinds = dict(zip(chunk.cash["ticket"], chunk.cash["kind"], strict=True))
    assert kinds == {1: "deposit", 5: "swap", 6: "credit", 7: "transfer", 8: "swap", 9: "swap",
                     10: "balance", 11: "bonus"}  # fmt: skip
    assert chunk.cash["amount_e8"].sum() == to_e8(Decimal("4978.5"))
    assert chunk.cash["time_ms"].to_list()[0] == 1740992400000


def test_comments_tell_how_a_trade_was_closed(tmp_path: Path) -> None:
    comments = ["[sl]", "EA 7[tp]", "so: 48.20%/120.00/249.00", "from #9[sl]", "to #11",
                "partial close", "not [sl] at all", ""]  # fmt: skip
    rows = [mt4.Trade(n, comment=text) for n, text in enumerate(comments, 1)]
    _, chunk = parsed(mt4.statement(rows), tmp_path)
    assert chunk.trades["reason"].to_list() == [3, 4, 5, 3, -1, -1, -1, -1]
    assert chunk.trades["kind"].to_list() == [0, 0, 0, 1, 1, 1, 0, 0]


def test_the_empty_half_of_a_close_by_counts_in_the_total_alone(tmp_path: Path) -> None:
    rows = [
        mt4.Trade(100, lots=Decimal("0.30"), profit=Decimal("12.00")),
        mt4.Trade(200, side="sell", lots=EMPTIED, profit=Decimal("-2.50"),
                  commission=Decimal("-0.70"), swap=Decimal("-0.20"),
                  comment="close hedge by #100"),
    ]  # fmt: skip
    meta, chunk = parsed(mt4.statement(rows), tmp_path)
    assert chunk.trades["ticket"].to_list() == [100]
    assert chunk.trades["kind"].to_list() == [int(Kind.CLOSE_BY)]
    assert chunk.others["ticket"].to_list() == [200]
    assert format_e8(chunk.other_pl_e8) == "-3.40"
    assert format_e8(chunk.other_commission_e8) == "-0.70"
    assert format_e8(chunk.other_swap_e8) == "-0.20"
    assert summed(chunk) == meta.closed_pl_printed_e8


def test_compacted_history_counts_in_the_total_alone(tmp_path: Path) -> None:
    rows = [mt4.Trade(1), mt4.Trade(2, symbol="profit", lots=EMPTIED, open_price="0",
                                    close_price="0", profit=Decimal("-1234.56"))]  # fmt: skip
    meta, chunk = parsed(mt4.statement(rows), tmp_path)
    assert (chunk.compaction_rows, len(chunk.trades)) == (1, 1)
    assert format_e8(chunk.compaction_pl_e8) == "-1234.56"
    assert summed(chunk) == meta.closed_pl_printed_e8


def test_a_remark_row_below_a_trade_is_its_comment(tmp_path: Path) -> None:
    rows = [
        mt4.Trade(1),
        mt4.Raw("<tr align=right><td></td><td></td><td>to #2</td></tr>"),
        mt4.Trade(2, comment="from #1"),
        mt4.Raw("<tr align=right><td colspan=9>77</td><td colspan=5 align=left>[tp]</td></tr>"),
        mt4.Trade(3),
        mt4.Raw("<tr><td colspan=14>&nbsp;</td></tr>"),
        mt4.Trade(4),
        mt4.Raw("<tr align=right><td colspan=9>2009</td><td colspan=5></td></tr>"),
    ]
    _, chunk = parsed(mt4.statement(rows), tmp_path)
    assert not chunk.refused
    assert chunk.trades["kind"].to_list() == [1, 1, 0, 0]


def test_builds_without_taxes_have_thirteen_columns(tmp_path: Path) -> None:
    style = mt4.Style(mt4.ENGLISH, width=13)
    trade = mt4.Trade(1, commission=Decimal("-7"), swap=Decimal("1.5"), profit=Decimal("20"))
    meta, chunk = parsed(mt4.statement([trade, mt4.Cancelled(2)], style), tmp_path)
    assert (len(chunk.trades), chunk.cancelled, chunk.refused) == (1, 1, [])
    assert chunk.trades["fee_e8"].to_list() == [0]
    assert summed(chunk) == meta.closed_pl_printed_e8


def bad(code: str, **changes: object) -> object:
    return pytest.param(code, mt4.Trade(666, **changes), id=f"{code}-{next(iter(changes))}")


BAD = [
    bad("volume_not_positive", lots=Decimal("0.00")),
    bad("volume_not_positive", lots=Decimal("-1.00")),
    bad("price_not_positive", open_price="0.00000"),
    bad("price_not_positive", close_price="-1.2"),
    bad("not_a_number", open_price="1,000.50"),
    bad("not_a_number", close_price=""),
    bad("close_before_open", closed=datetime(2025, 1, 1, tzinfo=UTC)),
    bad("bad_time", closed=datetime(1970, 1, 1, tzinfo=UTC)),
    bad("unknown_type", side="buy limit"),
    bad("empty_field", symbol=" "),
    bad("bad_symbol", symbol="x" * 100),
    bad("cell_too_long", symbol="x" * 2000),
    bad("cell_too_long", comment="x" * 2000),
    bad("unknown_type", side="BUY?"),
]


@pytest.mark.parametrize(("code", "trade"), BAD)
def test_a_bad_row_is_refused_and_its_neighbours_are_kept(
    code: str, trade: mt4.Trade, tmp_path: Path
) -> None:
    text = mt4.statement([mt4.Trade(1), trade, mt4.Trade(2)])
    _, chunk = parsed(text, tmp_path)
    assert chunk.trades["ticket"].to_list() == [1, 2]
    (refusal,) = chunk.refused
    assert refusal.code == code
    assert "666" in refusal.reason
    assert refusal.raw.startswith("666 | 2025.03.03")
    assert "<td>666</td>" in text.splitlines()[refusal.line - 1] or code == "cell_too_long"
    assert len(refusal.raw) < 2000


@pytest.mark.parametrize("cell", ["6.70", "-0.75"])
@pytest.mark.parametrize("broken", ["1,000.50", "12.5 USD", "1 00.00", "", "--1"])
def test_an_amount_that_is_no_number_refuses_its_row(
    cell: str, broken: str, tmp_path: Path
) -> None:
    row = mt4.Trade(2, swap=Decimal("-0.75"))
    text = mt4.statement([mt4.Trade(1, profit=Decimal("1")), row])
    text = text.replace(f"<td class=mspt>{cell}</td>", f"<td class=mspt>{broken}</td>", 1)
    _, chunk = parsed(text, tmp_path)
    assert [(r.code, len(chunk.trades)) for r in chunk.refused] == [("not_a_number", 1)]


@pytest.mark.parametrize("place", ["cell", "title", "comment row"])
def test_ten_megabytes_in_one_place_cost_only_that_row(place: str, tmp_path: Path) -> None:
    long = "x" * 10_500_000
    rows = [mt4.Trade(1), mt4.Trade(2), mt4.Trade(3)]
    if place == "cell":
        rows[1] = mt4.Trade(2, symbol=long)
    elif place == "title":
        rows[1] = mt4.Trade(2, comment=long)
    else:
        rows[1] = mt4.Raw(f"<tr><td>2</td><td>2025.03.03 10:00:00</td><td>{long}\n</td></tr>")
    text = mt4.statement(rows)
    _, chunk = parsed(text, tmp_path)
    assert chunk.trades["ticket"].to_list() == [1, 3]
    (refusal,) = chunk.refused
    assert refusal.code in ("cell_too_long", "unknown_row")
    assert len(refusal.raw) < 2000
    after = text[: text.index("<td>3</td>")].count("\n") + 1
    assert chunk.trades["line"].to_list()[1] == after


def test_a_row_that_is_none_of_the_shapes_is_refused(tmp_path: Path) -> None:
    odd = "<tr><td>7</td><td>2025.03.03 09:00:00</td><td>buy</td><td>0.10</td><td>9.99</td></tr>"
    short = "<tr><td>8</td><td>2025.03.03 09:00:00</td>" + "<td>1.00</td>" * 9 + "</tr>"
    lost = "<tr><td>subtotal</td><td>12.50</td><td>x</td></tr>"
    _, chunk = parsed(
        mt4.statement([mt4.Trade(1), mt4.Raw(odd), mt4.Raw(short), mt4.Cash(2, Decimal(1)),
                       mt4.Raw(lost)]), tmp_path
    )  # fmt: skip
    assert len(chunk.trades) == len(chunk.cash) == 1
    assert [r.code for r in chunk.refused] == ["bad_balance_row", "unknown_row", "unknown_row"]


def test_the_same_row_twice_counts_once_and_contradictions_not_at_all(tmp_path: Path) -> None:
    rows = [mt4.Trade(1), mt4.Trade(1), mt4.Trade(2), mt4.Trade(2, profit=Decimal("7")),
            mt4.Trade(3)]  # fmt: skip
    _, chunk = parsed(mt4.statement(rows), tmp_path)
    assert chunk.trades["ticket"].to_list() == [1, 3]
    assert chunk.repeated == 1
    assert len(chunk.refused) == 2
    assert len({r.line for r in chunk.refused}) == 2


def test_a_statement_cut_off_is_refused_and_not_read_in_part(tmp_path: Path) -> None:
    text = mt4.statement([mt4.Trade(n) for n in range(1, 50)])
    for words in ("<td>40</td>", "<td colspan=12", "<td colspan=2 align=right title"):
        with pytest.raises(BadInput, match="cut off"):
            parsed(text[: text.index(words)], tmp_path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    text = mt4.statement([mt4.Trade(1)]).replace("<table", "<div>" * 5000 + "<table", 1)
    with pytest.raises(BadInput, match="export it again"):
        parsed(text, tmp_path)


def test_lines_are_right_beyond_what_the_parser_counts(tmp_path: Path) -> None:
    text = mt4.statement([mt4.Raw("\n" * 70_000), mt4.Trade(1), mt4.Trade(2, lots=EMPTIED)])
    _, chunk = parsed(text, tmp_path)
    line = text[: text.index("<td>1</td>")].count("\n") + 1
    assert chunk.trades["line"].to_list() == [line]
    assert [refusal.line for refusal in chunk.refused] == [line + 1]


def test_a_statement_without_trades_is_a_statement(tmp_path: Path) -> None:
    meta, chunk = parsed(mt4.statement([]), tmp_path)
    assert meta.closed_pl_printed_e8 == 0
    assert not len(chunk.trades)
    assert not chunk.refused


def test_chunks_may_be_asked_for_twice(tmp_path: Path) -> None:
    path = tmp_path / "statement.htm"
    path.write_text(mt4.statement([mt4.Trade(1)]))
    reading = read(path)
    first, second = (next(reading.chunks()) for _ in range(2))
    assert first.trades.equals(second.trades)


def test_order_of_rows_does_not_matter_to_the_sum(tmp_path: Path) -> None:
    start = datetime(2025, 3, 3, tzinfo=UTC)
    rows = [mt4.Trade(n, opened=start, closed=start + timedelta(hours=n),
                      profit=Decimal(n * 37 - 400).scaleb(-2)) for n in range(1, 40)]  # fmt: skip
    random.Random(7).shuffle(rows)
    meta, chunk = parsed(mt4.statement(rows), tmp_path)
    assert summed(chunk) == meta.closed_pl_printed_e8
