"""What payees' windows come to: the twin's lines, what follows from their sum, and the books."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from pipshare.money import format_e8
from pipshare.pipeline.explained.booked import booked_of_payee, is_pending
from pipshare.pipeline.explained.said import Said, netted, said_of
from pipshare.pipeline.explained.worked import Earned, TooMany, Worked
from pipshare.pipeline.run import Run
from pipshare.plans.terms import Component
from pipshare.rating.twin.day import window_start
from pipshare.rating.twin.running import unit_of
from pipshare.rating.twin.words import short
from pipshare.rating.twin_values import Step
from pipshare.rating.windows import bounds, is_of_clients, numbers, reach
from pipshare.rating.windows.names import window_name
from pipshare.rating.windows.rating_pass import changes_the_past

_UNITS = {"lots": "lots", "trades": "trades", "clients": "clients", "conversions": "conversions"}


@dataclass(frozen=True)
class Payee:
    """Who is paid: a partner, or a client (his rebates)."""

    kind: str
    id: int
    code: str

    def is_within(self, scope: Collection[int] | None) -> bool:
        """Tell whether somebody limited to these partners may see it (None = to nobody)."""
        return scope is None or (self.kind == "partner" and self.id in scope)


@dataclass(frozen=True)
class Window:
    """What a payee's window of a component comes to, and what is booked of it.

    `lines` are all of the twin's in it. `sum_e8` of those; `working` says what follows from the
    sum (carried over, earned back) up to `payable_e8`; `measure` is what its tier counts, in
    words. `netted_with` are the components that are summed with it first. `booked` are its lines in
    the books, `booked_e8` their sum. `agrees`: whether both come to the same; None where nothing
    can be compared: something is not `settled` yet, or there are too many trades (`trades`).
    """

    component_id: int
    component: str
    programme: str
    payee: Payee
    period: str
    start_ms: int
    end_ms: int
    currency: str
    lines: list[Earned] = field(default_factory=list)
    sum_e8: int = 0
    payable_e8: int = 0
    carried_e8: int = 0
    left_e8: int = 0
    working: tuple[Step, ...] = ()
    measure: str = ""
    netted_with: tuple[str, ...] = ()
    booked: list[dict[str, Any]] = field(default_factory=list)
    booked_e8: int = 0
    settled: bool = True
    trades: int = 0
    agrees: bool | None = None


@dataclass(frozen=True)
class Asked:
    """One window of one payee: what `window_of` is asked about."""

    component_id: int
    payee: Payee
    start_ms: int
    end_ms: int


def window_of(run: Run, entity_id: int, asked: Asked, worked: Worked | TooMany) -> list[Window]:
    """Return what a window comes to, one for each currency in which the payee is paid."""
    said = said_of(run.book)[asked.component_id][-1]
    carrier, together = netted(said, asked.component_id)
    payee, span = asked.payee, (asked.start_ms, asked.end_ms)
    rows = booked_of_payee(run.conn, together, payee.kind, payee.id, *span)
    clients: Collection[int] = ()
    if is_of_clients(said.component) and isinstance(worked, Worked):
        clients = worked.clients
        rows = [row for row in rows if row["client_id"] in {0, *clients}]
    shards = {run.shard(payee.id)} if payee.kind == "partner" else set(run.partners.ids.tolist())
    settled = not is_pending(run.conn, together, shards, clients, *span)
    every, lines = _lines(worked, asked, said.component, together)
    mine = [one for one in lines if one.line.component_id == asked.component_id]
    currencies = {one.line.wallet for one in mine if one.line.wallet}
    currencies |= {row["currency"] for row in rows if row["component_id"] == asked.component_id}
    empty = Window(
        component_id=asked.component_id, component=said.component.code,
        programme=said.programme.code, payee=payee, period=_period(run, entity_id, asked, said),
        start_ms=asked.start_ms, end_ms=asked.end_ms, currency="",
        measure=_measure(worked, asked, said.component), settled=settled,
        netted_with=tuple(code for code, number in said.ids.items()
                          if number in together and number != asked.component_id),
        trades=worked.trades if isinstance(worked, TooMany) else 0,
    )  # fmt: skip
    out = []
    for currency in sorted(currencies):
        paid = {number: _sum(lines, number, currency) for number in together}
        earlier = 0
        if every:
            before, now = (_sum(one, asked.component_id, currency) for one in every)
            earlier = now - before - paid[asked.component_id]
            paid[asked.component_id] += earlier
        after = _after(run, entity_id, asked, worked, said, carrier, currency)
        comes_to = after.get("payable", sum(paid.values()))
        booked = [row for row in rows if row["currency"] == currency]
        shown = [row for row in booked if row["component_id"] == asked.component_id]
        agrees = comes_to == sum(row["amount_e8"] for row in booked)
        out.append(replace(
            empty, currency=currency, booked=shown, sum_e8=paid[asked.component_id],
            lines=[one for one in mine if one.line.wallet in (currency, "")],
            payable_e8=comes_to, carried_e8=after.get("carried", 0), left_e8=after.get("left", 0),
            working=_working(paid, earlier, said, after, currency),
            booked_e8=sum(row["amount_e8"] for row in shown),
            agrees=agrees if settled and isinstance(worked, Worked) else None,
        ))  # fmt: skip
    return out


def span_at(run: Run, entity_id: int, component_id: int, moment_ms: int) -> tuple[int, int]:
    """Return the window in which what a component pays at a moment is booked."""
    component = said_of(run.book)[component_id][-1].component
    unit, clock = reach(component).booked, run.clock(entity_id)
    start, end = bounds(numbers(np.array([moment_ms], np.int64), unit, clock), unit, clock)
    return int(start[0]), int(end[0])


def _is_of(one: Earned, payee: Payee) -> bool:
    if payee.kind == "client":
        return one.line.partner_id == 0 and one.client_id == payee.id
    return one.line.partner_id == payee.id


def _lines(
    worked: Worked | TooMany, asked: Asked, component: Component, together: Collection[int]
) -> tuple[tuple[list[Earned], ...], list[Earned]]:
    """Return a payee's lines of a window; of a tier whose window is longer also what all before
    came to by the start and by the end of this one: reaching a band changes what came before.
    """
    if isinstance(worked, TooMany):
        return (), []

    def mine(lines: Iterable[Earned]) -> list[Earned]:
        return [one for one in lines
                if one.line.component_id in together and _is_of(one, asked.payee)]  # fmt: skip

    if not changes_the_past(component):
        return (), [one for one in mine(worked.lines) if one.start_ms == asked.start_ms]
    before, now = (mine(worked.until(moment)) for moment in (asked.start_ms, asked.end_ms))
    return (before, now), [one for one in now if one.start_ms == asked.start_ms]


def _sum(lines: Iterable[Earned], component_id: int, currency: str) -> int:
    return sum(
        one.line.amount_e8 for one in lines
        if one.line.wait is None and one.line.component_id == component_id
        and one.line.wallet == currency
    )  # fmt: skip


def _after(
    run: Run, entity_id: int, asked: Asked, worked: Worked | TooMany, said: Said, carrier: int,
    currency: str,
) -> dict[str, int]:  # fmt: skip
    """Return what follows from the sums by the twin: carried over before and after, payable."""
    if isinstance(worked, TooMany) or asked.payee.kind == "client":
        return {}
    component = next(one for code, n in said.ids.items() if n == carrier
                     for one in said.programme.components if one.code == code)  # fmt: skip
    if component.carry is None and component.advance is None:
        return {}
    unit, clock, found = reach(component).booked, run.clock(entity_id), {"payable": 0}
    start = numbers(np.array([asked.start_ms], np.int64), unit, clock)[0]
    for total in worked.result.totals:
        if (total.component_id, total.partner_id, total.currency) != (
            carrier, asked.payee.id, currency
        ):  # fmt: skip
            continue
        noon = worked.day.utc((total.window - date(1970, 1, 1)).days * 86_400_000 + 43_200_000)
        if numbers(np.array([noon], np.int64), unit, clock)[0] == start:
            found["payable"] += total.payable_e8
            found["advance"] = found.get("advance", 0) + total.advance_e8
            found["carried"], found["left"] = total.carried_e8, total.left_e8
    return found


def _working(
    paid: dict[int, int], earlier: int, said: Said, after: dict[str, int], currency: str
) -> tuple[Step, ...]:
    codes = {number: code for code, number in said.ids.items()}
    steps = [Step("earned", f"{format_e8(amount)} {currency} by {codes[number]}")
             for number, amount in sorted(paid.items())]  # fmt: skip
    if earlier:
        steps.append(Step("of it", f"{format_e8(earlier)} {currency} for what came before this"
                                   " period, by the band reached in it"))  # fmt: skip
    for name, words in (("advance", "earned back of what was paid in advance"),
                        ("carried", "carried over from before")):  # fmt: skip
        if after.get(name):
            steps.append(Step(name, f"{format_e8(after[name])} {currency} {words}"))
    if after:
        steps.append(Step("payable", f"{format_e8(after['payable'])} {currency}"))
    if after.get("left"):
        steps.append(Step("carried on", f"{format_e8(after['left'])} {currency}"))
    return tuple(steps)


def _measure(worked: Worked | TooMany, asked: Asked, component: Component) -> str:
    """Say what the tier's measure comes to in the end of its window."""
    tier = component.tier
    if tier is None or isinstance(worked, TooMany) or asked.payee.kind == "client":
        return ""
    if tier.measure in ("deposits", "first_deposit") or component.basis == "earned":
        return ""
    first = window_start(worked.day.date(asked.start_ms), unit_of(tier))
    total = worked.result.measures.get((asked.component_id, asked.payee.id, first), Fraction(0))
    unit = _UNITS.get(tier.measure, f"{tier.currency} of {tier.measure}".strip())
    return f"{short(total)} {unit} in the {unit_of(tier)}"


def _period(run: Run, entity_id: int, asked: Asked, said: Said) -> str:
    wall = run.clock(entity_id).from_utc(np.array([asked.start_ms], np.int64))
    return window_name(int(wall[0]), reach(said.component).booked)


__all__ = ["Asked", "Payee", "Window", "is_of_clients", "span_at", "window_of"]
