"""Why one row is no trade: the first fault of its cells, as a code and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.sources.files.numbers import number_fault, shown, time_fault, whole_fault

Fault = tuple[str, str]
_TYPES = ("buy", "sell")


def trade_fault(
    cells: Mapping[str, Any], open_ms: int | None, close_ms: int | None,
    captions: Mapping[str, str], has_login: bool = True,
) -> Fault:  # fmt: skip
    """Return (code, sentence) for a row that was not read as a trade.

    `cells` are the stripped text cells by the names of trade_rows.COLUMNS, `captions` the names
    of the file's header; the times are what the two time cells were read as, None for nothing.
    """

    def caption(name: str) -> str:
        return captions.get(name, name)

    who = f"ticket {shown(str(cells['ticket']))[1:-1]}"
    checks: list[Callable[[], Fault | None]] = [
        lambda: _type(caption("type"), cells["type"]),
        lambda: whole_fault(caption("ticket"), cells["ticket"]),
        lambda: whole_fault(caption("login"), cells["login"]) if has_login else None,
        lambda: symbol_fault(caption("symbol"), cells["symbol"]),
        lambda: positive_fault("volume", caption("volume"), cells["volume"]),
        lambda: time_fault(caption("open_time"), cells["open_time"], open_ms),
        lambda: time_fault(caption("close_time"), cells["close_time"], close_ms),
        lambda: _order(cells, open_ms, close_ms),
        lambda: positive_fault("price", caption("open_price"), cells["open_price"]),
        lambda: positive_fault("price", caption("close_price"), cells["close_price"]),
        *(
            lambda name=name: money_fault(caption(name), cells[name])
            for name in ("commission", "taxes", "swap", "profit")
        ),
    ]
    for check in checks:
        if fault := check():
            return fault[0], f"{who}: {fault[1]}"
    return "unreadable_row", f"{who}: the row cannot be read; compare it with its neighbours"


def _type(caption: str, cell: str) -> Fault | None:
    if cell in _TYPES:
        return None
    return "unknown_type", f"{caption} {shown(cell)} is no kind of row that pipshare knows"


def symbol_fault(caption: str, cell: str) -> Fault | None:
    """Say what is wrong with a symbol, None when nothing is."""
    if not cell:
        return "empty_field", f"{caption} is empty"
    if "\ufffd" in cell:
        return (
            "wrong_encoding",
            f"{caption} {shown(cell)} is not written in the file's encoding; name the right one "
            "with --encoding",
        )
    if len(cell.encode()) > 64:
        return "bad_symbol", f"{caption} {shown(cell)} is too long for a symbol"
    return None


def positive_fault(what: str, caption: str, cell: str) -> Fault | None:
    """Say what is wrong with a volume or a price, which has to be above zero."""
    if fault := number_fault(caption, cell):
        return fault
    try:
        units = parse_e8(cell)
    except BadInput as error:
        return error.code, f"{caption}: {error.message}"
    if units > 0:
        return None
    return f"{what}_not_positive", f"{caption} {shown(cell)} is not more than zero"


def money_fault(caption: str, cell: str) -> Fault | None:
    """Say what is wrong with an amount; an empty one is nought."""
    return number_fault(caption, cell) if cell else None


def _order(cells: Mapping[str, Any], open_ms: int | None, close_ms: int | None) -> Fault | None:
    if open_ms is not None and close_ms is not None and close_ms < open_ms:
        return (
            "close_before_open",
            f"closed {shown(cells['close_time'])} before it was opened {shown(cells['open_time'])}",
        )
    return None
