"""Kernel and twin give the same lines for every family, digit by digit, with reasons and waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rating_plans import rich_programme
from rating_rich import (
    TWIN_DAY,
    RichRow,
    RichWorld,
    rich_columns,
    rich_kernel_lines,
    rich_twin_lines,
    rich_world,
    twin_facts,
    twin_line,
)

from pipshare.rating import column_facts
from pipshare.rating.twin import rate_many

SEEDS = st.integers(0, 2**63)


def built_lines(world: RichWorld, rows: list[RichRow]) -> list[tuple[object, ...]]:
    """Return the twin's lines of what builds up as comparable rows."""
    people = world.people()
    found = rate_many([world.given(row, people) for row in rows], world.find_fx(), TWIN_DAY)
    return sorted((twin_line(x.place, x.line) for x in found.lines), key=repr)


@given(SEEDS)
@settings(max_examples=120, deadline=None)
def test_kernel_and_twin_agree_on_every_family(seed: int) -> None:
    rnd = Random(seed)
    world, rows = rich_world(rnd, rich_programme(rnd))
    assert rich_kernel_lines(world.rich_rated(rows)) == rich_twin_lines(world, rows)


@given(SEEDS, st.sampled_from((1, 1, 5)))
@example(16674818, 1)  # nothing was kept of a trade, and no rate was there for it
@example(587, 1)  # of a rank's opening and closing only one has reached its first band
@example(7074, 5)  # opening and closing climb step by step, over bands that begin otherwise
@settings(max_examples=120, deadline=None)
def test_kernel_and_twin_agree_on_what_builds_up(seed: int, months: int) -> None:
    rnd = Random(seed)
    world, rows = rich_world(rnd, rich_programme(rnd, building=True), months)
    # A trade of which nobody can say who decides waits as a whole: it is rated with the others.
    lines = [x for x in rich_kernel_lines(world.rich_rated(rows, only="building")) if x[1] != 0]
    assert [comparable(x) for x in lines] == [comparable(x) for x in built_lines(world, rows)]


def comparable(line: tuple[object, ...]) -> tuple[object, ...]:
    """Leave out which of several bands a line names, and why a line of nothing is one.

    Where a trade lies in two bands, and where nothing is left to be cut, both may be said.
    """
    if len(line) < 9:
        return line  # it waits: with its reason and what is missing
    amounts = line[6:10]
    why = "nothing" if (line[7], line[9]) == (0, 0) else line[4]
    return (*line[:4], why, *amounts)


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_the_order_of_arrival_changes_nothing_that_builds_up(seed: int) -> None:
    rnd = Random(seed)
    world, rows = rich_world(rnd, rich_programme(rnd, building=True), 2)
    for place, row in enumerate(rows):
        row.ticket = place  # of two trades of one moment and ticket nothing else tells the first
    order = rnd.sample(range(len(rows)), len(rows))
    shuffled = built_lines(world, [rows[place] for place in order])
    told = sorted(((order[int(str(x[0]))], *x[1:]) for x in shuffled), key=repr)
    assert told == built_lines(world, rows)


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_columns_give_the_facts_of_a_trade(seed: int) -> None:
    rnd = Random(seed)
    world, rows = rich_world(rnd, rich_programme(rnd))
    columns = rich_columns(rows, world.symbols)
    for place, row in enumerate(rows):
        facts = column_facts(columns, world.symbols, world.groups, place)
        told = twin_facts(row, world.symbols[row.symbol], world.groups[row.group])
        assert replace(facts, own=None) == replace(told, own=None)
        assert facts.own == (told.own and told.own._replace(source=f"ticket {row.ticket}"))


def test_the_worlds_hold_what_can_happen() -> None:
    """Every outcome is met often enough that the properties above say something about it."""
    seen: Counter[str] = Counter()
    for seed in range(250):
        rnd = Random(seed)
        world, rows = rich_world(rnd, rich_programme(rnd))
        seen.update(str(x[4]) for x in rich_twin_lines(world, rows))
        rnd = Random(seed)
        world, rows = rich_world(rnd, rich_programme(rnd, building=True), 1)
        seen.update(str(x[4]) for x in built_lines(world, rows))
    wanted = {
        "PAID", "TOO_SHORT", "TERMINATED", "BEFORE_PARTNER_GO_LIVE", "CANCELLED", "OWN_TRADING",
        "NOTHING_BELOW", "EXCLUDED_REASON", "CLOSE_BY", "PARTIAL", "TOO_FEW_POINTS", "SAME_PRICE",
        "ZERO_RESULT", "NEGATIVE_BALANCE", "ACCOUNT_TYPE", "COUNTRY", "CAMPAIGN", "HOURS",
        "NOT_QUALIFIED", "NO_RESULT", "CAPPED", "NOTHING_LEFT", "NETTED", "BONUS_FUNDED",
        "BELOW_FIRST_BAND", "OVER_REVENUE", "blocked", "no_terms", "unpriced", "no_fx",
        "opening_unknown", "child_waits",
        "no_lot_factor", "no_quote", "no_pip_size", "no_markup", "no_contract",
        "snapshot_missing", "snapshot_too_old", "shares_over_one", "mixed_currencies", "no_price",
        "no_profit_currency", "no_typical_spread",
    }  # fmt: skip
    assert not wanted - set(seen)
    assert seen["PAID"] >= 500
