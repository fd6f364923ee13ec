"""What events of clients add to a period's sum or take from it, by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pipshare.plans.terms import Component, Programme
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.taken_back import Event, left_of, lost_of
from pipshare.rating.twin_values import Fx, Partner, TradeFacts

_PLAIN = {
    "bonus": ("bonuses", 1), "bonus_removed": ("bonuses", -1),
    "compensation": ("compensation", 1), "payment_fee": ("fees", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Charge:
    """What an event of a client costs the broker (below zero: gives back). `less` is the word by
    which a plan takes it from its sums. Deposits are below zero; `of_ms` is when what they are of
    was deposited or withdrawn, and says for whom they count."""

    less: str
    at_ms: int
    client_id: int
    amount: Fraction
    currency: str
    country: str = ""
    of_ms: int = 0
    blocked: bool = False

    @property
    def chain_ms(self) -> int:
        """The moment at which the chain and the plan are looked for."""
        return self.of_ms or self.at_ms

    def as_trade(self) -> TradeFacts:
        """Return a trade of nothing at that moment: what finds programme, version and rates."""
        return TradeFacts(
            lots_e8=0, hold_ms=None, close_utc_ms=self.chain_ms, client_id=self.client_id,
            cancelled=False, symbol_name="", symbol_group="", symbol_known=True, group_name="",
            account_type="", lot_factor=Fraction(1), country=self.country,
            blocked=self.blocked,
        )  # fmt: skip


def charges(
    client_id: int,
    events: Sequence[Event],
    country: Callable[[int], str] = lambda at_ms: "",
    blocked: Callable[[int], bool] = lambda at_ms: False,
) -> list[Charge]:
    """Return what a client's events cost the broker; `country` says where he lives at a moment, and
    `blocked` whether nobody earns by him then."""
    found = [
        (_PLAIN[one.kind][0], one.at_ms, _PLAIN[one.kind][1] * one.amount, one.currency)
        for one in events if one.kind in _PLAIN
    ]  # fmt: skip
    for deposit in events:
        if deposit.kind == "deposit":
            found += [("chargebacks", at, amount, deposit.currency)
                      for at, amount in _lost(deposit, events)]  # fmt: skip
    costs = [Charge(less, at, client_id, amount, currency, country(at))
             for less, at, amount, currency in found]  # fmt: skip
    for which in ("all", "net", "first"):
        costs += [
            Charge(which, at, client_id, -amount, of.currency, country(of.counts_ms), of.counts_ms)
            for at, amount, of in _moves(events, which)
        ]  # fmt: skip
    return [replace(one, blocked=blocked(one.chain_ms)) for one in costs]


def _moves(events: Sequence[Event], which: str) -> list[tuple[int, Fraction, Event]]:
    """Return (moment, change, deposit or withdrawal) of what counts of a client's deposits."""
    kinds = ("deposit", "withdrawal") if which == "net" else ("deposit",)
    mine = [one for one in events if one.kind in kinds]
    moments = {one.counts_ms for one in mine} | {one.at_ms for one in events}
    found, before = [], dict.fromkeys((one.name for one in mine), Fraction(0))
    for moment in sorted(moments):
        left = {one.name: _left(one, events, moment) for one in mine}
        if which == "first":
            some = sorted((one.at_ms, one.name) for one in mine if left[one.name])
            left = {name: x if some and name == some[0][1] else Fraction(0)
                    for name, x in left.items()}  # fmt: skip
        for one in mine:
            if left[one.name] != before[one.name]:
                sign = -1 if one.kind == "withdrawal" else 1
                found.append((moment, sign * (left[one.name] - before[one.name]), one))
        before = left
    return found


def _left(movement: Event, events: Sequence[Event], moment: int) -> Fraction:
    """Return what is left of a movement by a moment; nothing before it counts."""
    return left_of(movement, events, moment) if movement.counts_ms <= moment else Fraction(0)


def _lost(deposit: Event, events: Sequence[Event]) -> list[tuple[int, Fraction]]:
    """Return the moments at which what is lost of a deposit changes, and by how much."""
    found, before = [], Fraction(0)
    for moment in sorted({one.at_ms for one in events}):
        lost = lost_of(deposit, events, moment)
        if lost != before:
            found.append((max(moment, deposit.at_ms), lost - before))
        before = lost
    return found


def words_of(component: Component) -> tuple[str, ...]:
    """Return the words of what is added to or taken from a component's sums."""
    if component.per == "trade":
        return ()
    return (component.deposits,) if component.basis == "deposits" else component.less


def _in_campaign(charge: Charge, component: Component) -> bool:
    """Tell whether a deposit was made in the plan's campaign."""
    asked = component.conditions
    if component.basis != "deposits":
        return True
    until = asked.until_ms or charge.chain_ms + 1
    return asked.from_ms <= charge.chain_ms < until


def cost(
    charge: Charge, component: Component, programme: Programme, direct: Partner, fx: Fx
) -> Fraction | None:
    """Return what a charge takes in the component's currency, None = it waits for a rate."""
    asked, trade = component.conditions, charge.as_trade()
    if charge.less not in words_of(component) or not _in_campaign(charge, component):
        return Fraction(0)
    own = direct.own_client is not None and direct.own_client == charge.client_id
    country = charge.country.casefold()
    barred = country in {name.casefold() for name in asked.not_countries}
    only = {name.casefold() for name in asked.countries}
    unpaid = charge.blocked or (own and programme.own_trading == "none")
    if unpaid or barred or (only and country not in only):
        return Fraction(0)
    if charge.currency == component.currency:
        return charge.amount
    rate = rate_at_close(fx, trade, charge.currency, component.currency, component.value_fx)
    return None if rate is None else charge.amount * rate[0]
