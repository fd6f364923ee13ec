"""One trade through the components of the programme that decides: `rate_one` of the twin."""

from __future__ import annotations

from typing import Literal

from pipshare.plans.terms import ANY_CARD, Component
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.choice import applicable, find_split
from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.guard import guarded
from pipshare.rating.twin.line import Line
from pipshare.rating.twin.modes import MODES, Mode
from pipshare.rating.twin.rebate import client_line, with_rebate
from pipshare.rating.twin.state import State
from pipshare.rating.twin_values import (
    Decision,
    Fx,
    Partner,
    Step,
    TradeFacts,
    TwinLine,
    TwinResult,
    at_moment,
)

Only = Literal["immediate", "building", "all"]
UTC_DAY = BrokerDay()


def rate_one(
    trade: TradeFacts,
    chain: tuple[Partner, ...],
    fx: Fx,
    day: BrokerDay = UTC_DAY,
    only: Only = "immediate",
    state: State | None = None,
) -> TwinResult:
    """Rate one introduced trade. `chain` is the direct IB first; histories are looked up here.

    Lines come by component, as the file has them, and level; those that wait are among them. The
    client's own part stands at level 0. `only` immediate: the components that do not build up;
    those that do need a `state` that has seen the trades before (rate_many).
    """
    run = decided(trade, chain, fx, day, state or State())
    if isinstance(run, TwinResult):
        return run
    decision = run.decision
    deciding = f"{decision.programme.code} version {decision.version.number}"
    step = Step("programme", f"{deciding}, by the terms of {chain[0].name}")
    return TwinResult(tuple(run.lines(only)), (step,), None)


def decided(
    trade: TradeFacts, chain: tuple[Partner, ...], fx: Fx, day: BrokerDay, state: State
) -> Run | TwinResult:
    """Return the run under the programme that decides, or the result where none does."""
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
    return Run(trade, chain, fx, Decision(terms.programme, version), day, state)


def _whole(trade: TradeFacts, direct: Partner, wait: Wait) -> TwinResult:
    if trade.cancelled:
        sentence = Reason.CANCELLED.sentence
        return TwinResult((), (Step("trade", sentence),), Reason.CANCELLED)
    step = Step("terms", f"{direct.name}: {wait.sentence}")
    line = TwinLine(0, "", 0, direct.id, wait=wait, key=str(direct.id), working=(step,))
    return TwinResult((line,), (), None)


def by_trade(component: Component) -> bool:
    """Tell whether each trade has lines of its own: no sum of a period, no event, no earnings."""
    event = component.event in ("qualified", "registration")
    return component.per == "trade" and component.basis != "earned" and not event


def building_ids(decision: Decision) -> set[int]:
    """Return the components that build up, in any version or through what they are a share of."""
    found: set[int] = set()
    for _, version in decision.programme.versions:
        if version is None:
            continue
        codes: set[str] = set()
        for number, component in zip(
            version.component_ids, version.programme.components, strict=True
        ):
            shares = {rule.of for rule in component.rates if rule.of}
            if component.builds_up or shares & codes:
                codes.add(component.code)
                found.add(number)
    return found


class Run:
    """One trade on its way through the components of the programme that decides."""

    def __init__(
        self,
        trade: TradeFacts,
        chain: tuple[Partner, ...],
        fx: Fx,
        decision: Decision,
        day: BrokerDay,
        state: State,
    ) -> None:
        self.trade, self.fx, self.decision, self.day, self.state = trade, fx, decision, day, state
        self.programme = decision.version.programme
        self.whole_chain = chain
        self.chain = chain[: self.programme.depth]
        self.done: dict[tuple[str, int], TwinLine] = {}
        self.seen_above: dict[tuple[str, int], int] = {}  # what a share of a line is taken of

    def lines(self, only: Only) -> list[TwinLine]:
        """Rate all components, in the order of the file: a share looks back."""
        out: list[TwinLine] = []
        built = building_ids(self.decision)
        for place, component in enumerate(self.programme.components):
            building = self.decision.version.component_ids[place] in built
            wanted = only == "all" or building == (only == "building")
            if wanted and by_trade(component):
                out += self.component(place, component)
        return out if only == "building" else guarded(self, out, built)

    def component(self, place: int, component: Component) -> list[TwinLine]:
        """Rate the levels of one component from the client upward."""
        levels = [n for n in range(1, len(self.chain) + 1) if self._has_line(component, n)]
        mode: Mode = MODES[component.mode](self, component, levels)
        out: list[TwinLine] = []
        for level in levels:
            line = Line(self, place, component, level)
            made = line.rate(mode)
            if made is None:
                continue
            gross_e8 = made.orig_e8
            if level == 1 and component.rebate is not None:
                client = client_line(line, made)
                made = with_rebate(line, made, client)
                if client is not None:
                    out.append(client)
                if component.rebate.taken == "before":
                    gross_e8 = made.orig_e8
            mode.done(line, made, gross_e8)
            self.done[component.code, level] = made
            self.seen_above[component.code, level] = gross_e8
            out.append(made)
        return out

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

    def _has_line(self, component: Component, level: int) -> bool:
        """Tell whether a level has a line in a component, before anything is known of amounts."""
        card = self.card(level)
        if card is None or level in component.skip_levels:
            return False
        if component.mode == "rank":
            return card == "" or card in component.ranks
        if component.mode in ("pot_split", "share_up", "percent_of_child"):
            return self._shares(component, card, level)
        return self._can_earn(component, level)

    def _shares(self, component: Component, card: str, level: int) -> bool:
        """A level of a split has a line when there is a pot, and a share of it for him."""
        direct = self.card(1)
        if direct is None or not applicable(component, direct, 1):
            return False
        if component.mode == "share_up":
            return True
        if component.mode == "pot_split":
            return find_split(component, card, level) is not None
        if level == 1:
            return True
        if find_split(component, card, level) is None:
            return False
        return self._has_line(component, level - 1)

    def _can_earn(self, component: Component, level: int) -> bool:
        """Tell whether a level has a line: a fixed amount, or a share of somebody who can earn."""
        card = self.card(level)
        if card is None or level in component.skip_levels:
            return False
        parts = {part.code: part for part in self.programme.components}
        for rule in applicable(component, card, level):
            if rule.of is None:
                return True
            if level > 1 and self._has_line(parts[rule.of], level - 1):
                return True
        return False
