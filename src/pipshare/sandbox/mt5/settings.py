"""Calls for what the server is set up with: symbols, groups, its clock, its name."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pipshare.sandbox.mt5 import retcodes
from pipshare.sandbox.mt5.asked import Asked, Call, exactly_one, fields, many, one, total, written
from pipshare.sandbox.mt5.retcodes import Refusal


def fits(masks: list[str], *names: str) -> bool:
    """Whether one of the names fits the masks: `*` is anything, `!` excepts."""

    def meets(mask: str) -> bool:
        pattern = ".*".join(re.escape(part) for part in mask.split("*"))
        return any(re.fullmatch(pattern, name, re.IGNORECASE) for name in names)

    wanted = [mask for mask in masks if not mask.startswith("!")]
    excepted = [mask[1:] for mask in masks if mask.startswith("!")]
    return any(map(meets, wanted)) and not any(map(meets, excepted))


def _symbols_total(asked: Asked) -> bytes:
    return total(len(asked.world.symbols()))


def _symbol_list(asked: Asked) -> bytes:
    return written([fields(symbol)["Symbol"] for symbol in asked.world.symbols()])


def _symbol(asked: Asked) -> bytes:
    """One symbol by name; a mask always gives a list."""
    if exactly_one(asked.given, "symbol", "mask") == "symbol":
        return one(asked.world.symbol(asked.given.word("symbol")))
    masks, found = asked.given.words("mask"), []
    for record in asked.world.symbols():
        named = fields(record)
        if fits(masks, named["Symbol"], str(named.get("Path", ""))):
            found.append(record)
    return many(found)


def _symbol_of_group(asked: Asked) -> bytes:
    """A symbol as one group trades it; the sandbox's groups change nothing about symbols."""
    name = asked.given.word("group")
    if not any(fields(group)["Group"] == name for group in asked.world.groups()):
        raise Refusal(retcodes.NOT_FOUND)
    return one(asked.world.symbol(asked.given.word("symbol")))


def _by_index(records: list[bytes], asked: Asked) -> bytes:
    index, count = asked.given.whole("index"), asked.given.whole("count", 1)
    if not 0 <= index < len(records):
        raise Refusal(retcodes.NOT_FOUND)
    return records[index] if count <= 1 else many(records[index : index + count])


def _group(asked: Asked) -> bytes:
    """One group by name; a mask gives a list."""
    masks = asked.given.words("group")
    if not masks:
        raise Refusal(retcodes.BAD_PARAMETERS)
    found = [g for g in asked.world.groups() if fits(masks, fields(g)["Group"])]
    if len(masks) == 1 and "*" not in masks[0]:
        return one(found[0] if found else None)
    return many(found)


def _server_ms(asked: Asked) -> int:
    return asked.world.server_ms(asked.world.clock()) + asked.shift_s * 1000


def _time(asked: Asked) -> bytes:
    """The server's wall clock, written as if it were UTC, as a number and as a text."""
    seconds = _server_ms(asked) // 1000
    shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y.%m.%d %H:%M:%S")
    return written({"Time": f"{seconds} {shown}"})


def _common(asked: Asked) -> bytes:
    return written(
        {
            "Name": "Sandbox-MT5",
            "FullName": "pipshare sandbox broker",
            "Owner": "pipshare sandbox",
            "LiveUpdateMode": "0",
            "TotalUsers": str(len(asked.world.logins("*"))),
            "TradeServerTimeMSec": str(_server_ms(asked)),
        }
    )


CALLS: dict[str, Call] = {
    "/api/symbol/total": _symbols_total,
    "/api/symbol/list": _symbol_list,
    "/api/symbol/get": _symbol,
    "/api/symbol/get_group": _symbol_of_group,
    "/api/symbol/next": lambda asked: _by_index(asked.world.symbols(), asked),
    "/api/group/total": lambda asked: total(len(asked.world.groups())),
    "/api/group/next": lambda asked: _by_index(asked.world.groups(), asked),
    "/api/group/get": _group,
    "/api/time/server": _time,
    "/api/time/get": lambda asked: written(asked.world.time_settings()),
    "/api/common/get": _common,
}
