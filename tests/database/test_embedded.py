"""The embedded server starts once, runs while it is used, and ends however its users end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pipshare.db import cluster, embedded
from pipshare.errors import Unavailable

USER = """
import sys
from pathlib import Path
import psycopg
from pipshare.db import embedded
server = embedded.attach(Path(sys.argv[1]))
conn = psycopg.connect(server.conninfo(sys.argv[2]), autocommit=True)
for statement in sys.argv[3].split(";"):
    cursor = conn.execute(statement)
print(cursor.fetchone()[0], flush=True)
sys.stdin.read()
"""
POSTMASTER = "SELECT pg_read_file('postmaster.pid')"


class User:
    """A process that uses the server in a folder until its standard input closes."""

    def __init__(self, folder: Path, query: str, role: str = cluster.ADMIN) -> None:
        argv = [sys.executable, "-c", USER, str(folder), role, query]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def end(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def folder(scratch: Path) -> Path:
    """The folder of a server that has run before: starting it again takes 0.1 s."""
    home = scratch / "shared"
    embedded.attach(home)
    embedded.release(home)
    return home


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test may leave a process that has a file open in its folder."""
    yield
    scratch = request.getfixturevalue("scratch")
    for home in list(embedded._users):
        if home.is_relative_to(scratch):
            embedded.release(home)
    assert until(lambda: not holders(scratch)), holders(scratch)


def until(what: Callable[[], object], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def holders(folder: Path) -> dict[int, str]:
    """Processes other than this one with a file open in `folder`, with their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
            if int(process.name) != os.getpid() and any(x.startswith(str(folder)) for x in links):
                words = (process / "cmdline").read_bytes().split(b"\0")
                found[int(process.name)] = b" ".join(words[:5]).decode()
    return found


def keeper_of(folder: Path) -> int:
    (keeper,) = (pid for pid, line in holders(folder).items() if "keeper.py" in line)
    return keeper


def postmaster_of(folder: Path) -> int:
    return int((folder / "cluster/data/postmaster.pid").read_text().split()[0])


def test_files_are_private_and_nothing_listens_outside(folder: Path) -> None:
    server = embedded.attach(folder)
    for name in (".", "passwords.json", "cluster", "cluster/data", "cluster/socket", "server.log"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    with psycopg.connect(server.conninfo(cluster.ADMIN)) as conn:
        shown = {
            name: conn.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index]
            for name in ("listen_addresses", "fsync", "synchronous_commit", "data_checksums")
        }
        provider = conn.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert shown == {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
    }
    assert provider == ("b", "C.UTF-8")


def test_passwords_are_needed(folder: Path) -> None:
    server = embedded.attach(folder)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.conninfo(cluster.OWNER), password="guessed")
    for role in (cluster.OWNER, cluster.APP):
        with psycopg.connect(server.conninfo(role)) as conn:
            row = conn.execute(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles"
                " WHERE rolname = current_user"
            ).fetchone()
        assert row == (False,)


def test_release_by_the_last_user_returns_when_the_server_has_ended(folder: Path) -> None:
    embedded.attach(folder)
    other = User(folder, "SELECT 1")
    assert other.answer() == "1"
    embedded.release(folder)
    assert postmaster_of(folder) in holders(folder)  # the other one still uses it
    other.end()
    assert not (folder / "cluster/data/postmaster.pid").exists()
    assert not holders(folder)


def test_starting_at_once_gives_one_server_also_the_first_time(scratch: Path) -> None:
    users = [User(scratch / "fresh", POSTMASTER) for _ in range(3)]
    pids = {user.answer().split()[0] for user in users}
    assert len(pids) == 1
    for user in users:
        user.process.stdin.close()  # type: ignore[union-attr]
    for user in users:
        assert user.process.wait(60) == 0
    assert not holders(scratch / "fresh")


def test_kill_9_of_every_user_ends_the_server(folder: Path) -> None:
    users = [User(folder, "SELECT 1") for _ in range(2)]
    assert [user.answer() for user in users] == ["1", "1"]
    for user in users:
        user.kill()
    assert until(lambda: not holders(folder))


def test_kill_9_of_a_user_during_the_first_start(scratch: Path) -> None:
    home = scratch / "interrupted"
    for sign in ("data.new/global", "data.new/PG_VERSION", "data", "data/postmaster.pid"):
        user = User(home, "SELECT 1")
        assert until((home / "cluster" / sign).exists)
        user.kill()
    last = User(home, "SELECT 2")
    assert last.answer() == "2"
    last.end()


def test_kill_9_of_the_keeper_ends_the_server_and_the_next_start_has_all(folder: Path) -> None:
    user = User(folder, "CREATE TABLE kept AS SELECT 7 AS n; SELECT n FROM kept")
    assert user.answer()
    os.kill(keeper_of(folder), signal.SIGKILL)
    again = User(folder, "SELECT n FROM kept")  # while the old server still shuts down
    assert again.answer() == "7"
    user.kill()
    again.end()


def test_kill_9_of_the_server_is_recovered(folder: Path) -> None:
    user = User(folder, "CREATE TABLE safe AS SELECT 8 AS n; SELECT n FROM safe")
    assert user.answer()
    os.kill(postmaster_of(folder), signal.SIGKILL)
    again = User(folder, "SELECT n FROM safe")
    assert again.answer() == "8"
    user.kill()
    again.end()


def test_a_stale_pid_that_is_in_use_by_another_process_does_not_matter(folder: Path) -> None:
    """After a restart of a container, the old server's process id is often somebody else's."""
    user = User(folder, "SELECT 1")
    assert user.answer() == "1"
    path = folder / "cluster/data/postmaster.pid"
    kept = path.read_text().splitlines()
    for pid in holders(folder):
        if pid != user.process.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    user.kill()
    assert until(lambda: not holders(folder))
    stranger = subprocess.Popen(["sleep", "60"], user=path.stat().st_uid)
    try:
        path.write_text("\n".join([str(stranger.pid), *kept[1:]]) + "\n")
        (folder / "cluster/socket/.s.PGSQL.5432").touch()
        again = User(folder, "SELECT 3")
        assert again.answer() == "3"
        again.end()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_long_path_gets_its_socket_elsewhere(scratch: Path) -> None:
    home = scratch / ("long" * 25)
    server = embedded.attach(home)
    assert not server.socket.is_relative_to(home)
    assert server.socket.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.conninfo()) as conn:
        assert conn.execute("SELECT current_user").fetchone() == (cluster.APP,)
    assert embedded.attach(home).socket == server.socket
    embedded.destroy(home)
    assert not server.socket.exists()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(Unavailable, match="shared_buffers"):
        embedded.attach(folder, options={"shared_buffers": "nonsense"})


def test_a_cluster_of_another_version_is_not_touched(scratch: Path, folder: Path) -> None:
    home = scratch / "older"
    (home / "cluster/data").mkdir(parents=True)
    (home / "cluster/data/PG_VERSION").write_text("9\n")
    (home / "passwords.json").write_text("{}")
    with pytest.raises(Unavailable, match="made by PostgreSQL 9"):
        embedded.attach(home)


def test_destroy_refuses_while_somebody_uses_it(scratch: Path) -> None:
    home = scratch / "doomed"
    user = User(home, "SELECT 1")
    assert user.answer() == "1"
    with pytest.raises(Unavailable, match="in use"):
        embedded.destroy(home, patience_s=0.1)
    user.end()
    embedded.destroy(home)
    assert not home.exists()
