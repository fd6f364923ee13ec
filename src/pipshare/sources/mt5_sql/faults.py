"""Why one row of an MT5 export is no deal: the first fault of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.sources.files.numbers import shown, whole_fault
from pipshare.sources.files.trade_faults import money_fault, symbol_fault

Fault = tuple[str, str]
# Our text column -> MetaQuotes' name of it.
CAPTIONS = {
    "deal": "Deal", "login": "Login", "order": "Order", "position": "PositionID",
    "action": "Action", "entry": "Entry", "reason": "Reason", "symbol": "Symbol",
    "volume": "Volume", "volume_ext": "VolumeExt", "closed": "VolumeClosed",
    "closed_ext": "VolumeClosedExt", "price": "Price", "position_price": "PricePosition",
    "gateway_price": "PriceGateway", "profit": "Profit", "swap": "Storage",
    "commission": "Commission", "fee": "Fee", "rate_profit": "RateProfit",
    "contract": "ContractSize", "bid": "MarketBid", "ask": "MarketAsk",
}  # fmt: skip
_COUNTS = ("order", "position", "action", "entry", "volume", "volume_ext", "closed", "closed_ext")
_AMOUNTS = ("price", "position_price", "gateway_price", "profit", "swap", "commission", "fee",
            "rate_profit", "contract", "bid", "ask")  # fmt: skip


def deal_fault(cells: Mapping[str, Any]) -> Fault:
    """Return (code, sentence) for stripped text cells, by our names, that made no deal."""
    for name in ("deal", "login"):
        if fault := whole_fault(CAPTIONS[name], cells[name]):
            return fault
    for name in _COUNTS:
        if fault := _count(CAPTIONS[name], cells[name]):
            return fault
    for name in _AMOUNTS:
        if fault := money_fault(CAPTIONS[name], cells[name]):
            return fault
    if cells["action"] in ("0", "1") and (fault := _trade(cells)):
        return fault
    if cells["symbol"] and (fault := symbol_fault("Symbol", cells["symbol"])):
        return fault
    told = cells["time_msc"] or cells["time"]
    return "bad_time", f"Time {shown(told)} is not a time such as 2026-07-01 13:05:08"


def _count(caption: str, cell: str) -> Fault | None:
    if not cell or (cell.isascii() and cell.isdigit() and len(cell) < 19):
        return None
    if caption.startswith("Volume") and cell[0] == "-" and cell[1:].isdigit():
        return "volume_not_positive", f"{caption} {shown(cell)} is not more than zero"
    return "bad_number", f"{caption} {shown(cell)} is not a whole number"


def _trade(cells: Mapping[str, Any]) -> Fault | None:
    """Say what a buy or sell lacks."""
    if fault := symbol_fault("Symbol", cells["symbol"]):
        return fault
    if not any(cells[name].strip("0") for name in ("volume", "volume_ext")):
        told = cells["volume_ext"] or cells["volume"]
        return "volume_not_positive", f"Volume {shown(told)} is not more than zero"
    try:
        if not cells["price"] or not parse_e8(cells["price"]):
            return "price_not_positive", f"Price {shown(cells['price'])} is no price"
    except BadInput as error:
        return error.code, error.message
    if cells["entry"] not in ("0", "1", "2", "3"):
        return (
            "unknown_entry",
            f"Entry {shown(cells['entry'])} of a buy or sell is none of 0 in, 1 out, 2 in/out, "
            "3 out by",
        )
    return None
