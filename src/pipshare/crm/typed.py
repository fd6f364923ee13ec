"""Texts that were picked, checked and turned into the texts that facts.fields reads.

Amounts keep their digits, moments become UTC. Raises Fault with what was found and what to write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import numpy as np

from pipshare.crm.pick import Fault, shown
from pipshare.errors import BadInput
from pipshare.money import is_currency, minor_units, parse_e8
from pipshare.period import FOREVER_MS, Clock, from_ms, to_ms

MAJOR, MINOR = "major", "minor"
ISO, UNIX, UNIX_MS = "iso", "unix", "unix_ms"
PARTS = re.compile(r"1/(10{1,17})")  # a unit: hundredths, ten-thousandths ...
EARLIEST_MS = to_ms(datetime(1970, 1, 2, tzinfo=UTC))
_LONGEST_NUMBER = 100
_COUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,9})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_COUNTRY = re.compile("[A-Z]{2}")
_LOGIN = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Form:
    """How a field is written at the sender: unit of an amount, format and zone of a moment.

    `signed`: what goes out is written below zero; only kinds that take money may have that.
    """

    unit: str = MAJOR
    signed: bool = False
    format: str = ISO
    zone: Clock | None = None


PLAIN = Form()


def typed(name: str, type_: str, text: str, form: Form, currency: Callable[[], str]) -> str:
    """Return a text checked as the field `name` of `type_`; `currency` tells minor units."""
    if type_ == "e8":
        return _amount(text, form, currency)
    if type_ == "moment":
        return _moment(text, form)
    if type_ == "currency":
        if not is_currency(text.upper()):
            raise Fault("bad_currency", f"found {shown(text)}: not a code such as USD")
        return text.upper()
    if type_ == "int" and not _LOGIN.fullmatch(text):
        raise Fault("bad_number", f"found {shown(text)}: not a whole number")
    if name == "country" and not _COUNTRY.fullmatch(text.upper()):
        raise Fault("bad_country", f"found {shown(text)}: not a two-letter code of ISO 3166 such as"
                                   ' CY; turn names into codes with "map"')  # fmt: skip
    return text.upper() if name == "country" else text


def _amount(text: str, form: Form, currency: Callable[[], str]) -> str:
    plain = "not a plain number such as 1000.50, without separators of thousands and without a"
    plain = f"found {shown(text)}: {plain} currency sign"
    if len(text) > _LONGEST_NUMBER or not text.isascii():
        raise Fault("bad_amount", plain)
    places = _places(form.unit, currency)
    try:
        made = _shifted(text, places) if places and _is_plain(text) else text.removeprefix("+")
        parse_e8(made)
    except BadInput as error:
        if error.code == "not_a_number":
            raise Fault("bad_amount", plain) from None
        raise Fault(error.code, f"found {shown(text)}: larger than an amount can be") from None
    except InvalidOperation:
        raise Fault("bad_amount", plain) from None
    return made


def _is_plain(text: str) -> bool:
    """Tell whether parse_e8 reads it, or only finds it too large: its unit may be a small one."""
    try:
        parse_e8(text)
    except BadInput as error:
        return error.code != "not_a_number"
    return True


def _places(unit: str, currency: Callable[[], str]) -> int:
    if unit == MAJOR:
        return 0
    if found := PARTS.fullmatch(unit):
        return len(found[1]) - 1
    code = currency()
    if not code:
        raise Fault("missing_field", "the amount is in minor units, and no currency says which")
    return minor_units(code)


def _shifted(text: str, places: int) -> str:
    """Divide by ten to the `places`, exactly: no context of Decimal may round here."""
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    return str(Decimal((sign, digits, exponent - places)))


def _moment(text: str, form: Form) -> str:
    if form.format in (UNIX, UNIX_MS):
        at = _since_1970(text, form.format)
    elif form.format == ISO:
        if _DATE.fullmatch(text) and form.zone is None:
            return _real_date(text)  # the start of the broker's own day, as in every load file
        at = _at(_iso(text), text, form.zone)
    else:
        try:
            made = datetime.strptime(text, form.format)
        except ValueError:
            raise Fault(
                "bad_moment", f"found {shown(text)}: not in the form {form.format}"
            ) from None
        at = _at(made, text, form.zone)
    if not EARLIEST_MS <= at < FOREVER_MS:
        raise Fault("bad_moment", f"found {shown(text)}: before 1970 or after 2109; is it seconds"
                                  " or milliseconds?")  # fmt: skip
    return f"{from_ms(at):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def _since_1970(text: str, format_: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Fault("bad_moment", f"found {shown(text)}: not a count since 1970, as {format_} says")
    return int(Decimal(text) * (1000 if format_ == UNIX else 1))


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Fault(
            "bad_moment", f"found {shown(text)}: not ISO 8601 such as 2026-03-02T10:00:00Z; other"
            ' forms are told by "format"',
        ) from None  # fmt: skip


def _at(moment: datetime, text: str, zone: Clock | None) -> int:
    try:
        if moment.tzinfo is not None:
            return to_ms(moment)
        if zone is None:
            raise Fault(
                "no_zone",
                f"found {shown(text)}: no zone is in it, and the mapping names"
                ' none; add "zone", for example Europe/Nicosia or UTC',
            )
        wall = to_ms(moment.replace(tzinfo=UTC))
        return int(zone.to_utc(np.array([wall], np.int64))[0])
    except (OverflowError, ValueError, OSError):
        raise Fault("bad_moment", f"found {shown(text)}: no moment that can be") from None


def _real_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Fault("bad_moment", f"found {shown(text)}: no date in the calendar") from None
