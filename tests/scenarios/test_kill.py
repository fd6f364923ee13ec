"""Killed at any point: what was committed stands, the next run finishes it, nothing comes twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from broker_world import SERVERS, World

from pipshare import ledger, sandbox, statements
from pipshare.cli.demo import SINCE
from pipshare.pipeline import Run

LONG = bool(os.environ.get("PIPSHARE_TEST_LONG"))
PIPSHARE = str(Path(sys.executable).with_name("pipshare"))
# The same program, with blocks of an eighth of a megabyte: an import of many transactions.
IN_SMALL_STEPS = """
import sys
from pipshare.cli import main
from pipshare.sources.files import csv_blocks
csv_blocks.BLOCK_BYTES = 2**17
main(sys.argv[1:])
"""
TRADES = 16_000
PROGRESS = "SELECT count(*) FROM {}"
WATCHED = {"mt4": ("trades_trade", 940), "mt5": ("inbox_deal", 680)}  # rows of one block
WALLETS = """
SELECT a.entity_id, a.payee_kind, a.payee_id, a.currency, a.state, t.earned_day::text,
       sum(l.amount_e8)::text
  FROM ledger_leg l
  JOIN ledger_account a ON a.id = l.account_id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
COUNTED = ("trades_trade", "inbox_deal", "inbox_cash", "inbox_file", "rating_entry", "rating_line",
           "rating_waiting", "attribution_waiting", "trades_waiting")  # fmt: skip


def books(conn: Any) -> dict[str, Any]:
    """All that has to be the same however often it was interrupted."""
    counts = {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED}
    held, waiting = statements.overview(conn)
    found = {
        "counts": counts, "held": held, "wallets": conn.execute(WALLETS).fetchall(),
        "waiting": [(one.server, one.reason, one.key, one.trades) for one in waiting],
    }  # fmt: skip
    assert ledger.verify(conn)[0] == []
    assert statements.check_lines(conn) == []
    conn.rollback()
    return found


def test_an_import_killed_anywhere_ends_in_the_books_of_an_undisturbed_one(
    db: Any, module_db: Any, tmp_path: Path
) -> None:
    seed = 5
    broker = sandbox.make_broker(seed, TRADES)
    paths = sandbox.write_demo(tmp_path, broker)
    environment = {**os.environ, **module_db.environment}
    with db.app() as conn:
        undisturbed = World(Run(conn), broker, paths)
        undisturbed.load_all()
        undisturbed.import_all()
        wanted = books(conn)
    assert wanted["counts"]["trades_trade"] == TRADES

    random = Random(seed)
    with module_db.app() as conn:
        World(Run(conn), broker, paths).load_all()
    for kind, server in SERVERS.items():
        table, step = WATCHED[kind]
        points = [1, 3 * step] if not LONG else [0, 1, *(step * n for n in range(2, 8))]
        command = ["import", "--server", server, str(paths[kind])]
        for point in points:
            with module_db.app(autocommit=True) as conn:
                killed = _kill_at(command, environment, conn, table, point, random)
            assert killed, f"the import of {kind} was over before {point} rows of {table}"
        last = subprocess.run([PIPSHARE, *command], env=environment, capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert last.returncode == 0, last.stderr
        assert "repeated" in last.stdout, "the killed runs had committed something"
        assert " new" in last.stdout, "the killed runs had not committed everything"
    with module_db.app() as conn:
        assert books(conn) == wanted
        World(Run(conn), broker, paths).import_all()
        assert books(conn) == wanted, "a repeat changes nothing"


def _kill_at(
    command: list[str], environment: dict[str, str], conn: Any, table: str, rows: int,
    random: Random,
) -> bool:  # fmt: skip
    """Start an import and kill it -9 soon after it has committed so many rows of a table."""
    process = subprocess.Popen([sys.executable, "-c", IN_SMALL_STEPS, *command], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        query = PROGRESS.format(table)
        assert until(lambda: conn.execute(query).fetchone()[0] >= rows or process.poll() == 0, 60)
        # Anywhere in the next transaction: reading, storing, rating or posting.
        time.sleep(random.uniform(0.3, 3) if rows == 0 else random.uniform(0, 0.15))
        return process.poll() is None
    finally:
        process.kill()
        process.wait()


def until(what: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, *([signal.SIGINT] if LONG else [])])
def test_a_killed_demo_leaves_no_process_and_the_next_one_works(
    scratch: Path, number: signal.Signals
) -> None:
    data = scratch / f"demo-{number}"
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    environment = {**bare, "PIPSHARE_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    command = [PIPSHARE, "demo", "--trades", "300", "--files-only"]
    for last_words in ("load accounts", "import --server Demo-MT4") if LONG else ("load accounts",):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert any(last_words in line for line in process.stdout), "it ended before it was killed"
        process.send_signal(number)
        process.wait(timeout=30)
        process.stdout.close()
        assert process.returncode != 0
        assert until(lambda: not holders(data), 30), holders(data)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    expected = sandbox.expected_totals(sandbox.make_broker(7, 300, SINCE))
    shown = {words[0]: words for words in map(str.split, again.stdout.splitlines()) if words}
    for code, amount in expected.items():
        whole, part = divmod(amount, 10**8)
        told = shown[code][-2]
        assert f"{whole}.{part:08d}".rstrip("0") == told.rstrip("0"), shown[code]
    assert until(lambda: not holders(data), 30), holders(data)


def holders(folder: Path) -> dict[int, str]:
    """Processes with a file open in `folder`, with their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
            if any(link.startswith(str(folder)) for link in links):
                words = (process / "cmdline").read_bytes().split(b"\0")
                found[int(process.name)] = b" ".join(words[:5]).decode()
    return found
