"""A real MariaDB on loopback, with FX Back Office's tables as public code reads them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest

PASSWORD = "only reads"
_SHARE = Path("/usr/share/mysql")
_SYSTEM = ("mysql_system_tables.sql", "mysql_performance_tables.sql",
           "mysql_system_tables_data.sql")  # fmt: skip
TABLES = """
CREATE TABLE users (id INT PRIMARY KEY, isIb TINYINT, cid VARCHAR(40), country CHAR(2),
                    name VARCHAR(80), registered DATETIME NOT NULL)
CREATE TABLE ib_tree_with_self (ibId INT, referralId INT, level INT, PRIMARY KEY (ibId, referralId))
CREATE TABLE mt4_users (ID INT, sid INT, LOGIN INT, loginSid VARCHAR(40) PRIMARY KEY,
                        `GROUP` VARCHAR(40), CURRENCY CHAR(3))
CREATE TABLE transactions (id INT PRIMARY KEY, userId INT, type VARCHAR(40), status VARCHAR(20),
                           amount DECIMAL(20,8), amountDouble DOUBLE, currency CHAR(3),
                           method VARCHAR(40), processed DATETIME(6) NOT NULL, note BLOB)
"""
# What an endpoint's settings say of these tables; the third has no column of its last change.
SETTINGS: list[dict[str, Any]] = [
    {"table": "users", "columns": ["id", "isIb", "cid", "country", "registered"], "key": "id",
     "changed": "registered"},
    {"table": "ib_tree_with_self", "columns": ["ibId", "referralId", "level"],
     "key": ["ibId", "referralId"]},
    {"table": "mt4_users", "columns": ["ID", "LOGIN", "loginSid", "GROUP", "CURRENCY"],
     "key": "loginSid"},
    {"table": "transactions",
     "columns": ["id", "userId", "type", "status", "amount", "currency", "method", "processed"],
     "key": "id", "changed": "processed"},
]  # fmt: skip


class MariaDb:
    """The server; statements run as its administrator."""

    def __init__(self, port: int) -> None:
        self.port = port

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return the settings of an endpoint that reads it."""
        return {"driver": "mariadb", "host": "127.0.0.1", "port": self.port, "database": "crm",
                "user": "reader", "tls": "off", "tables": SETTINGS, **more}  # fmt: skip

    def run(self, *statements: str) -> None:
        """Run statements."""
        made = pymysql.connect(host="127.0.0.1", port=self.port, user="boss", password="boss",
                               database="crm", autocommit=True)  # fmt: skip
        with made, made.cursor() as cursor:
            for one in statements:
                cursor.execute(one)

    def reset(self) -> None:
        """Make the tables anew, empty."""
        names = ("users", "ib_tree_with_self", "mt4_users", "transactions")
        made = [one for one in TABLES.split("CREATE") if one.strip()]
        self.run(*(f"DROP TABLE IF EXISTS {name}" for name in names), *(f"CREATE{m}" for m in made))


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """Start a server of the tests' own; skip where MariaDB is not installed."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if server is None or not all((_SHARE / name).exists() for name in _SYSTEM):
        pytest.skip("no MariaDB: as root, apt-get install mariadb-server-core")
    folder = Path(tempfile.mkdtemp(prefix="pipshare-mariadb-"))
    (folder / "data").mkdir()
    user = ["--user=root"] if os.getuid() == 0 else []
    base = [server, "--no-defaults", *user, f"--datadir={folder / 'data'}", "--skip-log-bin",
            "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
            "--character-set-server=utf8mb4"]  # fmt: skip
    tables = "".join((_SHARE / name).read_text() for name in _SYSTEM)
    text = f"create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n{tables}"
    subprocess.run([*base, "--bootstrap", "--skip-networking"], input=text.encode(), check=True,
                   capture_output=True)  # fmt: skip
    (folder / "init.sql").write_text(
        "CREATE DATABASE crm;\nCREATE USER 'boss'@'%' IDENTIFIED BY 'boss';\n"
        "GRANT ALL ON *.* TO 'boss'@'%';\n"
        f"CREATE USER 'reader'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT SELECT ON crm.* TO 'reader'@'%';\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*base, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}",
             f"--init-file={folder / 'init.sql'}", f"--pid-file={folder / 'pid'}",
             "--skip-name-resolve"], stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        made = MariaDb(port)
        _wait(made, process, folder / "log")
        yield made
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(made: MariaDb, process: Any, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            made.run("SELECT 1")
            return
        except pymysql.err.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
