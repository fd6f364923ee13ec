"""Where the embedded server's socket lives: a 0700 folder whose path fits a socket address."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from pipshare.errors import Unavailable

_LIMIT = 107  # bytes of sockaddr_un.sun_path on Linux without the end mark; macOS has 103
_NAME = ".s.PGSQL.5432"
_ROOM = 60  # a parent folder longer than this leaves no room for a name of ours


def find(folder: Path) -> Path:
    """Return the socket's folder: in the cluster, or the one that socket.path names."""
    with contextlib.suppress(FileNotFoundError):
        return Path((folder / "socket.path").read_text())
    return folder / "cluster/socket"


def is_inside(folder: Path, socket: Path) -> bool:
    """Whether the socket's folder is the one in the cluster."""
    return socket.parent == folder / "cluster"


def place(folder: Path, uid: int, gid: int) -> Path:
    """Return a folder for the socket that belongs to `uid` and nobody else can enter.

    In the cluster where the path is short enough; else a new one under the runtime or temporary
    folder, whose random name nobody can have taken before; socket.path remembers it.
    """
    path = find(folder)
    if is_inside(folder, path):
        if len(os.fsencode(path / _NAME)) <= _LIMIT:
            return path
    elif path.is_dir() and not path.is_symlink():
        state = path.stat()
        if state.st_uid == uid and state.st_mode & 0o077 == 0:
            return path
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):
        if parent and len(os.fsencode(parent)) < _ROOM and os.access(parent, os.W_OK | os.X_OK):
            path = Path(tempfile.mkdtemp(prefix="pipshare-", dir=parent))
            os.chown(path, uid, gid)
            (folder / "socket.path").write_text(str(path))
            return path
    raise Unavailable("no_socket", f"no folder with a short path for the socket of {folder}")


def remove(folder: Path) -> None:
    """Delete the socket's folder where it is outside the cluster."""
    path = find(folder)
    if not is_inside(folder, path):
        shutil.rmtree(path, ignore_errors=True)


def answers(socket: Path) -> bool:
    """Whether a server accepts connections there; needs no password."""
    if len(os.fsencode(socket / _NAME)) > _LIMIT:
        return False
    conninfo = make_conninfo(host=str(socket), port=5432, user="ping", connect_timeout=5)
    return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK
