"""Currencies of which anything is known: those that brokers commonly have, and those with rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from pipshare.money.currencies import is_known

_HAS_RATE = "SELECT EXISTS (SELECT FROM market_fx WHERE base = %s OR quote = %s)"


def known_currencies(conn: psycopg.Connection[Any]) -> Callable[[str], bool]:
    """Return a function that tells whether anything is known of a currency; asks once for each."""
    asked: dict[str, bool] = {}

    def knows(code: str) -> bool:
        if code not in asked:
            asked[code] = is_known(code) or _has_rate(conn, code)
        return asked[code]

    return knows


def _has_rate(conn: psycopg.Connection[Any], code: str) -> bool:
    row = conn.execute(_HAS_RATE, (code, code)).fetchone()
    return bool(row and row[0])
