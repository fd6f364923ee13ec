"""One line: what its partner earns at one level of one component, with the working of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import MAX_E8, SCALE
from pipshare.plans.conditions import Conditions
from pipshare.plans.terms import Component, RateRule
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin import bases, conditions
from pipshare.rating.twin.amounts import Money, Waits
from pipshare.rating.twin.choice import Bands, find_rates, pays_nothing, rule_text
from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.rounding import rounds, stage, units
from pipshare.rating.twin.words import product, rate_words
from pipshare.rating.twin_values import (
    Partner,
    Step,
    TradeFacts,
    TwinLine,
    amount_text,
    at_moment,
    number_text,
)

if TYPE_CHECKING:
    from pipshare.rating.twin.modes import Mode
    from pipshare.rating.twin.run import Run


class Line:
    """One line of a trade; `rate` works it out."""

    def __init__(self, run: Run, place: int, component: Component, level: int) -> None:
        self.run, self.place, self.component, self.level = run, place, component, level
        self.trade, self.partner = run.trade, run.chain[level - 1]
        self.steps: list[Step] = []
        self.words: list[str] = []  # the same in one sentence, where there is more than a product
        self.netting = Fraction(1)  # the part of the volume that is not hedged away
        self.capped = False

    def rate(self, mode: Mode) -> TwinLine | None:
        """Return the line, or None where a share is of a line that does not exist."""
        card = self.run.card(self.level)
        assert card is not None
        rates = self.rates(card, self.level) if card and mode.has_own_rate(self.level) else []
        rule = rates[0][0] if rates else None
        of = None if rule is None else rule.of
        if of is not None and (of, self.level - 1) not in self.run.done:
            return None
        zero, unclear = self._zero(rule)
        if zero is not None:
            return self.zero(zero)
        wait = self._wait(card, mode, rates)
        if wait is None and unclear is not None:
            wait = Waits(unclear)
        if wait is not None:
            return self.waits(wait)
        netting = self.run.state.netting(self)
        if netting == 0:
            return self.zero(Reason.NETTED)
        self.netting = netting
        earned = mode.earn(self, rates)
        if isinstance(earned, Waits):
            return self.waits(earned)
        if isinstance(earned, Reason):
            return self.zero(earned)
        return self.paid(earned)

    def rates(self, card: str, level: int, among: list[RateRule] | None = None) -> list[Bands]:
        """Return the rates that price this trade for a card and level."""
        return find_rates(self.component, card, level, self.trade, among)

    def _zero(self, rule: RateRule | None) -> tuple[Reason | None, Wait | None]:
        """Return why the line is zero, or what is missing to know whether it is."""
        moment, trade, programme = self.trade.close_utc_ms, self.trade, self.run.programme
        if trade.cancelled:
            return Reason.CANCELLED, None
        partner = self.partner
        if at_moment(partner.statuses, moment) == "terminated":
            return Reason.TERMINATED, None
        if partner.go_live_ms is not None and moment < partner.go_live_ms:
            return Reason.BEFORE_PARTNER_GO_LIVE, None
        own = partner.own_client is not None and partner.own_client == trade.client_id
        if own and programme.own_trading == "none":
            return Reason.OWN_TRADING, None
        if trade.value is not None:
            return of_event(trade, self.component, self.run.day), None
        if not conditions.held_long_enough(trade, self.component, self.steps):
            return Reason.TOO_SHORT, None
        reason, unclear = conditions.unpaid(
            trade, self.component, programme, self.run.day, self.steps
        )
        if reason is not None:
            return reason, None
        if (rule is None or rule.of is None) and self.no_result():
            return Reason.NO_RESULT, None
        if conditions.bonus_share(trade, self.component) == 0:
            return Reason.BONUS_FUNDED, None
        return None, unclear

    def no_result(self) -> bool:
        """Tell whether a basis of the client's money is zero or below, where that pays nothing."""
        part = self.component
        if part.basis not in bases.SIGNED or part.per != "trade" or part.carry is not None:
            return False
        found = bases.value(self.trade, part)
        return not isinstance(found, Wait) and not found.parts and found.amount <= 0

    def _wait(self, card: str, mode: Mode, rates: list[Bands]) -> Waits | None:
        trade = self.trade
        if not card:
            return Waits(Wait.NO_TERMS)
        if trade.value is None:
            if trade.lots_e8 <= 0:
                return Waits(Wait.OPENING_UNKNOWN)
            if trade.hold_ms is None and self.run.programme.unknown_opening == "wait":
                return Waits(Wait.OPENING_UNKNOWN)
        return self.unpriced(rates) if mode.has_own_rate(self.level) else None

    def unpriced(self, rates: list[Bands]) -> Waits | None:
        """Tell what a rate waits for: there is none, or lots that nobody can count."""
        if not rates:
            return Waits(Wait.UNPRICED)
        if pays_nothing(rates):
            return None
        counts_lots = bases.needs_factor(self.component) and self.trade.value is None
        if rates[0][0].of is None and counts_lots and self.trade.lot_factor is None:
            return Waits(Wait.NO_LOT_FACTOR)
        return None

    def gross(
        self, rates: list[Bands], partner: Partner | None = None, label: str = "rate"
    ) -> Money | Waits | Reason:
        """Return value x rate, quantised: what a rate gives by itself, before any sharing."""
        if pays_nothing(rates):
            return self._nothing(rates[0][0], label)
        found = self.valued()
        if isinstance(found, Waits):
            return found
        amount, value_currency = found
        bonus = Fraction(1)
        if self.trade.value is None:
            share = conditions.bonus_share(self.trade, self.component)
            if isinstance(share, Wait):
                return Waits(share)
            bonus = share
        payee = partner or self.partner
        sides: list[Fraction] = []
        nothing: Reason | None = None
        for bands in rates:
            if len(bands) == 1:
                said = rule_text(self.run.programme.code, bands[0])
                self.say(label, f"{rate_words(self.component, bands[0])} ({said})")
            given = self.run.state.given(self, payee, bands, amount * bonus, value_currency)
            if isinstance(given, Waits):
                return given
            if isinstance(given, Reason):
                nothing = given  # of this side: the other one may be in a band
            else:
                sides.append(given)
        if nothing is not None and not sides:
            return nothing
        exact = sum(sides, Fraction(0))
        rule = rates[0][0]
        currency = value_currency or rule.currency
        if bonus != 1:
            self.say("bonus", f"own money is {number_text(bonus)} of the equity: that part pays")
        rounding = self.component.rounding
        orig_e8 = units(exact, rounding.amount, rounding.how)
        said = product(self.component, amount, value_currency, rule)
        times = "" if bonus == 1 else f" x {number_text(bonus)}"
        if len(rates) == 1 and len(rates[0]) == 1:
            self.words.append(f"{said}{times} = {amount_text(orig_e8, currency)}")
        return Money(orig_e8, currency, rule, exact)

    def _nothing(self, rule: RateRule, label: str) -> Money:
        """A rate of 0 asks for no value: it gives nothing, in its currency or in the payee's."""
        said = rule_text(self.run.programme.code, rule)
        basis = {"lot": "volume"}.get(self.component.basis, self.component.basis)
        free = f"pays nothing, whatever the {basis} is"
        self.say(label, f"{rate_words(self.component, rule)} ({said}): {free}")
        return Money(0, rule.currency or self.partner.currency, rule, Fraction(0))

    def valued(self) -> tuple[Fraction, str] | Waits:
        """Return the basis in the component's currency, rounded as the plan says."""
        found = bases.value(self.trade, self.component)
        if isinstance(found, Wait):
            return Waits(found)
        self.steps += [step for step in found.steps if step not in self.steps]
        currency = found.currency
        amount = found.amount
        for part, held in found.parts:
            turned = self._into(part, held, currency)
            if isinstance(turned, Waits):
                return turned
            amount += turned
        wanted = self.component.currency
        if wanted and currency and wanted != currency:
            turned = self._into(amount, currency, wanted)
            if isinstance(turned, Waits):
                return turned
            amount, currency = turned, wanted
        limited = self._cap_per_lot(amount, currency)
        if isinstance(limited, Waits):
            return limited
        rounding = self.component.rounding
        rounded = stage(limited, rounding.value, rounding.how)
        if rounded != limited:
            self.say("rounded", f"{number_text(rounded)} ({rounding.value} places)")
        return rounded * self.netting, currency

    def _cap_per_lot(self, amount: Fraction, currency: str) -> Fraction | Waits:
        """The money of a spread counts at most so much per lot."""
        asked = self.component.spread
        if self.component.basis != "spread" or asked.cap_per_lot is None or not currency:
            return amount
        if self.trade.lot_factor is None:
            return Waits(Wait.NO_LOT_FACTOR)
        limit = asked.cap_per_lot * bases.lots_of(self.trade)
        turned = self._into(limit, asked.cap_currency or currency, currency)
        if isinstance(turned, Waits):
            return turned
        if turned < amount:
            words = f"{number_text(asked.cap_per_lot, 2)} {asked.cap_currency} per lot"
            self.say("spread", f"counts at most {words}: {number_text(turned, 2)} {currency}")
        return min(amount, turned)

    def _into(self, amount: Fraction, base: str, quote: str) -> Fraction | Waits:
        """Convert money of the basis at the close; nothing needs no rate."""
        if base == quote or amount == 0:
            return amount
        side = self.component.value_fx
        found = rate_at_close(self.run.fx, self.trade, base, quote, side)
        if found is None:
            return Waits(Wait.NO_FX, f"{base}/{quote}")
        turned = amount * found[0]
        text = f"{base}/{quote} {number_text(found[0])} {found[2]}".rstrip()
        self.say("value FX", f"{text}: {number_text(turned)} {quote}")
        return turned

    def paid(self, money: Money) -> TwinLine:
        """Cut by the caps, convert into the wallet, and make the line of it."""
        if abs(money.orig_e8) > MAX_E8:
            return self.waits(Waits(Wait.TOO_LARGE))
        cut = self.run.state.cut(self, money)
        if isinstance(cut, Waits):
            return self.waits(cut)
        if isinstance(cut, Reason):
            return self.zero(cut)
        return self.booked(cut)

    def booked(self, money: Money) -> TwinLine:
        """Return the settled line of an amount, in the partner's wallet."""
        self.say("=", amount_text(money.orig_e8, money.currency))
        self.sum_up()
        return self.settle(money, self.partner.currency, self.partner.id, self.level)

    def settle(self, money: Money, wallet: str, partner_id: int, level: int) -> TwinLine:
        """Convert into a wallet at the close with one rounding, and make the line of it."""
        part, currency = self.component, money.currency
        fine = part.mode in ("per_level", "override") and not rounds(part.rounding)
        exact = money.exact if fine and part.rebate is None else None
        if exact is None:
            exact = Fraction(money.orig_e8, SCALE)
        fx_id = 0
        amount = exact
        if currency != wallet and exact != 0:
            found = rate_at_close(self.run.fx, self.trade, currency, wallet, part.wallet_fx)
            if found is None:
                return self.waits(Waits(Wait.NO_FX, f"{currency}/{wallet}"), partner_id, level)
            rate, fx_id, source = found
            amount = exact * rate
            self.say("FX", f"{currency}/{wallet} {number_text(rate)} {source}".rstrip())
        amount_e8 = units(amount, part.rounding.wallet, part.rounding.how)
        if abs(amount_e8) > MAX_E8:
            return self.waits(Waits(Wait.TOO_LARGE), partner_id, level)
        if fx_id or amount_e8 != money.orig_e8:
            self.say("=", amount_text(amount_e8, wallet))
        rate_id = 0
        if money.rule is not None:
            rate_id = self.run.decision.version.rate_ids[self.place][money.rule.ordinal]
        return self._line(
            partner_id, level, wallet, reason=Reason.PAID, currency=currency, rate_id=rate_id,
            orig_e8=money.orig_e8, amount_e8=amount_e8, fx_id=fx_id,
            capped=self.capped and level > 0,
        )  # fmt: skip

    def zero(self, reason: Reason) -> TwinLine:
        """Return a line of zero with its reason."""
        self.sum_up()
        self.say("reason", reason.sentence)
        wallet = self.partner.currency
        cut = reason == Reason.CAPPED
        return self._line(
            self.partner.id, self.level, wallet, reason=reason, currency=wallet, capped=cut
        )

    def waits(
        self, found: Waits, partner_id: int | None = None, level: int | None = None
    ) -> TwinLine:
        """Return a line that waits, with what is missing."""
        key = found.key
        if found.wait == Wait.NO_TERMS:
            key = str(self.partner.id)
        if found.wait == Wait.UNPRICED:
            key = self.trade.symbol_name
        if found.wait == Wait.NO_LOT_FACTOR:
            key = self.trade.group_name
        self.say("waits", found.wait.sentence)
        who = self.partner.id if partner_id is None else partner_id
        at = self.level if level is None else level
        return self._line(who, at, self.partner.currency, wait=found.wait, key=key)

    def _line(self, partner_id: int, level: int, wallet: str, **known: object) -> TwinLine:
        suspended = at_moment(self.partner.statuses, self.trade.close_utc_ms) == "suspended"
        kyc = self.run.programme.kyc == "hold" and self.trade.kyc_held
        return TwinLine(
            component_id=self.run.decision.version.component_ids[self.place],
            component=self.component.code,
            level=level,
            partner_id=partner_id,
            wallet=wallet,
            held=(suspended and level > 0) or kyc or self.trade.disputed,
            working=tuple(self.steps),
            **known,  # type: ignore[arg-type]
        )

    def sum_up(self) -> None:
        """Say the whole working in one sentence, where there is more to it than one product."""
        if len(self.words) > 1:
            self.say("in words", "; ".join(self.words))
        self.words = []

    def say(self, label: str, text: str) -> None:
        """Add a step to the working."""
        self.steps.append(Step(label, text))


def of_event(trade: TradeFacts, component: Component, day: BrokerDay) -> Reason | None:
    """Return why a client is not paid for: his country, the campaign's dates, the month's gate."""
    if not component.of_clients:
        return None
    asked = component.conditions
    mine = Conditions(countries=asked.countries, not_countries=asked.not_countries,
                      from_ms=asked.from_ms, until_ms=asked.until_ms)  # fmt: skip
    reason = conditions.who_and_when(trade, replace(component, conditions=mine), day)
    return Reason.GATE if reason is None and trade.gated else reason


def counts(line: Line) -> bool:
    """Tell whether a trade meets all conditions of a component, whoever has a line of it."""
    trade, component, programme = line.trade, line.component, line.run.programme
    if trade.cancelled:
        return False
    if trade.value is not None:
        return of_event(trade, component, line.run.day) is None
    if trade.lots_e8 <= 0 or (trade.hold_ms is None and programme.unknown_opening == "wait"):
        return False
    if bases.needs_factor(component) and trade.lot_factor is None:
        return False
    if not conditions.held_long_enough(trade, component, []):
        return False
    if conditions.unpaid(trade, component, programme, line.run.day, []) != (None, None):
        return False
    return not line.no_result() and conditions.bonus_share(trade, component) != 0


def gains(run: Run, partner: Partner) -> bool:
    """Tell whether a trade counts for a partner above it: not before his go-live, not when he is
    terminated, not his own where the programme does not pay it."""
    moment = run.trade.close_utc_ms
    if at_moment(partner.statuses, moment) == "terminated":
        return False
    if partner.go_live_ms is not None and moment < partner.go_live_ms:
        return False
    own = partner.own_client is not None and partner.own_client == run.trade.client_id
    return not own or run.programme.own_trading == "pay"
