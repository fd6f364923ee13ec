"""Users, groups and symbols of the server as frames; bad values become null, never a fault.

They feed histories and checks: a symbol without contract size or an account with an unreadable
agent is told by the check, and must not keep the rest away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.sources.mt5_web.scalar import clean
from pipshare.sources.mt5_web.values import GROUPS, SYMBOLS, USERS, Schema

Fields = Mapping[str, str]
_USER = {"login": "Login", "group": "Group", "agent": "Agent", "status": "Status",
         "rights": "Rights", "country": "Country", "registration_s": "Registration"}  # fmt: skip
_GROUP = {"group": "Group", "currency": "Currency", "digits": "CurrencyDigits",
          "margin_mode": "MarginMode", "company": "Company"}  # fmt: skip
_SYMBOL = {"symbol": "Symbol", "path": "Path", "digits": "Digits", "contract_e8": "ContractSize",
           "currency_base": "CurrencyBase", "currency_profit": "CurrencyProfit",
           "currency_margin": "CurrencyMargin", "calc_mode": "CalcMode"}  # fmt: skip


def users(told: Any) -> pl.DataFrame:
    """Return the USERS frame of an answer (a list, or one object); rows without login left out."""
    frame = _frame(told, _USER, USERS).with_columns(currency=pl.lit(""))
    return frame.filter(pl.col("login") > 0).select(list(USERS)).sort("login")


def groups(told: Any) -> pl.DataFrame:
    """Return the GROUPS frame of an answer; rows without name left out."""
    return _frame(told, _GROUP, GROUPS).filter(pl.col("group") != "").sort("group")


def symbols(told: Any) -> pl.DataFrame:
    """Return the SYMBOLS frame of an answer; rows without name left out."""
    return _frame(told, _SYMBOL, SYMBOLS).filter(pl.col("symbol") != "").sort("symbol")


def logins(told: Any) -> list[int]:
    """Return the logins of an answer, ascending; what is no login is left out."""
    listed = told if isinstance(told, list) else []
    return sorted({number for text in listed if (number := whole(str(text))) is not None})


def whole(text: str) -> int | None:
    """Return a whole number that fits a bigint, None when `text` is none."""
    cleaned = text.strip()
    digits = cleaned.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        return None
    number = int(cleaned)
    return number if -(2**63) <= number < 2**63 else None


def objects(told: Any) -> list[dict[str, Any]]:
    """Return the objects of an answer that is a list of them, or one."""
    listed = told if isinstance(told, list) else [told]
    return [one for one in listed if isinstance(one, dict)]


def _frame(told: Any, names: Fields, schema: Schema) -> pl.DataFrame:
    rows = [
        {ours: _value(one.get(theirs), ours, schema[ours]) for ours, theirs in names.items()}
        for one in objects(told)
    ]
    return pl.DataFrame(rows, schema={name: schema[name] for name in names})


def _value(told: Any, name: str, type_: object) -> int | str | None:
    text = clean(told).replace("\0", "") if isinstance(told, str) else ""
    if type_ == pl.String:
        return text
    if name.endswith("_e8"):
        try:
            return parse_e8(text)
        except BadInput:
            return None
    return whole(text)
