"""`pipshare serve` as a process of its own: it serves, ends cleanly, and leaves nobody behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


@contextmanager
def _serving(environment: dict[str, str], *more: str) -> Iterator[tuple[Any, str]]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    process = subprocess.Popen(
        [PIPSHARE, "serve", "--port", "0", *more],
        env=bare | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://[\d.]+:\d+", said)
        assert found, said + process.stdout.read()
        yield process, found[0]
    finally:
        process.kill()
        process.wait()


def _workers(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if not listed.exists():
        pytest.skip("no /proc here to see processes in")
    return [int(pid) for pid in listed.read_text().split()]


def _end(pid: int) -> None:
    """Wait for a process that is not our child to end."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    assert select.select([handle], [], [], 20)[0], f"process {pid} stayed"
    os.close(handle)


def test_it_serves_and_ends_on_sigterm(module_db: Any) -> None:
    with _serving(module_db.environment) as (process, url):
        with urllib.request.urlopen(f"{url}/health") as answer:
            assert answer.read() == b"ok\n"
        with urllib.request.urlopen(f"{url}/") as answer:
            assert answer.url == f"{url}/sign-in/?next=%2F"
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(
                urllib.request.Request(f"{url}/sign-in/", headers={"Host": "evil.example"})
            )
        workers = _workers(process.pid)
        assert workers
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        for worker in workers:
            _end(worker)
        assert process.stdout.read() == ""


def test_a_killed_one_leaves_no_workers(module_db: Any) -> None:
    with _serving(module_db.environment, "--workers", "1") as (process, _):
        workers = _workers(process.pid)
        process.kill()
        process.wait()
        for worker in workers:
            _end(worker)


def test_a_port_that_is_taken_is_one_sentence(module_db: Any) -> None:
    with _serving(module_db.environment, "--workers", "1") as (_, url):
        port = url.rpartition(":")[2]
        ran = subprocess.run([PIPSHARE, "serve", "--port", port], capture_output=True, text=True,
                             env={**os.environ, **module_db.environment}, check=False)  # fmt: skip
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in ran.stderr
    assert "choose another with --port" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_world_is_served_under_a_given_name_only() -> None:
    ran = subprocess.run([PIPSHARE, "serve", "--host", "0.0.0.0"], capture_output=True, text=True,
                         check=False)  # fmt: skip
    assert ran.returncode == 1
    assert "needs PIPSHARE_URL" in ran.stderr


def test_https_makes_cookies_secure() -> None:
    said = subprocess.run(
        [sys.executable, "-c",
         "from pipshare import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
         " s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS[-1],"
         " s.ALLAUTH_TRUSTED_PROXY_COUNT)"],
        env={**os.environ, "PIPSHARE_URL": "https://ib.example.com/", "PIPSHARE_PROXIES": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "__Host-pipshare True True True ib.example.com 1\n"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PIPSHARE_URL", "ib.example.com", "give scheme and host"),
        ("PIPSHARE_URL", "https://example.com/ib", "without a path"),
        ("PIPSHARE_PROXIES", "one", "give a number"),
    ],
)
def test_settings_that_will_not_do_are_named(name: str, value: str, words: str) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from pipshare import settings

    with pytest.raises(ImproperlyConfigured, match=words):
        settings.load({name: value})
