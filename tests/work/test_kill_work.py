"""`pipshare work` killed -9 anywhere: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.work.kill_points import FOLDER, draw
from tests.work.processes import Workers, kill, until
from tests.work.whole_books import assert_whole, differing, whole_books

from pipshare import sandbox
from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, load
from pipshare.pipeline.work.set_up import set_up

LONG = bool(os.environ.get("PIPSHARE_TEST_LONG"))
SERVERS = {"mt4": "Demo-MT4", "mt5": "Demo-MT5"}
SEED, ROWS = 5, 24  # rows of one file


@pytest.fixture
def exports(tmp_path: Path) -> dict[str, list[bytes]]:
    """The broker's exports in files of a few rows, per platform."""
    count = 4 + (24 if LONG else 4)
    paths = sandbox.write_demo(tmp_path, sandbox.make_broker(SEED, ROWS * count * 2))
    found = {}
    for kind in SERVERS:
        header, *rows = paths[kind].read_bytes().splitlines(keepends=True)
        size = -(-len(rows) // count)
        found[kind] = [header + b"".join(rows[at : at + size]) for at in range(0, len(rows), size)]
    return found


def loaded(conn: Any, tmp_path: Path) -> None:
    """Load the demonstration broker and watch two folders of his."""
    paths = sandbox.write_demo(tmp_path / "loads", sandbox.make_broker(SEED, 10))
    run = Run(conn)
    for kind, path in paths.items():
        if kind.startswith("programme "):
            apply_plan(run, path, by="anna")
        elif kind not in SERVERS:
            assert not load(run, kind, path, by="anna").reports[0].refused
    for kind, server in SERVERS.items():
        folder = tmp_path / kind
        folder.mkdir(parents=True)
        told = {"dir": str(folder), "poll_s": "0.05"}
        set_up(conn, "files", server, told, code=kind, by="anna")
    conn.commit()


def put(folder: Path, number: int, content: bytes) -> None:
    """Put a file into a watched folder, whole, its time later than those before it."""
    made = folder / f".{number:03}.csv"
    made.write_bytes(content)
    os.utime(made, (10**9 + number, 10**9 + number))
    made.rename(folder / f"{number:03}.csv")


def drained(folder: Path) -> bool:
    return all(not list((folder / kind).glob("*.csv")) for kind in SERVERS)


def test_watched_folders_survive_kills_at_every_stage(
    db: Any, module_db: Any, tmp_path: Path, exports: dict[str, list[bytes]]
) -> None:
    calm, harsh = tmp_path / "calm", tmp_path / "harsh"
    for database, folder in ((db, calm), (module_db, harsh)):
        (folder / "loads").mkdir(parents=True)
        with database.app() as conn:
            loaded(conn, folder)
    workers = Workers({**os.environ, **db.environment})
    for kind, files in exports.items():
        for number, content in enumerate(files):
            put(calm / kind, number, content)
    calm_one = workers.start("--quiet")
    environment = {**os.environ, **module_db.environment}
    points = draw(SEED, 24 if LONG else 4, FOLDER)
    with module_db.app() as conn:
        for number, point in enumerate(points):
            for kind, files in exports.items():
                put(harsh / kind, number, files[number])
            kill(point, environment, "--quiet")
            assert_whole(conn)
            print(f"killed {number + 1}: {point.stage}, {point.when} call {point.nth} of"
                  f" {point.target}")  # fmt: skip
    for kind, files in exports.items():
        for number in range(len(points), len(files)):
            put(harsh / kind, number, files[number])
    harsh_one = Workers(environment)
    last = harsh_one.start("--quiet")
    assert until(lambda: drained(harsh) and drained(calm), 60)
    harsh_one.end(last)
    workers.end(calm_one)
    with db.app() as conn, module_db.app() as other:
        wanted = whole_books(conn)
        assert differing(wanted, whole_books(other)) == {}
        assert len(wanted["wallets"]) > 10
    for kind, files in exports.items():
        done = [path for path in (harsh / kind / "done").iterdir() if path.suffix == ".csv"]
        assert len(done) == len(files), "each file was taken once"
    shutil.rmtree(tmp_path / "calm")
