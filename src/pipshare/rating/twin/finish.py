"""Period rules by hand: totals of windows, carry-over and netting, advances, minimum payout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pipshare.money.amounts import SCALE, payable_e8
from pipshare.plans.periods import Carry, Payout
from pipshare.plans.terms import Component
from pipshare.rating.twin.day import shift_window, window_start
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin_values import Step, TwinLine, amount_text

Row = tuple[date, int | None, TwinLine]
Loss = tuple[date, int]  # the window of a negative sum, and what of it has to be earned back


@dataclass(frozen=True)
class Total:
    """What a payee's window of a component comes to, in his wallet's currency.

    `sum_e8` of the lines, `advance_e8` earned back of it, `carried_e8` taken over from the window
    before (zero or less), `payable_e8` what is left, `left_e8` what goes on to the next window.
    """

    component_id: int
    partner_id: int
    window: date
    currency: str
    sum_e8: int
    payable_e8: int
    advance_e8: int = 0
    carried_e8: int = 0
    left_e8: int = 0
    working: tuple[Step, ...] = ()


def totals(rows: Iterable[Row], components: Mapping[int, Component]) -> tuple[Total, ...]:
    """Return the totals of all windows, with advances earned back and losses carried over."""
    kept = [row for row in rows if row[2].wait is None]
    sums: dict[tuple[int, int, str], dict[date, int]] = {}
    for window, _, line in kept:
        mine = sums.setdefault((line.component_id, line.partner_id, line.wallet), {})
        mine[window] = mine.get(window, 0) + line.amount_e8
    out: list[Total] = []
    for number, component in components.items():
        # What is netted with a component counts in it, also where it has no line of its own.
        for other, partner, currency in list(sums):
            if component.carry and components[other].code in component.carry.across:
                sums.setdefault((number, partner, currency), {})
    for (number, partner, currency), windows in sorted(sums.items()):
        component = components[number]
        back = _earned_back(kept, components, number, partner) if component.advance else {}
        netted = {w: amount - back.get(w, 0) for w, amount in windows.items()}
        others = _across(components, sums, component, partner, currency)
        losses: list[Loss] = []
        for window in sorted({*netted, *(one for other in others for one in other)}):
            told = netted.get(window, 0) + sum(other.get(window, 0) for other in others)
            payable, carried, left = told, 0, 0
            if component.carry is not None and component.carry.negative == "reset":
                payable = max(told, 0)
            elif component.carry is not None:
                losses = [one for one in losses if lasts(component, one[0], window)]
                carried = -sum(amount for _, amount in losses)
                payable, losses = carry_on(component.carry, window, told, losses)
                left = -sum(amount for _, amount in losses)
            earned, advanced = windows.get(window, 0), back.get(window, 0)
            out.append(
                Total(
                    number,
                    partner,
                    window,
                    currency,
                    earned,
                    payable,
                    advanced,
                    carried,
                    left,
                    _words(earned, advanced, carried, payable, left, currency),
                )
            )
    return tuple(out)


def lasts(component: Component, since: date, window: date) -> bool:
    """Tell whether what a window left below zero is still carried in a later one."""
    asked = component.carry
    assert asked is not None
    unit = "month" if component.per == "trade" else component.per
    if asked.periods is not None and window > shift_window(since, unit, asked.periods):
        return False
    return window_start(since, asked.within) == window_start(window, asked.within)


def carry_on(
    asked: Carry, window: date, told: int, losses: Sequence[Loss]
) -> tuple[int, list[Loss]]:
    """Return what a window pays, and what of this and earlier ones stays to be earned back."""
    if told < 0:
        beyond = max(-told - int(asked.forgive * SCALE), 0)
        kept = units(asked.share * Fraction(beyond, SCALE), None, "")
        return 0, [*losses, (window, kept)]
    out: list[Loss] = []
    for since, amount in losses:
        paid = min(told, amount)
        told -= paid
        if amount > paid:
            out.append((since, amount - paid))
    return told, out


def minimum(sums: Sequence[int], asked: Payout | None, currency: str) -> list[tuple[int, int]]:
    """Return (payable, left on the account) for each period's sum, in order.

    What is not paid stays: cents below the minor unit, and all while it is below the minimum.
    """
    least = 0 if asked is None else int(asked.minimum * SCALE)
    out, kept = [], 0
    for amount in sums:
        kept += amount
        due = payable_e8(kept, currency)
        paid = due if kept >= least else 0
        kept -= paid
        out.append((paid, kept))
    return out


def _across(
    components: Mapping[int, Component],
    sums: Mapping[tuple[int, int, str], dict[date, int]],
    component: Component,
    partner: int,
    currency: str,
) -> list[dict[date, int]]:
    """Return the sums of the components that are netted with this one first."""
    codes = () if component.carry is None else component.carry.across
    numbers = [n for n, other in components.items() if other.code in codes]
    return [sums.get((number, partner, currency), {}) for number in numbers]


def earned_back(
    rows: Sequence[Row], components: Mapping[int, Component]
) -> list[tuple[date, TwinLine, int]]:
    """Return what goes to earning back advances: the day, a line of its payee, the amount.

    `rows` come with the days on which they are earned. What a payee earned is what is left then.
    """
    kept = [row for row in rows if row[2].wait is None]
    one_of = {(line.component_id, line.partner_id): line for _, _, line in kept
              if line.level > 0 and components[line.component_id].advance}  # fmt: skip
    return [
        (day, line, back)
        for (number, partner), line in one_of.items()
        for day, back in _earned_back(kept, components, number, partner).items()
        if back
    ]


def _earned_back(
    rows: Sequence[Row], components: Mapping[int, Component], number: int, partner: int
) -> dict[date, int]:
    """Return by window what of a payee's lines goes to earning back advances, client by client."""
    wanted = components[number].advance
    advanced: dict[int | None, int] = {}
    for _, client, line in rows:
        if line.partner_id == partner and components[line.component_id].code == wanted:
            advanced[client] = advanced.get(client, 0) + line.amount_e8
    out: dict[date, int] = {}
    earned: dict[int | None, int] = {}
    for window, client, line in rows:
        if line.partner_id != partner or line.component_id != number:
            continue
        before = earned.get(client, 0)
        earned[client] = before + line.amount_e8
        paid = advance(earned[client], advanced.get(client, 0)) - advance(
            before, advanced.get(client, 0)
        )
        out[window] = out.get(window, 0) + line.amount_e8 - paid
    return out


def advance(total: int, paid_before: int) -> int:
    """Return what is payable of a running total of which so much was paid in advance."""
    return max(total - paid_before, 0)


def _words(
    sum_e8: int, back: int, carried: int, payable: int, left: int, currency: str
) -> tuple[Step, ...]:
    steps = [Step("earned", amount_text(sum_e8, currency))]
    if back:
        steps.append(Step("advance", f"{amount_text(back, currency)} was paid in advance"))
    if carried:
        steps.append(Step("carried over", amount_text(carried, currency)))
    steps.append(Step("payable", amount_text(payable, currency)))
    if left:
        steps.append(Step("carried on", amount_text(left, currency)))
    return tuple(steps)
