"""The columns equal a walk through the records, trade by trade, over random histories."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from attribution_world import random_world

from pipshare import attribution
from pipshare.attribution import Directory, Standing, Why, directory

MOMENTS = ("2025-01-01", "2025-03-01", "2025-06-01", "2025-09-01", "2026-01-01")


def told(who: attribution.Attributed, row: int) -> dict:
    group, chain = int(who.group[row]), int(who.chain[row])
    return {
        "standing": Standing(int(who.standing[row])).name.lower(),
        "why": Why(int(who.why[row])).name.lower(),
        "chain": list(who.chains[chain]) if chain >= 0 else [],
        "mask": who.groups[group].mask if group >= 0 else None,
        "currency": who.currencies[who.currency[row]] if who.currency[row] >= 0 else None,
        "early": bool(who.early[row]),
    }


def walked(conn, server, trade) -> dict:
    one = attribution.why_one(conn, server, trade)
    state = one["state"]
    return {
        "standing": one["standing"],
        "why": one["why"],
        "chain": [level["id"] for level in one["chain"]],
        "mask": one["group"]["mask"] if one["group"] else None,
        "currency": state["currency"] if state else None,
        "early": bool(state and state["first_known"]),
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_kernel_equals_the_walk(db, seed: int) -> None:
    with db.app() as conn:
        world, frame = random_world(conn, seed, MOMENTS)
        who = attribution.attribute(conn, world.server, frame)
        for row, trade in enumerate(frame.iter_rows(named=True)):
            assert told(who, row) == walked(conn, world.server, trade), trade
        assert len(set(who.standing.tolist())) >= 3  # the worlds are not trivial


@pytest.mark.parametrize("whole", [5, 1000])
def test_batches_of_any_size_and_order_give_the_same(db, monkeypatch, whole: int) -> None:
    monkeypatch.setattr(directory, "WHOLE", whole)
    rng = Random(7)
    with db.app() as conn:
        world, frame = random_world(conn, 42, MOMENTS)
        at_once = attribution.attribute(conn, world.server, frame)
        expected = {
            (ticket, at_once.chain_id[row], repr(told(at_once, row)))
            for row, ticket in enumerate(frame["ticket"])
        }
        for keep in (True, False):
            kept = Directory()
            rows = rng.sample(range(len(frame)), len(frame))
            found = set()
            while rows:
                size = rng.randint(1, 60)
                part, rows = frame[rows[:size]], rows[size:]
                who = attribution.attribute(conn, world.server, part, kept if keep else None)
                found |= {
                    (ticket, who.chain_id[row], repr(told(who, row)))
                    for row, ticket in enumerate(part["ticket"])
                }
            assert found == expected
        stored = conn.execute("SELECT count(*), count(DISTINCT partners) FROM attribution_chain")
        assert len(set(stored.fetchone())) == 1


def test_chains_of_a_rolled_back_batch_are_stored_again(db) -> None:
    with db.app() as conn:
        world, frame = random_world(conn, 3, MOMENTS)
        conn.commit()
        kept = Directory()
        attribution.attribute(conn, world.server, frame, kept)
        conn.rollback()
        who = attribution.attribute(conn, world.server, frame[:100], kept)
        conn.commit()
        who = attribution.attribute(conn, world.server, frame, kept)
        stored = dict(conn.execute("SELECT id, partners FROM attribution_chain").fetchall())
        introduced = np.flatnonzero(who.chain >= 0)
        assert len(introduced) > 20
        for row in introduced:
            assert tuple(stored[who.chain_id[row]]) == who.chains[who.chain[row]]
