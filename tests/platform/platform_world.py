"""A small broker with one MT5 server, and what that server is seen to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipshare import clients, inbox, ledger, market, statements, trades
from pipshare.facts import DEAL
from pipshare.facts.reading import LoadReport, read_table
from pipshare.period import to_ms
from pipshare.pipeline import Run, book, to_rest
from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.loads import load as load_file

LOADERS = {
    "servers": market.load_servers,
    "clients": clients.load_clients,
    "accounts": clients.load_accounts,
    "symbols": market.load_symbols,
    "groups": market.load_groups,
}


def at(date: str) -> int:
    """UTC milliseconds of a date."""
    return to_ms(datetime.fromisoformat(date).replace(tzinfo=UTC))


def load(conn: Any, kind: str, text: str) -> LoadReport:
    """Load a file's text as the command does; in the open transaction."""
    frame, refused = read_table(text.encode(), kind, clock=market.day_clocks(conn, kind))
    report = LOADERS[kind](conn, frame)
    report.unread(refused)
    return report


def build(conn: Any) -> None:
    """Make server 1, Live, of platform mt5, and client c1."""
    load(conn, "servers", "server,platform,clock\nLive,mt5,UTC\n")
    load(conn, "clients", "client\nc1\n")


def accounts_csv(*rows: str) -> str:
    """An accounts file: login,client,group,currency,status,valid_from each."""
    lines = [f"Live,{row}" for row in rows]
    return "\n".join(["server,login,client,group,currency,status,valid_from", *lines, ""])


def users(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Users as the platform says: login, group, currency, rights (1), agent (0)."""
    full = [(*row, *(1, 0)[len(row) - 3 :], "Cyprus") for row in rows]
    names = ("login", "group", "currency", "rights", "agent", "country")
    types = (pl.Int64, pl.String, pl.String, pl.Int64, pl.Int64, pl.String)
    return pl.DataFrame(full, schema=dict(zip(names, types, strict=True)), orient="row")


def states(conn: Any, login: int) -> list[tuple[Any, ...]]:
    """The account's states in force: moment, group, currency, status, source."""
    query = """
    SELECT DISTINCT ON (t.valid_from)
           CASE WHEN t.valid_from = '-infinity' THEN 0
                ELSE (extract(epoch FROM t.valid_from) * 1000)::bigint END,
           t.group_name, t.currency, t.status, t.source
      FROM clients_account_state t JOIN clients_account a ON a.id = t.account_id
     WHERE a.login = %s ORDER BY t.valid_from, t.id DESC
    """
    return conn.execute(query, (login,)).fetchall()


def groups(*rows: tuple[str, str]) -> pl.DataFrame:
    """Groups as the platform says: name and currency."""
    full = [(name, currency, 2, 2, "Broker") for name, currency in rows]
    types = {"group": pl.String, "currency": pl.String, "digits": pl.Int64,
             "margin_mode": pl.Int64, "company": pl.String}  # fmt: skip
    return pl.DataFrame(full, schema=types, orient="row")


def symbols(*rows: tuple[str, int, int, str]) -> pl.DataFrame:
    """Symbols as the platform says: name, digits, contract in 1e-8, profit currency."""
    full = [
        (name, f"Markets\\{name}", digits, contract, "EUR", currency, "EUR", 0)
        for name, digits, contract, currency in rows
    ]
    types = {"symbol": pl.String, "path": pl.String, "digits": pl.Int64, "contract_e8": pl.Int64,
             "currency_base": pl.String, "currency_profit": pl.String,
             "currency_margin": pl.String, "calc_mode": pl.Int64}  # fmt: skip
    return pl.DataFrame(full, schema=types, orient="row")


class FakeServer:
    """Answers as a connection does, from frames; an error instead of a frame is raised."""

    def __init__(self, users: Any, groups: Any, symbols: Any, conn: Any = None) -> None:
        self._told = (users, groups, symbols)
        self._conn = conn
        self.asked: list[str] = []
        self.idle: list[bool] = []

    def users(self, groups: str) -> pl.DataFrame:
        self.asked.append(groups)
        return self._give(0)

    def groups(self) -> pl.DataFrame:
        return self._give(1)

    def symbols(self) -> pl.DataFrame:
        return self._give(2)

    def _give(self, place: int) -> pl.DataFrame:
        if self._conn is not None:
            self.idle.append(self._conn.info.transaction_status.name == "IDLE")
        told = self._told[place]
        if isinstance(told, Exception):
            raise told
        return told


LOADS = {
    "servers": "server,platform,clock,go_live\nLive,mt5,UTC,2026-01-01T00:00:00Z\n",
    "symbols": "symbol\nEURUSD\n",
    "partners": "partner\nP-1\n",
    "clients": "client,partner\nC-1,P-1\n",
    "accounts": "server,login,client\nLive,5001,C-1\n",
}
PLAN = """[programme]
code = "std"
name = "Standard"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "1.00"
"""


@dataclass
class Broker:
    """One partner with one client, who earns 1 USD for each lot; a source set up and not read."""

    run: Run
    folder: Path
    source: Any = None

    @property
    def server(self) -> market.Server:
        return next(iter(self.run.servers.values()))

    def load(self, kind: str, text: str) -> None:
        path = self.folder / f"{kind}.csv"
        path.write_text(text)
        assert not [r for one in load_file(self.run, kind, path, by="anna").reports
                    for r in one.refused]  # fmt: skip

    def requests(self) -> list[tuple[str, list[int] | None]]:
        query = "SELECT cause, logins FROM rating_request WHERE state = 'new' ORDER BY id"
        return self.run.conn.execute(query).fetchall()

    def audited(self) -> list[tuple[Any, ...]]:
        query = """SELECT actor, action, subject, reason, detail FROM audit_event
                    WHERE action LIKE 'agent.%' ORDER BY id"""
        return self.run.conn.execute(query).fetchall()

    def assert_whole(self) -> None:
        assert ledger.verify(self.run.conn)[0] == []
        assert statements.check_lines(self.run.conn) == []


@contextmanager
def standing(templates: Any, folder: Path) -> Iterator[Broker]:
    """Yield the broker on a copy of what was loaded once; `conn` of its run is closed then."""

    def loaded(database: Any) -> Any:
        with database.app() as conn, TemporaryDirectory() as place:
            return broker(conn, Path(place)).source

    with templates.copy("platform_broker", loaded) as database, database.app() as conn:
        yield Broker(Run(conn), folder, database.made)


def broker(conn: Any, folder: Path) -> Broker:
    """Load the broker and add the source `live`."""
    made = Broker(Run(conn), folder)
    for kind, text in LOADS.items():
        made.load(kind, text)
    (folder / "std.toml").write_text(PLAN)
    apply_plan(made.run, folder / "std.toml", by="anna")
    made.load("terms", "partner,programme\nP-1,std\n")
    settings = {"groups": "real*,!real\\test*", "url": "https://localhost:1", "login": "1000"}
    made.source = inbox.add_source(
        conn, "live", made.server.id, "mt5_web", settings, secret="x", by="anna"
    )
    conn.commit()
    return made


def new_trade(world: Broker, ticket: int, day: str) -> None:
    """One lot of EURUSD by 5001 closes at noon of a day, and is booked as a feed does it."""
    run = world.run
    rows = [deal(ticket * 10 + entry, ticket, entry, at(day) + entry * 3_600_000)
            for entry in (0, 1)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=DEAL)
    run.current()
    batch = inbox.open_batch(run.conn, world.server.id, "file", len(frame))
    taken = inbox.store_deals(run.conn, world.server.id, frame, batch, None)
    closed = trades.from_deals(run.conn, world.server.id, taken.positions)
    intake = trades.take_in(run.conn, world.server, closed, batch, None, judged=True)
    assert intake.new == 1
    book(run, world.server, intake.settled, fresh=True)
    run.conn.commit()
    to_rest(run)


def deal(number: int, position: int, entry: int, time_ms: int) -> dict[str, Any]:
    """A deal (DEAL) of one lot: entry 0 opens the position, 1 closes it."""
    told = {"deal": number, "login": 5001, "position": position, "action": entry, "entry": entry,
            "time_ms": time_ms, "symbol": "EURUSD", "volume_e8": 10**8,
            "closed_e8": entry * 10**8, "price_e8": 11 * 10**7, "contract_e8": 10**13}  # fmt: skip
    return {**dict.fromkeys(DEAL, 0), **told}
