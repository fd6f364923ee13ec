"""How figures are shown: amounts exact and with their currency, times in the server's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pipshare.inbox import SourceStatus
from pipshare.money import format_e8, minor_units
from pipshare.period import from_ms
from pipshare.web import Cell

Row = list[Cell | str]
_DAY_MS = 86_400_000
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def number(units_e8: int, places: int = 2) -> str:
    """Write an e8 number with every digit it has and thousands apart: 1,234.5678."""
    text = format_e8(units_e8, places)
    whole, dot, part = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{dot}{part}"


def money(units_e8: int, currency: str) -> str:
    """Write an amount with its currency: at least the minor unit's decimals, never rounded."""
    return f"{number(units_e8, minor_units(currency))}\N{NO-BREAK SPACE}{currency}"


def wallet(amounts: Mapping[str, int]) -> str:
    """Write amounts in several currencies, one a line; nothing earned is a dash."""
    shown = [money(amount, currency) for currency, amount in sorted(amounts.items()) if amount]
    return "\n".join(shown) or "–"


def breaking(text: str) -> str:
    """Let an amount break before its currency: for large figures in little room."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def count(value: int) -> str:
    """Write a count with thousands apart."""
    return f"{value:,}"


def counted(value: int, name: str) -> str:
    """Write a count with what it counts: 1 trade, 2 trades."""
    return f"{value:,} {name}{'' if value == 1 else 's'}"


def wall(ms: int) -> str:
    """Write a server's wall clock to the second, milliseconds only where there are any."""
    moment = from_ms(ms)
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{ms % 1000:03d}" if ms % 1000 else "")


def at(value: datetime | int | None, note: str = "") -> Cell:
    """Show a moment in UTC; it is kept on one line."""
    return Cell(moment(value), note=note, title="in UTC")


def closed(close_ms: int, close_utc_ms: int, server: str, url: str = "") -> Cell:
    """Show when a trade closed: its server's clock, UTC on hover."""
    return Cell(wall(close_ms), url, note=server, title=f"{wall(close_utc_ms)} UTC")


def moment(value: datetime | int | None) -> str:
    """Write a moment in UTC to the minute, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        value = from_ms(value)
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(since_ms: int | None, now_ms: int) -> str:
    """Write how long ago something was: 12 s ago, 3 min ago."""
    return "never" if since_ms is None else f"{lasting(max(0, now_ms - since_ms))} ago"


def lasting(ms: int) -> str:
    """Write a duration in its largest fitting unit: 350 ms, 12 s, 3 min, 5 h, 2 days."""
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 10_000:
        return f"{ms // 1000}.{ms % 1000 // 100} s"
    seconds = ms // 1_000
    for size, unit in ((86_400 * 2, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // min(size, 86_400)} {unit}"
    return f"{seconds} s"


def caught_up(one: SourceStatus, now_ms: int) -> str:
    """Say what a source caught up with within the last day, which its lags leave out; or ""."""
    if one.gap_end_ms is None or now_ms - one.gap_end_ms > _DAY_MS:
        return ""
    return f"without {counted(one.caught_up, 'trade')} caught up with after {lasting(one.gap_ms)}"


def size(octets: int) -> str:
    """Write a size in its largest fitting unit."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if octets >= 1000**power:
            return f"{octets // 1000**power:,}.{octets % 1000**power * 10 // 1000**power} {unit}"
    return f"{octets} bytes"


def harmless(value: object) -> str:
    """Keep a spreadsheet from taking a text for a formula; numbers stay numbers."""
    text = str(value)
    is_number = text.lstrip("+-").replace(".", "", 1).isdecimal()
    return f"'{text}" if text.startswith(SIGNS) and not is_number else text
