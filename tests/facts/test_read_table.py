"""Load files: columns, types, refusals with line and field, encodings, JSON."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.facts.cells import typed
from pipshare.facts.fields import FIELDS
from pipshare.facts.reading import UTC_DAY, read_fields, read_table, schema
from pipshare.money import parse_e8, parse_rate
from pipshare.period import Clock

HEAD = "ticket,login,symbol,side,lots,close_time,close_price,commission\n"
ROW = "1,7,EURUSD,buy,{lots},2026.07.01 10:00:00,1.1,-7\n"
NEW_YORK = Clock.parse("America/New_York+7h")


def accounts(text: str, **options):
    return read_table(text.encode(), "accounts", **options)


@pytest.mark.parametrize("kind", FIELDS)
def test_header_only_gives_an_empty_frame_of_the_schema(kind):
    header = ",".join(field.name for field in FIELDS[kind])
    frame, refused = read_table(header.encode(), kind)
    assert frame.schema == pl.Schema(schema(kind))
    assert (len(frame), refused) == (0, [])


def test_types_defaults_and_lines():
    frame, refused = read_table((HEAD + ROW.format(lots="0.10")).encode(), "trades")
    assert refused == []
    row = frame.row(0, named=True)
    assert row["lots"] == 10_000_000
    assert row["commission"] == -700_000_000
    assert row["close_time"] == 1782900000000
    assert (row["open_time"], row["kind"], row["reason"], row["line"]) == (None, "whole", -1, 2)


@pytest.mark.parametrize(
    "lots", ['"1,000.50"', "1 000", '"1.000,5"', "abc", "0x10", "1.5 lots", "٣"]
)
def test_not_a_plain_number(lots):
    text = HEAD + ROW.format(lots=lots) + ROW.format(lots="2")
    frame, (refused,) = read_table(text.encode(), "trades")
    assert frame["line"].to_list() == [3]
    assert (refused.line, refused.code) == (2, "not_a_number")
    if "1,000" in lots:
        assert refused.reason == (
            "line 2, field lots: '1,000.50' is not a plain decimal number such as 1000.50"
        )


def test_thousands_separator_without_quotes_is_a_cell_too_many():
    text = HEAD + ROW.format(lots="1,000.50") + ROW.format(lots="2")
    frame, (refused,) = read_table(text.encode(), "trades")
    assert frame["line"].to_list() == [3]
    assert refused.reason.startswith(
        "line 2: 9 cells where the header has 8; write amounts without"
    )


def test_every_wrong_field_of_a_row_is_told_and_its_neighbours_kept():
    text = "server,login,client,currency,valid_from\nA,x,c,US$,2026-07-01 10:00\nA,1,c,,\nA,,c,,\n"
    frame, refused = accounts(text)
    assert frame["line"].to_list() == [3]
    assert [r.line for r in refused] == [2, 4]
    for field in ("field login: 'x'", "field currency: 'US$'", "field valid_from: '2026-07-01 10"):
        assert field in refused[0].reason
    assert refused[1].reason == "line 4, field login: is empty but has to be given"


@pytest.mark.parametrize(
    ("header", "code", "told"),
    [
        ("server,logn,client", "unknown_column", "'logn' (did you mean login?)"),
        ("server,login", "missing_column", "client is missing; columns of accounts: server (req"),
        ("server,login,login,client", "repeated_column", "column login comes twice"),
        ("server,login,client,", "unknown_column", "number 4 without a name"),
        ("a|b|c", "unknown_column", "a|b|c"),
    ],
)
def test_wrong_columns_refuse_the_file(header, code, told):
    with pytest.raises(BadInput) as error:
        accounts(header + "\nA,1,c\n")
    assert error.value.code == code
    assert told in error.value.message


@pytest.mark.parametrize("data", [b"", b"  \n\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty_file(data):
    with pytest.raises(BadInput, match="is empty"):
        read_table(data, "accounts")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends(encoding, delimiter, end):
    text = end.join(["Server,LOGIN, client", "A,1,Пётр", "", "A,2,c", ",,"]).replace(",", delimiter)
    frame, refused = read_table(text.encode(encoding), "accounts")
    assert refused == []
    assert frame["client"].to_list() == ["Пётр", "c"]
    assert frame["line"].to_list() == [2, 4]


def test_lines_before_the_header_may_be_empty():
    for cell in ("c", '"c"'):
        frame, refused = accounts(f"\n;;\nserver;login;client\n\nA;1;{cell}\n")
        assert refused == []
        assert frame.select("client", "line").rows() == [("c", 5)]


@pytest.mark.parametrize(
    "data",
    ["event,kind\n".encode("utf-32"), "event,kind\n".encode("utf-32-le"),
     b"ev\x01\x02\x10ent,kind\n", b"ev\x00ent,kind\n1,2\n", "\ue000vent,kind\n".encode()],
    ids=["utf-32", "utf-32 without a mark", "no text", "a zero byte", "a private character"],
)  # fmt: skip
def test_an_encoding_that_is_not_understood_is_said(data: bytes) -> None:
    with pytest.raises(BadInput, match="encoding was not understood") as said:
        read_table(data, "events")
    assert said.value.code == "wrong_encoding"
    assert "save the file as CSV in UTF-8" in said.value.message


def test_utf_16_without_a_mark_may_begin_with_any_letter() -> None:
    text = "счёт,login\n1,2\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        with pytest.raises(BadInput, match="unknown column 'счёт'"):
            read_table(text.encode(encoding), "accounts")


def test_wrong_encoding_says_where():
    with pytest.raises(BadInput, match="line 2: byte 0xf2 is not UTF-8"):
        read_table("server,login,client\nA,1,т\n".encode("cp1251"), "accounts")
    with pytest.raises(BadInput, match="save it as CSV"):
        read_table(b"PK\x03\x04rest", "accounts")


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_ten_megabytes_is_refused_and_the_rest_read(quote):
    text = f"server,login,client\nA,1,{quote}{'x' * 10_000_000}{quote}\nA,2,c\n"
    frame, (refused,) = accounts(text)
    assert frame["line"].to_list() == [3]
    assert refused.line == 2
    assert "a cell of " in refused.reason
    assert len(refused.reason) < 300
    assert len(refused.raw) <= 200


def test_quotes_may_hold_delimiters_and_lines():
    text = 'server,login,client\nA,1,"a,\nb"\n"A",2,"say ""hi"""\nA,3,c\n'
    frame, refused = accounts(text)
    assert refused == []
    assert frame.select("client", "line").rows() == [("a,\nb", 2), ('say "hi"', 4), ("c", 5)]


def test_a_quote_that_never_closes_names_the_lines_it_swallowed():
    frame, (refused,) = accounts('server,login,client\nA,1,c\nA,2,"c\nA,3,c\n')
    assert frame["line"].to_list() == [2]
    assert refused.reason.startswith("lines 3 to 4: a quote that is opened here is never closed")


def test_zero_byte_and_long_text():
    frame, refused = accounts(f"server,login,client\nA,1,a\0b\nA,2,{'y' * 2000}\nA,3,c\n")
    assert frame["line"].to_list() == [4]
    assert [r.code for r in refused] == ["bad_text", "cell_too_large"]


def test_json_keeps_digits_and_counts_items():
    text = (
        '[{"base":"EUR","quote":"usd","time":"2026-07-01T00:00:00Z","rate":1.1000000000000000001},'
        '{"base":"EUR","quote":"USD","time":null,"rate":1}, 5]'
    )
    frame, refused = read_table(text.encode(), "fx")
    assert frame.select("rate", "quote", "line").rows() == [("1.1000000000000000001", "USD", 1)]
    assert [r.reason for r in refused] == [
        "item 2, field time: is empty but has to be given",
        "item 3: not a flat object of field names and values",
    ]
    for bad in ('{"base": 1}', "[1,", '["a"'):
        with pytest.raises(BadInput, match="JSON"):
            read_table(bad.encode(), "fx")


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2026-07-01T00:00:00Z", "2026-07-01T00:00:00"),
        ("2026-07-01 02:30+02:00", "2026-07-01T00:30:00"),
        ("2026-07-01T00:00:00.250-0500", "2026-07-01T05:00:00.250"),
        ("2026-07-01", "2026-06-30T21:00:00"),  # New York + 7h is UTC + 3h in summer
        ("2026-01-01", "2025-12-31T22:00:00"),
    ],
)
def test_moments(cell, utc):
    frame, refused = accounts(f"server,login,client,valid_from\nA,1,c,{cell}\n", clock=NEW_YORK)
    assert refused == []
    wanted = pl.Series([utc]).str.to_datetime(time_unit="ms").dt.epoch("ms")[0]
    assert frame["valid_from"][0] == wanted


@pytest.mark.parametrize("cell", ["2026-07-01T10:00:00", "2026-02-30", "1969-12-31", "2200-01-01",
                                  "01.07.2026", "2026-07-01T25:00Z", "tomorrow"])  # fmt: skip
def test_what_is_no_moment(cell):
    frame, (refused,) = accounts(f"server,login,client,valid_from\nA,1,c,{cell}\n")
    assert refused.code == "bad_moment"
    assert frame.is_empty()


def test_each_row_has_the_day_of_its_own_entity():
    text = "client,entity,valid_from\na,main,2026-07-01\nb,two,2026-07-01\nc,,2026-07-01\n"
    frame, _ = read_table(text.encode(), "clients", clock={"two": NEW_YORK, "": UTC_DAY})
    moments = frame["valid_from"].to_list()
    assert moments[0] - moments[1] == 3 * 3_600_000
    assert moments[2] == moments[0]


def test_read_fields_takes_any_subset_of_columns():
    strings = pl.DataFrame({"base": ["EUR"], "quote": ["USD"], "rate": ["1/3"],
                            "time": ["2026-07-01"], "line": [9]})  # fmt: skip
    frame, refused = read_fields(strings, "fx")
    assert refused == []
    assert frame.row(0, named=True)["source"] == "file"
    with pytest.raises(BadInput, match="column time is missing"):
        read_fields(strings.drop("time"), "fx")


NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e13"),
                max_value=Decimal("1e13")).map(str),
    st.from_regex(r"[+-]?[0-9]{0,12}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,3}\.[0-9]{7}[05]50*1?", fullmatch=True),
    st.text("0123456789.,+-eE /", max_size=12),
    st.sampled_from(["92233720368.54775807", "92233720368.54775808", "-92233720368.54775808",
                     "92233720368.547758075", "-0", ".", "+", "5.", ".5", "00012"]),
)  # fmt: skip


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_amount_columns_equal_the_scalar_reader(cells):
    def scalar(cell: str) -> int | None:
        try:
            return parse_e8(cell)
        except BadInput:
            return None

    stripped = [cell.strip() for cell in cells]
    column = typed(pl.Series(stripped, dtype=pl.String), "e8", UTC_DAY)
    assert column.to_list() == [scalar(cell) for cell in stripped]


@given(st.lists(st.text("0123456789./+-", max_size=9), min_size=1, max_size=20))
def test_rate_columns_equal_the_scalar_reader(cells):
    def scalar(cell: str) -> str | None:
        try:
            return cell if parse_rate(cell) is not None else None
        except BadInput:
            return None

    column = typed(pl.Series(cells, dtype=pl.String), "rate", UTC_DAY)
    assert column.to_list() == [scalar(cell) for cell in cells]
