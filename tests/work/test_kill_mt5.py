"""`pipshare work` on an MT5 server, killed -9 anywhere: the books are those of a calm run.

Both poll one sandbox server over TLS while its clients trade; deals are edited, cancelled and come
late meanwhile. PIPSHARE_TEST_LONG=1 kills at 56 points instead of 8.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.work.kill_points import MT5, draw
from tests.work.processes import Workers, kill, until
from tests.work.whole_books import assert_whole, differing, whole_books

from pipshare import sandbox
from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, load
from pipshare.pipeline.work.set_up import set_up
from pipshare.sandbox.broker import Broker
from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.world import SERVER, Size, World

LONG = bool(os.environ.get("PIPSHARE_TEST_LONG"))
SEED = 11
SIZE = Size(logins=40, rate=10, steady=True, history_days=1, history_rate=0.002, mischief=False,
            positions=60)  # fmt: skip
_SEEN = "SELECT count(DISTINCT deal) FROM inbox_deal"


@pytest.fixture
def server(scratch: Path) -> Iterator[Mt5Server]:
    """A sandbox server whose clients trade in real time."""
    with Mt5Server(World(SEED, SIZE), folder=scratch) as made:
        yield made


def since(world: World) -> datetime:
    """Return the midnight of the server from which both read: the same for both."""
    now = datetime.fromtimestamp(world.server_ms(world.clock()) // 1000, UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def connected(conn: Any, folder: Path, server: Mt5Server, broker: Broker) -> None:
    """Load partners, programmes and the server's accounts; set the server up as a source."""
    folder.mkdir()
    demo = sandbox.write_demo(folder, broker)
    codes = [row.split(",")[0] for row in demo["partners"].read_text().splitlines()[1:]]
    (folder / "world").mkdir()
    told = server.world.write_loads(folder / "world", codes)
    run = Run(conn)
    for kind in ("entities", "partners"):
        assert not load(run, kind, demo[kind], by="anna").reports[0].refused
    for kind in ("servers", "groups", "symbols", "fx", "clients", "accounts"):
        assert not load(run, kind, told[kind], by="anna").reports[0].refused
    for kind, path in demo.items():
        if kind.startswith("programme "):
            apply_plan(run, path, by="anna")
    assert not load(run, "terms", demo["terms"], by="anna").reports[0].refused
    settings = {"url": server.url, "login": "1000", "fingerprint": server.fingerprint,
                "poll_s": "0.2", "from": f"{since(server.world):%Y-%m-%d}"}  # fmt: skip
    set_up(conn, "mt5_web", SERVER, settings, code="live", secret="Password1", by="anna")
    conn.commit()


def stir(world: World, random: Random, number: int) -> None:
    """Change what was told already: an edited, a cancelled and a late deal."""
    with world.lock:
        newest = max(world.server_ms(world.clock()) // 1000, 0)
        closed = [d for d in world.deals(from_s=newest - 60) if b'"Entry":"1"' in d]
    if len(closed) > 2:
        ticket = int(random.choice(closed).split(b'"Deal":"')[1].split(b'"')[0])
        if number % 3 == 0:
            world.edit_deal(ticket, Profit="12.34", Volume="1000", VolumeExt="10000000")
        elif number % 3 == 1:
            world.cancel_deal(ticket)
        else:
            world.late_deal(seconds=100)


def test_an_mt5_source_survives_kills_at_every_stage(
    db: Any, module_db: Any, tmp_path: Path, server: Mt5Server
) -> None:
    broker = sandbox.make_broker(SEED, 10)
    for database, name in ((db, "calm"), (module_db, "harsh")):
        with database.app() as conn:
            connected(conn, tmp_path / name, server, broker)
    calm = Workers({**os.environ, **db.environment})
    harsh = Workers({**os.environ, **module_db.environment})
    random = Random(SEED)
    one = calm.start("--quiet")
    with module_db.app() as conn:
        for number, point in enumerate(draw(SEED, 56 if LONG else 8, MT5), 1):
            kill(point, harsh.environment, "--quiet")
            assert_whole(conn)
            stir(server.world, random, number)
            print(f"killed {number}: {point.stage}, {point.when} call {point.nth} of"
                  f" {point.target}")  # fmt: skip
    server.world.advance = lambda utc_ms=None: 0  # type: ignore[method-assign]  # nobody trades
    calm.end(one)
    with db.app() as conn, module_db.app() as other:
        # A new process looks five minutes back, so both see what was changed of late.
        last = [calm.start("--quiet"), harsh.start("--quiet")]
        there = len(server.world.deals(from_s=int(since(server.world).timestamp())))

        def at_rest() -> bool:
            seen = [c.execute(_SEEN).fetchone()[0] for c in (conn, other)]
            conn.rollback()
            other.rollback()
            return min(seen) >= there and not differing(whole_books(conn), whole_books(other))

        same = until(at_rest, 60, every_s=0.25)  # to compare whole books is work
        calm.end(last[0])
        harsh.end(last[1])
        wanted, found = whole_books(conn), whole_books(other)
        told = [c.execute(_SEEN).fetchone()[0] for c in (conn, other)]
        odd = {d[1] for d in set(wanted["deals"]) ^ set(found["deals"])}
        assert same, (differing(wanted, found), told, there, [server.world.deal(d) for d in odd])
        assert differing(wanted, found) == {}
        print({name: len(rows) for name, rows in wanted.items()})
        assert len(wanted["trades"]) > 100
        assert len(wanted["lines"]) > 100
