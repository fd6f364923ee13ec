"""Period rules by hand: totals of windows, carry-over and netting, advances, minimum payout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipshare.money.amounts import SCALE, payable_e8
from pipshare.plans.periods import Payout
from pipshare.plans.terms import Component
from pipshare.rating.twin_values import Step, TwinLine, amount_text

Row = tuple[date, int | None, TwinLine]


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
    for (number, partner, currency), windows in sorted(sums.items()):
        component = components[number]
        back = _earned_back(kept, components, number, partner) if component.advance else {}
        netted = {w: amount - back.get(w, 0) for w, amount in windows.items()}
        others = _across(components, sums, component, partner, currency)
        carries = component.carry is not None and component.carry.negative == "carry"
        resets = component.carry is not None and not carries
        carried = 0
        for window in sorted(netted):
            told = netted[window] + sum(other.get(window, 0) for other in others)
            payable, left = told, 0
            if carries:
                payable, left = carry(told, carried)
            elif resets:
                payable = max(told, 0)
            out.append(Total(number, partner, window, currency, windows[window], payable,
                             back.get(window, 0), carried, left,
                             _words(windows[window], back.get(window, 0), carried, payable, left,
                                    currency)))  # fmt: skip
            carried = left
    return tuple(out)


def carry(told: int, carried: int) -> tuple[int, int]:
    """Return (payable, carried on): what is below zero is earned back by later windows."""
    return max(0, told + carried), min(0, told + carried)


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
