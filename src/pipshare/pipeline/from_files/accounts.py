"""Accounts of the tree file and of the trades themselves: a directory for attribution's kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipshare.attribution import Directory
from pipshare.facts import history
from pipshare.market import GroupRow, Server
from pipshare.partners.wording import hint
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.people import People
from pipshare.pipeline.from_files.places import Refuser

Row = Mapping[str, Any]
_ACCOUNT = dict.fromkeys(("id", "login", "client"), pl.Int64)
_STATE = {
    "subject": pl.Int64, "group": pl.String, "currency": pl.String, "status": pl.String,
    "from_ms": pl.Int64, "id": pl.Int64, "assumed": pl.Boolean,
}  # fmt: skip
_NO_AGENTS = dict.fromkeys(("subject", "above", "start", "end", "id"), pl.Int64)
_MADE_UP = -1  # logins of accounts that only a client's name stands for go down from here


@dataclass
class Accounts:
    """All accounts by (server, login), with the client who owns each and its states over time."""

    people: People
    entity_of: Mapping[str, str]
    owner: dict[tuple[str, int], int] = field(default_factory=dict)
    by_client: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    states: dict[tuple[str, int], list[tuple[int, str, str, str]]] = field(default_factory=dict)

    def take(self, rows: Iterable[Row], known: Mapping[str, Server], refuse: Refuser) -> None:
        """Take in the table of accounts; what a later row leaves out stays as it was."""
        only = next(iter(known)) if len(known) == 1 else ""
        for row in rows:
            server = row["server"] or only
            if not server:
                refuse(row, "no_server", f"tell the server: the tree has {', '.join(known)}")
                continue
            if server not in known:
                refuse(row, "unknown_server", f"field server: {server!r} is not known"
                       f"{hint(server, known)}: add it to the table servers")  # fmt: skip
                continue
            key = (server, row["login"])
            client = self.people.client(self.entity_of[server], row["client"])
            if self.owner.get(key, client) != client:
                refuse(row, "other_owner",
                       f"account {row['login']} belongs to another client already")  # fmt: skip
                continue
            self.add(key, client)
            states = self.states.setdefault(key, [])
            _, group, currency, status = states[-1] if states else (0, "", "USD", "active")
            states.append((row["valid_from"] or 0, row["group"] or group,
                           row["currency"] or currency, row["status"] or status))  # fmt: skip

    def add(self, key: tuple[str, int], client: int) -> None:
        """Note whose account it is."""
        if key not in self.owner:
            self.owner[key] = client
            self.by_client.setdefault((key[0], client), []).append(key[1])

    def with_logins(self, rows: pl.DataFrame, refuse: Refuser) -> pl.DataFrame:
        """Give each trade its account: by login, else by its client, else by the only client."""
        logins: list[int | None] = []
        for row in rows.select("server", "login", "client", "line").iter_rows(named=True):
            logins.append(self._login(row, refuse))
        return rows.with_columns(login=pl.Series(logins, dtype=pl.Int64)).filter(
            pl.col("login").is_not_null()
        )

    def _login(self, row: Row, refuse: Refuser) -> int | None:
        server, login, code = row["server"], row["login"], row["client"]
        entity = self.entity_of[server]
        if not code and login is None and len(self.people.clients) == 1:
            code = next(iter(self.people.clients))[1]
        if not code:
            if login is None:
                refuse(row, "no_owner", "tell the login or the client of the trade: the tree has "
                       f"{len(self.people.clients)} clients")  # fmt: skip
            return login
        known = (entity, code) in self.people.clients
        if not known:
            near = hint(code, [one for _, one in self.people.clients])
            refuse(row, "unknown_client", f"field client: no client {code!r}{near}:"
                   " add him to the table clients")  # fmt: skip
            return None
        client = self.people.clients[entity, code]
        if login is not None:
            if self.owner.get((server, login), client) != client:
                refuse(row, "other_owner", f"field client: account {login} belongs to another "
                       f"client than {code}")  # fmt: skip
                return None
            self.add((server, login), client)
            return int(login)
        return self._of_client(row, server, client, code, refuse)

    def _of_client(
        self, row: Row, server: str, client: int, code: str, refuse: Refuser
    ) -> int | None:
        own = self.by_client.get((server, client), [])
        if len(own) > 1:
            refuse(row, "several_accounts", f"client {code} has the accounts "
                   f"{', '.join(map(str, own[:8]))}: tell the login")  # fmt: skip
            return None
        if not own:
            self.add((server, _MADE_UP - len(self.owner)), client)
            own = self.by_client[server, client]
        return own[0]

    def directory(self, server: Server, groups: list[GroupRow]) -> Directory:
        """Return what attribution asks of one server's accounts."""
        mine = [(key, client) for key, client in self.owner.items() if key[0] == server.code]
        numbers = {key: number for number, (key, _) in enumerate(mine, 1)}
        states = [
            (numbers[key], group, currency, status, start, place, False)
            for key, told in self.states.items() if key in numbers
            for place, (start, group, currency, status) in enumerate(told)
        ]  # fmt: skip
        without = [(numbers[key], "", "USD", "active", 0, 0, False)
                   for key in numbers if key not in self.states]  # fmt: skip
        accounts = [(numbers[key], key[1], client) for key, client in mine]
        people = self.people
        return Directory.of_frames(groups, people.frame(people.parents), {
            "accounts": pl.DataFrame(accounts, schema=_ACCOUNT, orient="row"),
            "states": history.resolve(pl.DataFrame(states + without, schema=_STATE, orient="row")),
            "relations": people.frame(people.relations),
            "agents": pl.DataFrame(schema=_NO_AGENTS),
        })  # fmt: skip


def entity_names(servers: Mapping[str, Server], numbers: Mapping[str, int]) -> dict[str, str]:
    """Return the entity's code of each server."""
    codes = {number: code for code, number in numbers.items()}
    return {name: codes.get(one.entity_id, MAIN) for name, one in servers.items()}
