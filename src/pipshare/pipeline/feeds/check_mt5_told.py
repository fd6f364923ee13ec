"""What an MT5 server's own answers lack: groups to see, a clock that fits, quotes, fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipshare.inbox import Source
from pipshare.market import Server
from pipshare.period import HOUR_MS, Clock
from pipshare.pipeline.feeds.check import FAULT, OK, WARNING, Finding
from pipshare.sources.mt5_web import DealsAnswer, ServerTime, TimeSettings

TOLERANCE_MS = 30_000
SHOWN = 8
# Clocks that MT5 servers commonly follow; the first that fits is proposed.
CLOCKS = ("America/New_York+7h", "Europe/Nicosia", "UTC", "Europe/London", "America/New_York+2h",
          "America/New_York+6h", "Europe/Moscow", "Asia/Dubai", "Asia/Tokyo")  # fmt: skip


def listed(names: Sequence[str], most: int = SHOWN) -> str:
    """Write the first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, name: str) -> str:
    """Write a number with the name of what it counts: 1 group, 2 groups."""
    return f"{number} {name}{'' if number == 1 else 's'}"


def visible(source: Source, users: pl.DataFrame, groups: pl.DataFrame) -> list[Finding]:
    """Which groups the masks match, and how many accounts are seen in them."""
    masks = source.settings.get("groups", "*")
    if users.is_empty():
        text = (f"the masks {masks} match no account that this manager sees: in MetaTrader 5"
                " Administrator add the groups to the manager's list of groups, or put the masks"
                " right")  # fmt: skip
        return [Finding(FAULT, "groups", text)]
    sizes = users.group_by("group").len().sort("len", "group", descending=[True, False])
    names = [f"{name} ({count})" for name, count in sizes.iter_rows()]
    found = [Finding(OK, "groups", (
        f"the masks {masks} match {counted(len(users), 'account')} in"
        f" {counted(len(names), 'group')}: {listed(names)}; the manager sees"
        f" {counted(len(groups), 'group')}"
    ))]  # fmt: skip
    blind = sorted(set(sizes["group"]) - set(groups["group"]))
    if blind:
        text = (f"accounts are in groups that this manager does not see ({listed(blind)}): their"
                " currency is unknown; add the groups to the manager's list of groups")  # fmt: skip
        found.append(Finding(WARNING, "groups", text))
    return found


def clock(
    server: Server, moment: ServerTime | None, settings: TimeSettings | None, fault: str
) -> list[Finding]:
    """Whether the server's clock stands where its settings here say; else which clock would fit."""
    if moment is None:
        return [Finding(FAULT, "clock", fault)] if fault else []
    held = _held(server, moment.utc_ms)
    drift = moment.server_ms - _wall(held, moment.utc_ms)
    if abs(drift) <= TOLERANCE_MS:
        return [Finding(OK, "clock", f"the server's clock is {held}, as set up here")]
    said = f"the server's clock is UTC{_offset(moment.offset_ms)}, and {held} would be" \
        f" UTC{_offset(_wall(held, moment.utc_ms) - moment.utc_ms)}"  # fmt: skip
    fits = proposed(moment, settings)
    if fits is None:
        text = (f"{said}: no zone has such an offset; the clock of the server, or of this machine,"
                " is wrong: let both follow a time server")  # fmt: skip
        return [Finding(FAULT, "clock", text)]
    text = (f"{said}: moments of trades would be wrong by the difference; {fits} would fit: load"
            f" servers with server,platform,clock: {server.code},mt5,{fits}")  # fmt: skip
    return [Finding(FAULT, "clock", text)]


def proposed(moment: ServerTime, settings: TimeSettings | None) -> str | None:
    """Return a clock that shows the server's time now, and has summer time if the server has."""
    offset = round(moment.offset_ms / 900_000) * 900_000  # zones differ by quarters of an hour
    if abs(moment.offset_ms - offset) > TOLERANCE_MS:
        return None
    for text in CLOCKS:
        known = Clock.parse(text)
        fits = _wall(known, moment.utc_ms) - moment.utc_ms == offset
        if fits and (settings is None or _has_summer(known, moment.utc_ms) == settings.daylight):
            return text
    return str(Clock("UTC", offset))


def _has_summer(known: Clock, utc_ms: int) -> bool:
    half_year = 182 * 24 * HOUR_MS
    return _wall(known, utc_ms) + half_year != _wall(known, utc_ms + half_year)


def _held(server: Server, utc_ms: int) -> Clock:
    known = server.clocks[0][1]
    for since, later in server.clocks:
        known = later if since <= utc_ms else known
    return known


def _wall(known: Clock, utc_ms: int) -> int:
    return int(known.from_utc(np.array([utc_ms], np.int64))[0])


def _offset(ms: int) -> str:
    minutes = round(ms / 60_000)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def symbols(told: pl.DataFrame) -> list[Finding]:
    """Whether each symbol has what a lot is made of."""
    if told.is_empty():
        return []
    lacking = told.filter(pl.col("contract_e8") <= 0)["symbol"].sort().to_list()
    if lacking:
        text = (f"no contract size for {len(lacking)} of {counted(len(told), 'symbol')}"
                f" ({listed(lacking)}): load it with `pipshare load symbols` where it is"
                " traded")  # fmt: skip
        return [Finding(WARNING, "symbols", text)]
    return [Finding(OK, "symbols", f"all {len(told)} symbols have a contract size")]


def deals(answers: Sequence[DealsAnswer]) -> list[Finding]:
    """Whether recent deals can be read, carry quotes, and the fields of a recent server."""
    count = sum(answer.count for answer in answers)
    if not count:
        return [Finding(WARNING, "deals", "no deal of the last week is visible")]
    refused = [refusal for answer in answers for refusal in answer.refused]
    found = [Finding(OK, "deals", f"{counted(count, 'recent deal')} read")]
    if refused:
        text = f"{len(refused)} of {count} recent deals cannot be taken: {refused[0].reason}"
        found = [Finding(FAULT, "deals", text)]
    closing = pl.concat([answer.deals for answer in answers]).filter(
        pl.col("action").is_in([0, 1])
    )  # fmt: skip
    raw = next((text for answer in answers for text in answer.raw), b"")
    return [*found, *_quotes(closing), *_fields(raw)]


def _quotes(closing: pl.DataFrame) -> list[Finding]:
    if closing.is_empty():
        return []
    bare = len(closing.filter((pl.col("bid_e8") <= 0) | (pl.col("ask_e8") <= 0)))
    if not bare:
        return [Finding(OK, "quotes", "recent deals carry bid and ask")]
    share = "none of the recent deals carries" if bare == len(closing) else \
        f"{bare} of {len(closing)} recent deals do not carry"  # fmt: skip
    text = (f"{share} bid and ask: commissions from the spread are not possible for them (deals"
            " before build 2890 have none); load quotes, or pay by lot")  # fmt: skip
    return [Finding(WARNING, "quotes", text)]


def _fields(raw: bytes) -> list[Finding]:
    lacking = [name for name in ("Fee", "VolumeExt") if raw and f'"{name}"'.encode() not in raw]
    if not lacking:
        return []
    what = {"Fee": "fees are taken as 0", "VolumeExt": "volumes are read in 1/10,000 of a lot"}
    text = (f"deals lack the field {' and '.join(lacking)}: the server is of an old build;"
            f" {', '.join(what[name] for name in lacking)}")  # fmt: skip
    return [Finding(WARNING, "build", text)]
