"""`pipshare sandbox mt5` as a process of its own: its one line, its end, what it leaves behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import pytest
from web_api import Client

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))
LINE = re.compile(
    r"sandbox mt5: (?P<url>https://127\.0\.0\.1:(?P<port>\d+)) manager (?P<manager>\d+)"
    r" password (?P<password>\S+) certificate sha256 (?P<sha256>[0-9a-f]{64})"
    r" \(file (?P<file>[^)]+)\)\n"
)
SMALL = ("--logins", "30", "--rate", "2", "--history-days", "0")


@dataclass
class Running:
    """A sandbox that says it is ready; enough of a server for the tests' client."""

    process: subprocess.Popen[str]
    said: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.said["port"])

    @property
    def cert_file(self) -> str:
        return self.said["file"]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(*arguments: str, folder: str = "box") -> Running:
            asked = [PIPSHARE, "sandbox", "mt5", *SMALL, "--folder", str(tmp_path / folder)]
            process = stack.enter_context(
                subprocess.Popen([*asked, *arguments], stdout=PIPE, stderr=PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            said = LINE.fullmatch(process.stdout.readline())
            assert said, process.communicate()
            return Running(process, said.groupdict())

        yield run


def _ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    asked = [PIPSHARE, "sandbox", "mt5", *SMALL, *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)


def test_it_serves_ends_and_goes_on(start: Start, tmp_path: Path) -> None:
    """Ready when it says so; SIGTERM and SIGINT end it with clients connected; then tickets,
    certificate and manager are as before."""
    tickets = []
    for number in (signal.SIGTERM, signal.SIGINT):
        one = start()
        client = Client(one)
        assert client.sign_in().code == 0
        deals = client.get("/api/deal/get_batch", group="*", **{"from": 0, "to": 2**40}).answer
        tickets.append({int(deal["Deal"]): deal for deal in deals})
        assert one.end(number) == 0
        assert client.gone()
        assert one.process.stderr is not None
        assert one.process.stderr.read() == ""
    first, second = tickets
    assert len(first) > 10
    assert {ticket: second.get(ticket) for ticket in first} == first
    assert start().said["sha256"] == one.said["sha256"]


@pytest.mark.skipif(sys.platform != "linux", reason="waits with a pidfd")
def test_no_orphan_is_left(tmp_path: Path) -> None:
    """With --with-parent it ends when whoever started it is killed."""
    parent = (
        "import subprocess, sys, time\n"
        "one = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "print(one.pid, one.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    asked = [PIPSHARE, "sandbox", "mt5", *SMALL, "--folder", str(tmp_path), "--with-parent"]
    with subprocess.Popen(
        [sys.executable, "-c", parent, *asked], stdout=PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split(" ")[0])
        watched = os.pidfd_open(child)
        process.kill()
    try:
        assert select.select([watched], [], [], 10)[0]  # readable when the process has ended
    finally:
        os.close(watched)


def test_options(start: Start, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("S3cret-x\n")
    one = start("--manager", "2001", "--password-file", str(secret), "--without", "accountant",
                "--fault", "retcode:path=/api/symbol/list,times=ever,value=12",
                "--fault", "html", "--admin")  # fmt: skip
    assert one.said["manager"] == "2001"
    assert one.said["password"] == "S3cret-x"
    client = Client(one)
    assert client.get("/api/test/access").headers["Content-Type"] == "text/html"
    assert client.sign_in(2001, "S3cret-x").code == 0
    assert [client.get("/api/symbol/list").code for _ in range(3)] == [12, 12, 12]
    assert client.get("/api/trade/balance", login=1).code == 8
    assert client.get("/sandbox/state").json["done"]["faults"] == {"html": 1, "retcode": 3}
    assert start(folder="other").port != one.port  # another folder runs beside it
    for arguments, words in (
        (("--folder", str(tmp_path / "box")), "in use by another sandbox server"),
        (("--folder", str(tmp_path / "x"), "--port", str(one.port)), "cannot be opened"),
        (("--folder", str(tmp_path / "x"), "--fault", "dorp"), "no fault 'dorp'"),
        (("--folder", str(tmp_path / "x"), "--fault", "drop:often=1"), "no often"),
    ):
        ran = _ran(*arguments)
        assert ran.returncode == 1, ran
        assert words in ran.stderr
        assert ran.stderr.startswith("pipshare: ")
