"""The keeper alone, with a stand-in for the server: a stop never gets lost, whenever it comes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipshare.db import keeper

SLEEPER = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]


def start(folder: Path, argv: list[str], **more: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a keeper in `folder`; returns it and users.lock, which nobody holds yet."""
    (folder / "data").mkdir(exist_ok=True)
    opened = [os.open(folder / n, os.O_RDWR | os.O_CREAT, 0o600) for n in ("users", "server")]
    home = os.open(folder, os.O_RDONLY)
    job = {
        "uid": None,
        "gid": None,
        "users_lock": opened[0],
        "server_lock": opened[1],
        "cluster": home,
        "argv": argv,
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, json.dumps(job)],
        pass_fds=(*opened, home),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(opened[1])
    os.close(home)
    return process, opened[0]


def test_a_stop_right_after_the_start_is_heard(scratch: Path) -> None:
    """Nobody holds users.lock: the keeper stops the server in the moment that it forks."""
    for _ in range(15):
        process, users = start(scratch, SLEEPER)
        os.close(users)
        assert process.wait(20) == 1


def test_the_server_lives_as_long_as_a_user_and_its_lock_as_long_as_the_server(
    scratch: Path,
) -> None:
    user = os.open(scratch / "users", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(user, fcntl.LOCK_SH)
    process, users = start(scratch, SLEEPER)
    os.close(users)
    server = os.open(scratch / "server", os.O_RDWR)
    deadline = time.monotonic() + 20
    while True:  # until the keeper holds it
        try:
            fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            break
        fcntl.flock(server, fcntl.LOCK_UN)
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.kill()
    fcntl.flock(server, fcntl.LOCK_EX)  # free: the sleeper died with its keeper
    process.wait()
    os.close(server)
    os.close(user)


def test_a_program_that_does_not_run_ends_the_keeper(scratch: Path) -> None:
    process, users = start(scratch, ["/nonexistent/postgres"])
    os.close(users)
    assert process.wait(20) == 1
