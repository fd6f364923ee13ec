"""What clients are paid for, by the scalar twin: their events and trades, one client at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial

import numpy as np
import polars as pl

from pipshare import rating
from pipshare.partners.info import PartnerInfo
from pipshare.plans.book import Book
from pipshare.plans.qualifying import Gate, Qualify
from pipshare.plans.terms import Basis, Component, Programme, Spread, leading
from pipshare.rating.reasons import Wait
from pipshare.rating.twin import (
    BrokerDay,
    Charge,
    Client,
    Closed,
    Event,
    charges,
    event_trades,
    payments,
)
from pipshare.rating.twin.bases import lots_of, value
from pipshare.rating.twin.conditions import held_long_enough, unpaid
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin_values import Fx, Partner, TradeFacts
from pipshare.rating.windows import is_of_clients
from pipshare.rating.windows.given import ChainsAt

Facts = tuple[TradeFacts, tuple[Partner, ...]]
Rate = Callable[[str, str, int], Fraction]
_E8 = 10**8


@dataclass(frozen=True)
class Lives:
    """What is known of `clients`: their events, the chains above them, where they live, and whether
    their country is blocked at a moment."""

    book: Book
    partners: PartnerInfo
    events: pl.DataFrame
    chains: Sequence[tuple[int, ...]]
    chains_at: ChainsAt
    country: Callable[[int, int], str]
    clients: Sequence[int]
    blocked: Callable[[int, int], bool] = lambda client_id, moment_ms: False


def client_facts(
    known: Lives,
    trades: list[Facts],
    fx: Fx,
    day: BrokerDay,
    wanted: Collection[int] | None = None,
) -> list[tuple[int, Facts]]:
    """Return (component, pseudo trade with its chain) of everything that clients are paid for.

    `wanted`: of these components only.
    """
    found: list[tuple[int, Facts]] = []
    for number, programme, component in _of_clients(known.book):
        if wanted is not None and number not in wanted:
            continue
        led = leading(programme.components, component)
        tier = led.tier
        starts = tuple(sorted({rule.start for rule in led.rates}))
        ladder = tier is not None and tier.of_client
        share = led.deposits if led.basis == "deposits" else ""
        mine: list[Facts] = []
        for client_id in known.clients:
            client = _client(known, client_id, programme, component, trades, fx, day)
            asks = starts if ladder else (Fraction(0),), tier, component.clawback_days, share
            try:
                paid = payments(client, *asks)
            except LookupError:  # what he deposited waits for an exchange rate
                some, until = _sure(client)
                paid = [replace(one, undone_ms=one.undone_ms if one.undone_ms < until else 0)
                        for one in payments(some, *asks) if one.at_ms < until]  # fmt: skip
            money = client.asked.currency if share else ""
            for each in paid:
                # Who was paid gives it back, and keeps what is left of it.
                earned_ms = each.earned_ms or each.undoes_ms or each.at_ms
                country = known.country(client_id, earned_ms)
                blocked = known.blocked(client_id, earned_ms)
                for one in event_trades([each], client_id, country, share_of=money,
                                        blocked=blocked):  # fmt: skip
                    chain = _chain(known, client_id, earned_ms)
                    if chain:
                        mine.append((one, chain))
        asked = component.qualify or programme.qualify
        if asked is not None and asked.gate is not None:
            mine = _gated(known, mine, asked.gate, day)
        found += [(number, one) for one in mine]
    return found


def _gated(known: Lives, paid: Sequence[Facts], gate: Gate, day: BrokerDay) -> list[Facts]:
    """Mark what is paid in months in which too few of the direct IB's clients qualified."""

    def month(chain: tuple[Partner, ...], at_ms: int) -> tuple[int, date]:
        return chain[0].id, day.window(at_ms, "month")

    registered: Counter[tuple[int, date]] = Counter()
    for client_id in known.clients:
        at = min((one.at_ms for one in _events(known, client_id) if one.kind == "registration"),
                 default=None)  # fmt: skip
        chain = () if at is None else _chain(known, client_id, at)
        if at is not None and chain:
            registered[month(chain, at)] += 1
    qualified = Counter(
        month(chain, one.close_utc_ms) for one, chain in paid
        if one.value and one.value > 0 and not one.steps[0]
        and one.booked_ms in (0, one.close_utc_ms)
    )  # fmt: skip
    shut = {key for key, all_ in registered.items() if qualified[key] < gate.conversion * all_}
    return [(replace(one, gated=month(chain, one.close_utc_ms) in shut), chain)
            for one, chain in paid]  # fmt: skip


def client_costs(
    known: Lives, live_ms: int = 0
) -> list[tuple[Charge, tuple[Partner, ...]]]:  # fmt: skip
    """Return what clients cost the broker from a moment on, each with the chain above him then.

    Nothing where no plan takes that off.
    """
    if not any(part.sums_events for one in known.book.versions
               for part in one.programme.components):  # fmt: skip
        return []
    found = []
    for client_id in known.clients:
        ask = partial(known.country, client_id), partial(known.blocked, client_id)
        for one in charges(client_id, _events(known, client_id), *ask):
            live = one.chain_ms >= live_ms
            chain = _chain(known, client_id, one.chain_ms) if live else ()
            if chain:
                found.append((one, chain))
    return found


def _events(known: Lives, client_id: int) -> list[Event]:
    return [
        Event(row["event"], row["kind"], row["at_ms"], Fraction(row["amount_e8"], _E8),
              row["currency"], row["reference"], row["cleared_ms"], row["expires_ms"])
        for row in known.events.filter(client_id=client_id).iter_rows(named=True)
    ]  # fmt: skip


def _chain(known: Lives, client_id: int, moment_ms: int) -> tuple[Partner, ...]:
    moment, who = np.array([moment_ms], np.int64), np.array([client_id], np.int64)
    place = int(known.chains_at(who, moment)[0])
    if place < 0:
        return ()
    return rating.chain_facts(known.chains[place], known.book, known.partners)


def _of_clients(book: Book) -> Iterator[tuple[int, Programme, Component]]:
    """Yield the components that pay for clients, as the last version of each programme has them."""
    last = {
        version.programme_id: version
        for version in sorted(book.versions, key=lambda one: one.valid_from_ms)
    }
    for version in last.values():
        for number, component in zip(
            version.component_ids, version.programme.components, strict=True
        ):
            if is_of_clients(component):
                yield number, version.programme, component


def _client(
    known: Lives, client_id: int, programme: Programme, component: Component,
    trades: list[Facts], fx: Fx, day: BrokerDay,
) -> Client:  # fmt: skip
    asked = component.qualify or programme.qualify
    if asked is None:
        asked = Qualify(0, who="crm" if component.event == "qualified" else "own")
    led = leading(programme.components, component)
    steps = led.tier.currency if led.tier is not None and led.tier.of_client else ""
    currency = asked.currency or steps or led.currency or programme.currency
    asked = replace(asked, currency=currency)

    def rate(base: str, quote: str, at: int) -> Fraction:
        found = fx(base, quote, at)
        if found is None:
            raise LookupError(f"no rate {base}/{quote}")
        return found[0]

    closed = [_closed(trade, component, currency, rate) for trade, _ in trades
              if trade.client_id == client_id
              and _counts(trade, component, programme, day)]  # fmt: skip
    return Client(_events(known, client_id), closed, asked, day, rate)


def _sure(client: Client) -> tuple[Client, int]:
    """Return a client as known before his first movement of money that cannot be converted, and
    that moment."""

    def is_lost(one: Event) -> bool:
        try:
            client.worth(one)
        except LookupError:
            return True
        return False

    moves = [one for one in client.events if one.kind in ("deposit", "withdrawal")]
    until = min(one.counts_ms for one in moves if is_lost(one))
    kept = [one for one in client.events if one not in moves or one.counts_ms < until]
    return Client(kept, client.trades, client.asked, client.day, client.rate), until


def _counts(trade: TradeFacts, component: Component, programme: Programme, day: BrokerDay) -> bool:
    """Tell whether a trade passes what a plan may ask of trades of clients who are to qualify."""
    whole = trade.lots_e8 > 0 and (trade.hold_ms is not None or programme.unknown_opening == "pay")
    if trade.cancelled or not whole or not held_long_enough(trade, component, []):
        return False
    plain = replace(programme, qualify=None)
    return unpaid(trade, component, plain, day, []) == (None, None)


def _closed(trade: TradeFacts, component: Component, currency: str, rate: Rate) -> Closed:
    """Return what a trade adds: standard lots, spread, commission, revenue; 0 where not known."""

    def money(basis: Basis) -> Fraction:
        spread = Spread() if basis == "commission" else component.spread
        found = value(trade, Component("", basis, "per_level", None, (), spread=spread))
        if isinstance(found, Wait):
            return Fraction(0)
        parts = (*found.parts, (found.amount, found.currency))
        try:
            sums = (amount if base == currency or not amount
                    else amount * rate(base, currency, trade.close_utc_ms)
                    for amount, base in parts)  # fmt: skip
            return Fraction(units(sum(sums, Fraction(0)), None, ""), _E8)
        except LookupError:
            return Fraction(0)

    return Closed(
        trade.close_utc_ms, lots_of(trade), money("spread"), money("commission"), money("revenue")
    )
