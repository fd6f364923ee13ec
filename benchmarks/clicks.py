"""Goal 9: a click's redirect beside the same server's empty response, and how long one takes.

`pipshare serve` runs as shipped, in a process of its own; so does the load,
over connections that stay open. Each redirect is answered when its click is durable (committed,
synchronous_commit on); afterwards every answered id is looked for in the database.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import http_load
from benchmarks.racing import Race, Result, beside, race
from pipshare import db, inbox, partners
from pipshare.db import cluster, embedded
from pipshare.facts.reading import read_table

CONNECTIONS = 32  # as many as threads serve
REDIRECT, EMPTY = "click redirect, durable", "empty response of the same server"
WANTED_MS = 25
_HEADERS = (
    "Host: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0"
    "\r\nAccept: text/html\r\nReferer: https://blog.example/best-brokers\r\n\r\n"
)


def measure(rounds: int, seconds: float, say: Callable[[str], None]) -> tuple[list[Result], Race]:
    """Race redirect and empty response; then ask for each at half its rate, evenly in time."""
    with tempfile.TemporaryDirectory(prefix="pipshare-clicks-") as name:
        server = embedded.attach(Path(name) / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target):
                db.migrate()
                codes = _links()
                with serving(environment(target) | {"PIPSHARE_DATA": name}) as port:
                    return _measure(port, codes, rounds, seconds, say)
        finally:
            embedded.destroy(Path(name) / "database")


def _measure(
    port: int, codes: list[str], rounds: int, seconds: float, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    asks = [request(f"/c/{code}?sub1=campaign-{n}&sub2={n}") for n, code in enumerate(codes)]
    ids: list[str] = []

    def clicks(rate: float = 0.0) -> http_load.Told:
        told = http_load.run(http_load.Load(port, asks, CONNECTIONS, seconds, rate, "click_id="))
        assert told.statuses.keys() == {"302"}, told.statuses
        ids.extend(told.ids)
        return told

    def empty(rate: float = 0.0) -> http_load.Told:
        asked = http_load.Load(port, [request("/empty")], CONNECTIONS, seconds, rate)
        told = http_load.run(asked)
        assert told.statuses.keys() == {"204"}, told.statuses
        return told

    clicks(), empty()  # the first ones of a process import and connect
    run = race({REDIRECT: lambda: clicks().rate, EMPTY: lambda: empty().rate}, rounds, say)
    halves = [(clicks(run.of(REDIRECT) / 2), empty(run.of(EMPTY) / 2)) for _ in range(rounds)]
    half, idle = (
        sorted(told, key=lambda one: one.p99_ms)[rounds // 2] for told in zip(*halves, strict=True)
    )
    for name, told in (("redirects", half), ("empty ones", idle)):
        say(f"  {name} at {told.rate:,.0f}/s: p50 {told.p50_ms:.1f} ms, p99 {told.p99_ms:.1f} ms")
    _hold(ids)
    say(f"  all {len(ids):,} answered clicks are stored")
    limit = "only the empty one passes pages' middleware; a click adds its row, waits for the disk"
    return [
        beside(run, 9, REDIRECT, EMPTY, 0.5, unit="answers/s", limit=limit),
        Result(9, "redirect at half its load, p99", "wanted", half.p99_ms, WANTED_MS,
               half.p99_ms / WANTED_MS, 1.0, "ms", True, f"median of {rounds}; an empty response's"
               f" at its own half is {idle.p99_ms:,.1f} ms", True),
    ], run  # fmt: skip


def _hold(ids: list[str]) -> None:
    """Raise unless every answered click is stored, once."""
    assert len(set(ids)) == len(ids) > 0
    with db.connect() as conn:
        found = sum(
            len(inbox.clicks_of(conn, ids[at : at + 10_000])) for at in range(0, len(ids), 10_000)
        )
    assert found == len(ids), f"{len(ids) - found} answered clicks are not stored"


def _links() -> list[str]:
    """Make 20 partners with a link each; return the links' codes."""
    with db.connect() as conn:
        frame, _ = read_table("\n".join(["partner", *(f"P-{n}" for n in range(20))]).encode(),
                              "partners")  # fmt: skip
        partners.load_partners(conn, frame)
        partners.add_landing(conn, 1, "home", "https://broker.example/open?lang=en", by="benchmark")
        for n in range(20):
            partners.add_link(conn, partners.partner(conn, f"P-{n}"), by="benchmark",
                              code=f"link-{n}", campaign="spring")  # fmt: skip
    return [f"link-{n}" for n in range(20)]


def request(path: str) -> str:
    """Return a whole GET request, as a browser sends it over a connection that stays open."""
    return f"GET {path} HTTP/1.1\r\n{_HEADERS}"


def environment(target: db.Target) -> dict[str, str]:
    """Return the variables with which a `pipshare` process works on this database."""
    from psycopg.conninfo import conninfo_to_dict

    def url(conninfo: str) -> str:
        given = conninfo_to_dict(conninfo)
        user, name = given.pop("user"), given.pop("dbname")
        rest = "&".join(f"{key}={value}" for key, value in given.items())
        return f"postgresql://{user}@/{name}?{rest}"

    return {"DATABASE_URL": url(target.app), "PIPSHARE_OWNER_DATABASE_URL": url(target.owner)}


@contextmanager
def serving(environment: dict[str, str], *more: str) -> Iterator[int]:
    """Run `pipshare serve` with `more` options, and the empty address; yield its port."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    root = str(Path(__file__).resolve().parents[1])
    places = os.pathsep.join(filter(None, [root, bare.get("PYTHONPATH", "")]))
    own = {"DJANGO_SETTINGS_MODULE": "benchmarks.empty", "PYTHONPATH": places}
    command = [sys.executable, "-c", "from pipshare.cli import main; main()", "serve", "--port",
               "0", "--with-parent", *more]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                             env=bare | environment | own)  # fmt: skip
    try:
        assert child.stdout
        said = child.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert found, said + child.stdout.read()
        yield int(found[1])
    finally:
        child.terminate()
        child.wait()
