"""The world's load files load without a refusal, and introduce most of those who trade."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sandbox_worlds import BUSY, ran, started

from pipshare import sandbox
from pipshare.pipeline import Run
from pipshare.pipeline.loads import load
from pipshare.sandbox.cast import PARTNERS
from pipshare.sandbox.mt5.world.records import UNFINISHED

CODES = [partner.code for partner in PARTNERS]
KINDS = ("entities", "servers", "groups", "symbols", "fx", "partners", "clients", "accounts")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_most_accounts_are_introduced_some_direct_some_unknown(tmp_path: Path) -> None:
    world = ran(5)
    paths = world.write_loads(tmp_path, CODES)
    assert list(paths) == ["servers", "groups", "symbols", "fx", "clients", "accounts"]
    logins = set(world.logins("*"))
    told = {int(row["login"]) for row in _rows(paths["accounts"])}
    assert told < logins
    assert len(told) * 100 > len(logins) * 90
    partners = Counter(row["partner"] for row in _rows(paths["clients"]))
    assert set(partners) == {*CODES, "direct"}
    clients = Counter(row["client"] for row in _rows(paths["accounts"]))
    assert set(clients.values()) == {1, 2}
    groups = {row["group"]: row for row in _rows(paths["groups"])}
    assert groups["demo\\forex"]["treatment"] == "excluded"
    assert (groups["real\\cent"]["lot_factor"], groups["real\\cent"]["currency"]) == ("0.01", "USC")
    assert "coverage\\lp" not in groups
    again = {kind: path.read_bytes() for kind, path in paths.items()}
    started().write_loads(tmp_path, CODES)
    assert {kind: path.read_bytes() for kind, path in paths.items()} == again


def test_every_symbol_that_trades_is_told(tmp_path: Path) -> None:
    world = ran(30)
    rows = _rows(world.write_loads(tmp_path, CODES)["symbols"])
    names = {name for row in rows for name in [row["symbol"], *row["alias"].split()]}
    listed = {position.partition(b'"Symbol":"')[2].partition(b'"')[0].decode()
              for position in world.positions()}  # fmt: skip
    assert listed <= names


def test_a_symbol_is_loaded_as_the_platform_has_it(tmp_path: Path) -> None:
    """A newcomer's first screen must not raise an alert about the demonstration itself."""
    world = started()
    told: dict[str, tuple[str, ...]] = {}
    for row in _rows(world.write_loads(tmp_path, CODES)["symbols"]):
        values = (row["digits"], row["contract_size"], row["currency"])
        told |= dict.fromkeys([row["symbol"], *row["alias"].split()], values)
    for record in map(json.loads, world.symbols()):
        if record["Symbol"] != UNFINISHED:
            contract = record["ContractSize"].removesuffix(".00000000")
            listed = (record["Digits"], contract, record["CurrencyProfit"])
            assert told[record["Symbol"]] == listed, record["Symbol"]


@pytest.fixture
def run(db: Any) -> Any:
    with db.app() as conn:
        yield Run(conn)


def test_the_files_load_beside_the_file_demonstration(run: Any, tmp_path: Path) -> None:
    demo = sandbox.write_demo(tmp_path / "demo", sandbox.make_broker(7, 20))
    live = started(size=BUSY).write_loads(tmp_path / "live", CODES)
    _load(run, demo)
    assert _load(run, live) == 0, "what the file demonstration loaded stays as it is"


def _load(run: Run, paths: dict[str, Path]) -> int:
    """Load all files; return how many known rows became different."""
    changed = 0
    for kind in KINDS:
        if kind in paths:
            for report in load(run, kind, paths[kind], by="test").reports:
                assert (report.refused, report.proposed, report.notes) == ([], [], [])
                changed += report.changed
    return changed
