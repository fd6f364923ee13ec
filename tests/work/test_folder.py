"""A watched folder: what is finished is taken, once, and moved away with its report."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, journal, manager, manager_row

from pipshare import inbox
from pipshare.errors import BadInput, Unavailable
from pipshare.pipeline.feeds import Polled, make
from pipshare.pipeline.feeds.folder_settings import Watched


def watch(broker: SmallBroker, folder: Path, **settings: str) -> Any:
    """Return the feed of a source on `folder` that looks twenty times a second."""
    server = next(s for s in broker.run.servers.values() if s.code == "Live-4")
    told = {"dir": str(folder), "poll_s": "0.05", **settings}
    source = inbox.add_source(broker.conn, "exports", server.id, "files", told, by="anna")
    broker.conn.commit()
    return make(broker.run, source)


def settled(feed: Any) -> list[Polled]:
    """Poll until nothing finished is left."""
    found = []
    for _ in range(2):  # a first look, then a second one
        while (polled := feed.poll()).more or polled.news:
            found.append(polled)
        time.sleep(0.06)
    while (polled := feed.poll()).more or polled.news:
        found.append(polled)
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def codes(broker: SmallBroker) -> dict[str, str]:
    return {one.code: one.subject for one in inbox.alerts(broker.conn)}


def test_a_finished_file_is_booked_once_and_moved_with_its_report(
    broker: SmallBroker, folder: Path
) -> None:
    feed = watch(broker, folder)
    text = manager(manager_row(1, "0.10"), manager_row(2, "0.30"))
    (folder / "monday.csv").write_text(text)
    assert feed.poll() == Polled(wait_s=0.05), "one look is not enough"
    (polled,) = settled(feed)
    assert (polled.new, polled.trades, len(polled.lags_ms)) == (2, 2, 1)
    broker.assert_paid(40)
    assert names(folder) == ["done"]
    assert names(folder / "done") == [
        "monday.csv", "monday.csv.report.json", "monday.csv.report.txt",
    ]  # fmt: skip
    assert (folder / "done/monday.csv").read_text() == text
    told = json.loads((folder / "done/monday.csv.report.json").read_text())
    assert (told["new"], told["refused"], told["error"]) == (2, [], None)
    assert "booked: 2 trades" in (folder / "done/monday.csv.report.txt").read_text()
    assert broker.conn.execute("SELECT received_by FROM inbox_file").fetchall() == [
        ("source exports",)
    ]

    (folder / "monday.csv").write_text(text)
    assert settled(feed) == []
    broker.assert_paid(40)
    assert len(names(folder / "done")) == 6, "the second of a name lies beside the first"


def test_a_file_that_came_while_nobody_watched_has_no_lag(
    broker: SmallBroker, folder: Path
) -> None:
    (folder / "before.csv").write_text(manager(manager_row(1, "0.10"), manager_row(2, "0.30")))
    an_hour_ago = time.time() - 3600
    os.utime(folder / "before.csv", (an_hour_ago, an_hour_ago))
    feed = watch(broker, folder)
    (polled,) = settled(feed)
    assert (polled.trades, polled.lags_ms) == (2, [])
    assert polled.gap is not None
    assert polled.gap.trades == 2
    assert 3_600_000 <= polled.gap.lasted_ms < 3_660_000
    (folder / "after.csv").write_text(manager(manager_row(3, "0.10"), manager_row(4, "0.10")))
    (polled,) = settled(feed)
    assert (len(polled.lags_ms), polled.gap) == (1, None)


def test_a_file_that_grows_or_has_a_temporary_name_is_left_alone(
    broker: SmallBroker, folder: Path
) -> None:
    feed = watch(broker, folder)
    text = manager(manager_row(1))
    temporary = [".a.csv", "~b.csv", "c.csv.tmp", "d.csv.PART", "e.csv~", "f.filepart"]
    for name in (*temporary, "x.csv.report.txt"):
        (folder / name).write_text(text)
    (folder / "g").mkdir()
    (folder / "lost").symlink_to(folder / "nowhere")
    (folder / "new.csv").touch()
    growing = folder / "grows.csv"
    for end in range(len(text) - 40, len(text), 8):
        growing.write_text(text[:end])
        assert feed.poll() == Polled(wait_s=0.05)
        time.sleep(0.06)
    assert broker.count("inbox_file") == 0
    growing.write_text(text)
    settled(feed)
    assert names(folder / "done")[0] == "grows.csv"
    assert set(temporary) <= set(names(folder))
    assert "new.csv" in names(folder), "an empty file is one that was just made"
    broker.assert_paid(10)


def test_a_bad_file_is_refused_beside_good_ones(broker: SmallBroker, folder: Path) -> None:
    feed = watch(broker, folder)
    (folder / "1.csv").write_bytes(b"PK\x03\x04 what is this")
    (folder / "2.csv").write_text(manager(manager_row(1), manager_row(2, Volume="many")))
    (folder / "3.csv").write_text(manager(manager_row(3)))
    for number in (1, 2, 3):
        os.utime(folder / f"{number}.csv", (number, number))
    assert len(settled(feed)) == 3
    assert names(folder) == ["done", "refused"]
    assert names(folder / "refused")[0] == "1.csv"
    why = (folder / "refused/1.csv.report.txt").read_text()
    assert "refused" in why
    assert json.loads((folder / "refused/1.csv.report.json").read_text())["error"] in why
    broker.assert_paid(20)
    assert codes(broker) == {"file_refused": "1.csv", "rows_refused": "2.csv"}
    assert "line 3" in (folder / "done/2.csv.report.txt").read_text()

    (folder / "refused/1.csv").unlink()
    feed.poll()
    assert codes(broker) == {"rows_refused": "2.csv"}, "who takes the file away has dealt with it"


def test_provenance_and_trust_are_those_of_import(broker: SmallBroker, folder: Path) -> None:
    feed = watch(broker, folder)
    (folder / "j.csv").write_text(journal("9001;0.10;2026-03-02 11:00:00"))
    settled(feed)
    assert broker.totals() == {}
    assert "--trust" in (folder / "done/j.csv.report.txt").read_text()


def test_settings_reach_the_import(broker: SmallBroker, folder: Path) -> None:
    feed = watch(broker, folder, trust="the desk writes it", login="1001", as_of="mtime")
    (folder / "j.csv").write_text(journal("9001;0.10;2026-03-02 11:00:00"))
    os.utime(folder / "j.csv", (1_800_000_000, 1_800_000_000))
    settled(feed)
    broker.assert_paid(10)
    row = broker.conn.execute(
        "SELECT trust, extract(epoch FROM as_of)::bigint FROM inbox_file"
    ).fetchone()
    assert row == ("the desk writes it", 1_800_000_000)


def test_no_file_since_is_told_once_and_ends_with_the_next(
    broker: SmallBroker, folder: Path
) -> None:
    feed = watch(broker, folder, no_file_after_s="3600")
    feed.poll()
    assert codes(broker) == {}
    feed.cursor["since_ms"] -= 3_601_000
    for _ in range(3):
        feed.poll()
    (alert,) = inbox.alerts(broker.conn)
    assert (alert.code, alert.count) == ("no_file", 1)
    assert "none ever came" in alert.message
    assert "every 1 hours" in alert.message
    (folder / "a.csv").write_text(manager(manager_row(1)))
    settled(feed)
    assert codes(broker) == {}
    feed.cursor["last_ms"] -= 3_601_000
    feed.poll()
    assert "the last was a.csv" in inbox.alerts(broker.conn)[0].message


def test_an_import_that_was_stopped_goes_on_where_it_was(
    broker: SmallBroker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.sources.files import csv_blocks

    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 4096)
    feed = watch(broker, folder)
    (folder / "a.csv").write_text(manager(*(manager_row(n) for n in range(1, 201))))
    feed.poll()
    time.sleep(0.06)
    feed.halt.set()
    feed.poll()
    booked = broker.count("trades_trade")
    assert 0 < booked < 200
    assert names(folder) == ["a.csv"]
    feed.halt.clear()
    feed.poll()
    broker.assert_paid(2000)
    report = (folder / "done/a.csv.report.txt").read_text()
    assert f"{200 - booked} new, {booked} repeated" in report
    assert "begun before" in report


def test_a_folder_that_is_away_is_a_fault_and_no_end(broker: SmallBroker, folder: Path) -> None:
    feed = watch(broker, folder)
    folder.rename(folder.with_name("away"))
    with pytest.raises(Unavailable, match="mount it"):
        feed.poll()
    folder.with_name("away").rename(folder)
    assert feed.poll() == Polled(wait_s=0.05)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"dir": "relative"}, "dir"),
        ({"dir": "/tmp", "poll_s": "often"}, "poll_s"),
        ({"dir": "/tmp", "mapping": "/no/such.toml"}, "mapping"),
        ({"dir": "/tmp", "colour": "red"}, "colour"),
        ({"dir": "/tmp", "as_of": "now"}, "as_of"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(BadInput, match=f"'{named}'"):
        Watched.parse(settings)
