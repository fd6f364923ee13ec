"""The embedded PostgreSQL server: one per data folder, running while somebody uses it.

`attach` makes the calling process a user of the server in a folder and starts one where none runs;
the process stays a user until it ends or calls `release`. A keeper process (keeper.py) stops the
server when no user is left, also after kill -9. The folder must be on a local file system.

    folder/users.lock      held shared by every user       server.lock  held by the server
    folder/start.lock      held by who starts the server   server.log
    folder/passwords.json  0600                            ready        roles and database exist
    folder/cluster/        data and socket, 0700, the account's that runs the server
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from pipshare.db import account, binaries, cluster, locks, sockets
from pipshare.errors import Unavailable

_PATIENCE_S = 120.0
_LOG_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True, repr=False)
class Server:
    """A running server: the folder of its socket and the passwords of its roles."""

    folder: Path
    socket: Path
    secret: Mapping[str, str]

    def conninfo(self, role: str = cluster.APP, dbname: str = cluster.DATABASE) -> str:
        """Return a libpq connection string with the password in it."""
        return make_conninfo(
            host=str(self.socket), port=5432, user=role, password=self.secret[role], dbname=dbname
        )


_users: dict[Path, tuple[int, int]] = {}  # descriptor of users.lock, process that opened it
_keepers: list[subprocess.Popen[bytes]] = []
_one_thread = threading.Lock()


def attach(
    folder: Path, *, postgres_bin: Path | None = None, options: Mapping[str, str] | None = None
) -> Server:
    """Become a user of the server in `folder`, starting it where none runs.

    `options` are settings of postgres, for a server that this call starts. Raises Unavailable with
    the end of the server's log when it does not come up.
    """
    folder = folder.absolute()
    with _one_thread:
        _become_user(folder)
        if not ((folder / "ready").exists() and sockets.answers(sockets.find(folder))):
            with locks.alone(folder / "start.lock") as lock:
                _bring_up(folder, lock, postgres_bin, options or {})
        return Server(folder, sockets.find(folder), cluster.passwords(folder))


def release(folder: Path) -> None:
    """Stop being a user; if we were the last one, wait until the server has ended."""
    descriptor, process = _users.pop(folder.absolute(), (-1, 0))
    if process != os.getpid():
        return  # not a user, or a fork of one: the lock is its parent's
    deadline = time.monotonic() + 30.0
    try:
        locks.attempt(descriptor, locks.NONE)
        while not locks.free(folder / "server.lock") and time.monotonic() < deadline:
            shared = locks.attempt(descriptor, locks.SHARED)
            if shared and not locks.attempt(descriptor, locks.ALONE):
                break  # others use it
            locks.attempt(descriptor, locks.NONE)  # the keeper has it, or is about to take it
            time.sleep(0.003)
    finally:
        os.close(descriptor)
        _keepers[:] = [keeper for keeper in _keepers if keeper.poll() is None]


def destroy(folder: Path, *, patience_s: float = 10.0) -> None:
    """Delete the cluster in `folder` for good. Raises Unavailable when somebody uses it."""
    folder = folder.absolute()
    release(folder)
    if not folder.exists():
        return
    users = locks.opened(folder / "users.lock")
    deadline = time.monotonic() + patience_s
    try:
        while not (locks.attempt(users, locks.ALONE) and locks.free(folder / "server.lock")):
            locks.attempt(users, locks.NONE)  # a keeper that just starts waits for it, too
            if time.monotonic() > deadline:
                raise Unavailable("in_use", f"{folder} is in use: end the other pipshare first")
            time.sleep(0.01)
        sockets.remove(folder)
        shutil.rmtree(folder)
    finally:
        os.close(users)


def _become_user(folder: Path) -> None:
    """Hold users.lock shared for the life of this process; waits while a server is ending."""
    if _users.get(folder, (0, 0))[1] == os.getpid():
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = locks.opened(folder / "users.lock")
    except OSError as error:
        raise Unavailable(
            "no_data_folder",
            f"cannot use the data folder {folder}: {error.strerror}; choose another with "
            "PIPSHARE_DATA",
        ) from None
    if not locks.wait_for(descriptor, locks.SHARED, _PATIENCE_S):
        os.close(descriptor)
        raise Unavailable("stopping", f"the server in {folder} is stopping and does not end")
    _users[folder] = descriptor, os.getpid()
    atexit.register(release, folder)


def _bring_up(
    folder: Path, lock: int, postgres_bin: Path | None, options: Mapping[str, str]
) -> None:
    """Start the server and make roles and database, where missing. `lock` is start.lock, held."""
    secret = cluster.passwords(folder)
    if not sockets.answers(sockets.find(folder)):
        home = folder / "cluster"
        version = home / "data/PG_VERSION"
        who = account.choose(home)
        major = int(version.read_text()) if version.exists() else None
        programs = account.reachable(binaries.find(postgres_bin, major=major), who)
        if major is None:
            cluster.create(home, programs, who, secret[cluster.ADMIN], lock)
        _start(folder, programs, who, options)
    if not (folder / "ready").exists():
        server = Server(folder, sockets.find(folder), secret)
        cluster.bootstrap(server.conninfo(cluster.ADMIN, "postgres"), secret)
        (folder / "ready").touch(mode=0o600)


def _start(
    folder: Path,
    programs: binaries.Binaries,
    who: account.Account | None,
    options: Mapping[str, str],
) -> None:
    """Start the keeper and wait until its server answers."""
    uid, gid = (who.uid, who.gid) if who else (os.geteuid(), os.getegid())
    socket = sockets.place(folder, uid, gid)
    keeper, tries = _spawn(folder, socket, programs, who, options), 1
    deadline = time.monotonic() + _PATIENCE_S
    while not sockets.answers(socket):
        ended = keeper.poll()
        if ended is not None and ended < 0 and tries < 3:  # killed, so not by its own fault
            keeper, tries = _spawn(folder, socket, programs, who, options), tries + 1
        elif ended is not None or time.monotonic() > deadline:
            raise Unavailable("no_server", f"the embedded PostgreSQL did not start: {_log(folder)}")
        time.sleep(0.01)


def _spawn(
    folder: Path,
    socket: Path,
    programs: binaries.Binaries,
    who: account.Account | None,
    options: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Start the keeper; it gets the locks and the cluster as open descriptors."""
    with contextlib.ExitStack() as stack:

        def opened(descriptor: int) -> int:
            stack.callback(os.close, descriptor)
            return descriptor

        home = opened(os.open(folder / "cluster", os.O_RDONLY | os.O_DIRECTORY))
        users = opened(locks.opened(folder / "users.lock"))
        lock = opened(locks.opened(folder / "server.lock"))
        log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        log = opened(os.open(folder / "server.log", log_flags, 0o600))
        if os.fstat(log).st_size > _LOG_LIMIT:
            os.ftruncate(log, 0)
        base = cluster.inside(folder / "cluster", home, who)
        where = f"{base}/socket" if sockets.is_inside(folder, socket) else str(socket)
        argv = [programs.postgres, "-D", f"{base}/data"]
        for key, value in {**cluster.server_options(), **options}.items():
            argv += ["-c", f"{key}={value}"]
        argv += ["-c", f"unix_socket_directories={where}", "-c", "unix_socket_permissions=0700"]
        job = {
            "uid": who.uid if who else None,
            "gid": who.gid if who else None,
            "users_lock": users,
            "server_lock": lock,
            "cluster": home,
            "argv": argv,
        }
        program = Path(__file__).with_name("keeper.py")
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), json.dumps(job)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=cluster.clean_environment(),
            pass_fds=(home, users, lock),
            start_new_session=True,
        )
    _keepers.append(keeper)
    return keeper


def _log(folder: Path) -> str:
    """Return the end of the server's log, what was fatal before all."""
    lines = (folder / "server.log").read_text(errors="replace").strip().splitlines()[-12:]
    lines = [line for line in lines if "the database system is" not in line]  # said to our pings
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "keeper:" in line]
    return " / ".join(fatal or lines[-4:]) + f" (see {folder / 'server.log'})"
