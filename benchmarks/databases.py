"""An embedded server as shipped, templates in it, and a fresh database for each measurement."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from benchmarks.exports import KINDS, Files
from benchmarks.reference import scripts
from benchmarks.world import SERVERS, World
from pipshare import db, market, partners, plans, rating
from pipshare.db import cluster, embedded
from pipshare.errors import PipshareError
from pipshare.facts.reading import LoadReport, read_table
from pipshare.period import Clock
from pipshare.pipeline import Run
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.pipeline.loads import LOADERS

T = TypeVar("T")
READY, LIVE, STAGED, SCRIPTS = "ready", "live", "staged", "scripts"  # templates; see Databases
EMPTY = "template0"
BY = "benchmark"


class Databases:
    """One server of our own, with the settings that pipshare ships: fsync on, no tuning.

    Templates are made when first asked for: `ready` is migrated, with the broker loaded and no
    go-live; `live` is that with go-live; `staged` has all trades stored, then go-live set and
    asked for: nothing is rated yet; `scripts` is `staged` with the tables of the SQL yardsticks.
    """

    def __init__(self, folder: Path, broker: World, files: Files) -> None:
        self.folder, self.broker, self.files = folder, broker, files
        self.server = embedded.attach(folder)
        self._made: set[str] = set()
        self._count = 0

    def close(self) -> None:
        """Delete the server with everything in it."""
        embedded.destroy(self.folder)

    @contextmanager
    def fresh(self, template: str) -> Iterator[str]:
        """Yield the name of a new copy of a template; connections lead to it meanwhile."""
        self._need(template)
        self._count += 1
        name = f"round_{self._count}"
        self.create(name, template)
        try:
            with db.use(self.target(name)):
                yield name
        finally:
            self._admin("DROP DATABASE {} WITH (FORCE)", name)

    def _need(self, template: str) -> None:
        if template != EMPTY and template not in self._made:
            MAKE[template](self)
            self._made.add(template)

    def create(self, name: str, template: str) -> None:
        """Copy a template by its files: nothing of it passes through the log."""
        self._admin("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY",
                    name, cluster.OWNER, template)  # fmt: skip

    def target(self, name: str) -> db.Target:
        """Say how to reach a database."""
        return db.Target(*(self.server.conninfo(r, name) for r in (cluster.APP, cluster.OWNER)))

    def settle(self) -> None:
        """Let all that is owed to the disk be written, so that nobody pays for another."""
        self._admin("CHECKPOINT")
        os.sync()
        gc.collect()

    def _admin(self, statement: str, *names: str) -> None:
        conninfo = self.server.conninfo(cluster.ADMIN, "postgres")
        with psycopg.connect(conninfo, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def template(self, name: str, source: str) -> Iterator[psycopg.Connection[Any]]:
        """Make a database to copy later; yields a connection of the application to fill it."""
        self._need(source)
        self.create(name, source)
        with db.use(self.target(name)):
            if source == EMPTY:
                db.migrate()
            with db.connect() as conn:
                yield conn
            with db.connect("owner", autocommit=True) as conn:
                conn.execute("VACUUM ANALYZE")


def _ready(databases: Databases) -> None:
    """Load the broker as a person would, by pipshare's own load functions."""
    files = databases.files
    with databases.template(READY, EMPTY) as conn:
        for kind in KINDS:
            load(conn, kind, files.loads[kind])
            conn.commit()
        for path in files.plans:
            plans.apply(conn, path.read_text("utf-8"), path.name, BY)
        conn.commit()
        load(conn, "terms", files.terms)
        conn.commit()


def _live(databases: Databases) -> None:
    with databases.template(LIVE, READY) as conn:
        load(conn, "servers", databases.files.go_live)


def _staged(databases: Databases) -> None:
    with databases.template(STAGED, READY) as conn:
        run = Run(conn)
        for server in SERVERS:
            import_trades(run, databases.files, server)
        load(conn, "servers", databases.files.go_live)
        for one in market.servers(conn):
            rating.request(conn, one.id, "go-live")


def _scripts(databases: Databases) -> None:
    with databases.template(SCRIPTS, STAGED), db.transaction("owner") as owner:
        scripts.make_tables(owner, databases.broker)


MAKE: dict[str, Callable[[Databases], None]] = {
    READY: _ready, LIVE: _live, STAGED: _staged, SCRIPTS: _scripts,
}  # fmt: skip


def load(conn: psycopg.Connection[Any], kind: str, path: Path) -> LoadReport:
    """Load a file in the caller's transaction. Raises PipshareError when a row is refused."""
    frame, refused = read_table(path, kind, clock=Clock.parse("UTC"))
    options = {"by": BY, "reason": "", "dry_run": False}
    reports = [LOADERS[kind](conn, frame, **options)]
    if reports[0].relations is not None and len(reports[0].relations):
        reports.append(partners.load_relations(conn, reports[0].relations, **options))
    refused = [*refused, *(row for report in reports for row in report.refused)]
    if refused:
        raise PipshareError("refused", f"{path}: {len(refused)} rows, first {refused[0]}")
    return reports[0]


def import_trades(run: Run, files: Files, server: str) -> FileReport:
    """Import a server's export, as `pipshare import` does."""
    return import_file(run, files.trades(server), Order(server, BY))


def balances(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """Return what each partner's accounts hold, by his code."""
    rows = conn.execute(
        "SELECT p.code, sum(b.amount_e8)::bigint FROM ledger_balance b"
        " JOIN partners_partner p ON p.id = b.payee_id AND b.payee_kind = 'partner' GROUP BY 1"
    )
    return {code: amount for code, amount in rows if amount}
