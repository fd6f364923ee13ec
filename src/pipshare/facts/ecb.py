"""The European Central Bank's reference rates (eurofxref XML, daily or the whole history).

One Cube per day, in it one per currency: one euro costs `rate` of it. The bank publishes a day's
rates at about 16:00 of its own clock; they hold from then on, so that nobody is paid by a rate
that nobody could know yet. Format: ecb.europa.eu, "Euro foreign exchange reference rates".
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
from lxml import etree

from pipshare.errors import BadInput
from pipshare.facts.reading import read_fields
from pipshare.facts.values import Refusal
from pipshare.period import Clock, from_ms, to_ms

PUBLISHED_HOUR = 16  # of the bank's clock
BANK = Clock.parse("Europe/Berlin")
SOURCE = "ecb"
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


def is_xml(data: bytes) -> bool:
    """Tell whether a load file is XML."""
    return data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def read_ecb(data: bytes, name: str) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the `fx` frame of read_table and its refusals. Raises BadInput for other XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadInput("bad_xml", f"{name} is not readable XML: {error}") from None
    rows: list[tuple[str, str, str, int]] = []
    refused: list[Refusal] = []
    days = [cube for cube in root.iter(_CUBE) if "time" in cube.attrib]
    if not days:
        raise BadInput("not_ecb", f"{name} is XML, but not the reference rates of the European"
                                  " Central Bank (eurofxref): load rates as CSV")  # fmt: skip
    for day in days:
        moment = _published(str(day.get("time")))
        for one in day.iterchildren(_CUBE):
            line = int(str(one.sourceline or 0))
            if moment is None:
                why = f"line {line}, time: {day.get('time')!r} is no day such as 2026-07-01"
                refused.append(Refusal(line, "bad_time", why))
                continue
            rows.append((str(one.get("currency", "")), str(one.get("rate", "")), moment, line))
    strings = pl.DataFrame({
        "base": pl.Series(["EUR"] * len(rows), dtype=pl.String),
        "quote": pl.Series([row[0] for row in rows], dtype=pl.String),
        "rate": pl.Series([row[1] for row in rows], dtype=pl.String),
        "time": pl.Series([row[2] for row in rows], dtype=pl.String),
        "source": pl.Series([SOURCE] * len(rows), dtype=pl.String),
        "line": pl.Series([row[3] for row in rows], dtype=pl.Int32),
    })  # fmt: skip
    frame, wrong = read_fields(strings, "fx")
    return frame, sorted(refused + wrong, key=lambda one: one.line)


def _published(day: str) -> str | None:
    """Return the moment from which a day's rates hold, as a load file would write it."""
    try:
        wall = datetime.fromisoformat(day).replace(hour=PUBLISHED_HOUR, tzinfo=UTC)
    except ValueError:
        return None
    utc_ms = int(BANK.to_utc(np.array([to_ms(wall)], np.int64))[0])
    return from_ms(utc_ms).isoformat()
