"""The live part of the demonstration: a trade server, a connection, a console, and what arrives."""

from __future__ import annotations

import os
import secrets
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipshare import inbox, market, settings, statements
from pipshare.cli import demo_crm, demo_partners, demo_tracking
from pipshare.cli.demo_children import Children
from pipshare.cli.demo_crm import Crm
from pipshare.cli.demo_told import funnel_table, receivers_line, say_received
from pipshare.cli.demo_visits import Visits
from pipshare.cli.explaining import say_explanation
from pipshare.cli.options import console, counted, money, table
from pipshare.errors import Conflict
from pipshare.inbox import Source
from pipshare.money import format_e8
from pipshare.people import accounts
from pipshare.pipeline import Run
from pipshare.pipeline.loads import load
from pipshare.pipeline.work.set_up import set_up
from pipshare.sandbox.cast import PARTNERS
from pipshare.sandbox.mt5.world import Size, World
from pipshare.sandbox.site import Platform, Site

SERVER, CODE, BY = "Demo-MT5-Live", "demo-mt5-live", "demo"
PERSON = "demo@pipshare.example"
RATE = 4.0  # closed trades a second
ENOUGH, LONGEST_S = 25, 60  # trades, and seconds, of a bounded run
REST_S = 3.0  # after the visitors' last trade, for what is told of it
CONSOLE_PORT, TRACKER_PORT = 8000, 8700  # where people look for them
SHOWN = 5
_LATEST = """
SELECT t.ticket, t.login, t.symbol, t.lots_e8, sum(l.amount_e8)::bigint, a.currency,
       count(DISTINCT l.partner), (extract(epoch FROM x.booked_at - t.close_at))::numeric(9,1)::text
  FROM trades_trade t
  JOIN rating_line l ON l.server_id = t.server_id AND l.ticket = t.ticket
  JOIN ledger_account a ON a.id = l.account
  JOIN ledger_transfer x ON x.id = l.transfer_id
 WHERE t.server_id = %(server)s AND t.revision = 1 AND l.amount_e8 <> 0
   AND t.close_at >= greatest(%(since)s, clock_timestamp() - interval '2 minutes')
 GROUP BY t.ticket, t.login, t.symbol, t.lots_e8, a.currency, x.booked_at, t.close_at
 ORDER BY t.close_at DESC LIMIT %(shown)s
"""
_EARNED = """
SELECT p.code, p.name, a.currency, sum(g.amount_e8)::bigint
  FROM ledger_transfer t JOIN ledger_leg g ON g.transfer_id = t.id
  JOIN ledger_account a ON a.id = g.account_id AND a.payee_kind = 'partner'
  JOIN partners_partner p ON p.id = a.payee_id
 WHERE t.booked_at >= %(since)s
 GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT %(shown)s
"""
_BOOKED = """
SELECT count(*) FROM trades_trade t
 WHERE t.server_id = %(server)s AND t.close_at >= %(since)s AND t.revision = 1
   AND EXISTS (SELECT FROM rating_line l WHERE l.server_id = t.server_id AND l.ticket = t.ticket)
"""
_NOW = "SELECT clock_timestamp()"


@dataclass(frozen=True)
class _Play:
    """What is watched: the connection, the visitors, the CRM."""

    source: Source
    visits: Visits
    crm: Crm


@dataclass(frozen=True)
class Seen:
    """What a look at the database showed."""

    booked: int
    ticket: int | None
    picture: Group


def run_live(run: Run, *, once: bool) -> None:
    """Start the server, connect, serve the console, and show what arrives until Ctrl-C.

    With `once` the run is bounded: some trades, a summary, one explanation, and the end.
    """
    children = Children(settings.ENV.data / "demo" / "logs")
    try:
        console.print("Starting an MT5 server of an invented broker, and connecting to it ...")
        _introduce(run)
        demo_tracking.prepare(run)
        demo_crm.prepare(run, SERVER)
        demo_partners.prepare(run)
        known = _known(run.conn)
        port = urlsplit(known.settings["url"]).port or 0 if known else 0
        told = children.sandbox(RATE, port).parts
        port = 0 if once else _port(TRACKER_PORT)
        tracker = children.tracker(port, demo_tracking.webhook_secret()).parts["url"]
        demo_tracking.point_to(run, tracker)
        source = known or _connect(run, told)
        crm = demo_crm.start(run, children, 0 if once else _port(demo_crm.PORT), once=once)
        demo_partners.point_to(run, crm.url)
        children.work()
        url = children.serve(0 if once else _port(CONSOLE_PORT)).parts["url"]
        _say_console(run, url)
        crm.begin(url)
        demo_tracking.say(url, tracker)
        demo_crm.say(crm)
        demo_partners.say(url)
        visits = Visits(run, Site(url, demo_tracking.token()),
                        Platform(told["url"], Path(told["certificate"])), SERVER)  # fmt: skip
        seen = _watch(run, children, _Play(source, visits, crm), once=once)
        if once:
            say_received(tracker)
            demo_crm.say_sent(crm)
            demo_partners.say_known(run)
            _explain(run, seen)
    except KeyboardInterrupt:
        run.conn.close()  # a query may be on its way: nothing can be said on it any more
        console.print()
    finally:
        children.end()
    console.print("Ended; the data stays. Run it again and it goes on where it was.")


def _introduce(run: Run) -> None:
    """Load the live server's clients and accounts, once."""
    if any(server.code == SERVER for server in run.servers.values()):
        return
    partners = [partner.code for partner in PARTNERS if partner.parent]
    paths = World(size=Size(rate=RATE)).write_loads(settings.ENV.data / "demo" / "live", partners)
    for kind, path in paths.items():
        report = load(run, kind, path, by=BY).reports[0]
        console.print(f"  load {kind} {path.name}: {report.added} added")


def _known(conn: psycopg.Connection) -> Source | None:
    return next((one for one in inbox.sources(conn) if one.code == CODE), None)


def _connect(run: Run, told: dict[str, str]) -> Source:
    wanted = {"url": told["url"], "login": told["login"], "fingerprint": told["fingerprint"]}
    source, _ = set_up(run.conn, "mt5_web", SERVER, wanted, code=CODE, by=BY,
                       secret=told["password"])  # fmt: skip
    run.conn.commit()
    return source


def _port(wanted: int) -> int:
    """Return the port, or 0 when something else is there."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def _say_console(run: Run, url: str) -> None:
    """Tell where the console is and how to sign in; the password is made once."""
    file = settings.ENV.data / "demo" / "console_password"
    if not file.exists():
        password = secrets.token_urlsafe(12)
        try:
            accounts.add(run.conn, PERSON, "admin", by=BY, name="Demo", password=password,
                         must_change=False, exempt=True)  # fmt: skip
        except Conflict:
            run.conn.rollback()
            return
        run.conn.commit()
        file.touch(mode=0o600)
        file.write_text(password, encoding="utf-8")
    accounts.set_exempt(run.conn, PERSON, True, by=BY, reason="the demonstration's own person")
    run.conn.commit()
    console.print(f"Console: {url}   sign in as {PERSON} with {file.read_text(encoding='utf-8')}")
    console.print("  (the demonstration's person is exempt from the second factor; staff is not)")


def _watch(run: Run, children: Children, play: _Play, *, once: bool) -> Seen:
    """Look every second; on a terminal the picture is drawn anew, elsewhere a line is printed."""
    since = run.conn.execute(_NOW).fetchone()[0]  # type: ignore[index]
    end, visits = _End(once, children, play, run.conn), play.visits
    seen = _look(run, play, since)
    if sys.stdout.isatty() and not os.environ.get("CI"):
        with Live(seen.picture, console=console, auto_refresh=False) as live:
            while not end.is_now(seen):
                time.sleep(1)
                visits.step(more=not once)
                seen = _look(run, play, since)
                live.update(seen.picture, refresh=True)
    else:
        said = 0.0
        while not end.is_now(seen):
            time.sleep(1)
            visits.step(more=not once)
            seen = _look(run, play, since)
            if time.monotonic() - said > 5:
                said = time.monotonic()
                console.print(f"  {counted(seen.booked, 'live trade')} booked,"
                              f" {counted(visits.came, 'visitor')} came")  # fmt: skip
        console.print(seen.picture)
    return seen


class _End:
    """Tells when a bounded run is over: some trades, visitors and CRM through, or LONGEST_S."""

    def __init__(
        self, once: bool, children: Children, play: _Play, conn: psycopg.Connection
    ) -> None:
        self._once, self._children, self._play, self._conn = once, children, play, conn
        self._began, self._through = time.monotonic(), 0.0

    def is_now(self, seen: Seen) -> bool:
        """Tell whether to end. Raises Conflict when a child has ended by itself."""
        if lost := self._children.lost():
            console.print(lost)
            raise Conflict("lost", f"a process of the demonstration is gone: {lost}")
        if not self._once:
            return False
        now = time.monotonic()
        play = self._play
        if not self._through and play.visits.is_through() and play.crm.is_through(self._conn):
            self._through = now
        enough = seen.booked >= ENOUGH and self._through and now - self._through > REST_S
        return bool(enough) or now - self._began > LONGEST_S


def _look(run: Run, play: _Play, since: datetime) -> Seen:
    conn, source = run.conn, play.source
    values = {"server": source.server_id, "since": since, "shown": SHOWN}
    booked = (conn.execute(_BOOKED, values).fetchone() or (0,))[0]
    ticket, most = None, 0
    latest = table("Trades as they close", "deal", "login", "symbol", "lots", "partners paid",
                   "commission", "booked after", right=(3, 4, 5, 6))  # fmt: skip
    for number, login, symbol, lots, amount, currency, paid, lag in conn.execute(_LATEST, values):
        latest.add_row(str(number), str(login), symbol, format_e8(lots), str(paid),
                       money(amount, currency), f"{lag} s")  # fmt: skip
        if paid > most:
            ticket, most = number, paid
    earned = table("Commissions since the start", "partner", "name", "amount", right=(2,))
    for code, name, currency, amount in conn.execute(_EARNED, values):
        earned.add_row(code, name, money(amount, currency))
    fresh = _freshness(conn, source)
    clicks, told = funnel_table(conn, since), play.crm.clients(conn)
    conn.commit()
    return Seen(booked, ticket, Group(Text(), latest, Text(), earned, Text(), clicks, Text(), told,
                                      Text(), receivers_line(run), fresh))  # fmt: skip


def _freshness(conn: psycopg.Connection, source: Source) -> Text | Table:
    status = next((one for one in inbox.statuses(conn) if one.source.id == source.id), None)
    if status is None or status.lag_p50_ms is None:
        return Text(status.error if status and status.error else "Connecting ...")
    return Text(
        f"From close to booked: half within {status.lag_p50_ms / 1000:.1f} s, 99 % within"
        f" {(status.lag_p99_ms or 0) / 1000:.1f} s. Ctrl-C ends it."
    )


def _explain(run: Run, seen: Seen) -> None:
    held, waiting = statements.overview(run.conn)
    console.print(f"{counted(seen.booked, 'live trade')} booked for {len(held)} accounts of"
                  f" partners; {sum(row.trades for row in waiting)} trades wait.")  # fmt: skip
    if seen.ticket:
        console.print()
        run.current()
        say_explanation(run, market.server(run.conn, SERVER), seen.ticket)
