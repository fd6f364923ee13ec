"""Generic CSV and XML by a mapping file, and CSV that uses pipshare's own field names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipshare.errors import BadInput
from pipshare.facts import DEAL, QUOTED, TRADE
from pipshare.sources import files
from pipshare.sources.files.check import summary
from pipshare.sources.mapped.mapping import KEYS
from pipshare.sources.reading import OPERATOR, Chunk

PAGE = Path(__file__).parents[2] / "docs/reference/mappings.md"
BASIC = """
format = "trades"
platform = "mt5"
delimiter = ";"
decimal = ","
time = "%d/%m/%Y %H:%M:%S"
[columns]
ticket = "Order No"
login = "Account"
position = "Pos"
symbol = "Instrument"
side = "Dir"
lots = "Volume"
open_time = "Opened"
close_time = "Closed"
open_price = 8
close_price = "Exit"
profit = "P/L"
[constants]
reason = "2"
[values.side]
"0" = "buy"
"1" = "sell"
[units]
lots = "1/100"
"""
HEADER = "Order No;Account;Pos;Instrument;Dir;Volume;Opened;Entry;Closed;Exit;P/L;Note"
LINE = "77;900;5;EURUSD;1;150;02/03/2026 10:00:00;1,1000;02/03/2026 11:30:00;1,0950;75,5;x"
XML_MAPPING = """
format = "trades"
row = "Trades/Trade"
[columns]
ticket = "@id"
login = "Client/Login"
symbol = "Symbol"
side = "Side"
lots = "Volume"
open_time = "Open/@time"
close_time = "Close/@time"
open_price = "Open/Price"
close_price = "Close/Price"
profit = "Profit"
[values.side]
B = "buy"
S = "sell"
[units]
lots = "1/10000"
"""
TRADE_XML = """<Trade id="{id}"><Client><Login>900</Login></Client><Symbol>EURUSD</Symbol>
<Side>S</Side><Volume>{volume}</Volume><Open time="2026.03.02 10:00:00"><Price>1.1</Price></Open>
<Close time="2026.03.02 11:30:00"><Price>1.095</Price></Close><Profit>75.5</Profit></Trade>
"""


def chunk(folder: Path, text: str, mapping: str | None, encoding: str = "utf-8") -> Chunk:
    data, told = folder / "data", folder / "acme.toml"
    data.write_text(text, encoding=encoding)
    if mapping is not None:
        told.write_text(mapping)
    reading = files.read(data, mapping=told if mapping else None)
    assert (reading.meta.format, reading.meta.provenance) == ("mapped", OPERATOR)
    (only,) = reading.chunks()
    return only


EXPECTED = {
    "ticket": 77, "login": 900, "position": 5, "symbol": "EURUSD", "side": -1, "kind": 0,
    "reason": 2, "lots_e8": 150_000_000, "open_ms": 1772445600000, "close_ms": 1772451000000,
    "open_price_e8": 110_000_000, "close_price_e8": 109_500_000, "commission_e8": 0, "fee_e8": 0,
    "swap_e8": 0, "profit_e8": 7_550_000_000, "rate_profit_e8": 0, "contract_e8": 0, "opening": 1,
}  # fmt: skip


def test_a_mapping_gives_columns_words_units_times_and_constants(tmp_path: Path) -> None:
    only = chunk(tmp_path, f"{HEADER}\n{LINE}\n", BASIC)
    assert only.trades.schema == {**TRADE, **QUOTED}
    assert only.trades.drop("line", *QUOTED).row(0, named=True) == EXPECTED
    assert only.refused == []


def test_the_header_may_stand_lower_and_be_in_another_charset(tmp_path: Path) -> None:
    mapping = 'encoding = "cp1251"\nskip_lines = 2\n' + BASIC.replace("Instrument", "Инструмент")
    text = "Отчёт\n\n" + HEADER.replace("Instrument", "Инструмент") + f"\n{LINE}\n"
    only = chunk(tmp_path, text, mapping, "cp1251")
    assert only.trades["line"].to_list() == [4]


def test_a_file_without_header_is_read_by_numbers(tmp_path: Path) -> None:
    numbers = {"Order No": 1, "Account": 2, "Pos": 3, "Instrument": 4, "Dir": 5, "Volume": 6,
               "Opened": 7, "Closed": 9, "Exit": 10, "P/L": 11}  # fmt: skip
    mapping = "header = false\n" + BASIC
    for name, number in numbers.items():
        mapping = mapping.replace(f'"{name}"', str(number))
    assert (
        chunk(tmp_path, LINE + "\n", mapping).trades.drop("line", *QUOTED).row(0, named=True)
        == EXPECTED
    )


def test_an_unknown_opening_stays_unknown(tmp_path: Path) -> None:
    mapping = BASIC.replace('open_time = "Opened"\n', "").replace("open_price = 8\n", "")
    trade = chunk(tmp_path, f"{HEADER}\n{LINE}\n", mapping).trades.row(0, named=True)
    assert (trade["opening"], trade["open_ms"], trade["open_price_e8"]) == (0, 0, 0)


@pytest.mark.parametrize(("form", "cell"), [("unix", "1772451000"), ("unix_ms", "1772451000000")])
def test_times_may_be_counted_since_1970(tmp_path: Path, form: str, cell: str) -> None:
    mapping = BASIC.replace("%d/%m/%Y %H:%M:%S", form).replace('open_time = "Opened"\n', "")
    line = LINE.replace("02/03/2026 11:30:00", cell)
    only = chunk(tmp_path, f"{HEADER}\n{line}\n", mapping)
    assert only.trades["close_ms"].to_list() == [1772451000000]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("150", "0"), "volume_not_positive", "lots"),
        (("150", "15x"), "not_a_number", "lots"),
        (("1,0950", "0"), "price_not_positive", "close_price"),
        (("1,1000", "0,0"), "price_not_positive", "open_price"),
        (("75,5", "1.000,50"), "not_a_number", "profit"),
        ((";1;", ";7;"), "not_a_choice", "side"),
        (("02/03/2026 11", "02/03/2026 09"), "close_before_open", "close_time"),
        (("02/03/2026 11", "2026.13.02 11"), "bad_time", "close_time"),
        (("900", "0"), "bad_number", "login"),
        ((";x", ""), "column_count", "11 columns"),
    ],
)
def test_bad_rows_are_refused_with_line_and_field(
    tmp_path: Path, change: tuple[str, str], code: str, words: str
) -> None:
    bad = LINE.replace(*change, 1)
    good = LINE.replace("77", "78", 1)
    only = chunk(tmp_path, "\n".join((HEADER, LINE, bad, good)), BASIC)
    assert only.trades["ticket"].to_list() == [77, 78]
    (one,) = only.refused
    assert (one.line, one.code, one.raw) == (3, code, bad)
    assert words in one.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('format = "trades"', 'format = "orders"'), ["format", "trades, deals"]),
        (('delimiter = ";"', "delimitr = 1"), ["delimitr", "did you mean delimiter"]),
        (('lots = "Volume"', 'lot = "Volume"'), ["columns.lot", "did you mean lots"]),
        (('lots = "Volume"\n', ""), ["columns", "lots must be given"]),
        (('lots = "Volume"', 'lots = "Size"'), ["columns.lots", "no such column", "Order No"]),
        (("open_price = 8", "open_price = 80"), ["columns.open_price", "12 columns"]),
        (('lots = "1/100"', 'lots = "1/3"'), ["units.lots", "1/10000"]),
        (('lots = "1/100"', 'side = "1/100"'), ["units.side"]),
        (('"1" = "sell"', '"1" = "short"'), ["values.side", "buy, sell"]),
        (("%d/%m/%Y %H:%M:%S", "dd/mm/yyyy"), ["time", "unix_ms"]),
        (('platform = "mt5"', 'platform = "mt6"'), ["platform", "mt4, mt5"]),
        (('reason = "2"', "reason = 2"), ["constants.reason", "text"]),
        (("[columns]", "[columns"), ["TOML"]),
        (('decimal = ","', 'decimal = "x"'), ["decimal"]),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_key(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    assert change[0] in BASIC
    with pytest.raises(BadInput) as told:
        chunk(tmp_path, f"{HEADER}\n{LINE}\n", BASIC.replace(*change))
    for word in ["acme.toml", *words]:
        assert word in told.value.message


def test_xml_is_read_by_elements_and_attributes(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0"?><r:Report xmlns:r="urn:x"><Trades>'
        + TRADE_XML.format(id=77, volume=15000) + TRADE_XML.format(id=78, volume=0)
        + "</Trades><Other>" + TRADE_XML.format(id=79, volume=1) + "</Other></r:Report>"
    )  # fmt: skip
    only = chunk(tmp_path, text, XML_MAPPING)
    assert only.trades["ticket"].to_list() == [77]
    found = only.trades.drop("line", *QUOTED).row(0, named=True)
    assert found == EXPECTED | {"position": 0, "reason": -1}
    (one,) = only.refused
    assert (one.line, one.code) == (4, "volume_not_positive")
    assert "ticket 78" in one.raw


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<Report><Trades><Trade>", "no well-formed XML"),
        ("<Report><Trades></Trades></Report>", "no element 'Trades/Trade'"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (f"<Report><Trades><Trade><Symbol>{'x' * 11_000_000}</Symbol></Trade></Trades></Report>",
         "no well-formed XML"),
    ],
    ids=["cut off", "no rows", "document type", "ten megabytes"],
)  # fmt: skip
def test_bad_xml_is_refused_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    data, told = tmp_path / "data.xml", tmp_path / "acme.toml"
    data.write_text(text)
    told.write_text(XML_MAPPING)
    assert words in summary(data, mapping=told)["error"]


OWN = "ticket,login,symbol,side,lots,close_time,close_price,profit"


def test_own_field_names_need_no_mapping(tmp_path: Path) -> None:
    text = f"{OWN}\n77,900,EURUSD,sell,1.5,2026-03-02 11:30:00,1.095,75.5\n"
    only = chunk(tmp_path, text, None)
    assert only.trades["lots_e8"].to_list() == [150_000_000]
    deals = (
        "deal;login;position;action;entry;time;symbol;volume;price\n"
        "5;900;1;0;0;2026.03.02 10:00:00;EURUSD;0.1;1.1\n6;900;0;2;0;2026.03.02 10:00;;;\n"
    )
    only = chunk(tmp_path, deals, None)
    assert only.deals.schema == DEAL
    assert only.deals.select("deal", "volume_e8").rows() == [(5, 10_000_000), (6, 0)]
    found = summary(tmp_path / "data")
    assert (found["closed_trades"], found["balance_rows"], found["account"]) == (0, 1, 900)


def test_wrong_own_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text(OWN.replace("lots", "lot") + "\n")
    assert "did you mean lots" in summary(path)["error"]


def test_repeats_are_told_once_across_formats_of_ones_own(tmp_path: Path) -> None:
    only = chunk(tmp_path, "\n".join((HEADER, LINE, LINE, LINE.replace("77", "80", 1))), BASIC)
    assert (only.trades["ticket"].to_list(), only.repeated) == ([77, 80], 1)


def test_the_examples_of_the_page_work(tmp_path: Path) -> None:
    blocks = re.findall(r"```(toml|csv|xml)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    pairs = list(zip(blocks[::2], blocks[1::2], strict=True))
    lots = []
    for (kind, mapping), (_, data) in pairs:
        assert kind == "toml"
        only = chunk(tmp_path, data, mapping)
        assert only.refused == []
        frame = only.trades.rename({"lots_e8": "volume_e8"}) if len(only.trades) else only.deals
        lots.append([one / 10**8 for one in frame["volume_e8"]])
    assert lots == [[1.5, 0.1], [0.75], [0.5, 0.5]]


def test_the_page_names_every_key() -> None:
    table = PAGE.read_text().partition("| key | meaning |")[2].partition("\n\n")[0]
    told = {name.partition(".")[0] for name in re.findall(r"^\| `\[?([\w.]+)\]?`", table, re.M)}
    assert told == set(KEYS)
