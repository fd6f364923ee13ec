"""Checks an MT5 source, in words for the administrator of the server and for the broker's people.

What is asked of the server comes first, outside of any transaction; then it is held against what
is known here. Nothing is written.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

import polars as pl

from pipshare import inbox
from pipshare.inbox import Source
from pipshare.pipeline.feeds import check_mt5_known, check_mt5_told
from pipshare.pipeline.feeds.check import FAULT, OK, WARNING, Finding
from pipshare.pipeline.run import Run
from pipshare.sources.mt5_web import (
    Access,
    Config,
    DealsAnswer,
    Mt5Web,
    ServerTime,
    TimeSettings,
)
from pipshare.sources.mt5_web.errors import ClockWrong, NotAllowed, Refused
from pipshare.sources.mt5_web.values import GROUPS, SYMBOLS, USERS

DAY_S = 86_400
LOOKED_BACK_S = (3_600, DAY_S, 7 * DAY_S)  # for recent deals, until there are some
ENOUGH = 20_000  # deals looked at


@dataclass(frozen=True)
class Told:
    """What a server said when it was checked; `time` is None when its clock is no clock, `deals`
    when they could not be asked for."""

    access: Access
    time: ServerTime | None
    settings: TimeSettings | None
    users: pl.DataFrame
    groups: pl.DataFrame
    symbols: pl.DataFrame
    deals: tuple[DealsAnswer, ...] | None
    clock_fault: str = ""


def check(run: Run, source: Source, connection: Mt5Web | None = None) -> list[Finding]:
    """Check a source; the first fault stands first. Raises when the server cannot be asked.

    Without a connection one is made, and closed.
    """
    if connection is not None:
        run.conn.commit()
        return _findings(run, source, ask(source, connection))
    secret = inbox.secret_of(run.conn, source)
    run.conn.commit()
    with closing(Mt5Web(Config.parse(source.settings, secret), log=lambda line: None)) as made:
        told = ask(source, made)
    return _findings(run, source, told)


def ask(source: Source, connection: Mt5Web) -> Told:
    """Ask a server everything that the check looks at. Raises what the connection raises, but for
    single rights that are missing."""
    connection.open()
    access = connection.access()
    masks = source.settings.get("groups", "*")
    users, groups, symbols = (pl.DataFrame(schema=kind) for kind in (USERS, GROUPS, SYMBOLS))
    if not access.tried.get("users"):
        users = connection.users(masks)
    if not access.tried.get("groups"):
        groups = connection.groups()
    if not access.tried.get("symbols"):
        symbols = connection.symbols()
    moment, settings, fault = _time(connection)
    deals = None
    if moment is not None and not access.tried.get("deals"):
        deals = _recent(connection, masks, moment.server_ms // 1000)
    return Told(access, moment, settings, users, groups, symbols, deals, fault)


def _time(connection: Mt5Web) -> tuple[ServerTime | None, TimeSettings | None, str]:
    try:
        moment = connection.server_time()
    except ClockWrong as error:
        return None, None, error.message
    except (NotAllowed, Refused):
        return None, None, ""  # among the rights
    try:
        return moment, connection.time_settings(), ""
    except (NotAllowed, Refused):
        return moment, None, ""


def _recent(connection: Mt5Web, masks: str, now_s: int) -> tuple[DealsAnswer, ...]:
    """Return the deals of the last hour, else of the last day, else of the last week."""
    found: list[DealsAnswer] = []
    for back_s in LOOKED_BACK_S:
        found, count = [], 0
        for answer in connection.deals(masks, now_s - back_s, now_s + 3_600):
            found.append(answer)
            count += answer.count
            if count >= ENOUGH:
                break
        if count:
            break
    return tuple(found)


def _findings(run: Run, source: Source, told: Told) -> list[Finding]:
    run.current()
    server = run.servers[source.server_id]
    utc_ms, answers = time.time_ns() // 1_000_000, told.deals or ()
    found = [
        _connected(source, told),
        *(Finding(FAULT if kind != "person" else WARNING, "right", sentence)
          for kind, sentence in told.access.tried.items() if sentence),
        *check_mt5_told.visible(source, told.users, told.groups),
        *check_mt5_known.groups(run, server, told.users, told.groups),
        *check_mt5_known.cent(run, server, told.users, told.groups, utc_ms),
        *check_mt5_told.clock(server, told.time, told.settings, told.clock_fault),
        *check_mt5_told.symbols(told.symbols),
        *check_mt5_known.symbols(run, server, told.symbols, answers),
        *([] if told.deals is None else check_mt5_told.deals(answers)),
        *check_mt5_known.agents(run, server, told.users, answers),
    ]  # fmt: skip
    run.conn.commit()
    order = {FAULT: 0, WARNING: 1, OK: 2}
    return sorted(found, key=lambda one: order[one.level])


def _connected(source: Source, told: Told) -> Finding:
    url, login = (source.settings.get(name, "") for name in ("url", "login"))
    text = f"signed in to {url} as manager {login}; access server build {told.access.version}"
    return Finding(OK, "connection", text)
