"""The settings of a receiver that the outbox itself reads, checked when they are set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipshare.errors import BadInput
from pipshare.money import format_e8, parse_e8
from pipshare.outbox.egress import check_url
from pipshare.outbox.sealed import check_header

METHODS = ("GET", "POST", "PUT", "PATCH")
CONCURRENCY, TIMEOUT_S = 4, 15  # what holds where a receiver says nothing
_NUMBERS = {"concurrency": (1, 32), "per_minute": (1, 600_000), "timeout_s": (1, 60)}
_LISTS = {
    "events": (re.compile(r"[a-z_]+(\.[a-z_]+|\.\*)?"), "a type, as trade.closed or commission.*"),
    "countries": (re.compile(r"[A-Z]{2}"), "two capital letters, as DE"),
    "not_countries": (re.compile(r"[A-Z]{2}"), "two capital letters, as DE"),
}
_EMAIL = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_CURRENCY = re.compile(r"[A-Z0-9]{2,12}")


def check_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that can be: url, method, headers, events, countries, not_countries, minimum
    (amount by currency), concurrency, per_minute, timeout_s, owner_email, source (the CRM endpoint
    whose news it need not be told); other keys as they are.

    Empty ones are left out. Raises BadInput that names the setting and what it may be.
    """
    told = {key: value for key, value in settings.items() if value not in (None, "", [], {}, ())}
    check_url(str(told.get("url", "")))
    if told.get("method", "POST") not in METHODS:
        raise _bad("method", told["method"], " or ".join(METHODS))
    headers = told.get("headers", {})
    if not isinstance(headers, Mapping):
        raise _bad("headers", headers, "names with texts")
    for name, value in headers.items():
        check_header(str(name), str(value))
    for key, (lowest, highest) in _NUMBERS.items():
        if key in told:
            told[key] = _number(key, told[key], lowest, highest)
    for key, (form, about) in _LISTS.items():
        if key in told:
            told[key] = _listed(key, told[key], form, about)
    if "owner_email" in told and not _EMAIL.fullmatch(str(told["owner_email"])):
        raise _bad("owner_email", told["owner_email"], "one address")
    if "source" in told and not _SOURCE.fullmatch(str(told["source"])):
        raise _bad("source", told["source"], "the code of an endpoint of the CRM")
    if "minimum" in told:
        told["minimum"] = _minimum(told["minimum"])
    return told


def _number(key: str, value: Any, lowest: int, highest: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = lowest - 1
    if not lowest <= number <= highest:
        raise _bad(key, value, f"a number from {lowest} to {highest}")
    return number


def _listed(key: str, value: Any, form: re.Pattern[str], about: str) -> list[str]:
    if not isinstance(value, list | tuple):
        raise _bad(key, value, f"a list; each {about}")
    for one in value:
        if not isinstance(one, str) or not form.fullmatch(one):
            raise _bad(key, one, about)
    return list(dict.fromkeys(value))


def _minimum(value: Any) -> dict[str, str]:
    about = "an amount for each currency, as USD 100"
    if not isinstance(value, Mapping):
        raise _bad("minimum", value, about)
    told = {}
    for currency, amount in value.items():
        try:
            least = parse_e8(str(amount))
        except BadInput:
            raise _bad("minimum", amount, about) from None
        if not _CURRENCY.fullmatch(str(currency)) or least < 0:
            raise _bad("minimum", f"{currency} {amount}", about)
        told[str(currency)] = format_e8(least, 0)
    return told


def _bad(key: str, value: Any, about: str) -> BadInput:
    return BadInput("bad_receiver", f"the receiver's {key} is {str(value)[:100]!r}: give {about}")
