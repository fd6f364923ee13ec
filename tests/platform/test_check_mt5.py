"""The check of an MT5 source, against the sandbox server over TLS: what an administrator reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from platform_world import at, standing

from pipshare import inbox
from pipshare.market import Server
from pipshare.period import Clock
from pipshare.pipeline.feeds import check_mt5_told as told
from pipshare.pipeline.feeds.check import check
from pipshare.pipeline.feeds.state_mt5 import sync_state
from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.world import Size, World
from pipshare.sources.mt5_web import Config, Mt5Web, ServerTime, TimeSettings

SIZE = Size(logins=300, rate=2.0, history_days=1, mischief=False)


@pytest.fixture(scope="module")
def server(scratch: Path) -> Iterator[Mt5Server]:
    """A sandbox server of 300 accounts."""
    with Mt5Server(World(11, SIZE), folder=scratch) as made:
        yield made


@pytest.fixture
def world(templates: Any, tmp_path: Path, server: Mt5Server) -> Iterator[Any]:
    """The broker, with a source that reads the sandbox."""
    with standing(templates, tmp_path) as made:
        conn = made.run.conn
        settings = {"url": server.url, "login": "1000", "fingerprint": server.fingerprint,
                    "groups": "real*,demo*"}  # fmt: skip
        made.source = inbox.add_source(
            conn, "sandbox", made.server.id, "mt5_web", settings, secret="Password1", by="anna"
        )
        conn.commit()
        yield made
    server.manager().rights = frozenset({"trades", "accounts", "personal", "accountant"})


def found(world: Any) -> dict[str, list[tuple[str, str]]]:
    """What a check finds: subject -> (level, text)."""
    told: dict[str, list[tuple[str, str]]] = {}
    for one in check(world.run, world.source):
        told.setdefault(one.what, []).append((one.level, one.text))
    assert world.run.conn.info.transaction_status.name == "IDLE"
    return told


def test_what_a_new_broker_reads(world: Any) -> None:
    seen = found(world)
    assert seen["connection"][0][1].startswith(f"signed in to {world.source.settings['url']}")
    ((level, text),) = seen["groups"]
    assert (level, "match" in text, "real\\standard (" in text) == ("ok", True, True)
    ((level, text),) = seen["cent groups"]
    assert level == "warning"
    assert text.endswith("with server,group,lot_factor,currency: Live,real\\cent,0.01,USC")
    ((level, text),) = seen["clock"]
    assert level == "fault"
    assert "and UTC would be UTC+00:00: moments of trades would be wrong" in text
    assert "load servers with server,platform,clock: Live,mt5,America/New_York+7h" in text
    assert seen["deals"][0][0] == "ok"
    assert {"quotes", "native agents", "authority"} <= set(seen)


def test_what_was_put_right_is_no_longer_told(world: Any) -> None:
    world.load("groups", "server,group,lot_factor,currency\nLive,real\\cent,0.01,USC\n")
    world.load("servers", "server,platform,clock\nLive,mt5,America/New_York+7h\n")
    seen = found(world)
    assert "cent groups" not in seen
    assert seen["clock"] == [
        ("ok", "the server's clock is America/New_York+7h, as set up here")
    ]  # fmt: skip


def test_a_right_that_is_missing_is_named(world: Any, server: Mt5Server) -> None:
    server.manager().rights = frozenset({"accounts", "personal"})
    seen = found(world)
    assert any("'Access to trade orders'" in text for _, text in seen["right"])
    assert "deals" not in seen


def test_groups_that_are_not_visible(world: Any) -> None:
    load = "server,login,client,group\nLive,5001,C-1,real\\gone\n"
    world.load("accounts", load)
    seen = found(world)
    assert any("not visible to this manager: real\\gone" in text for _, text in seen["groups"])
    none = {**world.source.settings, "groups": "nothing*"}
    world.source = inbox.add_source(
        world.run.conn, "none", world.server.id, "mt5_web", none, secret="Password1", by="anna"
    )
    world.run.conn.commit()
    assert any("the masks nothing* match no account" in text for _, text in found(world)["groups"])


def test_a_wrong_password_is_one_finding(world: Any) -> None:
    inbox.set_secret(world.run.conn, world.source, "wrong", by="anna")
    world.run.conn.commit()
    first = check(world.run, world.source)
    assert [one.level for one in first] == ["fault"]
    assert "password" in first[0].text
    assert list(asdict(first[0])) == ["level", "what", "text"]


def test_the_sandbox_becomes_histories(world: Any, server: Mt5Server) -> None:
    config = Config.parse(world.source.settings, "Password1")
    web = Mt5Web(config, log=lambda line: None)
    try:
        report = sync_state(world.run, world.source, web, now_ms=at("2026-03-10"))
        again = sync_state(world.run, world.source, web, now_ms=at("2026-03-11"))
    finally:
        web.close()
    assert report.accounts == report.changed > 250
    assert (report.groups, len(report.known_now) > 10) == (5, True)
    assert (again.changed, again.groups, again.symbols, again.known_now) == (0, 0, 0, [])
    rows = world.run.conn.execute(
        "SELECT DISTINCT group_name, currency FROM clients_observed ORDER BY 1"
    ).fetchall()
    assert ("real\\cent", "USC") in rows
    assert ("real\\pro-netting", "EUR") in rows
    named = world.run.conn.execute("SELECT count(DISTINCT login) FROM clients_agent").fetchone()
    assert named[0] == len(report.agents)


@pytest.mark.parametrize(
    ("offset_min", "daylight", "summer", "wanted"),
    [
        (120, True, False, "America/New_York+7h"), (180, True, True, "America/New_York+7h"),
        (0, False, False, "UTC"), (120, False, False, "+02:00"), (240, False, True, "Asia/Dubai"),
        (330, False, False, "+05:30"), (540, False, False, "Asia/Tokyo"),
    ],
)  # fmt: skip
def test_the_clock_that_would_fit(
    offset_min: int, daylight: bool, summer: bool, wanted: str
) -> None:
    utc = at("2026-07-01") if summer else at("2026-01-15")
    moment = ServerTime(utc + offset_min * 60_000 - 400, utc)
    assert told.proposed(moment, TimeSettings(offset_min, daylight)) == wanted
    clock = Clock.parse("Asia/Kolkata")
    server = Server(1, "Live", 1, "mt5", "files", (), ((0, clock),), None)
    (finding,) = told.clock(server, moment, TimeSettings(offset_min, daylight), "")
    assert (finding.level == "ok") == (wanted == "+05:30")


def test_a_clock_of_no_zone() -> None:
    utc = at("2026-01-15")
    server = Server(1, "Live", 1, "mt5", "files", (), ((0, Clock("UTC", 0)),), None)
    (finding,) = told.clock(server, ServerTime(utc + 7 * 60_000, utc), None, "")
    assert "no zone has such an offset" in finding.text
    (finding,) = told.clock(server, None, None, "the clock has jumped")
    assert (finding.level, finding.text) == ("fault", "the clock has jumped")


def test_symbols_without_contract_size() -> None:
    (finding,) = told.symbols(pl.DataFrame({"symbol": ["B", "A", "C"], "contract_e8": [0, 0, 1]}))
    assert finding.level == "warning"
    assert finding.text.startswith("no contract size for 2 of 3 symbols (A, B): load it")
