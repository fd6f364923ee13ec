"""A broker of two partners, connected to a sandbox server; and questions that every test asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hand_world import HandWorld
from tests.scenarios.small_broker import LOADS, LOT, PLAN

from pipshare import inbox, ledger, statements, trades
from pipshare.pipeline import Run
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.feeds.mt5_feed import Mt5Feed
from pipshare.pipeline.loads import apply_plan, load
from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sources.mt5_web import Config

SERVER = "Live-5"
GO_LIVE = "2026-01-01T00:00:00Z"
LOGINS = (101, 102, 103, 104, 105)


def fill(conn: Any, folder: Path, go_live: str, logins: Sequence[int]) -> None:
    """Load the broker: one MT5 server, a client's accounts on it, a plan on terms."""
    servers = (
        "server,platform,clock,go_live,authority\n"
        f"{SERVER},mt5,America/New_York+7h,{go_live},mt5_web\n"
    )
    accounts = "".join(f"{SERVER},{login},C-1\n" for login in logins)
    accounts = f"server,login,client\n{accounts}"
    run = Run(conn)
    for kind, text in {**LOADS, "servers": servers, "accounts": accounts}.items():
        assert not load(run, kind, _file(folder, f"{kind}.csv", text), by="anna").reports[0].refused
    apply_plan(run, _file(folder, "std.toml", PLAN), by="anna")
    terms = _file(folder, "terms.csv", "partner,programme\nP-1,std\nP-2,std\n")
    load(run, "terms", terms, by="anna")


def _file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


@dataclass
class FeedBroker:
    """A broker that was loaded (`fill`), with one source; `feed` polls it."""

    conn: Any
    folder: Path
    world: HandWorld
    server: Mt5Server
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = Run(self.conn)
        self.id = next(iter(self.run.servers))
        told = {"url": self.server.url, "login": "1000", "fingerprint": self.server.fingerprint,
                "from": "3d", **self.settings}  # fmt: skip
        with self.conn.transaction():
            self.source = inbox.add_source(
                self.conn, "live", self.id, "mt5_web", told, secret="Password1", by="anna"
            )
        self.feed = self.connect()

    def connect(self) -> Mt5Feed:
        """Return another feed of the source, as a restarted worker has it: without memory."""
        config = Config.parse(self.source.settings, "Password1")
        self.feed = Mt5Feed(Run(self.conn), self.source, config, utc_ms=lambda: self.world.now_ms)
        return self.feed

    def load(self, kind: str, text: str, **options: Any) -> list[Any]:
        path = _file(self.folder, f"{kind}.csv", text)
        return load(self.run, kind, path, by="anna", **options).reports

    def poll(self, seconds: float = 1, times: int = 200) -> list[Polled]:
        """Let time pass, then poll until nothing is left to do."""
        self.world.forward(seconds)
        done = []
        for _ in range(times):
            done.append(self.feed.poll())
            if not done[-1].more:
                return done
        raise AssertionError(f"the feed never comes to rest: {self.feed.progress}")

    def totals(self) -> dict[str, int]:
        """Every partner's accrued amount in 1e-8 dollars; zeros left out."""
        held, _ = statements.overview(self.conn)
        return {one.partner: one.amount_e8 for one in held if one.amount_e8}

    def assert_paid(self, lots: int) -> None:
        """So many lots are booked, to both partners, and the books are whole."""
        wanted = {"P-1": lots * LOT, "P-2": 5 * lots * LOT} if lots else {}
        assert self.totals() == wanted
        assert ledger.verify(self.conn)[0] == []
        assert statements.check_lines(self.conn) == []

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        found = self.conn.execute(query, values).fetchall()
        self.conn.rollback()
        return found

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def unseen(self) -> dict[int, str]:
        return dict(self.rows("SELECT deal, state FROM inbox_unseen ORDER BY deal"))  # type: ignore[arg-type]

    def alerts(self) -> dict[str, str]:
        found = {one.code: one.message for one in inbox.alerts(self.conn)}
        self.conn.rollback()
        return found

    def trade(self, ticket: int) -> dict[str, Any]:
        """Return the current revision of a trade."""
        frame = trades.read(self.conn, self.id, tickets=[ticket])
        self.conn.rollback()
        return frame.row(0, named=True)
