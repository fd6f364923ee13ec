"""The central bank's reference rates: days, moments, and what is no such file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipshare.errors import BadInput
from pipshare.facts.ecb import is_xml, read_ecb
from pipshare.facts.reading import schema
from pipshare.period import to_ms

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
 <gesmes:subject>Reference rates</gesmes:subject>
 <Cube>{days}
 </Cube>
</gesmes:Envelope>
"""
DAYS = """
  <Cube time="2026-07-02"><Cube currency="USD" rate="1.0823"/><Cube currency="JPY" rate="170.1"/>
  </Cube>
  <Cube time="2026-01-02">
   <Cube currency="USD" rate="1.05"/>
  </Cube>"""


def file(days: str) -> bytes:
    return ENVELOPE.format(days=days).encode()


def test_every_day_holds_from_its_publication_on():
    frame, refused = read_ecb(file(DAYS), "eurofxref-hist.xml")
    assert refused == []
    assert frame.schema == schema("fx")
    summer, winter = (to_ms(datetime(2026, *day, tzinfo=UTC)) for day in ((7, 2, 14), (1, 2, 15)))
    assert frame.select("base", "quote", "rate", "time", "source").rows() == [
        ("EUR", "USD", "1.0823", summer, "ecb"), ("EUR", "JPY", "170.1", summer, "ecb"),
        ("EUR", "USD", "1.05", winter, "ecb"),
    ]  # fmt: skip
    assert frame["bid"].to_list() == [None] * 3


def test_a_wrong_cell_is_refused_and_leaves_the_others():
    days = """<Cube time="2026-13-02"><Cube currency="USD" rate="1"/></Cube>
    <Cube time="2026-07-02"><Cube currency="USD" rate="N/A"/><Cube rate="1"/>
    <Cube currency="CHF" rate="0.93"/></Cube>"""
    frame, refused = read_ecb(file(days), "x.xml")
    assert frame["quote"].to_list() == ["CHF"]
    assert [one.code for one in refused] == ["bad_time", "not_a_rate", "empty"]
    assert "2026-13-02" in refused[0].reason


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"<html></html>", "not_ecb"), (b"<a>", "bad_xml"), (file(""), "not_ecb"), (b"<", "bad_xml")],
)
def test_other_files_are_refused(data, code):
    with pytest.raises(BadInput) as error:
        read_ecb(data, "rates.xml")
    assert error.value.code == code


def test_entities_of_the_outside_are_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("USD")
    data = file("""<Cube time="2026-07-02"><Cube currency="USD" rate="1"/></Cube>""").replace(
        b"<gesmes:Envelope", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>\n'
        '<gesmes:Envelope'.encode(), 1).replace(b"Reference rates", b"&e;")  # fmt: skip
    frame, _ = read_ecb(data, "x.xml")
    assert len(frame) == 1


def test_xml_is_told_from_a_load_file():
    assert is_xml(b"\xef\xbb\xbf \n<?xml?>")
    assert not is_xml(b"base,quote,time,rate\n")
