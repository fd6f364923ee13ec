"""Sums of periods, by hand: the basis of a window's trades as one pseudo trade per chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from pipshare.money.amounts import SCALE
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Reason
from pipshare.rating.twin.amounts import Waits
from pipshare.rating.twin.conditions import bonus_share, held_long_enough, unpaid
from pipshare.rating.twin.day import BrokerDay, shift_window, window_start
from pipshare.rating.twin.deducted import Charge, cost, words_of
from pipshare.rating.twin.line import Line
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin.run import Run, decided
from pipshare.rating.twin.state import State
from pipshare.rating.twin.tiers import band_at
from pipshare.rating.twin.words import percent
from pipshare.rating.twin_values import (
    Fx,
    Partner,
    Step,
    TradeFacts,
    TwinLine,
    TwinResult,
    amount_text,
    number_text,
)

Given = tuple[TradeFacts, tuple[Partner, ...]]
Key = tuple[int, date, tuple[int, ...], str]  # component, window, chain, currency
Sums = dict[Key, tuple[Fraction, Fraction, Given]]


def period_trades(
    trades: Sequence[Given], fx: Fx, day: BrokerDay,
    charged: Sequence[tuple[Charge, tuple[Partner, ...]]] = (),
) -> list[tuple[int, Given]]:  # fmt: skip
    """Return (component, pseudo trade) for each chain, window and currency that has a sum.

    The pseudo trade closes in the last millisecond of its window; it has the sum as its value and
    the sum of standard lots as its lots. A trade that pays nothing by a condition adds nothing; one
    whose value waits is left out until it is known. What clients cost (`charged`) is taken off
    where the plan says so; a sum of which something cannot be converted is left out.
    """
    sums: Sums = {}
    for trade, chain in trades:
        run = decided(trade, chain, fx, day, State())
        if isinstance(run, TwinResult):
            continue
        for place, component in enumerate(run.programme.components):
            if component.per == "trade" or component.basis in ("earned", "deposits"):
                continue
            found = part_of_sum(run, place, component)
            if found is None:
                continue
            _add(sums, run, place, component, found, trade.close_utc_ms)
    gross = {key: one[0] for key, one in sums.items()}
    less: dict[Key, dict[str, Fraction]] = {}
    waiting: set[tuple[int, date, tuple[int, ...]]] = set()
    for charge, chain in charged:
        run = decided(charge.as_trade(), chain, fx, day, State())
        if isinstance(run, TwinResult):
            continue
        for place, component in enumerate(run.programme.components):
            if charge.less not in words_of(component):
                continue
            taken = cost(charge, component, run.programme, chain[0], fx)
            if taken is None:
                waiting.add(_key(run, place, component, "", charge.at_ms)[:3])
            elif taken:
                value = -taken, Fraction(0), component.currency
                key = _add(sums, run, place, component, value, charge.at_ms)
                if component.basis == "deposits":
                    continue
                words = less.setdefault(key, {})
                words[charge.less] = words.get(charge.less, Fraction(0)) + taken
    sums = {key: one for key, one in sums.items() if key[:3] not in waiting}
    ordered = sorted(sums, key=lambda key: (key[1], key[2], key[3], key[0]))
    out = []
    for key in ordered:
        pseudo, chain = sums[key][2]
        told = _told(gross.get(key, Fraction(0)), less[key], key[3]) if key in less else ()
        out.append((key[0], (replace(pseudo, told=told), chain)))
    return out


def _told(gross: Fraction, less: Mapping[str, Fraction], currency: str) -> tuple[Step, ...]:
    """Say what a sum was before anything was taken off, and what was."""
    taken = [Step(f"less {word}", f"{number_text(amount, 2)} {currency}")
             for word, amount in sorted(less.items())]  # fmt: skip
    return (Step("sum", f"{number_text(gross, 2)} {currency}"), *taken)


def _key(run: Run, place: int, component: Component, currency: str, at_ms: int) -> Key:
    window = run.day.window(at_ms, component.per)
    who = tuple(one.id for one in run.whole_chain)
    return run.decision.version.component_ids[place], window, who, currency


def _add(
    sums: Sums, run: Run, place: int, component: Component,
    found: tuple[Fraction, Fraction, str], at_ms: int,
) -> Key:  # fmt: skip
    value, lots, currency = found
    key = _key(run, place, component, currency, at_ms)
    last = run.day.last_ms(key[1], component.per)
    had, lots_had, _ = sums.get(key, (Fraction(0), Fraction(0), None))
    pseudo = _pseudo(last, had + value, lots_had + lots, currency)
    sums[key] = had + value, lots_had + lots, (pseudo, run.whole_chain)
    return key


def part_of_sum(
    run: Run, place: int, component: Component
) -> tuple[Fraction, Fraction, str] | None:
    """Return (value, lots, currency) that a trade adds to its period, None = nothing (yet)."""
    trade = run.trade
    if trade.cancelled or not held_long_enough(trade, component, []):
        return None
    reason, wait = unpaid(trade, component, run.programme, run.day, [])
    direct = run.chain[0]
    own = direct.own_client is not None and direct.own_client == trade.client_id
    if reason is not None or wait is not None or (own and run.programme.own_trading == "none"):
        return None
    plain = replace(component, rounding=replace(component.rounding, value=None))
    found = Line(run, place, plain, 1).valued()
    part = bonus_share(trade, component)
    if isinstance(found, Waits) or not isinstance(part, Fraction):
        return None
    lots = Fraction(trade.lots_e8, SCALE) * (trade.lot_factor or 1)
    return found[0] * part, lots, found[1]


def _pseudo(last_ms: int, value: Fraction, lots: Fraction, currency: str) -> TradeFacts:
    return TradeFacts(
        lots_e8=units(lots, None, ""), hold_ms=None, close_utc_ms=last_ms, client_id=None,
        cancelled=False, symbol_name="", symbol_group="", symbol_known=True, group_name="",
        account_type="", lot_factor=Fraction(1), currency=currency, value=value,
    )  # fmt: skip


def earned_lines(
    lines: Sequence[tuple[date, TwinLine]],
    components: Mapping[int, Component],
    trades: Sequence[Given],
) -> list[tuple[date, None, TwinLine]]:
    """Return the lines of the basis earned: a share of the payee's own earnings of a period.

    `lines` come with a day of the broker's in their period.

    The band goes by those earnings in the period, or in the periods that a tier rolls over.
    """
    partners = {one.id: one for _, chain in trades for one in chain}
    out: list[tuple[date, None, TwinLine]] = []
    for number, component in components.items():
        if component.basis != "earned" or not component.rates:
            continue
        wanted = component.rates[0].of
        names = {n for n, other in components.items() if other.code == wanted}
        sums: dict[tuple[int, date], int] = {}
        for day, line in lines:
            if line.component_id in names and line.wait is None and line.level > 0:
                at = (line.partner_id, _within(component, day))
                sums[at] = sums.get(at, 0) + line.amount_e8
        for (partner, window), earned in sorted(sums.items()):
            made = _bonus(number, component, partners[partner], window, earned, sums)
            out.append((window, None, made))
    return out


def _within(component: Component, window: date) -> date:
    return window_start(window, component.per if component.per != "trade" else "month")


def _bonus(
    number: int, component: Component, partner: Partner, window: date, earned: int,
    sums: Mapping[tuple[int, date], int],
) -> TwinLine:  # fmt: skip
    per = component.per if component.per != "trade" else "month"
    bands = sorted(component.rates, key=lambda rule: rule.start)
    tier = component.tier
    place = 0
    if tier is not None:
        length = tier.length if tier.window == "rolling" else 1
        total = sum(sums.get((partner.id, shift_window(window, per, -back)), 0)
                    for back in range(length))  # fmt: skip
        measure = Fraction(total, SCALE) / (length if tier.average else 1)
        place = band_at([rule.start for rule in bands], measure, tier.boundary)
    base = TwinLine(number, component.code, 1, partner.id, wallet=partner.currency,
                    currency=partner.currency)  # fmt: skip
    if place < 0:
        return replace(base, reason=Reason.BELOW_FIRST_BAND)
    rule = bands[place]
    rounding = component.rounding
    made = units(Fraction(earned, SCALE) * rule.amount, rounding.amount, rounding.how)
    text = f"{percent(rule.amount)} of {amount_text(earned, partner.currency)} earned"
    steps = (Step("bonus", text), Step("=", amount_text(made, partner.currency)))
    return replace(base, orig_e8=made, amount_e8=made, working=steps)
