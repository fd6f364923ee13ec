"""Keeps one PostgreSQL server running while somebody uses it, and not a moment longer.

Started by embedded.py as a process of its own session, by file name and with the standard library
only, so that it is up in milliseconds. Three locks, all flock(2), which the kernel gives back
however a process ends:

- users.lock is held shared by every process that uses the database. When the keeper gets it alone,
  nobody is left: it stops the server and keeps the lock until the server has gone, so that whoever
  comes meanwhile waits and starts a new one.
- server.lock is held by postgres and all its children, which inherit the descriptor. Who gets it
  knows that no server runs on this cluster, whatever postmaster.pid says after a reboot.
- If the keeper itself is killed, the kernel sends postgres a fast-shutdown signal (Linux:
  PR_SET_PDEATHSIG, which follows the thread that forked, hence from the main thread).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 60.0


def main() -> int:
    """Run one server to its end. The only argument is a JSON object; see embedded._spawn."""
    job = json.loads(sys.argv[1])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Default until the fork: the child inherits it, and a stop sent to it must never get lost.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _become(job["uid"], job["gid"])
    if not _lock(job["server_lock"], _PATIENCE_S):
        print("pipshare keeper: the server before this one has not ended", flush=True)
        return 1
    _clear_stale(job["cluster"])
    server = _fork_server(job["argv"], job["server_lock"], job["cluster"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _signal(server, signal.SIGINT))
    threading.Thread(
        target=_stop_when_unused, args=(job["users_lock"], server), daemon=True
    ).start()
    _, status = os.waitpid(server, 0)
    return os.waitstatus_to_exitcode(status) and 1


def _become(uid: int | None, gid: int | None) -> None:
    """Give root up for good; postgres refuses to run as root."""
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _lock(descriptor: int, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def _clear_stale(cluster: int) -> None:
    """Remove what a killed server left. Only called with server.lock held.

    A server that somebody started by hand on the same folder does not hold that lock: its file
    stays, and postgres will refuse with a message of its own.
    """
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open("data/postmaster.pid", os.O_RDONLY, dir_fd=cluster)
        with os.fdopen(descriptor) as file:
            pid = file.readline().strip()
        if not _works_in(pid, cluster):
            os.unlink("data/postmaster.pid", dir_fd=cluster)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"socket/{name}", dir_fd=cluster)


def _works_in(pid: str, cluster: int) -> bool:
    try:
        there, here = os.stat(f"/proc/{int(pid)}/cwd"), os.stat("data", dir_fd=cluster)  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return os.path.samestat(there, here)


def _fork_server(argv: list[str], *inherited: int) -> int:
    keeper = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    child = os.fork()
    if child:
        return child
    try:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)
        for number in (signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        for descriptor in inherited:
            os.set_inheritable(descriptor, True)
        os.umask(0o077)
        os.execv(argv[0], argv)
    except BaseException as error:
        print(f"pipshare keeper: cannot run {argv[0]}: {error}", flush=True)
    os._exit(1)


def _stop_when_unused(users_lock: int, server: int) -> None:
    fcntl.flock(users_lock, fcntl.LOCK_EX)
    _signal(server, signal.SIGINT)  # fast shutdown
    time.sleep(_PATIENCE_S)
    _signal(server, signal.SIGQUIT)  # at once; the next start replays the log


def _signal(server: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(server, number)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
