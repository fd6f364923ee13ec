"""What one command reads once and uses for all its batches."""

from __future__ import annotations

import psycopg

from pipshare import attribution, ledger, market, partners, plans
from pipshare.market import Server
from pipshare.period import Clock


class Run:
    """A connection of the application's role, and plans, partners and market data as read.

    Call `refresh` after anything was loaded. `conn` is used by one thread; its user commits.
    """

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self.refresh()

    def refresh(self) -> None:
        """Read everything anew, as it now stands, in the transaction that is open."""
        self.accounts = ledger.Accounts()
        self.servers = {server.id: server for server in market.servers(self.conn)}
        self.entities = market.entities(self.conn)
        self.book = plans.book(self.conn)
        self.partners = partners.info(self.conn)
        self.fx = market.fx_table(self.conn)
        self._symbols: dict[int, market.SymbolBook] = {}
        self._directories: dict[int, attribution.Directory] = {}

    def symbols(self, server: Server) -> market.SymbolBook:
        """Return the server's symbols, read once."""
        if server.id not in self._symbols:
            self._symbols[server.id] = market.symbols(self.conn, server)
        return self._symbols[server.id]

    def directory(self, server: Server) -> attribution.Directory:
        """Return what attribution has read of this server so far."""
        return self._directories.setdefault(server.id, attribution.Directory())

    def day_clock(self, server: Server) -> Clock:
        """Return the clock of the broker's own day, of the server's entity."""
        return Clock.parse(self.entities[server.entity_id].clock)
