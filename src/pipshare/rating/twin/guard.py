"""The margin guard by hand: revenue of one trade against the lines that it pays.

By the rules of plans.periods.Guard and docs/reference/what-if.md, not from rating.guard.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import MAX_E8, SCALE
from pipshare.plans.periods import Guard
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin import bases
from pipshare.rating.twin.amounts import Waits
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin_values import Step, TwinLine, amount_text, number_text

if TYPE_CHECKING:
    from pipshare.rating.twin.run import Run

_MOST = MAX_E8 // 8


def guarded(run: Run, lines: Sequence[TwinLine], building: Set[int]) -> list[TwinLine]:
    """Return a trade's lines as its programme's guard leaves them; without one as they are.

    `building` are the components that build up: a window's, and not this trade's.
    """
    guard = run.programme.guard
    counted = [
        i for i, line in enumerate(lines)
        if line.wait is None and line.reason == Reason.PAID and line.component_id not in building
        and (line.orig_e8 or line.amount_e8)
    ]  # fmt: skip
    if guard is None or not counted:
        return list(lines)
    weighed = _weigh(run, guard, [lines[i] for i in counted])
    if isinstance(weighed, Waits):
        if guard.action == "warn":
            return list(lines)
        changed = [_waits(lines[i], weighed) for i in counted]
    else:
        changed = _acted(run, guard, [lines[i] for i in counted], *weighed)
    out = list(lines)
    for i, line in zip(counted, changed, strict=True):
        out[i] = line
    return out


def _weigh(run: Run, guard: Guard, lines: list[TwinLine]) -> tuple[list[int], int, Step] | Waits:
    """Return the lines in the first one's currency, the limit, and how that came about."""
    currency, revenue, said = lines[0].currency, 0, []
    for name in guard.of:
        counts = ("swap",) if name == "swap" else ()
        basis = "commission" if name == "swap" else name
        part = Component("", basis, "per_level", None, (), counts=counts)  # type: ignore[arg-type]
        found = bases.value(run.trade, part)
        if isinstance(found, Wait):
            return Waits(found)
        e8 = _in(run, found.amount, found.currency, currency)
        if isinstance(e8, Waits):
            return e8
        revenue += e8
        said.append(f"{name} {amount_text(e8, currency)}")
    amounts = []
    for line in lines:
        e8 = _in(run, Fraction(line.orig_e8, SCALE), line.currency, currency)
        if isinstance(e8, Waits):
            return e8
        amounts.append(e8)
    limit = min(units(guard.limit * Fraction(max(revenue, 0), SCALE), None, ""), MAX_E8)
    text = (f"{' + '.join(said)}, of that {number_text(guard.limit * 100)} %:"
            f" {amount_text(limit, currency)}; the chain would be paid"
            f" {amount_text(sum(amounts), currency)}")  # fmt: skip
    return amounts, limit, Step("margin guard", text)


def _in(run: Run, amount: Fraction, base: str, quote: str) -> int | Waits:
    """Return money in a currency at the close, in 1e-8."""
    if base != quote and amount != 0:
        found = rate_at_close(run.fx, run.trade, base, quote, "mid")
        if found is None:
            return Waits(Wait.NO_FX, f"{base}/{quote}")
        amount *= found[0]
    e8 = units(amount, None, "")
    return Waits(Wait.TOO_LARGE) if abs(e8) > _MOST else e8


def _acted(
    run: Run, guard: Guard, lines: list[TwinLine], amounts: list[int], limit: int, step: Step
) -> list[TwinLine]:
    if sum(amounts) <= limit:
        return lines
    lines = [replace(line, working=(*line.working, step)) for line in lines]
    if guard.action == "warn":
        return lines
    if guard.action == "block":
        return [_waits(line, Waits(Wait.BLOCKED)) for line in lines]
    above = [amount for amount in amounts if amount > 0]
    target = limit - sum(amount for amount in amounts if amount < 0)
    left = [max(amount, 0) * target // sum(above) for amount in amounts]
    left[amounts.index(max(amounts))] += target - sum(left)
    return [
        _cut(run, line, was, now) if was > 0 else line
        for line, was, now in zip(lines, amounts, left, strict=True)
    ]


def _cut(run: Run, line: TwinLine, was: int, now: int) -> TwinLine:
    """Return a line with what the guard leaves of it, converted again."""
    part = run.programme.components[run.decision.version.component_ids.index(line.component_id)]
    orig = units(Fraction(line.orig_e8 * now, was * SCALE), None, "")
    if orig == line.orig_e8:
        return line
    if orig == 0:
        step = Step("reason", Reason.OVER_REVENUE.sentence)
        return replace(line, reason=Reason.OVER_REVENUE, orig_e8=0, amount_e8=0, rate_id=0,
                       fx_id=0, currency=line.wallet, capped=True,
                       working=(*line.working, step))  # fmt: skip
    amount = Fraction(orig, SCALE)
    if line.currency != line.wallet:
        found = rate_at_close(run.fx, run.trade, line.currency, line.wallet, part.wallet_fx)
        assert found is not None
        amount *= found[0]
    wallet_e8 = units(amount, part.rounding.wallet, part.rounding.how)
    step = Step("=", f"cut to {amount_text(wallet_e8, line.wallet)}")
    return replace(line, orig_e8=orig, amount_e8=wallet_e8, capped=True,
                   working=(*line.working, step))  # fmt: skip


def _waits(line: TwinLine, found: Waits) -> TwinLine:
    step = Step("waits", found.wait.sentence)
    return replace(line, wait=found.wait, key=found.key, orig_e8=0, amount_e8=0, rate_id=0,
                   fx_id=0, working=(*line.working, step))  # fmt: skip
