"""What one command or worker reads once and uses for all its batches."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy

import polars as pl
import psycopg

from pipshare import attribution, audit, clients, ledger, market, outbox, partners, plans
from pipshare.facts.jurisdictions import Jurisdictions
from pipshare.market import Server
from pipshare.period import FOREVER_MS, Clock
from pipshare.plans.book import Book


class Run:
    """A connection of the application's role, and plans, partners and market data as read.

    `current` reads anew what others changed since. `conn` is used by one thread; its user commits.
    A `lasting` run serves many small batches, and reads more at once to spare them look-ups.
    """

    def __init__(self, conn: psycopg.Connection, *, lasting: bool = False) -> None:
        self.conn, self._lasting = conn, lasting
        self.only_looks = False
        self.refresh()

    def looking(self, book: Book) -> Run:
        """Return a run by another book that only looks: it stores nothing, not even a chain."""
        made = copy(self)
        made.book, made.only_looks, made._directories = book, True, {}
        return made

    def unblocked(self) -> Run:
        """Return the same run as if no country had ever been blocked: for looking alone."""
        made = copy(self)
        made._blocks = {}
        return made

    def refresh(self) -> None:
        """Read everything anew, as it now stands, in the transaction that is open."""
        self.accounts = ledger.Accounts(whole=self._lasting)
        self._executions: dict[int, pl.DataFrame] = {}
        self._seen = audit.snapshot(self.conn)
        self._read({"market", "symbols", "fx", "accounts", "partners", "plans", "receivers"})

    def current(self) -> None:
        """Read anew what changed; until the open transaction ends nothing changes beside it.

        Call it first in every transaction that books: `servers`, `fx` and the rest may be others
        after it. The kinds are those of the migrations (schema.watched).
        """
        self._seen, changed = audit.changed_since(self.conn, self._seen)
        if changed:
            self._read(changed)

    def _read(self, kinds: set[str]) -> None:
        if "market" in kinds:
            self.servers = {server.id: server for server in market.servers(self.conn)}
            self.entities = market.entities(self.conn)
        if kinds & {"market", "jurisdictions"}:
            self._blocks = clients.jurisdictions(self.conn)
        if kinds & {"market", "plans"}:
            self.book = plans.book(self.conn)
        if kinds & {"market", "partners"}:
            self.partners = partners.info(self.conn)
            self._shards: dict[int, int] | None = None
        if kinds & {"market", "fx"}:
            self.fx = market.fx_table(self.conn)
        if kinds & {"market", "symbols"}:
            self._symbols: dict[int, market.SymbolBook] = {}
            self._points: tuple[list[market.PointsRow], list[market.PointsRow]] | None = None
        if "receivers" in kinds:
            self.wanted = outbox.wanted(self.conn)
        if kinds & {"market", "accounts", "partners"}:
            self._directories: dict[int, attribution.Directory] = {}
        if "receivers" in kinds:
            self.wanted = outbox.wanted(self.conn)

    def shard(self, partner_id: int) -> int:
        """Return the tree in which a partner's windows are settled, by its lowest partner id."""
        if self._shards is None:
            self._shards = partners.shards(self.conn)
        return self._shards.get(partner_id, partner_id)

    def members(self, shards: Collection[int]) -> list[int]:
        """Return the partners of some shards."""
        return [one for one in self.partners.ids.tolist() if self.shard(one) in shards]

    def blocks(self, entity_id: int) -> Jurisdictions | None:
        """Return what an entity said of blocked countries; None = nothing ever."""
        return self._blocks.get(entity_id)

    def symbols(self, server: Server) -> market.SymbolBook:
        """Return the server's symbols, read once."""
        if server.id not in self._symbols:
            self._symbols[server.id] = market.symbols(self.conn, server)
        return self._symbols[server.id]

    def directory(self, server: Server) -> attribution.Directory:
        """Return what attribution has read of this server so far."""
        if server.id not in self._directories:
            self._directories[server.id] = attribution.Directory(
                lasting=self._lasting, stores=not self.only_looks
            )
        return self._directories[server.id]

    def live_ms(self, entity_id: int) -> int:
        """Return from when on what happens to an entity's clients counts: its first go-live."""
        return min(
            (server.go_live_ms for server in self.servers.values()
             if server.entity_id == entity_id and server.go_live_ms is not None),
            default=FOREVER_MS,
        )  # fmt: skip

    def note_executions(self, server: Server, told: pl.DataFrame) -> pl.DataFrame:
        """Note executions (clients.EXECUTION) that are earlier than those known; return these.

        What is known is read once: refresh after a rollback, or what it undid counts as known.
        """
        known = self._executions.get(server.id)
        if known is None:
            known = clients.known_executions(self.conn, server.id)
        known, news = clients.note_executions(self.conn, server.id, told, known)
        self._executions[server.id] = known
        return news

    def day_clock(self, server: Server) -> Clock:
        """Return the clock of the broker's own day, of the server's entity."""
        return self.clock(server.entity_id)

    def clock(self, entity_id: int) -> Clock:
        """Return the clock of an entity's own day."""
        return Clock.parse(self.entities[entity_id].clock)

    def points(self) -> tuple[list[market.PointsRow], list[market.PointsRow]]:
        """Return the rows of typical spreads and of markups, read once."""
        if self._points is None:
            self._points = market.spreads(self.conn), market.markups(self.conn)
        return self._points
