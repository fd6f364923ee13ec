"""The kernel and its scalar twin give the same lines, waits and digits for whatever there is."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rating_worlds import World, kernel_lines, random_world, twin_lines

from pipshare.market import DEAL_ID
from pipshare.rating import kernel

SEEDS = st.integers(0, 2**63)


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_kernel_and_twin_agree_line_by_line(seed: int) -> None:
    world = random_world(Random(seed))
    assert kernel_lines(world.rated()) == twin_lines(world)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_order_and_batch_size_do_not_matter(seed: int) -> None:
    rnd = Random(seed)
    world = random_world(rnd)
    whole = kernel_lines(world.rated())
    order = rnd.sample(range(len(world.trades)), len(world.trades))
    shuffled = replace(world, trades=[world.trades[i] for i in order])
    assert sorted(_renumbered(shuffled, order), key=repr) == whole
    single = [line for i in range(len(order)) for line in _renumbered(_only(world, i), [i])]
    assert sorted(single, key=repr) == whole


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_blocks_do_not_matter(seed: int) -> None:
    world = random_world(Random(seed))
    whole = kernel_lines(world.rated())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "_BLOCK", 2)
        assert kernel_lines(world.rated()) == whole


def test_the_worlds_hold_what_can_happen() -> None:
    """Every outcome is met often enough that the properties above say something about it."""
    seen: dict[str, int] = {}
    converted = held = 0
    own = {-DEAL_ID: 0, DEAL_ID: 0}
    for seed in range(250):
        rated = random_world(Random(seed)).rated()
        for line in kernel_lines(rated):
            seen[str(line[4])] = seen.get(str(line[4]), 0) + 1
        converted += int((rated.lines.fx_id != 0).sum())
        held += int(rated.lines.held.sum())
        for number in own:
            own[number] += int((rated.lines.fx_id == number).sum())
    wanted = {
        "PAID", "TOO_SHORT", "TERMINATED", "BEFORE_PARTNER_GO_LIVE", "CANCELLED", "OWN_TRADING",
        "NOTHING_BELOW", "no_terms", "not_in_force", "unpriced", "no_fx", "opening_unknown",
        "child_waits", "no_lot_factor", "too_large",
    }  # fmt: skip
    assert set(seen) == wanted
    assert min(seen.values()) >= 5
    assert min(converted, held, seen["PAID"]) >= 50
    assert min(own.values()) >= 15


def _only(world: World, place: int) -> World:
    return replace(world, trades=[world.trades[place]])


def _renumbered(world: World, places: list[int]) -> list[tuple[object, ...]]:
    lines = kernel_lines(world.rated())
    return [(places[row], *rest) for row, *rest in lines if isinstance(row, int)]
