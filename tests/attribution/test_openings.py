"""The chain of the opening, in columns, equals a walk through the records, trade by trade."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from attribution_world import TRADE_DEFAULTS, ms, random_world

from pipshare.attribution import Attributed, Standing, Why
from pipshare.pipeline import Run
from pipshare.pipeline.explained.whose import whose
from pipshare.pipeline.loads import apply_plan, load
from pipshare.pipeline.whose import at_openings, attributed

MOMENTS = ("2025-01-01", "2025-03-01", "2025-06-01", "2025-09-01", "2026-01-01")
PLAN = """[programme]
code = "{code}"
currency = "USD"
{moment}
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
rate = [{{ level = 1, amount = 1 }}]
"""
PROGRAMMES = {"close": "", "open": 'moment = "open"', "open2": 'moment = "open"'}


def with_plans(conn: Any, folder: Path, rng: Random) -> Run:
    """Plans of both kinds, of which one changes its mind, and terms that change over time."""
    run = Run(conn)
    for code, moment in [*PROGRAMMES.items(), ("open2", "valid_from = 2025-06-01")]:
        path = folder / "plan.toml"
        path.write_text(PLAN.format(code=code, moment=moment))
        apply_plan(run, path, by="anna")
    rows = ["partner,programme,valid_from,valid_to"]
    for partner in range(1, 13):
        cut = rng.choice([*MOMENTS, "", ""])
        one, other = rng.choices([*PROGRAMMES, "open", "none"], k=2)
        if cut:
            rows.append(f"P{partner},{one},,{cut}")
        if not cut or rng.random() < 0.8:
            rows.append(f"P{partner},{other},{cut},")
    (folder / "terms.csv").write_text("\n".join(rows))
    report = load(run, "terms", folder / "terms.csv", by="anna").reports[0]
    assert not report.refused
    return run


def told(who: Attributed, row: int) -> tuple[str, list[int]]:
    chain = int(who.chain[row])
    return Why(int(who.why[row])).name.lower(), list(who.chains[chain]) if chain >= 0 else []


@pytest.mark.parametrize("seed", range(6))
def test_the_columns_equal_the_walk(db: Any, tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with db.app() as conn:
        world, frame = random_world(conn, seed, MOMENTS)
        conn.commit()
        run = with_plans(conn, tmp_path, rng)
        edges = [ms(date) for date in MOMENTS]
        opened = [rng.choice(edges) + rng.choice([-1, 0, 1, 10**9]) for _ in range(len(frame))]
        frame = frame.with_columns(
            **{name: pl.lit(value) for name, value in TRADE_DEFAULTS.items() if name != "opening"},
        ).with_columns(
            open_ms=pl.Series(opened), opening=pl.Series([int(rng.random() < 0.9) for _ in opened])
        )
        who = attributed(run, world.server, frame)
        found = set()
        for row, trade in enumerate(frame.iter_rows(named=True)):
            walked = whose(run, world.server, trade)
            assert told(who, row) == (walked["why"], [one["id"] for one in walked["chain"]]), trade
            assert Standing(int(who.standing[row])).name.lower() == walked["standing"]
            found.add((walked["chain_moment"], walked["why"]))
        stored = dict(conn.execute("SELECT id, partners FROM attribution_chain").fetchall())
        for row in np.flatnonzero(who.chain >= 0).tolist():
            assert tuple(stored[who.chain_id[row]]) == who.chains[who.chain[row]]
        assert {("open", "introduced"), ("close", "introduced")} <= found
        batches = [attributed(run, world.server, frame[at : at + 7]) for at in range(0, 250, 7)]
        parts = [told(one, row) for one in batches for row in range(len(one.why))]
        assert parts == [told(who, row) for row in range(len(who.why))]


def test_nothing_changes_where_no_programme_asks(db: Any, tmp_path: Path) -> None:
    with db.app() as conn:
        world, frame = random_world(conn, 1, MOMENTS)
        run = Run(conn)
        who = attributed(run, world.server, frame)
        known = run.directory(world.server)
        assert at_openings(run.book, known, who, world.server, frame) is who
