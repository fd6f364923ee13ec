"""MT5 export rows, as CSV and as INSERT statements, become the same deals."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts import DEAL
from pipshare.sources import files
from pipshare.sources.files import csv_blocks
from pipshare.sources.files.check import summary
from pipshare.sources.mt5_sql import parse
from pipshare.sources.mt5_sql.values import values
from pipshare.sources.reading import OPERATOR, Chunk

NAMES = (
    "Deal", "Timestamp", "Login", "Order", "Action", "Entry", "Reason", "ContractSize", "Time",
    "TimeMsc", "Symbol", "Price", "VolumeExt", "Profit", "Storage", "Commission", "Fee",
    "RateProfit", "PositionID", "Comment", "PricePosition", "VolumeClosedExt", "Volume",
    "VolumeClosed", "ModifyFlags",
)  # fmt: skip
OPENING = {
    "Deal": "10", "Timestamp": "131915343125374715", "Login": "900", "Order": "1", "Action": "0",
    "Entry": "0", "Reason": "16", "ContractSize": "100000", "Time": "2026-01-09 20:05:12",
    "TimeMsc": "2026-01-09 20:05:12.537000", "Symbol": "GBPUSD.a", "Price": "1.25", "Storage": "0",
    "VolumeExt": "150000000", "Profit": "0", "Commission": "-4.5", "Fee": "-0.1",
    "RateProfit": "0", "PositionID": "1", "Comment": "", "PricePosition": "0",
    "VolumeClosedExt": "0", "Volume": "15000", "VolumeClosed": "0", "ModifyFlags": "0",
}  # fmt: skip
CLOSING = OPENING | {
    "Deal": "11", "Action": "1", "Entry": "1", "Price": "1.2600000000000002", "Profit": "-14.07",
    "Storage": "-1.5", "RateProfit": "1.2788599999999999", "PricePosition": "1.25",
    "VolumeClosedExt": "150000000", "VolumeClosed": "15000", "Fee": "0",
    "TimeMsc": "2026-01-09 20:06:06.335000", "Time": "2026-01-09 20:06:06",
}  # fmt: skip
DEPOSIT = OPENING | {
    "Deal": "9", "Action": "2", "Symbol": "", "Price": "0", "VolumeExt": "0", "Volume": "0",
    "Profit": "30000", "PositionID": "0", "Commission": "0", "Fee": "0", "Comment": "Deposit",
}  # fmt: skip
NUMBERS = {name for name in NAMES if name not in ("Time", "TimeMsc", "Symbol", "Comment")}


def csv_text(*rows: dict[str, str], names: tuple[str, ...] = NAMES, delimiter: str = ",") -> str:
    lines = [delimiter.join(names), *(delimiter.join(r[n] for n in names) for r in rows)]
    return "\n".join(lines) + "\n"


def quoted(name: str, cell: str) -> str:
    return cell if name in NUMBERS else "'" + cell.replace("'", "''") + "'"


def insert(*rows: dict[str, str], table: str = "mt5_deals", names: tuple[str, ...] = NAMES) -> str:
    head = ", ".join(f"`{n}`" for n in names)
    body = ",\n\t".join("(" + ",".join(quoted(n, r[n]) for n in names) + ")" for r in rows)
    return f"INSERT INTO `{table}` ({head})\nVALUES\n\t{body};\n"


def read(folder: Path, text: str, name: str = "export.txt") -> list[Chunk]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    reading = files.read(path)
    assert (reading.meta.format, reading.meta.platform) == ("mt5_sql", "mt5")
    assert reading.meta.provenance == OPERATOR
    return list(reading.chunks())


def deals(chunks: list[Chunk]) -> list[dict[str, object]]:
    return [row for chunk in chunks for row in chunk.deals.drop("line").rows(named=True)]


@pytest.mark.parametrize("text", [csv_text(CLOSING), insert(CLOSING)], ids=["csv", "sql"])
def test_a_deal_is_read_exactly(tmp_path: Path, text: str) -> None:
    (chunk,) = read(tmp_path, text)
    assert chunk.deals.schema == DEAL
    assert chunk.deals.drop("line").row(0, named=True) == {
        "deal": 11, "login": 900, "order": 1, "position": 1, "action": 1, "entry": 1, "reason": 16,
        "time_ms": 1767989166335, "symbol": "GBPUSD.a", "volume_e8": 150_000_000,
        "closed_e8": 150_000_000, "price_e8": 126_000_000, "position_price_e8": 125_000_000,
        "gateway_price_e8": 0, "profit_e8": -1_407_000_000, "swap_e8": -150_000_000,
        "commission_e8": -450_000_000, "fee_e8": 0, "rate_profit_e8": 127_886_000,
        "contract_e8": 10_000_000_000_000, "bid_e8": 0, "ask_e8": 0,
    }  # fmt: skip


def test_rows_of_every_action_are_kept_and_counted(tmp_path: Path) -> None:
    canceled = CLOSING | {"Deal": "12", "Action": "14", "Profit": "0"}
    strange = DEPOSIT | {"Deal": "13", "Action": "77", "Reason": "99"}
    path = tmp_path / "export.sql"
    path.write_text(insert(DEPOSIT, OPENING, CLOSING, canceled, strange))
    found = summary(path)
    assert (found["closed_trades"], found["balance_rows"], found["cancelled"]) == (1, 2, 1)
    assert (found["lots"], found["commission"], found["swap"]) == ("1.50", "-4.50", "-1.50")
    assert found["closed_pl_summed"] == "-20.07"
    assert (found["account"], found["currency"], found["closed_pl_printed"]) == (900, None, None)
    (chunk,) = files.read(path).chunks()
    assert chunk.deals["action"].to_list() == [2, 0, 1, 14, 77]
    assert chunk.deals["line"].to_list() == [3, 4, 5, 6, 7]


def test_columns_come_in_any_order_and_the_coarse_volume_serves_old_servers(tmp_path: Path) -> None:
    names = tuple(reversed([n for n in NAMES if n not in ("VolumeExt", "VolumeClosedExt", "Fee",
                                                          "TimeMsc")]))  # fmt: skip
    text = csv_text(CLOSING, names=names, delimiter=";")
    renamed = text.replace("ModifyFlags", "ModificationFlags")
    (row,) = deals(read(tmp_path, renamed))
    assert (row["volume_e8"], row["closed_e8"], row["fee_e8"]) == (150_000_000, 150_000_000, 0)
    assert row["time_ms"] == 1767989166000


def test_the_fine_volume_counts_where_both_are_told(tmp_path: Path) -> None:
    fine = CLOSING | {"VolumeExt": "123456", "Volume": "12", "VolumeClosedExt": "123456"}
    (row,) = deals(read(tmp_path, csv_text(fine)))
    assert row["volume_e8"] == 123_456


SCHEMA = """-- MySQL dump 'x'; INSERT INTO `mt5_deals` VALUES (1);
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `mt5_deals_2026`;
CREATE TABLE `mt5_deals_2026` (
  {columns},
  PRIMARY KEY (`Deal`), KEY `by_login` (`Login`)
) ENGINE=InnoDB COMMENT='rows; of (deals)';
INSERT INTO `mt5_users` VALUES (1,'O\\'Neil; (x)','a''b'),(2,'INSERT INTO `mt5_deals`','');
"""


def test_a_dump_names_its_columns_in_create_table(tmp_path: Path) -> None:
    columns = ",\n  ".join(f"`{n}` bigint(20) NOT NULL DEFAULT '0'" for n in NAMES)
    rows = [tuple(r.values()) for r in ({n: r[n] for n in NAMES} for r in (OPENING, CLOSING))]
    body = ",".join(
        "(" + ", ".join(quoted(n, c) for n, c in zip(NAMES, r, strict=True)) + ")" for r in rows
    )
    text = SCHEMA.replace("{columns}", columns)
    text += f"LOCK TABLES `mt5_deals_2026` WRITE;\nINSERT INTO `mt5_deals_2026` VALUES {body};\n"
    found = deals(read(tmp_path, text + "UNLOCK TABLES;\n"))
    assert [row["deal"] for row in found] == [10, 11]


def test_base_and_year_table_repeat_the_same_deals(tmp_path: Path) -> None:
    text = insert(OPENING, CLOSING) + insert(DEPOSIT, CLOSING, table="mt5_deals_2026")
    chunks = read(tmp_path, text)
    assert [row["deal"] for row in deals(chunks)] == [10, 11, 9]
    assert sum(chunk.repeated for chunk in chunks) == 1


def test_strings_may_hold_anything(tmp_path: Path) -> None:
    rows = [
        CLOSING | {"Comment": "it's (a), 'b'); DROP TABLE x; --"},
        CLOSING | {"Deal": "12", "Comment": 'line\nbreak, and "quotes"'},
    ]
    text = insert(*rows)
    text += insert(CLOSING | {"Deal": "13", "Comment": "@"}).replace("'@'", r"'back\\slash \' ('")
    text += insert(CLOSING | {"Deal": "14", "Comment": "@"}).replace("'@'", "NULL")
    text += insert(CLOSING | {"Deal": "15", "Symbol": "@"}).replace("'@'", "_binary 'XAUUSD'")
    found = deals(read(tmp_path, text))
    assert [row["deal"] for row in found] == [11, 12, 13, 14, 15]
    assert found[4]["symbol"] == "XAUUSD"


def test_broken_rows_are_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    text = insert(OPENING, CLOSING, DEPOSIT)
    lines = text.split("\n")
    lines[3] = lines[3].replace("'GBPUSD.a'", "'GBPUSD.a")  # a string that is never closed
    chunks = read(tmp_path, "\n".join(lines))
    assert [row["deal"] for row in deals(chunks)] == [10, 9]
    assert [(r.line, r.code) for c in chunks for r in c.refused] == [(4, "broken_row")]


def test_a_dump_that_is_cut_off_says_where(tmp_path: Path) -> None:
    text = insert(OPENING, CLOSING)
    chunks = read(tmp_path, text[:-40])
    assert [row["deal"] for row in deals(chunks)] == [10]
    (refused,) = (r for c in chunks for r in c.refused)
    assert (refused.line, refused.code) == (4, "broken_row")
    assert "cut off" in refused.reason


def test_function_calls_are_not_run(tmp_path: Path) -> None:
    text = insert(OPENING, CLOSING).replace("131915343125374715", "sleep(9)", 1)
    chunks = read(tmp_path, text)
    assert [row["deal"] for row in deals(chunks)] == [11]
    assert [r.line for c in chunks for r in c.refused] == [3]


@pytest.mark.parametrize("form", [csv_text, insert], ids=["csv", "sql"])
@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"VolumeExt": "0", "Volume": "0"}, "volume_not_positive"),
        ({"VolumeExt": "-5"}, "volume_not_positive"),
        ({"Price": "0"}, "price_not_positive"),
        ({"Symbol": ""}, "empty_field"),
        ({"Login": "0"}, "bad_number"),
        ({"Deal": "-3"}, "bad_number"),
        ({"Profit": "1.2.3"}, "not_a_number"),
        ({"Entry": "9"}, "unknown_entry"),
        ({"Time": "never", "TimeMsc": ""}, "bad_time"),
        ({"Action": "one"}, "bad_number"),
    ],
)
def test_a_bad_cell_refuses_its_row(
    tmp_path: Path, form: object, cells: dict[str, str], code: str
) -> None:
    assert callable(form)
    chunks = read(tmp_path, form(OPENING, CLOSING | {"Deal": "12"} | cells, CLOSING))
    assert [row["deal"] for row in deals(chunks)] == [10, 11]
    (refused,) = (r for c in chunks for r in c.refused)
    assert refused.code == code
    assert refused.line == (3 if form is csv_text else 4)
    assert refused.raw
    assert refused.reason.startswith("deal ")


def test_an_sql_file_without_deals_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text("INSERT INTO mt5_users (Login, Name) VALUES (1,'x');\n")
    found = summary(path)
    assert found["closed_trades"] is None
    assert "mt5_users lacks" in found["error"]


def test_a_header_that_lacks_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    names = tuple(name for name in NAMES if name != "PositionID")
    path = tmp_path / "deals.csv"
    path.write_text(csv_text(CLOSING, names=names))
    assert "lacks PositionID" in summary(path)["error"]


def test_statements_are_read_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [CLOSING | {"Deal": str(100 + n), "Comment": "o'k\n;(" * (n % 3)} for n in range(60)]
    text = "-- a comment; with 'quotes\n" + insert(*rows[:30]) + insert(*rows[30:], table="d_2026")
    whole = deals(read(tmp_path, text))
    assert [row["deal"] for row in whole] == list(range(100, 160))
    lines = [n for c in read(tmp_path, text) for n in c.deals["line"].to_list()]
    for size in (37, 400, 5000):
        monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", size)
        monkeypatch.setattr(parse, "BLOCK_BYTES", size)
        chunks = read(tmp_path, text)
        assert deals(chunks) == whole
        assert [n for c in chunks for n in c.deals["line"].to_list()] == lines


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("a'\\\"(),; NUL0", max_size=8), min_size=1, max_size=6))
def test_what_mysql_escapes_comes_back(cells: list[str]) -> None:
    written = [c.replace("\\", "\\\\").replace("'", "\\'").encode() for c in cells]
    row = b", ".join(b"'" + c + b"'" for c in written)
    assert values(row) == [c.encode() for c in cells]
