"""What is taken from a period's sum, by hand: events of clients and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pipshare.plans.terms import Component, Programme
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.qualify import LOST, OPENED, WON, Event, original_of
from pipshare.rating.twin_values import Fx, Partner, TradeFacts

_PLAIN = {
    "bonus": ("bonuses", 1), "bonus_removed": ("bonuses", -1),
    "compensation": ("compensation", 1), "payment_fee": ("fees", 1),
}  # fmt: skip
_ORDER = {OPENED: 1, LOST: 2, WON: 3}


@dataclass(frozen=True)
class Charge:
    """What an event of a client costs the broker (below zero: gives back). `less` is the word by
    which a plan takes it from its sums."""

    less: str
    at_ms: int
    client_id: int
    amount: Fraction
    currency: str
    country: str = ""

    def as_trade(self) -> TradeFacts:
        """Return a trade of nothing at its moment: what finds programme, version and rates."""
        return TradeFacts(
            lots_e8=0, hold_ms=None, close_utc_ms=self.at_ms, client_id=self.client_id,
            cancelled=False, symbol_name="", symbol_group="", symbol_known=True, group_name="",
            account_type="", lot_factor=Fraction(1), country=self.country,
        )  # fmt: skip


def charges(
    client_id: int, events: Sequence[Event], country: Callable[[int], str] = lambda at_ms: ""
) -> list[Charge]:
    """Return what a client's events cost the broker; `country` says where he lives at a moment."""
    found = [
        (_PLAIN[one.kind][0], one.at_ms, _PLAIN[one.kind][1] * one.amount, one.currency)
        for one in events if one.kind in _PLAIN
    ]  # fmt: skip
    for deposit in events:
        if deposit.kind == "deposit":
            found += [("chargebacks", at, amount, deposit.currency)
                      for at, amount in _lost(deposit, events)]  # fmt: skip
    return [Charge(less, at, client_id, amount, currency, country(at))
            for less, at, amount, currency in found]  # fmt: skip


def _lost(deposit: Event, events: Sequence[Event]) -> list[tuple[int, Fraction]]:
    """Return the moments at which what is lost of a deposit changes, and by how much."""
    words = sorted(
        (one for one in events if one.kind in _ORDER and original_of(one, events) == deposit.name),
        key=lambda one: (one.at_ms, _ORDER[one.kind], one.name),
    )
    return [
        (max(words[n].at_ms, deposit.at_ms), lost - before)
        for n in range(len(words))
        if (lost := _lost_by(deposit, words[: n + 1])) != (before := _lost_by(deposit, words[:n]))
    ]


def _lost_by(deposit: Event, words: Sequence[Event]) -> Fraction:
    """Return what is lost when these words of its disputes have been said."""
    if not words or words[-1].kind != LOST:
        return Fraction(0)
    since = 0
    for place, word in enumerate(words):
        if word.kind in (OPENED, WON):
            since = place
    told = [word.amount for word in words[since:] if word.kind != WON and word.amount]
    return told[-1] if told else deposit.amount


def cost(
    charge: Charge, component: Component, programme: Programme, direct: Partner, fx: Fx
) -> Fraction | None:
    """Return what a charge takes in the component's currency, None = it waits for a rate."""
    asked, trade = component.conditions, charge.as_trade()
    own = direct.own_client is not None and direct.own_client == charge.client_id
    country = charge.country.casefold()
    barred = country in {name.casefold() for name in asked.not_countries}
    only = {name.casefold() for name in asked.countries}
    unpaid = own and programme.own_trading == "none"
    if charge.less not in component.less or unpaid or barred or (only and country not in only):
        return Fraction(0)
    if charge.currency == component.currency:
        return charge.amount
    rate = rate_at_close(fx, trade, charge.currency, component.currency, component.value_fx)
    return None if rate is None else charge.amount * rate[0]
