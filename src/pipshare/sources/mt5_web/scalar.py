"""One deal read field by field: exact and slow, for records that the columns did not take.

It accepts what a careful reader would (a number where text is usual, blanks, 1e-05) and else names
the first field that is wrong. The columns must agree with it; a property test holds that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.period import FOREVER_MS
from pipshare.sources.files.numbers import number_fault, shown, whole_fault
from pipshare.sources.files.trade_faults import symbol_fault

BLANKS = " \t\r\n"
CONTROL = r"[\x00-\x1f\x7f]"
AMOUNTS = {
    "price_e8": "Price", "position_price_e8": "PricePosition", "gateway_price_e8": "PriceGateway",
    "profit_e8": "Profit", "swap_e8": "Storage", "commission_e8": "Commission", "fee_e8": "Fee",
    "rate_profit_e8": "RateProfit", "contract_e8": "ContractSize", "bid_e8": "MarketBid",
    "ask_e8": "MarketAsk",
}  # fmt: skip
FLAGS = ("ModificationFlags", "ModifyFlags")
COUNTS = (
    "Deal", "Login", "Order", "PositionID", "Action", "Entry", "Reason", "Time", "TimeMsc",
    "Volume", "VolumeExt", "VolumeClosed", "VolumeClosedExt", *FLAGS,
)  # fmt: skip
NAMES = (*COUNTS, *AMOUNTS.values(), "Symbol", "Comment")
NOTHING = {"Reason": -1}  # what a field that is not told counts as, where not 0
_READER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_WHOLE = re.compile(r"[+-]?[0-9]{1,100}")
_CONTROL = re.compile(CONTROL)
MAX_ENUM = 32_767
MAX_INT = 2**63 - 1
ENTRIES = (0, 1, 2, 3)


class Fault(Exception):
    """What is wrong with a record: a stable code and a sentence that names the field."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def cells(text: bytes) -> dict[str, str]:
    """Return a record's fields as text, "" for what it lacks; all "" when it is no object."""
    try:
        told = _READER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return dict.fromkeys(NAMES, "")
    return {name: _text(told.get(name)) for name in NAMES}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return clean(value) if isinstance(value, str) else json.dumps(value)


def clean(text: str) -> str:
    """Strip blanks; replace half characters (a lone surrogate), which no other program takes."""
    return text.strip(BLANKS).encode("utf-8", "replace").decode()


def row(cell: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns of DEAL (without line) and REMARKS. Raises Fault."""
    for name in ("Deal", "Login"):
        if fault := whole_fault(name, cell[name]):
            raise Fault(*fault)
    action, entry = _whole(cell, "Action", MAX_ENUM), _whole(cell, "Entry", MAX_ENUM)
    told: dict[str, Any] = {
        "deal": int(cell["Deal"]),
        "login": int(cell["Login"]),
        "order": _whole(cell, "Order"),
        "position": _whole(cell, "PositionID"),
        "action": action,
        "entry": entry,
        "reason": _whole(cell, "Reason", MAX_ENUM),
        "time_ms": _time(cell),
        "symbol": cell["Symbol"],
        "volume_e8": _lots(cell, "VolumeExt", "Volume"),
        "closed_e8": _lots(cell, "VolumeClosedExt", "VolumeClosed"),
        **{ours: _amount(name, cell[name]) for ours, name in AMOUNTS.items()},
        "comment": cell["Comment"].replace("\0", ""),
        "flags": _whole(cell, FLAGS[0]) or _whole(cell, FLAGS[1]),
    }
    if (cell["Symbol"] or action in (0, 1)) and (fault := symbol_fault("Symbol", cell["Symbol"])):
        raise Fault(*fault)
    if _CONTROL.search(cell["Symbol"]):
        raise Fault("bad_symbol", f"Symbol {shown(cell['Symbol'])} holds a control character")
    if action in (0, 1):
        _trade(told, cell)
    return told


def _trade(told: Mapping[str, Any], cell: Mapping[str, str]) -> None:
    if told["volume_e8"] <= 0:
        raise Fault(
            "volume_not_positive",
            f"Volume {shown(cell['VolumeExt'] or cell['Volume'])} is not more than zero",
        )
    if not told["price_e8"]:
        raise Fault("price_not_positive", f"Price {shown(cell['Price'])} is no price")
    if told["entry"] not in ENTRIES:
        raise Fault(
            "unknown_entry",
            f"Entry {shown(cell['Entry'])} of a buy or sell is none of 0 in, 1 out, 2 in/out, "
            "3 out by",
        )


def _whole(cell: Mapping[str, str], name: str, most: int = MAX_INT) -> int:
    text, nothing = cell[name], NOTHING.get(name, 0)
    if not text:
        return nothing
    if _WHOLE.fullmatch(text) and nothing <= int(text) <= most:
        return int(text)
    raise Fault("bad_number", f"{name} {shown(text)} is no whole number from 0 to {most}")


def _lots(cell: Mapping[str, str], fine: str, coarse: str) -> int:
    """Lots in e8: the fine volume counts 1e-8 lots already, the coarse one 1e-4."""
    return _whole(cell, fine) or _whole(cell, coarse, MAX_INT // 10_000) * 10_000


def _amount(name: str, text: str) -> int:
    if not text:
        return 0
    if fault := number_fault(name, text):
        raise Fault(*fault)
    try:
        return parse_e8(text)
    except BadInput as error:
        raise Fault(error.code, f"{name}: {error.message}") from error


def _time(cell: Mapping[str, str]) -> int:
    ms = _whole(cell, "TimeMsc") or _whole(cell, "Time", MAX_INT // 1000) * 1000
    if 0 < ms < FOREVER_MS:
        return ms
    told = cell["TimeMsc"] or cell["Time"]
    raise Fault("bad_time", f"TimeMsc {shown(told)} is no time from 1970 to 2109 in milliseconds")
