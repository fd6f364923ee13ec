"""The margin guard by hand: what a chain is paid for a trade, held to what the broker earns by it.

Everything is brought into the currency of the trade's first paid line at the close, quantised once.
What builds up belongs to a window and not to a trade, and is not looked at.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import SCALE
from pipshare.plans.periods import Guard
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.amounts import Waits
from pipshare.rating.twin.bases import Value, value
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin.words import percent
from pipshare.rating.twin_values import Step, TwinLine, amount_text

if TYPE_CHECKING:
    from pipshare.rating.twin.run import Run


def guarded(run: Run, lines: list[TwinLine], built: set[int]) -> list[TwinLine]:
    """Return a trade's lines as the guard of its programme leaves them."""
    guard = run.programme.guard
    at = [
        i
        for i, x in enumerate(lines)
        if x.wait is None and x.reason == Reason.PAID and x.component_id not in built
    ]
    if guard is None or not at:
        return lines
    out = list(lines)
    currency = lines[at[0]].currency
    revenue = _revenue(run, guard, currency)
    paid: list[int] = []
    for i in at:
        turned = _into(run, Fraction(lines[i].orig_e8, SCALE), lines[i].currency, currency)
        if isinstance(turned, Waits):
            revenue = revenue if isinstance(revenue, Waits) else turned
            turned = 0
        paid.append(turned)
    if isinstance(revenue, Waits):
        for i in at if guard.action != "warn" else []:
            out[i] = _waits(lines[i], revenue)
        return out
    allowed = units(max(Fraction(revenue, SCALE), Fraction(0)) * guard.limit, None, "")
    said = Step("margin guard", f"the broker earns {amount_text(revenue, currency)}, "
                f"{percent(guard.limit)} of it may be paid; the chain gets "
                f"{amount_text(sum(paid), currency)}")  # fmt: skip
    for i in at:
        out[i] = replace(lines[i], working=(*lines[i].working, said))
    if sum(paid) <= allowed or guard.action == "warn":
        return out
    if guard.action == "block":
        for i in at:
            out[i] = _waits(out[i], Waits(Wait.BLOCKED))
        return out
    _cut(run, out, dict(zip(at, paid, strict=True)), allowed)
    return out


def _revenue(run: Run, guard: Guard, currency: str) -> int | Waits:
    """Return what the broker earns by the trade, or the first thing that is missing to tell."""
    total = 0
    for name in guard.of:
        part = Component("", "commission" if name == "swap" else name, "per_level", None, (),
                         counts=("swap",) if name == "swap" else ())  # fmt: skip
        found = value(run.trade, part)
        if not isinstance(found, Value):
            return Waits(found)
        turned = _into(run, found.amount, found.currency, currency)
        if isinstance(turned, Waits):
            return turned
        total += turned
    return total


def _into(run: Run, amount: Fraction, base: str, quote: str) -> int | Waits:
    if base != quote and amount:
        found = rate_at_close(run.fx, run.trade, base, quote, "mid")
        if found is None:
            return Waits(Wait.NO_FX, f"{base}/{quote}")
        amount = amount * found[0]
    return units(amount, None, "")


def _cut(run: Run, out: list[TwinLine], paid: dict[int, int], allowed: int) -> None:
    """Cut the lines above zero in proportion; what is left over goes to the largest."""
    above = {i: amount for i, amount in paid.items() if amount > 0}
    target = allowed - sum(amount for amount in paid.values() if amount < 0)
    whole = sum(above.values())
    now = {i: amount * target // whole for i, amount in above.items()}
    largest = max(above, key=lambda i: (above[i], -i))
    now[largest] += target - sum(now.values())
    currency = out[min(paid)].currency
    for i, amount in now.items():
        line = out[i]
        orig = amount
        if line.currency != currency:
            orig = units(Fraction(line.orig_e8 * amount, above[i] * SCALE), None, "")
        if orig != line.orig_e8:
            out[i] = _less(run, line, orig)


def _less(run: Run, line: TwinLine, orig_e8: int) -> TwinLine:
    step = Step("margin guard", f"cut to {amount_text(orig_e8, line.currency)}")
    working = (*line.working, step)
    if orig_e8 == 0:
        return replace(
            line, reason=Reason.OVER_REVENUE, orig_e8=0, amount_e8=0, rate_id=0, fx_id=0,
            currency=line.wallet, capped=True, working=working,
        )  # fmt: skip
    place = run.decision.version.component_ids.index(line.component_id)
    part = run.programme.components[place]
    exact = Fraction(orig_e8, SCALE)
    if line.currency != line.wallet:
        found = rate_at_close(run.fx, run.trade, line.currency, line.wallet, part.wallet_fx)
        assert found is not None  # it was found when the line was rated
        exact = exact * found[0]
    amount_e8 = units(exact, part.rounding.wallet, part.rounding.how)
    return replace(line, orig_e8=orig_e8, amount_e8=amount_e8, capped=True, working=working)


def _waits(line: TwinLine, found: Waits) -> TwinLine:
    step = Step("waits", found.wait.sentence)
    return replace(
        line, wait=found.wait, key=found.key, orig_e8=0, amount_e8=0, rate_id=0, fx_id=0,
        working=(*line.working, step),
    )  # fmt: skip
