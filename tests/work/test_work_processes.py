"""Real `pipshare work` processes: side by side, paused, ended, beside a faulty source."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.scenarios.small_broker import SmallBroker, manager, manager_row
from tests.work.processes import PIPSHARE, Workers, until

from pipshare import inbox
from pipshare.pipeline.work.set_up import set_up


def watched(broker: SmallBroker, folder: Path, code: str = "exports") -> inbox.Source:
    folder.mkdir(exist_ok=True)
    settings = {"dir": str(folder), "poll_s": "0.05"}
    made, _ = set_up(broker.conn, "files", "Live-4", settings, code=code, by="anna")
    broker.conn.commit()
    return made


def drop(folder: Path, name: str, *rows: list[str]) -> Path:
    """Put a file into a watched folder as a careful program does."""
    made = folder / f".{name}"
    made.write_text(manager(*rows))
    return made.rename(folder / name)


def status(broker: SmallBroker, code: str = "exports") -> inbox.SourceStatus:
    broker.conn.rollback()
    return next(one for one in inbox.statuses(broker.conn) if one.source.code == code)


def test_a_dropped_file_is_booked_and_sigterm_ends_it_safely(
    broker: SmallBroker, folder: Path, workers: Workers
) -> None:
    watched(broker, folder)
    process = workers.start()
    drop(folder, "a.csv", manager_row(1, "0.10"))
    assert until(lambda: (folder / "done/a.csv").exists())
    broker.assert_paid(10)
    assert until(lambda: status(broker).trades == 1)
    assert status(broker).worked
    assert status(broker).lag_p50_ms is not None

    # What waited is taken up when what was missing is loaded, by another process.
    drop(folder, "b.csv", manager_row(2, "0.20", Login="1002"))
    assert until(lambda: (folder / "done/b.csv").exists())
    broker.conn.rollback()
    assert broker.waiting() == {"unknown_account": 1}
    path = broker.file("accounts.csv", "server,login,client\nLive-4,1002,C-1\n")
    load_only = "from pipshare.pipeline import loads; loads.to_rest = lambda run: loads.Booked();"
    subprocess.run(
        [sys.executable, "-c", f"{load_only} from pipshare.cli import main;"
         f" main(['load', 'accounts', {str(path)!r}])"],
        env=workers.environment, check=True, capture_output=True,
    )  # fmt: skip
    assert until(lambda: broker.conn.rollback() or broker.waiting() == {})
    broker.assert_paid(30)

    said = workers.end(process)
    assert "exports: 1 new, 1 trade booked" in said
    assert "ended; nothing is left half done" in said
    assert until(lambda: not status(broker).worked)


def test_two_side_by_side_share_the_sources_and_take_over(
    broker: SmallBroker, folder: Path, workers: Workers, db: Any
) -> None:
    for number in (1, 2):
        watched(broker, folder / str(number), f"exports-{number}")
    first = workers.start()
    second = workers.start()
    assert until(lambda: all(one.worked for one in inbox.statuses(broker.conn)))
    tickets = iter(range(1, 100))
    for number in (1, 2):
        for name in "abc":
            drop(folder / str(number), f"{name}.csv", manager_row(next(tickets)))
    done = [folder / f"{n}/done/{name}.csv" for n in (1, 2) for name in "abc"]
    assert until(lambda: all(path.exists() for path in done))
    broker.conn.rollback()
    broker.assert_paid(60)

    first.send_signal(signal.SIGKILL)
    first.wait()
    drop(folder / "1", "d.csv", manager_row(next(tickets)))
    drop(folder / "2", "d.csv", manager_row(next(tickets)))
    last = [folder / "1/done/d.csv", folder / "2/done/d.csv"]
    assert until(lambda: all(path.exists() for path in last)), "the other one takes over"
    broker.conn.rollback()
    broker.assert_paid(80)
    assert broker.count("inbox_file") == 8, "no file was taken by both"
    workers.end(second)


def test_a_faulty_source_stops_no_other_and_is_told(
    broker: SmallBroker, folder: Path, workers: Workers
) -> None:
    watched(broker, folder / "good", "good")
    watched(broker, folder / "gone", "gone")
    (folder / "gone").rmdir()
    server = broker.run.servers[1]
    inbox.add_source(broker.conn, "odd", server.id, "of-no-kind", {}, by="anna")
    broker.conn.commit()
    process = workers.start()
    drop(folder / "good", "a.csv", manager_row(1))
    assert until(lambda: (folder / "good/done/a.csv").exists())
    broker.conn.rollback()
    broker.assert_paid(10)
    assert until(lambda: status(broker, "gone").fails >= 1)
    assert "mount it" in status(broker, "gone").error
    assert until(lambda: any(one.source == "odd" for one in inbox.alerts(broker.conn)))
    (odd,) = [one for one in inbox.alerts(broker.conn) if one.source == "odd"]
    assert "does not know" in odd.message

    (folder / "gone").mkdir()
    drop(folder / "gone", "b.csv", manager_row(2))
    assert until(lambda: (folder / "gone/done/b.csv").exists())
    assert until(lambda: status(broker, "gone").error == "")
    said = workers.end(process)
    assert said.count("gone: the folder") == 1, "one line per outage"
    assert "gone: works again" in said


def test_a_paused_source_stops_and_goes_on_where_it_was(
    broker: SmallBroker, folder: Path, workers: Workers
) -> None:
    source = watched(broker, folder)
    workers.start()
    assert until(lambda: status(broker).last_ok_ms)
    inbox.set_state(broker.conn, source, "paused", by="anna")
    broker.conn.commit()
    assert until(lambda: not status(broker).worked, 5)
    drop(folder, "a.csv", manager_row(1))
    before = status(broker).last_try_ms
    inbox.set_state(broker.conn, source, "active", by="anna")
    assert not (folder / "done").exists()
    assert status(broker).last_try_ms == before
    inbox.set_state(broker.conn, source, "active", by="anna")
    broker.conn.commit()
    assert until(lambda: (folder / "done/a.csv").exists())
    broker.conn.rollback()
    broker.assert_paid(10)


def test_it_outlives_the_loss_of_its_connections(
    broker: SmallBroker, folder: Path, workers: Workers, db: Any
) -> None:
    watched(broker, folder)
    process = workers.start()
    assert until(lambda: status(broker).last_ok_ms)
    with db.app(autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
            " current_database() AND pid NOT IN (pg_backend_pid(), %s)",
            (broker.conn.info.backend_pid,),
        )
    drop(folder, "a.csv", manager_row(1))
    assert until(lambda: (folder / "done/a.csv").exists())
    broker.conn.rollback()
    broker.assert_paid(10)
    workers.end(process)


def test_it_ends_with_its_parent_when_asked(broker: SmallBroker, workers: Workers) -> None:
    code = (
        f"import os, subprocess, time; p = subprocess.Popen([{PIPSHARE!r}, 'work', '--quiet',"
        " '--with-parent', str(os.getpid())], stdout=subprocess.DEVNULL);"
        " print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env=workers.environment, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout is not None
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pipshare'"

    def working() -> bool:
        broker.conn.rollback()  # a transaction sees one picture of the activity
        return broker.conn.execute(asked).fetchone()[0] > 1

    try:
        child = int(parent.stdout.readline())
        assert until(working)
    finally:
        parent.kill()
        parent.communicate()
    assert until(lambda: not Path(f"/proc/{child}").exists())
