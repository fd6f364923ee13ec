"""Makes a cluster: initdb, passwords, roles; and says how its server is to be run."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from pipshare.db.account import Account
from pipshare.db.binaries import Binaries
from pipshare.errors import Unavailable

ADMIN, OWNER, APP, DATABASE = "pipshare_admin", "pipshare_owner", "pipshare_app", "pipshare"
_MIB = 1024 * 1024


def passwords(folder: Path) -> dict[str, str]:
    """Return the passwords per role, made once and kept in a file of mode 0600."""
    path = folder / "passwords.json"
    if not path.exists():
        if (folder / "cluster/data").exists():
            raise Unavailable(
                "no_passwords",
                f"{path} is gone but the cluster beside it is there: bring the file back",
            )
        made = folder / "passwords.new"
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        made.write_text(json.dumps({r: secrets.token_urlsafe(24) for r in (ADMIN, OWNER, APP)}))
        made.rename(path)
    return dict(json.loads(path.read_text()))


def create(
    cluster: Path, binaries: Binaries, account: Account | None, password: str, lock: int
) -> None:
    """Run initdb into `cluster`/data, whole or not at all. Takes about half a second.

    initdb inherits `lock`, held: if we are killed, the next one waits until it has ended.
    """
    cluster.mkdir(mode=0o700, exist_ok=True)
    for name in ("data.new", "socket"):
        shutil.rmtree(cluster / name, ignore_errors=True)
        (cluster / name).mkdir(mode=0o700)
    secret = cluster / "initdb.password"
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if account is not None:
        for path in (cluster, cluster / "data.new", cluster / "socket", secret):
            os.chown(path, account.uid, account.gid)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    where = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY)
    try:
        base = inside(cluster, where, account)
        _initdb(
            [
                binaries.initdb,
                *("-D", f"{base}/data.new", "-U", ADMIN, "--encoding=UTF8"),
                *(locale if binaries.major >= 17 else ["--no-locale"]),
                *("--auth-local=scram-sha-256", "--auth-host=reject"),
                *(f"--pwfile={base}/initdb.password", "--data-checksums"),
            ],
            (where, lock),
            account,
        )
    finally:
        os.close(where)
        secret.unlink()
    (cluster / "data.new/pg_hba.conf").write_text("local all all scram-sha-256\n")
    (cluster / "data.new").rename(cluster / "data")


def inside(cluster: Path, descriptor: int, account: Account | None) -> str:
    """Return the path by which the server's process reaches `cluster`.

    Another account gets there by the open descriptor: folders above may be closed to it.
    """
    return str(cluster) if account is None else f"/proc/self/fd/{descriptor}"


def clean_environment() -> dict[str, str]:
    """Return the environment for the server: nothing of PG*, no locale, no secrets of ours."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _initdb(argv: list[str], inherited: tuple[int, ...], account: Account | None) -> None:
    ran = subprocess.run(
        argv,
        cwd="/",
        env=clean_environment(),
        pass_fds=inherited,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise Unavailable("initdb_failed", "initdb failed: " + " / ".join(said[-6:]))


def bootstrap(conninfo: str, secret: Mapping[str, str]) -> None:
    """Create the two login roles and the database, where missing. Connects as the admin."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for role in (OWNER, APP):
            with contextlib.suppress(psycopg.errors.DuplicateObject):
                conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            conn.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(secret[role])
                )
            )
        create_database(conn, DATABASE)


def create_database(conn: psycopg.Connection, name: str, template: str = "template0") -> None:
    """Create a database that the owner owns and only our two roles may enter; no-op if there."""
    with contextlib.suppress(psycopg.errors.DuplicateDatabase):
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
    conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    conn.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.Identifier(APP)
        )
    )


def server_options(memory: int | None = None) -> dict[str, str]:
    """Return the settings of the server for a machine with `memory` bytes.

    An eighth of the memory for the server's own cache, at most 2 GiB: the rest serves columns and
    the file cache. Commits wait for the disk; jit only delays statements as short as ours.
    """
    memory = _memory() if memory is None else memory
    cache = max(64 * _MIB, min(memory // 8, 2048 * _MIB))
    return {
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": f"{cache // _MIB}MB",
        "effective_cache_size": f"{max(128 * _MIB, memory // 2) // _MIB}MB",
        "work_mem": f"{max(4, min(64, memory // _MIB // 256))}MB",
        "temp_buffers": "64MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // _MIB // 32))}MB",
        "dynamic_shared_memory_type": "posix" if _shm_has_room() else "mmap",
        "max_wal_size": "4GB",
        "min_wal_size": "160MB",
        "wal_buffers": "16MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "password_encryption": "scram-sha-256",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "logging_collector": "off",
        "log_line_prefix": "%m [%p] ",
    }


def _shm_has_room() -> bool:
    """Whether /dev/shm holds what parallel queries share; containers often give it 64 MB."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return False
    return room.f_bavail * room.f_frsize >= 1024 * _MIB


def _memory() -> int:
    """Return the memory of the machine or of the container, in bytes."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total
