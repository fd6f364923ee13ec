"""Deals out of answers: each spelling of JSON, each bad value by itself, known ones skipped."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scripted_tls import deal

from pipshare.facts import DEAL
from pipshare.sources.mt5_web import answer, parse, records
from pipshare.sources.mt5_web.errors import Garbled
from pipshare.sources.mt5_web.values import REMARKS, DealsAnswer


def _body(*deals: Any, **layout: Any) -> bytes:
    layout = layout or {"separators": (",", ":")}
    return json.dumps({"retcode": "0 Done", "answer": list(deals)}, **layout).encode()


def _deals(body: bytes, known: Any = None) -> DealsAnswer:
    told = parse.deals(answer.read(body, "here"), 0, 0, known)
    assert list(told.deals.schema.items()) == list(DEAL.items()) or not len(told.deals)
    assert dict(told.remarks.schema).keys() == REMARKS.keys()
    assert len(told.deals) == len(told.raw) == len(told.hashes) == len(told.remarks)
    return told


def _one(**fields: Any) -> DealsAnswer:
    """Return what became of a deal with these fields between two good neighbours."""
    told = _deals(_body(deal(1), deal(**({"ticket": 2} | fields)), deal(3)))
    assert {1, 3} <= set(told.deals["deal"].to_list())
    return told


LAYOUTS: list[dict[str, Any]] = [
    {"separators": (",", ":")}, {}, {"indent": 1}, {"indent": "\t", "separators": (" , ", " : ")},
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_layout_of_json(layout: dict[str, Any], count: int) -> None:
    apis = [{"AppID": "1", "ID": "2", "ValueInt": "3"}, {"AppID": "2", "ID": "1"}]
    given = [deal(n, ApiData=apis, Comment='},{"Deal":"9"') for n in range(1, count + 1)]
    told = _deals(_body(*given, **(layout or {"indent": None})))
    assert told.deals["deal"].to_list() == told.seen.tolist() == list(range(1, count + 1))
    assert [json.loads(raw) for raw in told.raw] == given
    assert told.remarks["comment"].to_list() == ['},{"Deal":"9"'] * count


@pytest.mark.parametrize(
    "body",
    [
        b'{"retcode":"0 Done"}', b'{"retcode":"0 Done","answer":null}',
        b'{"retcode":"0 Done","answer":{}}', b'{"retcode":"1 OK, no data","answer":[]}',
        b'\xef\xbb\xbf{ "retcode" : "0 Done", "answer" : [ ] }\r\n',
        b'{"answer":[],"retcode":"0 Done"}', b'{"retcode":0,"answer":[]}',
    ],
)  # fmt: skip
def test_no_deals(body: bytes) -> None:
    assert _deals(body).count == 0


def test_fields_in_another_order_and_fields_that_follow() -> None:
    turned = [dict(reversed(deal(n).items())) for n in range(1, 4)]
    told = _deals(_body(*turned))
    assert told.deals["deal"].to_list() == told.seen.tolist() == [1, 2, 3]
    body = _body(deal(1), deal(2))[:-1] + b',"trans_id":"5","more":[{"Deal":"7"}]}'
    assert _deals(body).seen.tolist() == [1, 2]
    assert _deals(b'{"more":{"answer":[1]},' + body[1:]).seen.tolist() == [1, 2]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"hello", b'{"retcode":"0 Done","answer":"none"}',
        b'{"retcode":"0 Done","answer":[{"Deal":"1"},{"Deal":"2"]}',
        b'{"retcode":"0 Done","answer":[{"Deal":"1"}},{"Deal":"2"}]}',
        b'{"retcode":"0 Done","answer":[{"Deal":"1"} {"Deal":"2"}]}',
        b'{"retcode":"0 Done","answer":[{"Deal":"1","Comment":"\x01"}]}',
        b'{"retcode":"0 Done","answer":' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(Garbled):
        _deals(body)


def test_what_is_no_object_is_refused_by_itself() -> None:
    told = _deals(_body(deal(1), 5, None, "x", [], deal(3)))
    assert told.deals["deal"].to_list() == [1, 3]
    assert [fault.code for fault in told.refused] == ["bad_number"] * 4


def test_text_that_is_no_utf8_costs_its_own_deal_at_most() -> None:
    body = _body(deal(1), deal(2, Comment="caf@"), deal(3, Symbol="EUR@"), deal(4))
    told = _deals(body.replace(b"@", b"\xe9"))
    assert told.deals["deal"].to_list() == [1, 2, 4]
    assert told.remarks["comment"][1] == "caf\ufffd"
    assert b"\xe9" in told.raw[1]
    assert "Symbol" in told.refused[0].reason


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("Price", "abc", "Price: 'abc' is not a plain decimal"),
        ("Profit", "1,000.00", "Profit"), ("Profit", "nan", "Profit"), ("Commission", "1e400", ""),
        ("Profit", "99999999999999", "Profit"), ("Storage", "0x10", "Storage"),
        ("Price", "0.00000", "Price '0.00000' is no price"), ("Price", "", "is no price"),
        ("Login", "0", "Login '0' is not a whole number above zero"), ("Login", "", "Login"),
        ("Login", "12.5", "Login"), ("Order", "-5", "Order '-5' is no whole number"),
        ("PositionID", "x", "PositionID"), ("Action", "99999", "Action '99999'"),
        ("Action", "-1", "Action"), ("Reason", "buy", "Reason"), ("Entry", "7", "Entry '7' of a b"),
        ("Entry", "255", "Entry '255'"), ("Symbol", "", "Symbol is empty"),
        ("Symbol", "E" * 65, "too long for a symbol"), ("TimeMsc", "yesterday", "TimeMsc"),
        ("TimeMsc", "9999999999999", "no time from 1970 to 2109"),
        ("VolumeExt", "-1", "VolumeExt"), ("VolumeClosedExt", "1.5", "VolumeClosedExt"),
        ("ModificationFlags", "x", "ModificationFlags"), ("Fee", "free", "Fee"),
        ("MarketBid", {"a": 1}, "MarketBid"), ("Price", [1], "Price"), ("Price", True, "Price"),
    ],
)  # fmt: skip
def test_a_bad_value_refuses_its_own_deal_by_ticket_and_field(
    field: str, text: Any, words: str
) -> None:
    told = _one(**{field: text})
    assert told.deals["deal"].to_list() == [1, 3]
    (fault,) = told.refused
    assert fault.reason.startswith("deal 2: ")
    assert words in fault.reason
    assert field.split("Ext")[0] in fault.reason
    assert json.loads(fault.raw)[field] == text
    assert told.seen.tolist() == [1, 2, 3]


def test_volumes_of_nought_and_both_absent() -> None:
    for fields in ({"VolumeExt": "0", "Volume": "0"}, {"VolumeExt": "", "Volume": ""}):
        (fault,) = _one(**fields).refused
        assert fault.code == "volume_not_positive"


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"VolumeExt": "123456789"}, "volume_e8", 123456789),
        ({"VolumeExt": "0"}, "volume_e8", 10_000_000),
        ({"VolumeExt": ""}, "volume_e8", 10_000_000),
        ({"VolumeClosedExt": "0", "VolumeClosed": "3"}, "closed_e8", 30_000),
        ({"TimeMsc": "0"}, "time_ms", 1572522388000),
        ({"TimeMsc": ""}, "time_ms", 1572522388000),
        ({"Action": "99"}, "action", 99), ({"Reason": "77"}, "reason", 77),
        ({"Reason": ""}, "reason", -1), ({"Entry": "255", "Action": "2"}, "entry", 255),
        ({"Price": "-37.63000"}, "price_e8", -3_763_000_000),
        ({"Profit": "1e-05"}, "profit_e8", 1000), ({"Profit": "+1.5"}, "profit_e8", 150_000_000),
        ({"Profit": " 2.5 "}, "profit_e8", 250_000_000), ({"Fee": ".5"}, "fee_e8", 50_000_000),
        ({"Profit": "0.000000005"}, "profit_e8", 0), ({"Profit": "0.000000015"}, "profit_e8", 2),
        ({"Profit": None}, "profit_e8", 0), ({"Fee": "-0.07"}, "fee_e8", -7_000_000),
        ({"ContractSize": "100000.00000000"}, "contract_e8", 10_000_000_000_000),
        ({"RateProfit": "1.2788599999999999"}, "rate_profit_e8", 127_886_000),
        ({"Symbol": "  EURUSD. "}, "symbol", "EURUSD."), ({"Symbol": "Öl"}, "symbol", "Öl"),
        ({"ticket": 2**53 + 1}, "deal", 2**53 + 1), ({"ticket": 2**63 - 1}, "deal", 2**63 - 1),
    ],
)  # fmt: skip
def test_values_are_exact(fields: dict[str, Any], column: str, value: int | str) -> None:
    told = _one(**fields)
    assert not told.refused
    assert told.deals[column][1] == value


def test_characters_that_no_database_takes() -> None:
    told = _one(Comment="a\0b\ud800")
    assert told.remarks["comment"][1].rstrip("?") == "ab"
    for symbol in ("EUR\0USD", "EUR\x1fUSD", "\x1f"):
        (fault,) = _one(Symbol=symbol).refused
        assert "\0" not in fault.reason + fault.raw
    (fault,) = _one(Deal="5\0").refused
    assert "\0" not in fault.reason


def test_tickets_beyond_63_bits_are_refused_by_name() -> None:
    for ticket in (2**63, 2**64 - 1, 10**19):
        told = _one(ticket=ticket)
        assert told.seen.tolist() == [1, 0, 3]
        (fault,) = told.refused
        assert fault.reason.startswith(f"deal {ticket}: Deal '{ticket}'")


def test_either_name_of_the_flags_and_none() -> None:
    said = deal(2)
    del said["ModificationFlags"]
    told = _deals(_body(deal(1, ModificationFlags="3"), {**said, "ModifyFlags": "5"}, said))
    assert told.remarks["flags"].to_list() == [3, 5, 0]


def test_a_server_without_fee_and_quotes() -> None:
    given = deal(2)
    for name in ("Fee", "MarketBid", "MarketAsk", "VolumeExt", "VolumeClosedExt", "ContractSize"):
        given.pop(name, None)
    told = _deals(_body(given, given))
    assert told.deals["fee_e8"].to_list() == told.deals["bid_e8"].to_list() == [0, 0]
    assert told.deals["volume_e8"].to_list() == [10_000_000] * 2


def test_known_deals_are_skipped_and_changed_ones_are_not() -> None:
    first = _deals(_body(*(deal(n) for n in range(1, 6))))
    memory = dict(zip(first.seen.tolist(), first.hashes.tolist(), strict=True))

    def known(tickets: Any, hashes: Any) -> Any:
        pairs = zip(tickets.tolist(), hashes.tolist(), strict=True)
        return np.array([memory.get(ticket) == told for ticket, told in pairs])

    changed = [deal(n, Comment="x" if n == 3 else "") for n in range(1, 7)]
    second = _deals(_body(*changed), known)
    assert second.deals["deal"].to_list() == [3, 6]
    assert second.remarks["comment"].to_list() == ["x", ""]
    assert second.seen.tolist() == [1, 2, 3, 4, 5, 6]
    assert json.loads(second.raw[1])["Deal"] == "6"
    nothing = _deals(_body(*(deal(n) for n in range(1, 6))), known)
    assert (nothing.count, len(nothing.deals), nothing.raw) == (5, 0, [])


def test_a_hash_covers_every_byte_of_a_record() -> None:
    body = _body(deal(1), deal(2))
    cut = records.split(answer.read(body, "here"))
    for at in (30, 300, len(cut.texts[1]) - 3):
        text = bytearray(cut.texts[1])
        text[at] ^= 1
        other = records._records([bytes(text)])
        assert other.hashes[0] != cut.hashes[1]


def test_scanning_gives_the_same_as_cutting() -> None:
    told = answer.read(_body(*(deal(n, Comment="é") for n in range(1, 50))), "here")
    quick, slow = records.split(told), records.scan(told)
    assert quick.texts == slow.texts
    assert quick.tickets.tolist() == slow.tickets.tolist()
    assert quick.hashes.tolist() == slow.hashes.tolist()
