"""What clients are paid for, by the scalar twin: their events and trades, one client at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from pipshare import rating
from pipshare.pipeline.from_files.world import World
from pipshare.plans.conditions import REASONS
from pipshare.plans.qualifying import Qualify
from pipshare.plans.terms import Component, Programme
from pipshare.rating.twin import BrokerDay, Client, Closed, Event, event_trades, payments
from pipshare.rating.twin_values import Fx, Partner, TradeFacts
from pipshare.rating.windows.given import Given

Facts = tuple[TradeFacts, tuple[Partner, ...]]
Rate = Callable[[str, str, int], Fraction]
_E8 = 10**8


def client_facts(
    world: World, given: Given, trades: list[Facts], fx: Fx, day: BrokerDay
) -> list[tuple[int, Facts]]:
    """Return (component, pseudo trade with its chain) of everything that clients are paid for."""
    assert given.chains_at is not None
    found: list[tuple[int, Facts]] = []
    for number, programme, component in _of_clients(world):
        starts = tuple(sorted({rule.start for rule in component.rates}))
        for client_id in sorted(world.people.clients.values()):
            client = _client(world, client_id, programme, component, trades, fx, day)
            tier = component.tier
            ladder = tier is not None and tier.method == "ladder"
            paid = payments(client, starts if ladder else (Fraction(0),), tier,
                            component.clawback_days)  # fmt: skip
            country = world.people.country.get(client_id, "")
            for one in event_trades(paid, client_id, country):
                moment = np.array([one.close_utc_ms], np.int64)
                place = int(given.chains_at(np.array([client_id], np.int64), moment)[0])
                if place >= 0:
                    people = rating.chain_facts(given.placed.chains[place], world.book,
                                                world.partners)  # fmt: skip
                    found.append((number, (one, people)))
    return found


def _of_clients(world: World) -> Iterator[tuple[int, Programme, Component]]:
    """Yield the components that pay for clients, as the last version of each programme has them."""
    last = {version.programme_id: version for version in world.programmes.versions}
    for version in last.values():
        for number, component in zip(
            version.component_ids, version.programme.components, strict=True
        ):
            if component.basis == "fixed" and component.event != "trade":
                yield number, version.programme, component


def _client(
    world: World, client_id: int, programme: Programme, component: Component,
    trades: list[Facts], fx: Fx, day: BrokerDay,
) -> Client:  # fmt: skip
    asked = component.qualify or programme.qualify
    if asked is None:
        asked = Qualify(0, who="crm" if component.event == "qualified" else "own")
    currency = asked.currency or programme.currency
    events = [
        Event(row["event"], row["kind"], row["at_ms"], Fraction(row["amount_e8"], _E8),
              row["currency"], row["reference"], row["cleared_ms"])
        for row in world.events.filter(client_id=client_id).iter_rows(named=True)
    ]  # fmt: skip

    def rate(base: str, quote: str, at: int) -> Fraction:
        found = fx(base, quote, at)
        if found is None:
            raise LookupError(f"no rate {base}/{quote}")
        return found[0]

    closed = [_closed(trade, currency, rate) for trade, _ in trades
              if trade.client_id == client_id and _counts(trade, component)]  # fmt: skip
    return Client(events, closed, asked, day, rate)


def _counts(trade: TradeFacts, component: Component) -> bool:
    """Tell whether a trade passes what a plan may ask of trades of clients who are to qualify."""
    asked = component.conditions
    excluded = {REASONS[name] for name in asked.excluded_reasons}
    held = component.min_hold_s is None or trade.hold_ms is None \
        or trade.hold_ms >= 1000 * component.min_hold_s  # fmt: skip
    whole = asked.partial_close == "pay" or not trade.partial
    return not trade.cancelled and trade.deal_reason not in excluded and held and whole


def _closed(trade: TradeFacts, currency: str, rate: Rate) -> Closed:
    """Return what a trade adds: standard lots, half of each end's spread, the commission."""

    def turned(amount: Fraction, base: str) -> Fraction:
        if base == currency or not amount:
            return amount
        return amount * rate(base, currency, trade.close_utc_ms)

    lots = Fraction(trade.lots_e8, _E8)
    wide = Fraction(trade.open_ask_e8 - trade.open_bid_e8
                    + trade.close_ask_e8 - trade.close_bid_e8, 2 * _E8)  # fmt: skip
    spread = wide * lots * Fraction(trade.contract_e8, _E8)
    return Closed(
        trade.close_utc_ms,
        lots * (trade.lot_factor or Fraction(1)),
        turned(spread, trade.profit_currency),
        turned(Fraction(-(trade.commission_e8 or 0), _E8), trade.currency),
    )
