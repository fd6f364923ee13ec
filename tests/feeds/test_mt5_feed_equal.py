"""A day of polling a mischievous server ends where a plain reading of its last word ends."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

import polars as pl
import pytest
from feed_broker import GO_LIVE, FeedBroker, fill
from hand_world import DAY, HOUR, MONDAY_MS

from pipshare import inbox, ledger, rating, trades
from pipshare.errors import PipshareError
from pipshare.pipeline import Run
from pipshare.pipeline.feeds.mt5_deletions import decide_deletions
from pipshare.pipeline.feeds.mt5_feed import Mt5Feed
from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.world import Size, World
from pipshare.sources.mt5_web import Config

FAULTS = ("drop", "half", "truncated", "html", "403", "lost", "numbers")
PLAIN = "Live-6"


@dataclass
class Hands:
    """The clock that the world and the feed go by."""

    now_ms: int = MONDAY_MS

    def forward(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@pytest.fixture
def lively(db, tmp_path, certificate_folder):
    """A broker beside a world in which deals are edited, cancelled, deleted, late and archived."""
    hands = Hands()
    size = Size(logins=40, rate=0.03, steady=True, history_days=2, history_rate=0.01)
    world = World(5, size, clock=lambda: hands.now_ms)
    with Mt5Server(world, folder=certificate_folder) as server, db.app() as conn:
        fill(conn, tmp_path, GO_LIVE, world.logins("*"))
        broker = FeedBroker(conn, tmp_path, hands, server)
        yield broker, world
        broker.feed.close()


def read_plainly(broker, world):
    """Read the same server once more, from the start, as another trade server's."""
    broker.load("servers", "server,platform,clock,go_live,authority\n"
                f"{PLAIN},mt5,America/New_York+7h,2026-01-01T00:00:00Z,mt5_web\n")  # fmt: skip
    accounts = "".join(f"{PLAIN},{login},C-1\n" for login in world.logins("*"))
    broker.load("accounts", f"server,login,client\n{accounts}")
    told = {**broker.source.settings, "from": "9d"}
    plain = next(one.id for one in broker.run.servers.values() if one.code == PLAIN)
    with broker.conn.transaction():
        source = inbox.add_source(broker.conn, "plain", plain, "mt5_web", told, by="anna")
    feed = Mt5Feed(Run(broker.conn), source, Config.parse(told, "Password1"),
                   utc_ms=lambda: broker.world.now_ms)  # fmt: skip
    while feed.poll().more:
        pass
    feed.close()
    return plain


def standing(broker, server_id, logins):
    """Return the trades that stand of some accounts, and what is posted of them."""
    frame = trades.read(broker.conn, server_id, logins=logins).filter(pl.col("state") == 1)
    lines = rating.before(broker.conn, server_id, frame["ticket"]).lines
    broker.conn.rollback()
    told = frame.drop("server_id", "revision", "line")
    posted = lines.group_by("ticket", "account").agg(pl.col("amount_e8").sum())
    return told.sort("ticket"), posted.filter(pl.col("amount_e8") != 0).sort("ticket", "account")


def differing(ours, theirs):
    """Return the rows that are in one of two frames only, so that a failure names them."""
    both = pl.concat(
        [ours.with_columns(of=pl.lit("ours")), theirs.with_columns(of=pl.lit("plain"))]
    )
    names = ours.columns
    return both.filter(~both.select(names).is_duplicated()).sort(names[0]).rows(named=True)[:6]


def test_the_books_are_those_of_a_plain_reading(lively):
    b, world = lively
    names = sorted({json.loads(record)["Symbol"] for record in world.symbols()})
    b.load("symbols", "symbol,symbol_group\n" + "".join(f"{name},forex\n" for name in names))
    dice, failed = random.Random(11), 0
    for _ in range(30):
        if dice.random() < 0.5:
            path = dice.choice(["/api/deal/get_batch", "/api/deal/get", "/api/user/get"])
            b.server.faults.add(dice.choice(FAULTS), path=path, times=1)
        if dice.random() < 0.1:
            b.feed.close()
            b.connect()
        try:
            b.poll(dice.choice([1, 5, 61, 200, 900]))
        except PipshareError:
            failed += 1
    b.server.faults.clear()
    b.poll(HOUR)
    assert failed
    assert b.server.faults.fired.total() > 3
    stop(world)
    b.poll(DAY)
    if inbox.count_unseen(b.conn, b.source.id, "held"):
        decide_deletions(b.conn, "live", by="anna", reason="mischief")
        b.conn.commit()
        b.poll(120)
    plain = read_plainly(b, world)
    visible = world.logins("*")
    ours, posted = standing(b, b.id, visible)
    theirs, plainly = standing(b, plain, visible)
    assert len(ours) > 100
    assert differing(ours, theirs) == []
    assert len(posted) > 100
    assert differing(posted, plainly) == []
    assert ledger.verify(b.conn)[0] == []


def stop(world):
    """From here on nothing happens any more, so that the night reads a last word."""
    world.advance = lambda utc_ms=None: 0
