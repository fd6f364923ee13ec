"""Visitors of the demonstration: they click on links, register, deposit, open accounts, and trade.

Everything goes through the doors that a broker's own site would use: /c, /s2s, a load of accounts,
and the trade server. Called every second; each step waits until the one before has arrived.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException

import psycopg

from pipshare import settings
from pipshare.cli.demo_tracking import BY, LINKS
from pipshare.errors import Conflict
from pipshare.pipeline import Run
from pipshare.pipeline.loads import load
from pipshare.sandbox.site import CURRENCY, GROUP, Platform, Site
from pipshare.sandbox.visitors import Visitor, visitor

SEED = 7
FIRST = 18  # visitors who come at once, so that there is something to see
_PAUSE_S = 4.0  # between two later ones
_HOLD_S = 2.0
_LAST = """
SELECT coalesce(max(substr(client, 3)::bigint), 1000) FROM inbox_postback
 WHERE kind = 'registration' AND client ~ '^W-[0-9]{4,12}$'
"""
_KNOWN = "SELECT code FROM clients_client WHERE code = ANY(%s)"
_TRADED = """
SELECT count(DISTINCT m.client_id) FROM clients_milestone m JOIN clients_client c
    ON c.id = m.client_id WHERE c.code = ANY(%s) AND m.kind = 'first_trade'
"""


@dataclass
class _Story:
    """What has become of a visitor who wants to trade: his account, when he opened a position."""

    who: Visitor
    login: int = 0
    opened: float = 0.0


@dataclass
class Visits:
    """Lets visitors come; `server` is the code of the trade server. Commits what `run` has open."""

    run: Run
    site: Site
    platform: Platform
    server: str
    came: int = 0
    _next: float = 0.0
    _last: int = -1
    _stories: list[_Story] = field(default_factory=list)
    _traders: list[str] = field(default_factory=list)

    def step(self, *, more: bool) -> None:
        """Let come who comes now (after the first ones only with `more`), and go on with others.

        Who does not get through is lost, as in life: the server is busy, somebody revoked a token.
        """
        if self._last < 0:
            self._last = _last_number(self.run.conn)
        try:
            while self.came < FIRST or (more and time.monotonic() > self._next):
                self._come(self._last + 1)
            self._open_accounts()
            self._trade()
        except (OSError, HTTPException, Conflict):
            self._next = time.monotonic() + _PAUSE_S

    def is_through(self) -> bool:
        """Tell whether everybody's first trade has become known who was to trade."""
        row = self.run.conn.execute(_TRADED, (self._traders,)).fetchone()
        self.run.conn.commit()
        return self.came >= FIRST and not self._stories and (row or (0,))[0] >= len(self._traders)

    def _come(self, number: int) -> None:
        self.came, self._last = self.came + 1, number
        self._next = time.monotonic() + _PAUSE_S
        who = visitor(SEED, number, tuple(code for code, _, _ in LINKS))
        click_id = self.site.click(who)
        if not who.country:
            return
        self.site.post_back("registration", client=who.client, click_id=click_id,
                            country=who.country)  # fmt: skip
        if who.deposit:
            self.site.post_back("deposit", txid=f"D-{who.client}", client=who.client,
                                amount=who.deposit, currency=CURRENCY, method="card")  # fmt: skip
        if who.trades:
            self._stories.append(_Story(who))

    def _open_accounts(self) -> None:
        """Open accounts for clients who are known by now, and say whose they are, as a CRM does."""
        waiting = [one for one in self._stories if not one.login]
        known = self._known([one.who.client for one in waiting])
        ready = [one for one in waiting if one.who.client in known]
        if not ready:
            return
        for one in ready:
            one.login = self.platform.open_account()
        path = settings.ENV.data / "demo" / "live" / "opened_accounts.csv"
        rows = [f"{self.server},{one.login},{one.who.client},{GROUP},{CURRENCY}" for one in ready]
        header = "server,login,client,group,currency"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        report = load(self.run, "accounts", path, by=BY).reports[0]
        refused = {ready[one.line - 2].who.client for one in report.refused}  # after the header
        self._stories = [one for one in self._stories if one.who.client not in refused]
        self._traders += [one.who.client for one in ready if one.who.client not in refused]

    def _trade(self) -> None:
        now = time.monotonic()
        for one in [one for one in self._stories if one.login]:
            if not one.opened:
                one.opened = now
                if not self.platform.open_trade(one.login):
                    self._stories.remove(one)
            elif now - one.opened > _HOLD_S:
                self.platform.close_trade(one.login)
                self._stories.remove(one)

    def _known(self, codes: Sequence[str]) -> set[str]:
        found = {code for (code,) in self.run.conn.execute(_KNOWN, (list(codes),))}
        self.run.conn.commit()
        return found


def _last_number(conn: psycopg.Connection) -> int:
    """Return the number of the last visitor of earlier runs who registered, else 0."""
    row = conn.execute(_LAST).fetchone()
    conn.commit()
    return int(row[0]) - 1000 if row else 0
