"""Fixtures: a fresh migrated database per test or module, on a server of the tests' own.

`db` and `module_db` are empty; `templates` copies a database that a function filled once for all.

The server is embedded, in a temporary folder, shared by the workers of pytest-xdist, and ends with
the session. DATABASE_URL is ignored; PIPSHARE_TEST_DATABASE_URL (a role that may create databases
and roles) chooses another server. Each test database is a copy of a template migrated once.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests import random_examples

TEST_SERVER = os.environ.get("PIPSHARE_TEST_DATABASE_URL")
_KEPT = ("PIPSHARE_TEST_DATABASE_URL", "PIPSHARE_TEST_LONG")  # xdist's workers read them, too
for _name in [n for n in os.environ if n.startswith("PIPSHARE_") or n == "DATABASE_URL"]:
    if _name not in _KEPT:
        del os.environ[_name]
_FOLDER = Path("/nonexistent")


def _share_cores() -> None:
    """Leave each worker of pytest-xdist its share of the cores, and so what it starts.

    Polars has a thread per core for frames of a few rows, in every worker: a fifth of all time
    went into threads that wait for each other. The long run and one without xdist have them all.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1 and not os.environ.get("PIPSHARE_TEST_LONG"):
        share = max(1, (os.cpu_count() or 1) // workers)
        os.environ.setdefault("POLARS_MAX_THREADS", str(share))


_share_cores()  # before Polars is imported


def pytest_configure(config: pytest.Config) -> None:
    """Give the session a folder of its own; xdist's workers get the controller's."""
    global _FOLDER
    given = getattr(config, "workerinput", None)
    if given is None:
        place = _quick_place()
        _sweep(place)
        _FOLDER = Path(tempfile.mkdtemp(prefix="pipshare-test-", dir=place))
        config.add_cleanup(lambda: _remove(_FOLDER))
    else:
        _FOLDER = Path(given["pipshare_folder"])
    os.environ["PIPSHARE_DATA"] = str(_FOLDER / "data")
    _keep_bytecode()
    random_examples.prepare()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make up more examples in the long run."""
    random_examples.multiply(items)


def _keep_bytecode() -> None:
    """Where Python may write no bytecode, keep it for the session: hundreds of processes are
    started, and compiling what they import takes each of them longer than anything else."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(_FOLDER / "bytecode")
        sys.pycache_prefix, sys.dont_write_bytecode = str(_FOLDER / "bytecode"), False


def _quick_place() -> Path:
    """Memory, where there is plenty: a database is 300 files, made 20 times faster there."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize > 4 * 1024**3:
            return memory
    return Path(tempfile.gettempdir())


def _sweep(place: Path) -> None:
    """Remove the folders of sessions that were killed: an hour old and used by nobody."""
    from pipshare.db import embedded
    from pipshare.errors import Unavailable

    for folder in place.glob("pipshare-test-*"):
        with suppress(Unavailable, OSError):
            if folder.stat().st_mtime < time.time() - 3600:
                embedded.destroy(folder / "database", patience_s=0.0)
                shutil.rmtree(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the folder on to a worker of pytest-xdist."""
    node.workerinput["pipshare_folder"] = str(_FOLDER)


def _remove(folder: Path) -> None:
    from pipshare.db import embedded

    for name in ("database", "data/database"):
        embedded.destroy(folder / name)
    if TEST_SERVER:
        with psycopg.connect(TEST_SERVER, autocommit=True) as conn:
            for made in folder.glob("*.template"):
                one = sql.Identifier(_database(made.stem))
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(one))
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class TestServer:
    """The server of the session: how to reach a database as admin, owner and application."""

    admin: str
    owner: str
    app: str
    app_role: str | None

    def target(self, dbname: str) -> Any:
        from pipshare.db import Target

        app, owner = (make_conninfo(c, dbname=dbname) for c in (self.app, self.owner))
        return Target(app, owner, self.app_role)

    @contextmanager
    def administer(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.admin, autocommit=True) as conn:
            yield conn

    def create(self, name: str, template: str) -> None:
        """Make a database as a copy of another, which nobody may be connected to."""
        owner = str(psycopg.conninfo.conninfo_to_dict(self.owner)["user"])
        query = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY")
        with self.administer() as conn:
            conn.execute(query.format(*map(sql.Identifier, (name, owner, template))))

    def drop(self, name: str) -> None:
        with self.administer() as conn:
            conn.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@dataclass(frozen=True)
class Database:
    """A migrated database of one test. `db.connect` and `db.transaction` lead to it, too.

    `made` is what the function returned that filled its template; None of an empty database.
    """

    __test__ = False
    name: str
    target: Any
    made: Any = None

    def app(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as the application: SELECT and INSERT; UPDATE, DELETE where granted."""
        return self._connect("app", options)

    def owner(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as the owner of the tables."""
        return self._connect("owner", options)

    def _connect(self, role: Any, options: dict[str, Any]) -> psycopg.Connection[Any]:
        from pipshare import db

        with db.use(self.target):
            return db.connect(role, **options)

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which a `pipshare` process works on this database."""
        return {
            "DATABASE_URL": _url(self.target.app),
            "PIPSHARE_OWNER_DATABASE_URL": _url(self.target.owner),
        }


def _url(conninfo: str) -> str:
    from urllib.parse import quote, urlencode

    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    user, password = quote(str(parts.pop("user"))), quote(str(parts.pop("password", "")))
    dbname = quote(str(parts.pop("dbname")))
    return f"postgresql://{user}:{password}@/{dbname}?{urlencode(parts)}"


@pytest.fixture(scope="session")
def test_server() -> TestServer:
    """The running server, with the migrated template in it."""
    server = _external() if TEST_SERVER else _embedded()
    _once(server, "empty", _migrate, source="template0")
    return server


def _embedded() -> TestServer:
    from pipshare.db import cluster, embedded

    quick = {
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "128MB",
        "max_wal_size": "512MB",
        "autovacuum": "off",
        "scram_iterations": "1",  # of thousands of connections each proves its password
    }
    server = embedded.attach(_FOLDER / "database", options=quick)
    return TestServer(
        server.conninfo(cluster.ADMIN, "postgres"),
        server.conninfo(cluster.OWNER, "postgres"),
        server.conninfo(cluster.APP, "postgres"),
        None,
    )


def _external() -> TestServer:
    assert TEST_SERVER
    with psycopg.connect(TEST_SERVER, autocommit=True) as conn:
        for statement in ("CREATE ROLE pipshare_app NOLOGIN", "GRANT pipshare_app TO CURRENT_USER"):
            try:
                conn.execute(statement)
            except psycopg.errors.DuplicateObject:
                continue
    return TestServer(TEST_SERVER, TEST_SERVER, TEST_SERVER, "pipshare_app")


def _database(template: str) -> str:
    return f"template_{_FOLDER.name}_{template}"


def _migrate(database: Database) -> None:
    from pipshare import db

    db.migrate()


def _once(server: TestServer, name: str, make: Callable[[Database], Any], source: str) -> Any:
    """Return what `make` returned, which fills a template once for all workers of the session."""
    from pipshare import db

    made = _FOLDER / f"{name}.template"
    with (_FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            database = _database(name)
            server.create(database, source)
            try:
                where = server.target(database)
                with db.use(where):
                    found = make(Database(database, where))
                made.write_bytes(pickle.dumps(found))
            except BaseException:
                server.drop(database)
                raise
    return pickle.loads(made.read_bytes())


@contextmanager
def _copy(server: TestServer, template: str, made: Any = None) -> Iterator[Database]:
    from pipshare import db

    name = f"test_{uuid.uuid4().hex[:12]}"
    server.create(name, _database(template))
    try:
        where = server.target(name)
        with db.use(where):
            yield Database(name, where, made)
    finally:
        server.drop(name)


@dataclass(frozen=True)
class Templates:
    """Databases that are filled once in a session; every copy is a test's own, as if filled anew.

    Use: `with templates.copy("small_broker", load_it) as database: database.made ...`
    """

    server: TestServer

    @contextmanager
    def copy(self, name: str, make: Callable[[Database], Any]) -> Iterator[Database]:
        """Copy what `make` put into a migrated database, where nobody has done so before.

        name: letters of a database's name, up to 24; one function per name. `make` closes its
        connections and keeps what later tests need in the database, in the session's
        PIPSHARE_DATA or in what it returns: `made` of each copy, which must be picklable.
        """
        made = _once(self.server, name, make, source=_database("empty"))
        with _copy(self.server, name, made) as database:
            yield database


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder for one module, with a short path, on a quick file system."""
    folder = Path(tempfile.mkdtemp(dir=_FOLDER))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def db(test_server: TestServer) -> Iterator[Database]:
    """A fresh migrated database for one test."""
    with _copy(test_server, "empty") as database:
        yield database


@pytest.fixture(scope="module")
def module_db(test_server: TestServer) -> Iterator[Database]:
    """A fresh migrated database for all tests of one module, which keep out of each other's way."""
    with _copy(test_server, "empty") as database:
        yield database


@pytest.fixture(scope="session")
def templates(test_server: TestServer) -> Templates:
    """Databases filled once in a session, to be copied by tests and modules."""
    return Templates(test_server)
