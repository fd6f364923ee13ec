"""What builds up over many trades, by hand: netting, tiers and caps in canonical order.

Two rounds over the same trades: the first only measures (what each payee's windows come to in the
end), the second rates, with the running totals before and after each trade beside the final ones.
A trade that the programme decides counts in the measures of all partners above it, at any depth and
whether they have a rate there or not. One that fails a condition, or whose value waits, does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import SCALE, format_e8
from pipshare.plans.periods import Cap, Tier
from pipshare.plans.terms import Component, RateRule
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.amounts import Money, Waits
from pipshare.rating.twin.bases import Value, lots_of, notional
from pipshare.rating.twin.choice import Bands
from pipshare.rating.twin.conditions import bonus_share
from pipshare.rating.twin.day import BrokerDay, next_window, shift_window, window_start
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.line import Line, counts, gains
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin.state import State, capped, limit_in
from pipshare.rating.twin.tiers import band_at, held_bands, marginal, parted, step_total
from pipshare.rating.twin.words import product, short
from pipshare.rating.twin_values import Partner, TradeFacts, amount_text, number_text

if TYPE_CHECKING:
    from pipshare.rating.twin.run import Run

Payee = tuple[int, int]  # component, partner
_OF_CLIENT = ("deposits", "first_deposit")
CAP_WINDOWS = {"client_day": "day", "client_life": "life", "partner_day": "day",
               "partner_week": "week", "partner_month": "month"}  # fmt: skip


class Running(State):
    """The state of one round. `final` None = this is the measuring one."""

    def __init__(self, final: Running | None = None) -> None:
        self.final = final
        self.trade_place = -1
        self.totals: dict[tuple[Payee, date], Fraction] = defaultdict(Fraction)
        self.earned: dict[tuple[Payee, date], Fraction] = defaultdict(Fraction)
        self._spans: dict[tuple[int, Payee], tuple[Fraction, Fraction] | Waits] = {}
        self._clients: set[tuple[Payee, date, object]] = set()
        self._sides: dict[tuple[object, ...], list[Fraction]] = defaultdict(
            lambda: [Fraction(0)] * 2
        )
        self._nettings: dict[tuple[int, int], Fraction] = {}
        self._caps: dict[tuple[object, ...], Fraction] = defaultdict(Fraction)
        self._places: dict[tuple[object, ...], Fraction] = {}

    def next_trade(self) -> None:
        """Go on to the next trade in canonical order."""
        self.trade_place += 1

    def stand(self, run: Run, place: int) -> None:
        """Count a trade in what a component builds up, before any line of it is rated."""
        line = Line(run, place, run.programme.components[place], 1)
        if not counts(line):
            return
        line.netting = self._net(line)
        tier = line.component.tier
        if tier is None or tier.measure in _OF_CLIENT or line.netting == 0:
            return
        found = line.valued()
        bonus = Fraction(1)
        if run.trade.value is None:
            share = bonus_share(run.trade, line.component)
            if isinstance(share, Wait):
                return
            bonus = share
        if isinstance(found, Waits):
            return
        for level, payee in enumerate(run.whole_chain, 1):
            if level == 1 or tier.of == "network":
                self._count(line, payee, tier, found[0] * bonus, found[1])

    def _net(self, line: Line) -> Fraction:
        """Hedged volume counts once: what this trade adds to the larger side of its window."""
        asked, trade = line.component.conditions.hedged, line.trade
        if asked is None or trade.value is not None:
            return Fraction(1)
        who = client_of(line) if asked.by == "client" else ("account", trade.account)
        day = line.run.day.window(trade.close_utc_ms, asked.window)
        key = (component_id(line), who, trade.symbol_name.casefold(), day)
        sides = self._sides.setdefault(key, [Fraction(0), Fraction(0)])
        lots, before = lots_of(trade), max(sides)
        sides[0 if trade.side >= 0 else 1] += lots
        part = (max(sides) - before) / lots
        self._nettings[self.trade_place, component_id(line)] = part
        return part

    def netting(self, line: Line) -> Fraction:
        """Return the part of the trade's volume that counts beside what hedges it."""
        part = self._nettings.get((self.trade_place, component_id(line)), Fraction(1))
        if part != 1:
            kept = number_text(part * lots_of(line.trade), 2)
            line.say("hedged", f"{kept} of {number_text(lots_of(line.trade), 2)} lots count: "
                               "the larger side of the window")  # fmt: skip
        return part

    def given(
        self, line: Line, payee: Partner, bands: Bands, value: Fraction, currency: str
    ) -> Fraction | Reason | Waits:
        """Return what the bands give for a value, at the payee's measure."""
        tier = line.component.tier
        if tier is None:
            return value * bands[0].amount
        if tier.measure in _OF_CLIENT:
            return step_of_deposits(line, bands, value)
        if undone_at_once(line.component, line.trade, line.run.day):
            first = min(rule.start for rule in line.component.rates)
            return value * (bands[0].amount if bands[0].start <= first else 0)
        who = (component_id(line), payee.id)
        before = self.totals.get((who, tier_window(line, tier)), Fraction(0))
        span = self._spans.get((self.trade_place, who), (before, before))
        if isinstance(span, Waits):
            return span
        return _Banded(self, line, payee, tier, bands, currency).of(value, span)

    def _count(
        self, line: Line, payee: Partner, tier: Tier, value: Fraction, currency: str
    ) -> None:
        """Keep the payee's running total before and after this trade."""
        who = (component_id(line), payee.id)
        window = tier_window(line, tier)
        before = self.totals.get((who, window), Fraction(0))
        counts_for_him = gains(line.run, payee)
        if not counts_for_him and tier.measure not in ("notional", "value", "revenue"):
            return
        adds = self._measure(line, who, window, tier, value, currency)
        if isinstance(adds, Waits):
            # A pot that goes by his band waits, though nothing counts for him any more.
            self._spans[self.trade_place, who] = adds
        if isinstance(adds, Waits) or not counts_for_him:
            return
        self.totals[who, window] = before + adds
        self._spans[self.trade_place, who] = before, before + adds

    def _measure(
        self, line: Line, who: Payee, window: date, tier: Tier, value: Fraction, currency: str
    ) -> Fraction | Waits:
        """Return what one trade adds to a measure."""
        if tier.measure == "lots":
            return lots_of(line.trade) * line.netting
        if tier.measure in ("trades", "conversions"):
            return Fraction(1)
        if tier.measure == "clients":
            client = (who, window, client_of(line))
            new = client not in self._clients
            self._clients.add(client)
            return Fraction(int(new))
        if tier.measure == "notional":
            found = notional(line.trade, line.component)
            if not isinstance(found, Value):
                return Waits(found)
            value, currency = found.amount * line.netting, found.currency
        if tier.currency and currency and tier.currency != currency and value:
            rate = rate_at_close(line.run.fx, line.trade, currency, tier.currency, "mid")
            if rate is None:
                return Waits(Wait.NO_FX, f"{currency}/{tier.currency}")
            value = value * rate[0]
        return Fraction(units(value, None, ""), SCALE)  # money is measured to the eighth decimal

    def one_cap(self, line: Line, money: Money, place: int, cap: Cap) -> Money | Waits | Reason:
        """Cut what exceeds the cap: min(total after, cap) - min(total before, cap)."""
        if cap.per == "order":
            return super().one_cap(line, money, place, cap)
        day = line.run.day.window(line.trade.close_utc_ms, CAP_WINDOWS[cap.per])
        who = client_of(line) if cap.per.startswith("client") else line.partner.id
        key = (component_id(line), place, line.level, who, day)
        before = self._caps[key]
        trade = line.trade
        instead = trade.booked_ms not in (0, trade.close_utc_ms)
        if trade.booked_ms:  # what is left of another stands in its place
            before = self._places.setdefault((*key, trade.client_id, trade.close_utc_ms), before)
        if cap.unit == "lots":
            lots = lots_of(line.trade) * line.netting
            self._caps[key] = before + lots
            part = (min(before + lots, cap.amount) - min(before, cap.amount)) / lots
            allowed = units(Fraction(money.orig_e8, SCALE) * part, None, "")
            used = f"{number_text(min(before, cap.amount), 2)} lots"
        else:
            limit = limit_in(line, cap.amount, cap.currency, money.currency)
            if not isinstance(limit, int):
                return limit
            self._caps[key] = self._caps[key] if instead else before + money.orig_e8
            top = Fraction(limit)
            allowed = int(min(before + money.orig_e8, top) - min(before, top))
            used = f"{format_e8(int(min(before, top)))} {money.currency}"
        words = f"at most {number_text(cap.amount, 2)} {cap.currency or 'lots'} per "
        words += f"{cap.per.replace('_', ' and ')}, {used} of it used before"
        return capped(line, money, allowed, words)


class _Banded:
    """What the bands of one rate give for one trade of one payee."""

    def __init__(
        self, state: Running, line: Line, payee: Partner, tier: Tier, bands: Bands, currency: str
    ) -> None:
        self.state, self.line, self.tier, self.bands = state, line, tier, bands
        self.currency = currency or bands[0].currency
        self.who = (component_id(line), payee.id)
        self.window = tier_window(line, tier)
        self.unit = unit_of(tier)

    def of(self, value: Fraction, span: tuple[Fraction, Fraction]) -> Fraction | Reason:
        """Return the amount of a value that moved the total by `span`."""
        tier, bands = self.tier, self.bands
        settled = tier.applies == "following" or tier.promotion == "stepwise" or tier.grace > 0
        if settled or tier.method == "retroactive":
            return self._whole(value)
        before, after = (self._placed(total) for total in span)
        if tier.method == "ladder":
            due = step_total(bands, tier, after)
            paid = step_total(bands, tier, before or None)
            self._say(after, f"step of {short(due)} in all, {short(paid)} paid before")
            if due == paid:
                return Reason.BELOW_FIRST_BAND if not due else Reason.NOTHING_LEFT
            return due - paid
        rate = marginal(bands, tier, before, after)
        if rate is None:
            self._say(after, "below the first band")
            return Reason.BELOW_FIRST_BAND
        self._say(after, f"{short(before)} before this trade")
        self._product(value, parted(bands, tier, before, after))
        return value * rate

    def _whole(self, value: Fraction) -> Fraction | Reason:
        """The whole window is rated at one band."""
        place, measure = self._band()
        if place < 0:
            self._say(measure, "below the first band")
            return Reason.BELOW_FIRST_BAND
        rule = self.bands[place]
        self._say(measure, f"the band from {number_text(rule.start)} holds")
        self._product(value, [(Fraction(1), rule)])
        return value * rule.amount

    def _band(self) -> tuple[int, Fraction]:
        tier, starts = self.tier, [rule.start for rule in self.bands]
        back = 1 if tier.applies == "following" else 0
        wanted = shift_window(self.window, self.unit, -back)
        measure = self._final(wanted)
        if tier.promotion == "free" and not tier.grace:
            return band_at(starts, measure, tier.boundary), measure
        windows = self._since_first(wanted)
        if not windows:
            return band_at(starts, Fraction(0), tier.boundary), measure
        return held_bands(starts, tier, [self._final(one) for one in windows])[-1], measure

    def _since_first(self, until: date) -> list[date]:
        final = self.state.final
        assert final is not None
        mine = [window for (who, window) in final.totals if who == self.who]
        out: list[date] = []
        at = min(mine, default=until)
        while at <= until:
            out.append(at)
            at = next_window(at, self.unit)
        return out

    def _final(self, window: date) -> Fraction:
        """Return the final measure of a window, with those before it when the tier rolls."""
        final = self.state.final
        assert final is not None
        length = self.tier.length if self.tier.window == "rolling" else 1
        found = Fraction(0)
        for back in range(length):
            found += final.totals.get((self.who, shift_window(window, self.unit, -back)), 0)
        return found / (length if self.tier.average else 1)

    def _placed(self, total: Fraction) -> Fraction:
        """Return a running total of this window, with the windows before when the tier rolls."""
        final = self.state.final
        assert final is not None
        length = self.tier.length if self.tier.window == "rolling" else 1
        for back in range(1, length):
            total += final.totals.get((self.who, shift_window(self.window, self.unit, -back)), 0)
        return total / (length if self.tier.average else 1)

    def _product(self, value: Fraction, parts: Sequence[tuple[Fraction, RateRule | None]]) -> None:
        """Say value x rate; of a trade that crosses bands each part of it at its own."""
        part = self.line.component
        paid = [(value * share, rule) for share, rule in parts if rule is not None]
        exact = sum((some * rule.amount for some, rule in paid), Fraction(0))
        made = units(exact, part.rounding.amount, part.rounding.how)
        words = " and ".join(product(part, some, self.currency, rule) for some, rule in paid)
        if len(paid) < len(parts):
            words += " (the rest is below the first band)"
        self.line.say("rate", words)
        self.line.words.append(f"{words} = {amount_text(made, self.currency)}")

    def _say(self, measure: Fraction, text: str) -> None:
        tier = self.tier
        over = f"in the {tier.window}"
        if tier.window == "rolling":
            over = f"{'on average' if tier.average else 'in all'} of {tier.length} {tier.unit}s"
        said = f"{short(measure)} {tier.measure} {over}"
        self.line.say("tier", f"{said}: {text}")
        self.line.words.append(f"{said}: {text}")


def step_of_deposits(line: Line, bands: Bands, value: Fraction) -> Fraction:
    """Return the difference of a ladder's steps, which the client's deposits reached.

    Steps are counted over all rates of the component; a rate of its own (of a country) has those
    of them at which its bands begin.
    """
    starts = sorted({rule.start for rule in line.component.rates})
    ends = [Fraction(-1), *starts]
    before, after = ([b for b in bands if b.start <= ends[at]] for at in line.trade.steps)
    due, paid = (x[-1].amount if x else Fraction(0) for x in (after, before))
    line.say("ladder", f"step {len(after)} of {len(bands)}: {number_text(due, 2)} in all, "
                       f"{number_text(paid, 2)} paid before")  # fmt: skip
    return value * (due - paid)


def undone_at_once(component: Component, trade: TradeFacts, day: BrokerDay) -> bool:
    """Tell whether what a client was paid for is taken back in the window of the tier: it does not
    count there, and is paid and taken back at the first band."""
    tier = component.tier
    if not trade.undone_ms or tier is None or tier.measure in _OF_CLIENT:
        return False
    if tier.method == "ladder" or unit_of(tier) == "life":
        return False
    start, end = (window_start(day.date(moment), unit_of(tier))
                  for moment in (trade.close_utc_ms, trade.undone_ms))  # fmt: skip
    return start == end


def component_id(line: Line) -> int:
    """Return the component that a line is of, the same over versions of its programme."""
    return line.run.decision.version.component_ids[line.place]


def client_of(line: Line) -> object:
    """Return who a trade's client is; one that is not known is told by his account."""
    trade = line.trade
    return ("account", trade.account) if trade.client_id is None else trade.client_id


def unit_of(tier: Tier) -> str:
    """Return the window that a tier measures; a rolling one goes by its unit."""
    return tier.unit if tier.window == "rolling" else tier.window


def tier_window(line: Line, tier: Tier) -> date:
    """Return the first day of the window that a trade's close is in."""
    return window_start(line.run.day.date(line.trade.close_utc_ms), unit_of(tier))
