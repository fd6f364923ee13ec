"""MT4 Manager exports: every kind of row is recognised for what it is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipshare.errors import BadInput
from pipshare.facts import CASH, TRADE, CashKind, Kind
from pipshare.sources import files
from pipshare.sources.files.check import summary
from pipshare.sources.reading import OPERATOR, Chunk

NAMES = (
    "Deal,Login,Open Time,Type,Symbol,Volume,Open Price,S/L,T/P,Close Time,Close Price,Reason,"
    "Gateway Order,Gateway Volume,Open Price Delta,Close Price Delta,Agent,Commission,Taxes,Swap,"
    "Profit,Points,Comment"
)
OPENED, CLOSED = "2026.03.02 10:00:00", "2026.03.02 11:30:00"


def row(ticket: int = 5001, **cells: str) -> str:
    """One comma row with 25 columns, of which the named ones are changed."""
    values = {
        "ticket": str(ticket), "login": "7001", "open": OPENED, "type": "buy",
        "symbol": "eurusd.x", "volume": "0.50", "open_price": "1.10000", "close": CLOSED,
        "close_price": "1.10100", "reason": "Client", "commission": "-3.50", "taxes": "0",
        "swap": "-0.25", "profit": "50.00", "comment": "", "currency": "USD",
    } | cells  # fmt: skip
    return ",".join((
        values["ticket"], values["login"], values["open"], values["type"], values["symbol"],
        values["volume"], values["open_price"], "0", "0", values["close"], values["close_price"],
        values["reason"], "", "", "", "", "0", values["commission"], values["taxes"],
        values["swap"], values["profit"], "100", values["comment"], "", values["currency"],
    ))  # fmt: skip


def write(folder: Path, *rows: str, header: str = NAMES + ",,") -> Path:
    path = folder / "deals.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def chunk(path: Path) -> Chunk:
    (only,) = files.read(path).chunks()
    return only


def test_a_closed_trade_becomes_a_trade(tmp_path: Path) -> None:
    reading = files.read(write(tmp_path, row()))
    assert (reading.meta.format, reading.meta.platform) == ("mt4_manager", "mt4")
    assert reading.meta.provenance == OPERATOR
    (only,) = reading.chunks()
    assert only.trades.schema == TRADE
    assert only.trades.row(0, named=True) == {
        "ticket": 5001, "login": 7001, "position": 0, "symbol": "eurusd.x", "side": 1, "kind": 0,
        "reason": 0, "lots_e8": 50_000_000, "open_ms": 1772445600000, "close_ms": 1772451000000,
        "open_price_e8": 110_000_000, "close_price_e8": 110_100_000,
        "commission_e8": -350_000_000, "fee_e8": 0, "swap_e8": -25_000_000,
        "profit_e8": 5_000_000_000, "rate_profit_e8": 0, "contract_e8": 0, "opening": 1,
        "line": 2,
    }  # fmt: skip
    assert only.currencies == {7001: "USD"}
    assert only.refused == []


@pytest.mark.parametrize(
    ("word", "number"),
    [("Client", 0), ("Expert", 1), ("Dealer", 2), ("Signal", 10), ("Gateway", 9),
     ("Mobile", 16), ("Web", 17), ("", -1), ("Telepathy", -1)],
)  # fmt: skip
def test_reasons_are_numbers_of_mt5(tmp_path: Path, word: str, number: int) -> None:
    assert chunk(write(tmp_path, row(reason=word))).trades["reason"].to_list() == [number]


def test_partial_closes_and_close_by_are_told_by_the_comment(tmp_path: Path) -> None:
    only = chunk(write(
        tmp_path,
        row(1, comment="to #2"),
        row(2, comment="from #1"),
        row(3, comment="close hedge by #4"),
        row(4, comment="close hedge by #3", volume="0.00", profit="1.25", commission="-0.50"),
        row(5, comment="copy #6402486"),
        row(6, comment="from #5[sl]"),
    ))  # fmt: skip
    kinds = dict(only.trades.select("ticket", "kind").iter_rows())
    assert kinds == {
        1: Kind.PARTIAL, 2: Kind.PARTIAL, 3: Kind.CLOSE_BY, 5: Kind.WHOLE, 6: Kind.PARTIAL,
    }  # fmt: skip
    # The emptied half of a close-by is no trade, but its money counts.
    assert (only.other_pl_e8, only.other_commission_e8) == (50_000_000, -50_000_000)
    assert only.others["ticket"].to_list() == [4]
    assert only.refused == []


def test_orders_open_trades_and_compaction_are_no_trades(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row(1, type="buy limit", comment="cancelled", profit="", commission=""),
        row(2, type="sell stop", comment="expiration"),
        row(3, close="1970.01.01 00:00:00", close_price="1.2"),
        row(4, close="", close_price=""),
        row(5, type="sell", symbol="profit", volume="0.00", open_price="0", close_price="0",
            profit="-120.00", commission="0", swap="0"),
        row(6),
    )  # fmt: skip
    only = chunk(path)
    assert only.trades["ticket"].to_list() == [6]
    assert (only.cancelled, only.open_rows, only.compaction_rows) == (2, 2, 1)
    assert only.compaction_pl_e8 == -12_000_000_000
    assert only.refused == []
    found = summary(path)
    # 50.00 - 3.50 - 0.25 of the trade, -120.00 of the compaction row.
    assert (found["closed_trades"], found["closed_pl_summed"]) == (1, "-73.75")
    assert (found["account"], found["currency"]) == (7001, "USD")


@pytest.mark.parametrize(
    ("type_", "comment", "kind"),
    [("balance", "CRM-S-1051421260630Swap", CashKind.SWAP),
     ("balance", "CRM-D-1003616", CashKind.DEPOSIT),
     ("balance", "CRM-W-77", CashKind.WITHDRAWAL),
     ("balance", "Inactivity fee 03/2026", CashKind.FEE),
     ("balance", "deposit 500 less fee", CashKind.DEPOSIT),
     ("balance", "charge back", CashKind.BALANCE),
     ("balance", "IT From 20028076", CashKind.TRANSFER),
     ("balance", "Welcome bonus", CashKind.BONUS),
     ("balance", "Financing", CashKind.SWAP),
     ("balance", "Negative balance protection", CashKind.COMPENSATION),
     ("balance", "something else", CashKind.BALANCE),
     ("credit", "whatever", CashKind.CREDIT)],
)  # fmt: skip
def test_balance_rows_say_what_they_are(
    tmp_path: Path, type_: str, comment: str, kind: CashKind
) -> None:
    empty = dict.fromkeys(("volume", "open_price", "close", "close_price", "commission", "taxes",
                           "swap", "reason"), "")  # fmt: skip
    line = row(9, type=type_, symbol=comment, comment=comment, profit="-12.34", **empty)
    only = chunk(write(tmp_path, line))
    assert only.cash.schema == CASH
    assert only.cash.row(0, named=True) == {
        "ticket": 9, "login": 7001, "time_ms": 1772445600000, "kind": str(kind),
        "amount_e8": -1_234_000_000, "comment": comment, "line": 2,
    }  # fmt: skip
    assert len(only.trades) == 0


RAW = "Raw Report for 'dealer' from 2026.03.02 to 2026.03.02"
TOTALS = (
    ";;;;;;;;;;;;;;;;0.00;-7.00;0.00;0.00;120.00;;",
    ";;;;;;;;;;;;;;;;;;Profit:;;-80.00;;",
    ";;;;;;;;;;;;;;;;;;Deposit:;;200.00;;",
)


def raw_report(*rows: str) -> str:
    lines = [line.rsplit(",", 2)[0].replace(",", ";") for line in rows]
    return "\n".join((RAW, NAMES.replace(",", ";"), *lines, *TOTALS, ""))


def test_a_raw_report_has_a_title_and_totals_that_are_shown_only(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    cash = "9;7001;2026.03.02 09:00:00;balance;CRM-S-1,2,Swap" + ";" * 16 + "-2.35;;CRM-S-1,2,Swap"
    path.write_text(raw_report(row(1), row(2)).replace("\n;;", f"\n{cash}\n;;", 1))
    only = chunk(path)
    assert only.trades["line"].to_list() == [3, 4]
    assert only.cash.select("kind", "comment").rows() == [("swap", "CRM-S-1,2,Swap")]
    assert only.refused == []
    found = summary(path)
    assert (found["closed_pl_printed"], found["closed_pl_summed"]) == ("-80.00", "92.50")
    assert found["error"] is None


def test_a_localised_header_is_read_by_position(tmp_path: Path) -> None:
    header = ",".join(f"заголовок {n}" for n in range(23)) + ",,"
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((header, row(1), row(2, type="sell"))), encoding="cp1251")
    reading = files.read(path)
    assert reading.meta.encoding == "cp1251"
    (only,) = reading.chunks()
    assert only.trades["side"].to_list() == [1, -1]
    assert only.currencies == {7001: "USD"}


def test_columns_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    header = "Login,Deal,Type,Symbol,Volume,Open Time,Close Time,Open Price,Close Price,Profit"
    line = f"7001,5,sell,XAUUSD,0.10,{OPENED},{CLOSED},2000.5,2001.5,-10"
    only = chunk(write(tmp_path, line, header=header))
    taken = only.trades.select("ticket", "login", "side", "profit_e8", "commission_e8").row(0)
    assert taken == (5, 7001, -1, -1_000_000_000, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "cp932"])
def test_comments_of_any_charset_do_not_disturb(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "deals.csv"
    comment = "日本円入金" if encoding == "cp932" else "日内趋势随机入场"
    rows = [row(n, comment=comment) for n in range(1, 30)]
    path.write_bytes("\r\n".join((NAMES + ",,", *rows, "")).encode(encoding))
    reading = files.read(path)
    (only,) = reading.chunks()
    assert only.trades["ticket"].to_list() == list(range(1, 30))
    assert reading.meta.encoding == encoding.removesuffix("-sig")


def test_quoted_cells_may_hold_the_delimiter_and_line_ends(tmp_path: Path) -> None:
    only = chunk(write(
        tmp_path,
        row(1, comment='"a, b"'),
        row(2, comment='"two\nlines"'),
        row(3, comment='5" stop'),
        row(4, comment='"say ""hi"""'),
        row(5),
    ))  # fmt: skip
    assert only.trades.select("ticket", "line").rows() == [(1, 2), (2, 3), (3, 5), (4, 6), (5, 7)]
    assert only.refused == []


def test_two_accounts_in_two_currencies_are_none(tmp_path: Path) -> None:
    path = write(tmp_path, row(1), row(2, login="7002", currency="USC"))
    assert chunk(path).currencies == {7001: "USD", 7002: "USC"}
    found = summary(path)
    assert (found["account"], found["currency"]) == (None, None)
    assert found["lots"] == "1.00"  # as printed: no lot factor for cents here


def test_a_file_without_the_header_is_no_manager_export(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((row(1), row(2))))
    with pytest.raises(BadInput):
        files.read(path)


def test_an_export_without_rows_is_empty_but_good(tmp_path: Path) -> None:
    found = summary(write(tmp_path))
    assert (found["closed_trades"], found["error"], found["lots"]) == (0, None, "0.00")
    assert pl.concat([c.trades for c in files.read(write(tmp_path)).chunks()]).is_empty()
