"""A broker for attribution tests, written straight into the tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

import polars as pl

from pipshare import market
from pipshare.period import to_ms

TRADE_DEFAULTS = {
    "revision": 1, "state": 1, "position": 0, "symbol": "EURUSD", "side": 1, "kind": 0,
    "reason": 0, "opening": 1, "lots_e8": 10**8, "open_ms": 0, "close_ms": 0, "open_price_e8": 1,
    "close_price_e8": 1, "commission_e8": 0, "fee_e8": 0, "swap_e8": 0, "profit_e8": 0,
    "rate_profit_e8": 0, "contract_e8": 0, "content": 0, "batch_id": 1,
}  # fmt: skip


def ms(date: str) -> int:
    """UTC milliseconds of a date."""
    return to_ms(datetime.fromisoformat(date).replace(tzinfo=UTC))


def trades(*rows: tuple[int, int]) -> pl.DataFrame:
    """Trades by (login, close in UTC ms), tickets from 1."""
    return pl.DataFrame(
        [(ticket, login, at) for ticket, (login, at) in enumerate(rows, 1)],
        schema={"ticket": pl.Int64, "login": pl.Int64, "close_utc": pl.Int64}, orient="row",
    )  # fmt: skip


class World:
    """Rows of one server; partners, clients and accounts have the number they were asked for."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        conn.execute("INSERT INTO market_server (code, entity_id, platform) VALUES ('S', 1, 'mt5')")
        self.server = market.server(conn, "S")

    def partners(self, count: int) -> None:
        """Make partners 1 .. count, without places in the tree."""
        self._many("partners_partner (entity_id, code)", "1, 'P' || g", count)

    def clients(self, count: int) -> None:
        """Make clients 1 .. count."""
        self._many("clients_client (entity_id, code)", "1, 'C' || g", count)

    def account(self, login: int, client: int) -> None:
        """Make an account; its number is the order of calls."""
        self._insert("clients_account", server_id=self.server.id, login=login, client_id=client)

    def state(self, account: int, **values: Any) -> None:
        """Observe an account: group_name, currency, status, valid_from."""
        self._insert("clients_account_state", account_id=account, **values)

    def owner(self, account: int, client: int) -> None:
        """Correct who owns an account."""
        self._insert("clients_owner", account_id=account, client_id=client, recorded_by="A + B")

    def relation(self, client: int, partner: int | None, **values: Any) -> None:
        """Say who introduced a client."""
        self._insert("partners_client", client_id=client, partner_id=partner, **values)

    def parent(self, partner: int, parent: int | None, **values: Any) -> None:
        """Say who is above a partner."""
        self._insert("partners_parent", partner_id=partner, parent_id=parent, **values)

    def group(self, mask: str, **values: Any) -> None:
        """Describe a group."""
        self._insert("market_group", server_id=self.server.id, mask=mask, **values)

    def agent(self, login: int, agent: int = 8001) -> None:
        """The platform pays an agent for an account."""
        self._insert("clients_agent", server_id=self.server.id, login=login, agent=agent,
                     evidence="user", first_seen="2025-02-01")  # fmt: skip

    def decide(self, login: int, decision: str, **values: Any) -> None:
        """Somebody decided whether we pay all the same."""
        self._insert("clients_agent_decision", server_id=self.server.id, login=login,
                     decision=decision, recorded_by="Anna", reason="r", **values)  # fmt: skip

    def trade(self, frame: pl.DataFrame) -> None:
        """Store trades."""
        for row in frame.iter_rows(named=True):
            at = datetime.fromtimestamp(row["close_utc"] / 1000, UTC)
            self._insert("trades_trade", server_id=self.server.id, ticket=row["ticket"],
                         login=row["login"], close_at=at, **TRADE_DEFAULTS)  # fmt: skip

    def _many(self, into: str, select: str, count: int) -> None:
        self.conn.execute(f"INSERT INTO {into} SELECT {select} FROM generate_series(1, {count}) g")

    def _insert(self, table: str, **values: Any) -> None:
        marks = ", ".join(["%s"] * len(values))
        columns = ", ".join(values)
        self.conn.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values())
        )


def random_world(conn: Any, seed: int, moments: Iterable[str]) -> tuple[World, pl.DataFrame]:
    """A broker in which everything that can change changes at random, and trades over it."""
    rng, dates = Random(seed), list(moments)
    world = World(conn)

    def span() -> dict[str, str]:
        if rng.random() < 0.4:
            return {}
        start = rng.choice(dates)
        later = [date for date in dates if date > start]
        end = {"valid_to": rng.choice(later)} if later and rng.random() < 0.4 else {}
        return {"valid_from": start, **end}

    def since() -> dict[str, str]:
        return {"valid_from": rng.choice(dates)} if rng.random() < 0.6 else {}

    partners, clients, accounts = 12, 15, 20
    world.partners(partners)
    world.clients(clients)
    for mask in ("real*", "demo*", "real\\vip", "*"):
        for _ in range(rng.randint(0, 2)):
            treatment = rng.choice(["normal", "normal", "excluded", "direct"])
            world.group(mask, treatment=treatment, **since())
    for partner in range(2, partners + 1):  # always under a lower number: no cycle at any moment
        for _ in range(rng.randint(0, 3)):
            world.parent(partner, rng.choice([None, *range(1, partner)]), **span())
    for client in range(1, clients + 1):
        for _ in range(rng.randint(0, 3)):
            world.relation(client, rng.choice([None, *range(1, partners + 1)]), **span())
    for account in range(1, accounts + 1):
        world.account(100 + account, rng.randint(1, clients))
        for _ in range(rng.randint(0, 3)):
            world.state(
                account, group_name=rng.choice(["real\\vip", "real\\ecn", "demo\\x", ""]),
                currency=rng.choice(["USD", "EUR"]),
                status=rng.choice(["active", "active", "active", "disabled", "excluded", "direct"]),
                source=rng.choice(["load", "platform", "first_known"]), **since(),
            )  # fmt: skip
        if rng.random() < 0.4:
            world.agent(100 + account)
            for _ in range(rng.randint(0, 3)):
                world.decide(100 + account, rng.choice(["pay", "none"]), **since())
    edges = [ms(date) for date in dates]
    rows = [
        (100 + rng.randint(1, accounts + 2), rng.choice(edges) + rng.choice([-1, 0, 1, 10**9]))
        for _ in range(250)
    ]
    return world, trades(*rows)
