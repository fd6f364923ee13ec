"""An entity's settings of tracking: which click counts, for how long, and what is qualified."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import audit
from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.money.currencies import is_currency

LAST, FIRST = "last", "first"
_PARAM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_NEWEST = "SELECT settings FROM partners_tracking WHERE entity_id = %s ORDER BY id DESC LIMIT 1"
_SET = "INSERT INTO partners_tracking (entity_id, settings, recorded_by) VALUES (%s, %s, %s)"


@dataclass(frozen=True)
class Tracking:
    """Settings. Of a visitor's clicks the `model` one counts, if made within `window_days` (0 = at
    any time) before the registration. `click_param` is added to landing pages' addresses. A deposit
    of `qualified_amount` `qualified_currency` or more qualifies a client; "" = any amount.
    """

    model: str = LAST
    window_days: int = 90
    visitor_cookie: bool = True
    click_param: str = "click_id"
    qualified_amount: str = ""
    qualified_currency: str = ""


def tracking_settings(conn: psycopg.Connection[Any], entity_id: int) -> Tracking:
    """Return the settings in force; what was never set is as Tracking has it."""
    row = conn.execute(_NEWEST, (entity_id,)).fetchone()
    return Tracking(**row[0]) if row else Tracking()


def set_tracking(
    conn: psycopg.Connection[Any], entity_id: int, settings: Tracking, *, by: str
) -> None:
    """Put settings in force. Raises BadInput that names the one that will not do."""
    _check(settings)
    conn.execute(_SET, (entity_id, Jsonb(asdict(settings)), by))
    audit.record(conn, by, "tracking.set", f"entity {entity_id}", detail=asdict(settings))


def _check(settings: Tracking) -> None:
    amount, currency = settings.qualified_amount, settings.qualified_currency
    if settings.model not in (LAST, FIRST):
        raise BadInput("bad_model", f"model is {settings.model!r}: give last or first")
    if not 0 <= settings.window_days <= 3650:
        raise BadInput("bad_window", f"a window of {settings.window_days} days: give 0 (no limit)"
                                     " to 3650")  # fmt: skip
    if not _PARAM.fullmatch(settings.click_param):
        raise BadInput("bad_param", f"{settings.click_param!r} cannot name a parameter: use a"
                                    " letter, then letters, digits, '_', '-' and '.'")  # fmt: skip
    if bool(amount) != bool(currency):
        raise BadInput("bad_amount", "the amount that qualifies goes with its currency: give both,"
                                     " or neither")  # fmt: skip
    if amount and (parse_e8(amount) <= 0 or not is_currency(currency)):
        raise BadInput("bad_amount", f"{amount} {currency} qualifies nobody: give an amount above 0"
                                     " and a currency such as USD")  # fmt: skip
