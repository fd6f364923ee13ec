"""The totals that a raw report prints below its rows: shown beside our sums, never enforced."""

from __future__ import annotations

from pipshare.errors import BadInput
from pipshare.money import parse_e8
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.split import split_line
from pipshare.sources.mt4_manager.header import Header

TAIL_BYTES = 65_536


def printed_profit_e8(opened: Opened, header: Header) -> int | None:
    """Return the total that the report calls "Profit:", None where it prints no totals.

    It is the sum of the Profit column over trades: commission, taxes and swap are not in it. The
    label stands two columns before the amount; the first labelled total is the profit, in any
    language.
    """
    for line in _tail(opened).split("\n"):
        cells = split_line(line, header.delimiter)
        if len(cells) != header.width or cells[header.columns["ticket"]].strip():
            continue
        label = next((cell.strip() for cell in cells if cell.strip()), "")
        amount = cells[header.columns["profit"]]
        if label.endswith((":", "：")):
            return _amount(amount)
    return None


def _tail(opened: Opened) -> str:
    codec = opened.charset.codec
    with opened.path.open("rb") as file:
        start = max(0, opened.size - TAIL_BYTES)
        file.seek(start - start % 4)  # any charset here has units of 1, 2 or 4 bytes
        if codec == "utf-16" and start:
            codec = "utf-16-be" if opened.head.startswith(b"\xfe\xff") else "utf-16-le"
        return file.read().decode(codec, "replace")


def _amount(cell: str) -> int | None:
    try:
        return parse_e8(cell)
    except BadInput:
        return None
