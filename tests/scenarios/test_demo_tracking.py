"""Tracking in the demonstration: set up once, repeatable, beside the books that are expected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from broker_world import World

from pipshare import inbox, outbox, partners, sandbox, settings
from pipshare.cli import demo_tracking
from pipshare.cli.demo_visits import FIRST, SEED
from pipshare.errors import Conflict
from pipshare.sandbox.visitors import CRAWLER, visitor

LINKS = tuple(code for code, _, _ in demo_tracking.LINKS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, data=tmp_path))
    return tmp_path / "demo"


def test_it_is_set_up_once_and_changes_no_total(world: World, folder: Path) -> None:
    world.load_all()
    demo_tracking.prepare(world.run)
    token, secret = demo_tracking.token(), demo_tracking.webhook_secret()
    assert (folder / "tracker_token").stat().st_mode & 0o777 == 0o600
    world.import_all()
    demo_tracking.prepare(world.run)
    assert (demo_tracking.token(), demo_tracking.webhook_secret()) == (token, secret)
    conn = world.run.conn
    assert sorted(one.code for one in partners.links(conn)) == sorted(LINKS)
    assert [one.code for one in inbox.trackers(conn)] == [demo_tracking.SITE]
    assert {one.name for one in outbox.receivers(conn)} == {demo_tracking.VOLUUM, demo_tracking.CRM}
    expected = {code: sum_ for code, sum_ in sandbox.expected_totals(world.broker).items() if sum_}
    assert world.totals() == expected
    world.assert_whole()


def test_receivers_follow_the_sandbox_tracker(world: World, folder: Path) -> None:
    world.load_all()
    demo_tracking.prepare(world.run)
    for port in (8700, 41234, 41234):
        demo_tracking.point_to(world.run, f"http://127.0.0.1:{port}")
        urls = {one.name: one.settings["url"] for one in demo_tracking.ours(world.run)}
        assert urls[demo_tracking.CRM] == f"http://127.0.0.1:{port}/webhook"
        assert urls[demo_tracking.VOLUUM].startswith(
            f"http://127.0.0.1:{port}/voluum/postback?cid={{sub1}}&"
        )


def test_a_lost_token_is_said_with_what_to_do(world: World, folder: Path) -> None:
    world.load_all()
    demo_tracking.prepare(world.run)
    (folder / "tracker_token").unlink()
    with pytest.raises(Conflict, match="pipshare demo --reset"):
        demo_tracking.token()


def test_the_first_visitors_show_something_of_everything() -> None:
    came = [visitor(SEED, number, LINKS) for number in range(1, FIRST + 1)]
    assert came == [visitor(SEED, number, LINKS) for number in range(1, FIRST + 1)]
    assert {one.link for one in came} == set(LINKS)
    assert any(one.agent == CRAWLER for one in came)
    assert any(one.ahead for one in came)
    registered = [one for one in came if one.country]
    assert any(not one.deposit for one in registered)
    assert any(one.deposit and not one.trades for one in registered)
    assert sum(one.trades for one in registered) == 6
    assert len({one.ad_click for one in came}) == FIRST
