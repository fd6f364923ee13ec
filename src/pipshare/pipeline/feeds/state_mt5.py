"""An MT5 server's accounts, groups and symbols as it tells them now, kept as histories.

Asked for when a feed starts and every few minutes. What is asked comes first, outside of any
transaction; what is written is one transaction that books nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from pipshare import clients, inbox, market
from pipshare.inbox import Source
from pipshare.market import Server
from pipshare.pipeline import agents
from pipshare.pipeline.run import Run
from pipshare.sources.mt5_web import GROUPS, SYMBOLS
from pipshare.sources.mt5_web.errors import NotAllowed

DENIED_ALERT = "state_denied"
SYMBOL_ALERT, GROUP_ALERT = "symbol_differs", "group_differs"
_SHOWN = 10


class Told(Protocol):
    """What is asked of a connection (sources.mt5_web.Mt5Web)."""

    def users(self, groups: str) -> pl.DataFrame: ...

    def groups(self) -> pl.DataFrame: ...

    def symbols(self) -> pl.DataFrame: ...


@dataclass(frozen=True)
class State:
    """What the server said, at a moment (UTC ms) before it was asked. `denied`: what it refused."""

    moment_ms: int
    users: pl.DataFrame
    groups: pl.DataFrame
    symbols: pl.DataFrame
    denied: tuple[str, ...] = ()


@dataclass
class StateReport:
    """What an observation came to.

    `from_ms` is the earliest close (UTC ms) that has to be rated again, which was asked for
    already; None when nothing became different. `followed`: logins whose state became another;
    `agents`: those whose native agent was seen first; `known_now`: symbols known from now on.
    """

    accounts: int = 0
    changed: int = 0
    groups: int = 0
    symbols: int = 0
    followed: list[int] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)
    known_now: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    denied: tuple[str, ...] = ()
    from_ms: int | None = None

    @property
    def news(self) -> bool:
        """Whether anything was new."""
        return bool(self.changed or self.agents or self.groups or self.symbols)


def sync_state(
    run: Run, source: Source, connection: Told, *, now_ms: int | None = None
) -> StateReport:  # fmt: skip
    """Ask the server for accounts, groups and symbols, and keep what is new; commits.

    Nothing of the caller's may be open: the connection's transaction is ended first. Raises what
    the connection raises (nothing is kept then). Rating again is asked for, not done.
    """
    run.conn.commit()  # nothing is asked outside while a transaction is open
    return keep_state(run, source, ask_state(source, connection, now_ms))


def ask_state(source: Source, connection: Told, now_ms: int | None = None) -> State:
    """Ask the server. A right that the manager lacks to groups or symbols leaves these out."""
    moment_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    users = connection.users(source.settings.get("groups", "*"))
    denied: list[str] = []
    told: dict[str, pl.DataFrame] = {}
    for name, schema, ask in (
        ("groups", GROUPS, connection.groups), ("symbols", SYMBOLS, connection.symbols),
    ):  # fmt: skip
        try:
            told[name] = ask()
        except NotAllowed as error:
            denied.append(error.message)
            told[name] = pl.DataFrame(schema=schema)
    return State(moment_ms, users, told["groups"], told["symbols"], tuple(denied))


def keep_state(run: Run, source: Source, state: State) -> StateReport:
    """Keep what a server said, in one transaction; ask for what has to be rated again."""
    server = run.servers[source.server_id]
    run.conn.commit()
    with run.conn.transaction():
        seen = clients.observe(
            run.conn, server.id, with_currency(state.users, state.groups), state.moment_ms
        )
        told = market.observe_market(
            run.conn, server, state.groups, state.symbols, state.moment_ms
        )  # fmt: skip
        if seen.followed and seen.from_ms is not None:
            agents.ask(run, server, f"accounts of {server.code} seen otherwise", seen.followed,
                       seen.from_ms)  # fmt: skip
        if seen.agents:
            agents.noticed(run, server, seen.agents)
        paid = agents.keep(run, server, agents.stored(run, server), "deal", state.moment_ms)
        _tell(run, server, SYMBOL_ALERT, told.symbols_differ, _SYMBOLS_DIFFER)
        _tell(run, server, GROUP_ALERT, told.groups_differ, _GROUPS_DIFFER)
        _tell_denied(run, source, state.denied)
    return StateReport(
        accounts=seen.accounts, changed=seen.changed, groups=told.groups, symbols=told.symbols,
        followed=seen.followed, agents=sorted({*seen.agents, *paid}), known_now=told.known_now,
        differ=[*told.symbols_differ, *told.groups_differ], denied=state.denied,
        from_ms=0 if seen.agents or paid else seen.from_ms,
    )  # fmt: skip


def with_currency(users: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Give each user the currency of his group, "" where the group is not visible."""
    known = groups.select("group", pl.col("currency").alias("of_group")).unique("group")
    rows = users.join(known, on="group", how="left", maintain_order="left")
    told = pl.when(pl.col("of_group").fill_null("") != "").then("of_group").otherwise("currency")
    return rows.with_columns(currency=told.fill_null("")).drop("of_group")


_SYMBOLS_DIFFER = (
    "symbols with other values on {server} than here: {count}; what was loaded or seen first holds:"
    " {list}. Where the platform is right, load them anew with `pipshare load symbols`"
)
_GROUPS_DIFFER = (
    "account groups with another currency on {server} than here: {count}: {list}. Load them with"
    " the right one: `pipshare load groups`"
)


def _tell(run: Run, server: Server, code: str, differ: list[str], sentence: str) -> None:
    if not differ:
        inbox.resolve_alert(run.conn, code, server_id=server.id)
        return
    shown = "; ".join(differ[:_SHOWN]) + (" ..." if len(differ) > _SHOWN else "")
    values: dict[str, Any] = {"count": len(differ), "server": server.code, "list": shown}
    message = sentence.format(**values)
    inbox.raise_alert(run.conn, code, server.code, message, server_id=server.id)


def _tell_denied(run: Run, source: Source, denied: tuple[str, ...]) -> None:
    if denied:
        inbox.raise_alert(run.conn, DENIED_ALERT, source.code, (
            f"{'; '.join(denied)}; trades are read all the same"
        ), source_id=source.id)  # fmt: skip
    else:
        inbox.resolve_alert(run.conn, DENIED_ALERT, source_id=source.id)
