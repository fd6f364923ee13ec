"""The partner API as CurrentDesk's looks from outside: four lists by date, errors as HTTP 200.

GET /api/LeadRegistration|TradeInfo|TransactionInfo|TraderStatus?startDate=YYYY-MM-DD&endDate=...
with `Authorization: Basic base64("user,password")`: a comma, not a colon.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from pipshare.sandbox.crm.books import Books, Cents

WRONG = ("Might be your inputs are either wrong or not in right format. Please check and try"
         " again")  # fmt: skip
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CENTS = re.compile(r'"cents:(-?)([0-9]+)([0-9]{2})"')


@dataclass(frozen=True)
class Partner:
    """Who may ask. `whole_end`: the day of endDate belongs to what is asked for; it is not known
    whether it does at CurrentDesk."""

    user: str = "partner"
    password: str = "Password1"
    whole_end: bool = True

    def admits(self, header: str) -> bool:
        """Tell whether an Authorization header is this partner's."""
        kind, _, given = header.partition(" ")
        try:
            told = base64.b64decode(given.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self.user},{self.password}".encode()
        return kind.lower() == "basic" and hmac.compare_digest(told, wanted)


def answer(books: Books, partner: Partner, name: str, asked: Mapping[str, str]) -> str:
    """Return the JSON text that a request gets: a list of records, or the text of an error."""
    first, last = _day(asked.get("startDate", "")), _day(asked.get("endDate", ""))
    if name not in books.records or first is None or last is None or last < first:
        return json.dumps(WRONG)
    end = last + timedelta(days=1) if partner.whole_end else last
    begin, until = (datetime.combine(day, time(), books.zone) for day in (first, end))
    return written(books.between(name, begin, until))


def written(records: list[dict[str, Any]]) -> str:
    """Return records as JSON, amounts as numbers with two decimals."""
    told = [{key: f"cents:{_padded(value)}" if isinstance(value, Cents) else value
             for key, value in one.items()} for one in records]  # fmt: skip
    return _CENTS.sub(r"\1\2.\3", json.dumps(told))


def _padded(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents):03d}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
