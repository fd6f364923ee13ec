"""The slow reference for everything that builds up: `rate_many`, in canonical order.

Takes trades in any order; sorts them by close, server and ticket; measures them once and rates them
once, with Fractions in dictionaries. Gives the lines of each trade and period, and what every
payee's window comes to after carry-over and advances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from pipshare.money.amounts import SCALE
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Reason
from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.deducted import Charge
from pipshare.rating.twin.finish import Total, earned_back, totals
from pipshare.rating.twin.periods import earned_lines, period_trades
from pipshare.rating.twin.qualify import Paid
from pipshare.rating.twin.run import UTC_DAY, Run, building_ids, by_trade, decided
from pipshare.rating.twin.running import CAP_WINDOWS, Running, undone_at_once, unit_of
from pipshare.rating.twin.state import State
from pipshare.rating.twin_values import (
    Fx,
    Partner,
    Step,
    TradeFacts,
    TwinLine,
    TwinResult,
    amount_text,
)

Given = tuple[TradeFacts, tuple[Partner, ...]]


@dataclass(frozen=True)
class ManyLine:
    """A line and where it is from: the place of its trade in what was given (-1 = the sum of a
    period, or an event), the first day of the window it counts in, the client of its trade, and
    the moment at which it is earned; `paid_ms`: of what an event paid, when it was paid first of
    which this is taken back or left; `undoes_ms`: of what is taken back, when that was paid."""

    place: int
    window: date
    client: int | None
    line: TwinLine
    moment_ms: int
    paid_ms: int = 0
    undoes_ms: int = 0


@dataclass(frozen=True)
class ManyResult:
    """All lines in canonical order, and the totals per component, payee and window.

    `measures`: what tiers measure, by component, partner and first day of the tier's window.
    """

    lines: tuple[ManyLine, ...]
    totals: tuple[Total, ...]
    measures: Mapping[tuple[int, int, date], Fraction] = field(default_factory=dict)


def rate_many(
    trades: Iterable[Given],
    fx: Fx,
    day: BrokerDay = UTC_DAY,
    *,
    events: Sequence[tuple[int, Given]] = (),
    charged: Sequence[tuple[Charge, tuple[Partner, ...]]] = (),
    building_only: bool = True,
) -> ManyResult:
    """Rate trades whose pay depends on each other; `building_only` leaves out the other lines.

    `events` are (component, pseudo trade) of what clients are paid for (`event_trades`), `charged`
    what clients cost (`charges`), each with the chain above the client then.
    """
    given = list(trades)
    order = sorted(range(len(given)), key=lambda i: _key(given[i][0], i))
    sums = period_trades([given[i] for i in order], fx, day, charged)
    sums += sorted(events, key=lambda one: (one[1][0].close_utc_ms, one[1][0].client_id or -1))
    measured = Running()
    _round(given, order, sums, fx, day, measured, measures=True)
    running = Running(measured)
    lines, components = _round(given, order, sums, fx, day, running)
    dated = [
        (day.date(given[x.place][0].close_utc_ms) if x.place >= 0 else x.window, x.line)
        for x in lines
    ]
    rows = [(day.date(x.moment_ms), x.client, x.line) for x in lines]
    dated += [(kept, replace(line, amount_e8=-back)) for kept, line, back in
              earned_back(rows, components)]  # fmt: skip
    lines += [
        ManyLine(-1, window, None, line,
                 day.last_ms(window, window_name(components[line.component_id])))
        for window, _, line in earned_lines(dated, components, given)
    ]  # fmt: skip
    if building_only:
        built = built_of(given, fx, day)
        lines = [x for x in lines if x.place < 0 or x.line.component_id in built]
    found = totals([(x.window, x.client, x.line) for x in lines], components)
    measures = {(*who, window): total for (who, window), total in measured.totals.items()}
    return ManyResult(tuple(lines), found, measures)


def _key(trade: TradeFacts, place: int) -> tuple[int, int, int, int]:
    return trade.close_utc_ms, trade.server, trade.ticket, place


def _round(
    given: Sequence[Given],
    order: Sequence[int],
    sums: Sequence[tuple[int, Given]],
    fx: Fx,
    day: BrokerDay,
    state: Running,
    *,
    measures: bool = False,
) -> tuple[list[ManyLine], dict[int, Component]]:
    """Rate all trades, then the sums of periods, with one state that goes along; or only measure
    what tiers go by."""
    out: list[ManyLine] = []
    components: dict[int, Component] = {}
    for place in order:
        trade, chain = given[place]
        state.next_trade()
        run = decided(trade, chain, fx, day, state)
        if isinstance(run, TwinResult):
            continue
        for at, component in enumerate(run.programme.components):
            if by_trade(component):
                state.stand(run, at)
        made = [] if measures else run.lines("all")
        _learn(run, components)
        for line in made:
            window = window_of(components[line.component_id], trade, day)
            out.append(ManyLine(place, window, trade.client_id, line, trade.close_utc_ms))
    same: dict[object, Run] = {}  # by the sum or event: shares are of what it paid before
    paid: dict[object, tuple[int, list[TwinLine]]] = {}
    for component_id, (trade, chain) in sums:
        state.next_trade()
        if trade.undoes_ms:  # it takes back exactly what was paid, at the rates of that day
            before_it = component_id, trade.client_id, trade.undoes_ms, trade.steps
            first_ms, lines = paid.get(before_it, (0, []))
            reason = Reason.WITHDRAWN if trade.withdrawn else Reason.CLAWBACK
            for made_then in lines:
                line = replace(made_then, reason=reason)
                window = window_of(components[component_id], trade, day)
                at_ms = trade.close_utc_ms
                out.append(ManyLine(-1, window, trade.client_id, line, at_ms, first_ms,
                                    trade.undoes_ms))  # fmt: skip
            continue
        run = decided(trade, chain, fx, day, state)
        if isinstance(run, TwinResult):
            continue
        who = tuple(one.id for one in chain)
        key = trade.close_utc_ms, who, trade.client_id, trade.currency, trade.steps
        before = same.setdefault(key, run)
        run.done, run.seen_above = before.done, before.seen_above
        _learn(run, components)
        ids = run.decision.version.component_ids
        if component_id not in ids:
            continue
        at = ids.index(component_id)
        component = run.programme.components[at]
        if not undone_at_once(component, trade, day):
            state.stand(run, at)
        made = [] if measures else run.component(at, component)
        booked = trade.booked_ms or trade.close_utc_ms
        if trade.undone_ms:
            this = component_id, trade.client_id, booked, trade.steps
            taken_back = [undone(line, day.date(booked)) for line in made
                          if line.wait is None and line.amount_e8]  # fmt: skip
            paid[this] = trade.close_utc_ms, taken_back
        for line in made:
            window = window_of(component, replace(trade, close_utc_ms=booked), day)
            out.append(ManyLine(-1, window, trade.client_id, line, booked, trade.close_utc_ms))
    return out, components


def undone(line: TwinLine, day: date) -> TwinLine:
    """Return the line that takes another back: the same amount, whatever the rates are by now."""
    back = Step("taken back", f"what was paid of {day}: {amount_text(line.amount_e8, line.wallet)}")
    result = Step("=", amount_text(-line.amount_e8, line.wallet))
    return replace(
        line, amount_e8=-line.amount_e8, orig_e8=-line.orig_e8, reason=Reason.CLAWBACK, held=False,
        working=(*(step for step in line.working if step.label != "in words"), back, result),
    )  # fmt: skip


def built_of(given: Sequence[Given], fx: Fx, day: BrokerDay) -> set[int]:
    """Return the components that build up, of all programmes that decide a trade."""
    found: set[int] = set()
    for trade, chain in given:
        run = decided(trade, chain, fx, day, State())
        if not isinstance(run, TwinResult):
            found |= building_ids(run.decision)
    return found


def event_trades(
    paid: Iterable[Paid], client_id: int, country: str = "", group_name: str = "",
    share_of: str = "", blocked: bool = False,
) -> list[TradeFacts]:  # fmt: skip
    """Return a pseudo trade for each payment of a client: 1, or -1 when it is taken back; a share
    of deposits in the currency `share_of` has what was deposited as its value."""
    return [
        TradeFacts(
            lots_e8=0, hold_ms=None, close_utc_ms=one.earned_ms or one.at_ms,
            booked_ms=one.at_ms, client_id=client_id, cancelled=False,
            symbol_name="", symbol_group="", symbol_known=True, group_name=group_name,
            account_type="", lot_factor=Fraction(1), country=country,
            blocked=blocked,
            value=(Fraction(one.step - one.below, SCALE) if share_of else 1)
            * Fraction(-1 if one.clawback else 1),
            currency=share_of, steps=(one.below, one.step),
            disputed=one.held, undoes_ms=one.undoes_ms, undone_ms=one.undone_ms,
            withdrawn=one.withdrawn,
        )
        for one in paid
    ]  # fmt: skip


def _learn(run: Run, components: dict[int, Component]) -> None:
    version = run.decision.version
    components.update(zip(version.component_ids, run.programme.components, strict=True))


def window_of(component: Component, trade: TradeFacts, day: BrokerDay) -> date:
    """Return the window that a line of a component counts in, by what builds up there first."""
    return day.window(trade.close_utc_ms, window_name(component))


def window_name(component: Component) -> str:
    """Return the period of a component: its own, its tier's, its netting's, its caps', a month."""
    if component.per != "trade":
        return component.per
    if component.carry is not None:
        return "month"
    if component.tier is not None:
        return unit_of(component.tier)
    if component.conditions.hedged is not None:
        return component.conditions.hedged.window
    names = [CAP_WINDOWS[cap.per] for cap in component.caps if cap.per != "order"]
    return names[0] if names else "month"
