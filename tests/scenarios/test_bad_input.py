"""Bad input: an error that says where and what to do; the rows beside it are kept."""

from __future__ import annotations

import io
import zipfile

import pytest
from documents import mt4_statement, statement_row
from small_broker import (
    MANAGER,
    PLAN,
    SmallBroker,
    as_csv,
    journal,
    manager,
    manager_row,
)

from pipshare.errors import BadInput
from pipshare.pipeline.loads import apply_plan

# One wrong row: what is wrong in it, and words that the refusal has to have.
WRONG_CELLS: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"Volume": "0.00"}, ("Volume", "more than zero")),
    ({"Volume": "-0.10"}, ("Volume", "more than zero")),
    ({"Open Price": "0"}, ("Open Price", "more than zero")),
    ({"Close Price": "0.00000"}, ("Close Price", "more than zero")),
    ({"Close Time": "2026.03.02 09:59:59"}, ("closed", "before it was opened")),
    ({"Profit": "1,000.50"}, ("Profit", "1,000.50", "1000.50")),
    ({"Volume": "1,000.50"}, ("Volume", "1,000.50", "1000.50")),
    ({"Volume": "nan"}, ("Volume", "nan")),
    ({"Volume": "0,10"}, ("Volume", "0,10")),
    ({"Open Time": "2026.13.45 10:00:00"}, ("Open Time", "2026.13.45")),
    ({"Login": "abc"}, ("Login", "abc")),
    ({"Comment": "x" * 10_000_000}, ("1 MB",)),
]


@pytest.mark.parametrize(("cells", "words"), WRONG_CELLS, ids=lambda value: str(value)[:40])
def test_a_wrong_row_is_refused_with_its_line_and_the_rest_is_booked(
    broker: SmallBroker, cells: dict[str, str], words: tuple[str, ...]
) -> None:
    rows = (manager_row(1), manager_row(2, **cells), manager_row(3, "0.20"))
    report = broker.bring("export.csv", manager(*rows))
    assert report.new == 2
    ((line, reason),) = [(one.line, one.reason) for one in report.refused]
    assert line == 3
    for word in words:
        assert word in reason
    broker.assert_paid(30)
    assert broker.count("inbox_refused") == 1
    again = broker.bring("export.csv", manager(*rows))
    assert (again.new, again.repeated, len(again.refused)) == (0, 2, 1)
    broker.assert_paid(30)
    repaired = broker.bring("repaired.csv", manager(*rows[::2], manager_row(2)))
    assert (repaired.new, repaired.refused) == (1, [])
    broker.assert_paid(40)


def test_the_same_faults_in_a_file_of_ones_own_shape(broker: SmallBroker) -> None:
    header = "ticket,login,symbol,side,lots,open_time,close_time,open_price,close_price"
    times = "2026.03.02 10:00:00,2026.03.02 11:00:00"
    rows = [
        f"1,1001,EURUSD,buy,0.10,{times},1.1,1.2",
        f"2,1001,EURUSD,buy,0,{times},1.1,1.2",
        f"3,1001,EURUSD,buy,-1,{times},1.1,1.2",
        f"4,1001,EURUSD,buy,0.10,{times},0,1.2",
        "5,1001,EURUSD,buy,0.10,2026.03.02 10:00:00,2026.03.02 09:00:00,1.1,1.2",
        f'6,1001,EURUSD,buy,"1,000.50",{times},1.1,1.2',
        f"7,1001,EURUSD,neither,0.10,{times},1.1,1.2",
        f"8,1001,EURUSD,sell,0.20,{times},1.1,1.2",
    ]
    report = broker.bring("own.csv", "\n".join([header, *rows]))
    assert report.format == "mapped"
    assert (report.new, [one.line for one in report.refused]) == (2, [3, 4, 5, 6, 7, 8])
    broker.assert_paid(30)


def test_an_mt5_deal_of_no_volume_or_price_is_refused_and_the_others_are_booked(
    broker: SmallBroker,
) -> None:
    header = "deal,login,position,action,entry,time,symbol,volume,price"
    rows = [
        "11,5001,7,0,0,2026.03.02 10:00:00,EURUSD,0.30,1.1",
        "12,5001,7,1,1,2026.03.02 11:00:00,EURUSD,0.10,1.2",
        "13,5001,7,1,1,2026.03.02 12:00:00,EURUSD,0,1.2",
        "14,5001,7,1,1,2026.03.02 13:00:00,EURUSD,0.10,0",
        "15,5001,7,1,1,2026.03.02 14:00:00,EURUSD,0.10,1.2",
    ]
    report = broker.bring("deals.csv", "\n".join([header, *rows]), "Live-5")
    assert (report.new, [one.line for one in report.refused]) == (2, [4, 5])
    broker.assert_paid(20)


def test_a_repeated_ticket_with_other_content(broker: SmallBroker) -> None:
    """In one file none of its rows is taken; across files it is a conflict that names both."""
    rows = (manager_row(1), manager_row(2), manager_row(2, "0.50"), manager_row(3), manager_row(3))
    report = broker.bring("export.csv", manager(*rows))
    assert (report.new, report.repeated) == (2, 1)
    assert [one.line for one in report.refused] == [3, 4]
    assert all("ticket 2" in one.reason and "3, 4" in one.reason for one in report.refused)
    broker.assert_paid(20)

    other = broker.bring("other.csv", manager(manager_row(1, "0.70"), manager_row(4)))
    assert (other.new, other.revised) == (1, 0)
    ((line, reason),) = [(one.line, one.reason) for one in other.refused]
    assert line == 2
    for word in ("ticket 1", "other.csv", "export.csv", "lots", "--as-of"):
        assert word in reason
    broker.assert_paid(30)


def test_a_journals_ticket_may_come_again_at_another_time_or_volume(broker: SmallBroker) -> None:
    rows = ["1;0.10;2026-03-02 11:00:00", "1;0.20;2026-03-02 11:00:00",
            "1;0.10;2026-03-02 12:00:00", "1;0.10;2026-03-02 11:00:00"]  # fmt: skip
    report = broker.bring("journal.csv", journal(*rows), trust="x", login=1001)
    assert (report.new, report.repeated, report.refused) == (3, 1, [])
    broker.assert_paid(40)


def test_an_unknown_symbol_and_a_login_never_seen_wait_and_are_taken_up(
    broker: SmallBroker,
) -> None:
    rows = (manager_row(1), manager_row(2, "0.20", Symbol="NEWPAIR"),
            manager_row(3, "0.40", Login="4711"))  # fmt: skip
    report = broker.bring("export.csv", manager(*rows))
    assert (report.new, report.refused) == (3, [])
    assert broker.waiting() == {"unpriced": 1, "unknown_account": 1}
    broker.assert_paid(10)
    broker.load("symbols", "symbol,symbol_group\nNEWPAIR,forex\n")
    broker.assert_paid(30)
    broker.load("accounts", "server,login,client\nLive-4,4711,C-1\n")
    assert broker.waiting() == {}
    broker.assert_paid(70)


def _not_an_export() -> dict[str, tuple[bytes, str]]:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>" * 500)
    frames = b'<html><frameset rows="*,30"><frame src="book_files/sheet001.htm"></frameset></html>'
    return {
        "frames.xls": (frames, "frameset"),
        "cut.xlsx": (book.getvalue()[:150], "cut off"),
        "empty.csv": (b"", "empty"),
        "blank.htm": (b" \r\n \r\n", "empty"),
        "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "picture"),
        "columns.csv": (b"a,b,c\n1,2,3\n", "--mapping"),
        "text.txt": (b"Dear broker, here are my trades. Regards\n" * 10, "known formats"),
        "one_cell.csv": (b"x" * 11_000_000, "known formats"),
    }


@pytest.mark.parametrize("name", _not_an_export())
def test_a_file_that_is_none_of_the_formats_is_refused_in_a_sentence(
    broker: SmallBroker, name: str
) -> None:
    content, word = _not_an_export()[name]
    with pytest.raises(BadInput) as refused:
        broker.bring(name, content)
    assert name in refused.value.message
    assert word in refused.value.message
    assert "\n" not in refused.value.message
    assert broker.count("inbox_file") == 0


def test_wrong_columns_refuse_a_file_and_a_short_row_its_line(broker: SmallBroker) -> None:
    with pytest.raises(BadInput, match="known formats"):
        broker.bring("half.csv", as_csv([MANAGER[:4], manager_row(1)[:4]]))
    rows = [MANAGER, manager_row(1), manager_row(2)[:20], manager_row(3)]
    report = broker.bring("short.csv", as_csv(rows))
    assert (report.new, [one.line for one in report.refused]) == (2, [3])
    assert "20 columns where the header has 25" in report.refused[0].reason
    broker.assert_paid(20)


def test_a_wrong_encoding_is_named_and_the_right_one_reads_the_file(broker: SmallBroker) -> None:
    text = manager(manager_row(1, Comment="сделка клиента"))
    with pytest.raises(BadInput, match=r"klingon.* is no encoding"):
        broker.bring("export.csv", text, encoding="klingon")
    with pytest.raises(BadInput, match="not written in utf-8"):
        broker.bring("export.csv", text.encode("cp1251"), encoding="utf-8")
    assert broker.count("trades_trade") == 0
    broker.bring("export.csv", text.encode("cp1251"))
    broker.assert_paid(10)
    again = broker.bring("utf16.csv", text.encode("utf-16"))
    assert (again.new, again.repeated) == (0, 1), "the same trades in another encoding"


def test_ten_megabytes_in_one_cell_of_a_statement(broker: SmallBroker) -> None:
    rows = (statement_row(1), statement_row(2, lots="9" * 10_000_000), statement_row(3, "0.20"))
    content = mt4_statement(*rows, printed="30.00")
    with pytest.raises(BadInput) as refused:
        broker.bring("big.htm", content, trust="x")
    assert len(refused.value.message) < 1_000
    report = broker.bring("big.htm", content, trust="x", accept_gap=True)
    assert report.new == 2
    assert all(len(one.reason) < 500 for one in report.refused)
    broker.assert_paid(30)


def test_a_programme_that_overlaps_itself_names_both_lines_and_changes_nothing(
    broker: SmallBroker,
) -> None:
    overlap = PLAN + '[[component.rate]]\nlevel = 1\nsymbol_group = "forex"\namount = "9"\n'
    with pytest.raises(BadInput) as refused:
        apply_plan(broker.run, broker.file("overlap.toml", overlap), by="anna")
    broker.conn.rollback()
    for word in ("overlap.toml:18", "line 10", "overlaps itself"):
        assert word in refused.value.message
    assert broker.count("plans_version") == 1


def test_a_tree_with_a_cycle_is_refused_with_its_lines(broker: SmallBroker) -> None:
    rows = "partner,parent\nP-3,P-2\nP-4,P-6\nP-5,P-4\nP-6,P-5\nP-7,P-7\n"
    report = broker.load("partners", rows)[0]
    assert report.added == 1
    assert sorted(one.line for one in report.refused) == [3, 4, 5, 6]
    assert any("P-4 -> P-6 -> P-5 -> P-4 is a cycle" in one.reason for one in report.refused)

    move = "kind,code,partner\npartner,P-1,P-3\n"
    (moved,) = broker.load("relations", move, reason="a test")
    assert (moved.proposed, len(moved.refused)) == ([], 1)
    assert "cycle" in moved.refused[0].reason


def test_a_load_keeps_good_rows_and_a_file_of_wrong_columns_changes_nothing(
    broker: SmallBroker,
) -> None:
    report = broker.load("clients", "client,country\nC-7,CY\nC-8,Cyprus\nC-9,DE\n")[0]
    assert (report.added, [one.line for one in report.refused]) == (2, [3])
    for wrong in ("client,land\nC-10,CY\n", "client,client\nC-10,C-10\n", ""):
        with pytest.raises(BadInput, match=r"clients\.csv"):
            broker.load("clients", wrong)
        broker.conn.rollback()
    assert broker.count("clients_client") == 3
