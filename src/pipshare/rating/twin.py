"""The scalar twin: rates one trade by hand, with Fractions, and shows the working of each line.

It is written from the rules (plans.terms, docs/decisions/0003) and not from the kernel, with which
it shares only parsed terms and money types; property tests hold the two equal, line by line.
"""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.amounts import MAX_E8, format_e8, half_even
from pipshare.plans.terms import ANY_CARD, Component, RateRule
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin_choice import applicable, find_rule, rule_text
from pipshare.rating.twin_fx import own_rate
from pipshare.rating.twin_values import (
    Decision,
    Fx,
    Partner,
    Step,
    TradeFacts,
    TwinLine,
    TwinResult,
    amount_text,
    at_moment,
    number_text,
)


def rate_one(trade: TradeFacts, chain: tuple[Partner, ...], fx: Fx) -> TwinResult:
    """Rate one introduced trade. `chain` is the direct IB first; histories are looked up here.

    Lines come by component, as the file has them, and level; those that wait are among them.
    """
    direct = chain[0]
    terms = at_moment(direct.terms, trade.close_utc_ms)
    if terms is None:
        return _whole(trade, direct, Wait.NO_TERMS)
    if terms.programme is None:
        sentence = f"{direct.name}: {Reason.EARNS_NOTHING.sentence}, so nobody above is paid either"
        return TwinResult((), (Step("terms", sentence),), Reason.EARNS_NOTHING)
    version = at_moment(terms.programme.versions, trade.close_utc_ms)
    if version is None:
        return _whole(trade, direct, Wait.NOT_IN_FORCE)
    deciding = f"{terms.programme.code} version {version.number}, by the terms of {direct.name}"
    run = _Run(trade, chain, fx, Decision(terms.programme, version))
    lines = run.lines()
    return TwinResult(tuple(lines), (Step("programme", deciding),), None)


def _whole(trade: TradeFacts, direct: Partner, wait: Wait) -> TwinResult:
    if trade.cancelled:
        sentence = Reason.CANCELLED.sentence
        return TwinResult((), (Step("trade", sentence),), Reason.CANCELLED)
    step = Step("terms", f"{direct.name}: {wait.sentence}")
    line = TwinLine(0, "", 0, direct.id, wait=wait, key=str(direct.id), working=(step,))
    return TwinResult((line,), (), None)


class _Run:
    """One trade on its way through the components of the programme that decides."""

    def __init__(
        self, trade: TradeFacts, chain: tuple[Partner, ...], fx: Fx, decision: Decision
    ) -> None:
        self.trade, self.fx, self.decision = trade, fx, decision
        self.programme = decision.version.programme
        self.chain = chain[: self.programme.depth]
        self.done: dict[tuple[str, int], TwinLine] = {}

    def lines(self) -> list[TwinLine]:
        for place, component in enumerate(self.programme.components):
            for level in range(1, len(self.chain) + 1):
                if self._can_earn(component, level):
                    line = _Line(self, place, component, level).rate()
                    if line is not None:
                        self.done[component.code, level] = line
        return list(self.done.values())

    def card(self, level: int) -> str | None:
        """Return the card a partner is paid by; None = no line. "" = he has no terms."""
        terms = at_moment(self.chain[level - 1].terms, self.trade.close_utc_ms)
        if terms is None:
            return ""
        if terms.programme is None:
            return None
        if terms.programme.id == self.decision.programme.id:
            return terms.card
        return ANY_CARD if self.programme.other_programmes == "pay" else None

    def _can_earn(self, component: Component, level: int) -> bool:
        """Tell whether a level has a line: a fixed amount, or a share of somebody who can earn."""
        card = self.card(level)
        if card is None:
            return False
        parts = {part.code: part for part in self.programme.components}
        for rule in applicable(component, card, level):
            if rule.of is None:
                return True
            if level > 1 and self._can_earn(parts[rule.of], level - 1):
                return True
        return False


class _Line:
    """One line: what its partner earns at one level of one component."""

    def __init__(self, run: _Run, place: int, component: Component, level: int) -> None:
        self.run, self.place, self.component, self.level = run, place, component, level
        self.trade, self.partner = run.trade, run.chain[level - 1]
        self.steps: list[Step] = []

    def rate(self) -> TwinLine | None:
        card = self.run.card(self.level)
        assert card is not None
        rule = find_rule(self.component, card, self.level, self.trade) if card else None
        child = None
        if rule is not None and rule.of is not None:
            child = self.run.done.get((rule.of, self.level - 1))
            if child is None:
                return None
        zero = self._zero()
        if zero is not None:
            self._say("reason", zero.sentence)
            return self._line(reason=zero, currency=self.partner.currency)
        wait = self._wait(card, rule)
        if wait is not None:
            return self._waits(wait)
        assert rule is not None
        return self._share(rule, child) if child is not None else self._per_lot(rule)

    def _zero(self) -> Reason | None:
        moment, partner = self.trade.close_utc_ms, self.partner
        if self.trade.cancelled:
            return Reason.CANCELLED
        if at_moment(partner.statuses, moment) == "terminated":
            return Reason.TERMINATED
        if partner.go_live_ms is not None and moment < partner.go_live_ms:
            return Reason.BEFORE_PARTNER_GO_LIVE
        own = partner.own_client is not None and partner.own_client == self.trade.client_id
        if own and self.run.programme.own_trading == "none":
            return Reason.OWN_TRADING
        least = self.component.min_hold_s
        if least is not None and self.trade.hold_ms is not None:
            enough = self.trade.hold_ms >= least * 1000
            held = number_text(Fraction(self.trade.hold_ms, 1000))
            self._say("held", f"{held} s, at least {least} s needed: {'yes' if enough else 'no'}")
            return None if enough else Reason.TOO_SHORT
        return None

    def _wait(self, card: str, rule: RateRule | None) -> Wait | None:
        if not card:
            return Wait.NO_TERMS
        if self.trade.lots_e8 <= 0:
            return Wait.OPENING_UNKNOWN
        if self.trade.hold_ms is None and self.run.programme.unknown_opening == "wait":
            return Wait.OPENING_UNKNOWN
        if rule is None:
            return Wait.UNPRICED
        if rule.of is None and self.trade.lot_factor is None:
            return Wait.NO_LOT_FACTOR
        return None

    def _per_lot(self, rule: RateRule) -> TwinLine:
        factor = self.trade.lot_factor
        assert factor is not None
        self._say("lots", format_e8(self.trade.lots_e8))
        self._say("lot factor", f"{number_text(factor)} ({self.trade.group_text()})")
        self._say("rate", f"{number_text(rule.amount, 2)} {rule.currency} per lot "
                          f"({rule_text(self.run.programme.code, rule)})")  # fmt: skip
        return self._paid(rule, Fraction(self.trade.lots_e8) * factor * rule.amount, rule.currency)

    def _share(self, rule: RateRule, child: TwinLine) -> TwinLine:
        below = f"level {self.level - 1} in {rule.of}"
        if child.wait is not None:
            self._say("below", f"{below} waits: {child.wait.word}")
            return self._waits(Wait.CHILD_WAITS)
        if child.reason != Reason.PAID:
            self._say("below", f"{below} earned nothing: {child.reason.sentence}")
            return self._line(reason=Reason.NOTHING_BELOW, currency=self.partner.currency)
        self._say("below", f"{below} earned {amount_text(child.orig_e8, child.currency)}")
        self._say("share", f"{number_text(rule.amount * 100)} % "
                           f"({rule_text(self.run.programme.code, rule)})")  # fmt: skip
        return self._paid(rule, Fraction(child.orig_e8) * rule.amount, child.currency)

    def _paid(self, rule: RateRule, exact_e8: Fraction, currency: str) -> TwinLine:
        """Quantise an exact amount, and the same exact amount in the wallet's currency."""
        wallet, fx_id = self.partner.currency, 0
        orig_e8 = half_even(exact_e8.numerator, exact_e8.denominator)
        if abs(orig_e8) > MAX_E8:
            return self._waits(Wait.TOO_LARGE)
        amount_e8 = orig_e8
        self._say("=", amount_text(orig_e8, currency))
        if currency != wallet and exact_e8 != 0:
            found = self.run.fx(currency, wallet, self.trade.close_utc_ms)
            if found is None and self.trade.own is not None:
                found = own_rate(self.trade.own, currency, wallet)
            if found is None:
                return self._waits(Wait.NO_FX, f"{currency}/{wallet}")
            rate, fx_id, source = found
            exact = exact_e8 * rate
            amount_e8 = half_even(exact.numerator, exact.denominator)
            if abs(amount_e8) > MAX_E8:
                return self._waits(Wait.TOO_LARGE)
            self._say("FX", f"{currency}/{wallet} {number_text(rate)} {source}".rstrip())
            self._say("=", amount_text(amount_e8, wallet))
        rate_id = self.run.decision.version.rate_ids[self.place][rule.ordinal]
        return self._line(
            reason=Reason.PAID, currency=currency, rate_id=rate_id, orig_e8=orig_e8,
            amount_e8=amount_e8, fx_id=fx_id,
        )  # fmt: skip

    def _waits(self, wait: Wait, key: str = "") -> TwinLine:
        if wait == Wait.NO_TERMS:
            key = str(self.partner.id)
        if wait == Wait.UNPRICED:
            key = self.trade.symbol_name
        if wait == Wait.NO_LOT_FACTOR:
            key = self.trade.group_name
        self._say("waits", wait.sentence)
        return self._line(wait=wait, key=key)

    def _line(self, **known: object) -> TwinLine:
        suspended = at_moment(self.partner.statuses, self.trade.close_utc_ms) == "suspended"
        return TwinLine(
            component_id=self.run.decision.version.component_ids[self.place],
            component=self.component.code,
            level=self.level,
            partner_id=self.partner.id,
            wallet=self.partner.currency,
            held=suspended,
            working=tuple(self.steps),
            **known,  # type: ignore[arg-type]
        )

    def _say(self, label: str, text: str) -> None:
        self.steps.append(Step(label, text))
