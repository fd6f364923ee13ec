"""What settling says does not depend on how facts came, nor on what else was settled with them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import polars as pl
import pytest
from client_events import event
from hypothesis import given, settings
from hypothesis import strategies as st
from window_worlds import HEAD, Placed, Trade, Windows

from pipshare.market.fx import FxRow
from pipshare.period import Clock, Span
from pipshare.rating.windows.calendar import DAY_MS, bounds, numbers
from pipshare.rating.windows.narrow import all_parts
from pipshare.rating.windows.reach import is_of_clients, reach
from pipshare.rating.windows.settle import Settled, settle_window
from pipshare.rating.windows.touches import touches

SEEDS = st.integers(0, 2**63)
START = 1_767_225_600_000  # 2026-01-01
CLOCK = Clock.parse("America/New_York+7h")
LEVELS = "[[component.rate]]\nlevel = 1\n{0}\n[[component.rate]]\nlevel = 2\n{1}\n"


def _bands(unit: str, *rates: tuple[int, str]) -> str:
    return "".join(f"[[component.rate]]\nfrom = {start}\n{unit} = '{rate}'\n"
                   for start, rate in rates)  # fmt: skip


def _component(code: str, keys: str, tables: str) -> str:
    return f'[[component]]\ncode = "{code}"\nmode = "per_level"\n{keys}\n{tables}'


LOTS = 'basis = "lot"'
TIERS = _bands("amount", (0, "3"), (10, "5"), (40, "7"))
SHARES = LEVELS.format('share = "30%"', 'share = "1/7"')
CPA = 'basis = "fixed"\nevent = "qualified"'
FIRST = '[component.qualify]\nfirst_deposit = "100"\n'
FAMILIES = {
    "marginal": (LOTS, '[component.tier]\nmeasure = "lots"\n' + TIERS),
    "retroactive": (LOTS, '[component.tier]\nmeasure = "lots"\nmethod = "retroactive"\n'
                    'window = "quarter"\n' + TIERS),
    "network": (LOTS, '[component.tier]\nmeasure = "lots"\nof = "network"\nwindow = "year"\n'
                'method = "retroactive"\n' + TIERS),
    "rolling": (LOTS, '[component.tier]\nmeasure = "lots"\nwindow = "rolling"\nlength = 2\n'
                'applies = "following"\nmethod = "retroactive"\n' + TIERS),
    "capped": (LOTS, '[[component.cap]]\namount = "20"\nper = "client_day"\ncurrency = "USD"\n'
               '[[component.cap]]\namount = "90"\nper = "partner_week"\ncurrency = "USD"\n'
               '[component.tier]\nmeasure = "lots"\n' + TIERS),
    "hedged": (LOTS, '[component.when.hedged]\nby = "client"\nwindow = "week"\n'
               + LEVELS.format("amount = '5'", "amount = '1'")),
    "sums": ('basis = "commission"\nper = "month"\ncurrency = "EUR"', SHARES),
    "banded": ('basis = "commission"\nper = "month"\ncurrency = "USD"', '[component.tier]\n'
               'measure = "value"\ncurrency = "USD"\nwindow = "quarter"\n'
               + _bands("share", (0, "10%"), (20, "1/3"), (60, "50%"))),
    "volumes": ('basis = "commission"\nper = "month"\ncurrency = "USD"', '[component.tier]\n'
                'measure = "lots"\nwindow = "quarter"\n'
                + _bands("share", (0, "10%"), (10, "1/3"), (40, "50%"))),
    "sized": ('basis = "commission"\nper = "month"\ncurrency = "USD"', '[component.tier]\n'
              'measure = "lots"\nmethod = "retroactive"\n'
              + _bands("share", (0, "10%"), (10, "1/3"), (40, "50%"))),
    "reached": (LOTS, '[component.tier]\nmeasure = "lots"\nmethod = "retroactive"\n' + TIERS),
    "straddling": (LOTS, '[[component.cap]]\namount = "200"\nper = "partner_month"\n'
                   'currency = "USD"\n[component.tier]\nmeasure = "lots"\nwindow = "week"\n'
                   'method = "retroactive"\n' + TIERS),
    "people": (LOTS, '[component.tier]\nmeasure = "clients"\n'
               + _bands("amount", (0, "3"), (2, "5"))),
    "climbing": (LOTS, '[component.tier]\nmeasure = "lots"\npromotion = "stepwise"\n'
                 'method = "retroactive"\ngrace = 1\n' + TIERS),
    "limited": (LOTS, '[[component.cap]]\namount = "30"\nunit = "lots"\nper = "partner_month"\n'
                '[component.tier]\nmeasure = "trades"\nwindow = "month"\n'
                + _bands("amount", (0, "3"), (4, "5"), (9, "8"))),
    "gated": (CPA, '[component.qualify]\nfirst_deposit = "100"\nwithin_days = 40\n'
              '[component.qualify.gate]\nconversion = "60%"\n'
              + LEVELS.format("amount = '50'", "amount = '5'")),
    "weeks": ('basis = "result"\nper = "week"', SHARES),
    "carried": ('basis = "result"\nper = "month"', '[component.carry]\nnegative = "carry"\n'
                + SHARES),
    "cpa": (CPA, FIRST + LEVELS.format("amount = '50'", "amount = '5'")),
    "steps": (CPA, '[component.tier]\nmeasure = "deposits"\nwindow = "life"\nmethod = "ladder"\n'
              + FIRST + _bands("amount", (100, "35"), (200, "60"), (500, "120"))),
    "numbers": (CPA, '[component.tier]\nmeasure = "conversions"\nmethod = "retroactive"\n'
                'window = "life"\n' + FIRST + _bands("amount", (0, "250"), (2, "275"), (4, "300"))),
    "traded": (CPA, '[component.qualify]\nlots = "9"\norders = 3\n'
               + LEVELS.format("amount = '50'", "amount = '5'")),
    "share": ('basis = "commission"\nadvance = "cpa"', SHARES),
    "bonus": ('basis = "earned"\nper = "month"', '[component.tier]\nmeasure = "earned"\n'
              'of_component = "carried"\nwindow = "rolling"\nlength = 3\naverage = true\n'
              'method = "retroactive"\n' + "".join(
                  f"[[component.rate]]\nfrom = {start}\nshare = '{rate}'\nof = 'carried'\n"
                  for start, rate in ((0, "1%"), (10, "8%")))),
}  # fmt: skip
NEEDS = {"share": ("cpa",), "bonus": ("carried",)}


def _plan(rnd: Random, *only: str) -> str:
    chosen = only or tuple(rnd.sample(sorted(FAMILIES), 3))
    wanted = {need for one in chosen for need in NEEDS.get(one, ())} | set(chosen)
    return (
        HEAD
        + "levels = 5\n"
        + "".join(_component(code, *FAMILIES[code]) for code in FAMILIES if code in wanted)
    )


def world_of(rnd: Random, *only: str) -> Windows:
    count = rnd.choice((1, 8, 40))
    days = rnd.choice((20, 100, 250))
    trades = [
        Trade(
            START + rnd.randrange(days) * DAY_MS + rnd.choice((0, 1, DAY_MS // 2)),
            rnd.choice(("0.01", "1", "2.5", "7", "20")), rnd.choice(("0", "-7", "-3.33", "2")),
            rnd.choice(("0", "100", "-250", "-0.07")), rnd.randint(1, 4), rnd.randrange(3),
            rnd.randrange(2), rnd.choice((1, -1)), rnd.random() < 0.1, ticket,
        )
        for ticket in range(count)
    ]  # fmt: skip
    return Windows(
        _plan(rnd, *only), trades, _events(rnd, days), ((1, 2), (3, 2), (2,)),
        {client: rnd.randrange(3) for client in range(1, 5)},
        [FxRow(i + 1, "EUR", "USD", START + i * 5 * DAY_MS, rnd.choice(_RATES)) for i in range(60)],
        rnd.choice((CLOCK, Clock.parse("UTC"))), {2: rnd.choice(("USD", "EUR"))},
    )  # fmt: skip


_RATES = tuple(Fraction(n, 100_000) for n in (108_500, 110_001, 99_999))


def _events(rnd: Random, days: int) -> list[dict[str, object]]:
    out = []
    for client in rnd.sample(range(1, 5), rnd.randrange(5)):
        when = START + rnd.randrange(days) * DAY_MS
        out.append(event("registration", when, client_id=client, event=f"r{client}"))
    for number in range(rnd.choice((0, 5, 12))):
        when, client = START + rnd.randrange(days) * DAY_MS, rnd.randint(1, 4)
        amount = rnd.choice(("50", "100", "150", "400"))
        out.append(event("deposit", when, amount, client_id=client, event=f"d{number}"))
        if rnd.random() < 0.4:
            kind = rnd.choice(("deposit_reversed", "chargeback_lost", "chargeback_opened"))
            later = START + rnd.randrange(days + 30) * DAY_MS
            out.append(event(kind, later, client_id=client, event=f"t{number}",
                             reference=f"d{number}"))  # fmt: skip
    return out


def _said(found: Settled, *drop: str) -> list[tuple[object, ...]]:
    """Return the targets as comparable rows."""
    named = ("trades", "events", *drop)
    rows = found.targets.drop(named).rows()
    for one in (found.lines, found.targets):
        assert one["amount_e8"].sum() == found.targets["amount_e8"].sum()
    return sorted(rows, key=repr)


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_order_of_arrival_does_not_matter(seed: int) -> None:
    rnd = Random(seed)
    world = world_of(rnd)
    mixed = replace(world, trades=rnd.sample(world.trades, len(world.trades)),
                    events=rnd.sample(world.events, len(world.events)))  # fmt: skip
    assert _said(world.settled()) == _said(mixed.settled())


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_a_trade_changes_only_the_windows_it_touches(seed: int) -> None:
    rnd = Random(seed)
    world = world_of(rnd)
    gone = rnd.randrange(len(world.trades))
    fewer = replace(world, trades=[t for i, t in enumerate(world.trades) if i != gone])
    whole = world.given()
    one = whole.placed.trades.taken(np.array([gone]))
    touched = touches(whole.book, whole.placed.chains, one, whole.clock)
    before, after = set(_said(fewer.settled())), set(_said(world.settled()))
    spans: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in touched.select("component_id", "window_start_ms",
                                             "window_end_ms").iter_rows():  # fmt: skip
        spans.setdefault(number, []).append((start, end))
    for row in before ^ after:
        number, start = int(str(row[0])), int(str(row[4]))
        assert any(low <= start < high for low, high in spans.get(number, [])), row


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_windows_settle_one_by_one_as_they_do_together(seed: int) -> None:
    rnd = Random(seed)
    world = world_of(rnd)
    given_ = world.given()
    whole = world.settled()
    for part in all_parts(given_.book):
        reached = reach(part.component, part.programme)
        if not part.component.builds_up or is_of_clients(part.component):
            continue
        mine = whole.targets.filter(component_id=part.component_id)
        close = given_.placed.trades.close_utc_ms
        for number in np.unique(numbers(close, reached.window, given_.clock)).tolist():
            low, high = bounds(np.array([number - reached.back, number]), reached.window,
                               given_.clock)  # fmt: skip
            span = Span(int(low[1]), int(high[1]))
            rows = np.flatnonzero((close >= low[0]) & (close < high[1]))
            placed = given_.placed
            some = Placed(placed.trades.taken(rows), placed.symbols, placed.groups, placed.chains)
            alone = settle_window(replace(given_, placed=some), components=[part.component_id],
                                  span=span)  # fmt: skip
            inside = mine.filter(pl.col("window_start_ms").is_between(span.start, span.end - 1))
            assert alone.targets.drop("trades", "events").rows() == (
                inside.drop("trades", "events").rows()
            ), part.component.code


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_what_is_taken_back_comes_to_zero(seed: int) -> None:
    rnd = Random(seed)
    world = world_of(rnd, rnd.choice(("cpa", "steps", "numbers")))
    last = START + 400 * DAY_MS
    deposits = [one for one in world.events if one["kind"] == "deposit"]
    gone = [event("deposit_reversed", last, client_id=one["client_id"], event=f"z{i}",
                  reference=one["event"]) for i, one in enumerate(deposits)]  # fmt: skip
    found = replace(world, events=[*world.events, *gone]).settled()
    sums = found.targets.group_by("partner_id", "wallet", "client").agg(pl.col("amount_e8").sum())
    if "numbers" not in world.plan:
        assert sums["amount_e8"].to_list() == [0] * len(sums)
    assert found.targets["held_by"].to_list() == [""] * len(found.targets)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_pays_somebody(family: str) -> None:
    found = [world_of(Random(seed), family).settled() for seed in range(6)]
    assert any(len(one.targets) for one in found)
