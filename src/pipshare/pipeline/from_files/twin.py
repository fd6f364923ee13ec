"""The scalar twin over files: the same trades rated by hand, with the working of every line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipshare import rating
from pipshare.errors import Missing
from pipshare.market.fx import CENT_ID, DEAL_ID
from pipshare.money import format_e8
from pipshare.period import Clock
from pipshare.pipeline.from_files.outcome import Result
from pipshare.pipeline.from_files.rate import entity_trades
from pipshare.pipeline.from_files.twin_clients import client_facts
from pipshare.pipeline.from_files.windows import given_of
from pipshare.pipeline.from_files.world import Files, World, read_world
from pipshare.rating.columns import QUOTE_SOURCES, TradeColumns
from pipshare.rating.places import Dated
from pipshare.rating.twin import BrokerDay, ManyResult, rate_many
from pipshare.rating.twin_values import Fx, OwnRate, Partner, TradeFacts
from pipshare.rating.windows.given import PlacedTrades

_SAME = (
    "side", "open_price_e8", "close_price_e8", "open_bid_e8", "open_ask_e8", "close_bid_e8",
    "close_ask_e8", "partial", "close_by", "account", "registered_ms", "kyc_held", "negative",
    "snapshot_age_ms", "server", "ticket",
)  # fmt: skip
_OR_UNKNOWN = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")


@dataclass(frozen=True)
class ByHand:
    """What the twin makes of an entity's trades and events; `names` are the trades' tickets."""

    world: World
    names: list[str]
    result: ManyResult


def rate_by_hand(files: Files) -> list[ByHand]:
    """Rate the files' trades and events with the twin, in canonical order; by entity."""
    world = read_world(files)
    return [_entity_by_hand(world, entity) for entity in world.entities()]


def _entity_by_hand(world: World, entity: str) -> ByHand:
    trades, names = entity_trades(world, entity, Result())
    given = given_of(world, entity, trades)
    told = facts(world, given.placed)
    day, fx = broker_day(world.clock(entity)), exchange(world)
    events = client_facts(world, given, told, fx, day)
    return ByHand(world, names, rate_many(told, fx, day, events=events, building_only=False))


def explain_trade(files: Files, ticket: str) -> list[dict[str, Any]]:
    """Return the lines of one trade with their working. Raises Missing for an unknown ticket."""
    by_entity = rate_by_hand(files)
    done = next((one for one in by_entity if ticket in one.names), by_entity[0])
    if ticket not in done.names:
        every = done.world.trades["name"].to_list() if len(done.world.trades) else []
        why = "nobody earns from it, or it waits" if ticket in every else "the file has no such one"
        raise Missing("no_trade", f"no lines of trade {ticket}: {why}")
    codes = dict(zip(done.world.partners.ids.tolist(), done.world.partners.codes, strict=True))
    place_ = done.names.index(ticket)
    return [
        {
            "component": line.component, "level": line.level,
            "partner": codes.get(line.partner_id, "the client"),
            "amount": format_e8(line.amount_e8), "currency": line.wallet,
            "reason": line.reason.name.lower(), "waits": line.wait.word if line.wait else None,
            "working": [{"step": step.label, "value": step.text} for step in line.working],
        }
        for line in (one.line for one in done.result.lines if one.place == place_)
    ]  # fmt: skip


def facts(world: World, trades: PlacedTrades) -> list[tuple[TradeFacts, tuple[Partner, ...]]]:
    """Return each trade and its chain as the twin takes them."""
    chains = {
        number: rating.chain_facts(trades.chains[number], world.book, world.partners)
        for number in set(trades.trades.chain.tolist())
    }
    return [
        (_facts(trades, at), chains[int(trades.trades.chain[at])])
        for at in range(len(trades.trades))
    ]


def _facts(placed: PlacedTrades, at: int) -> TradeFacts:
    trades = placed.trades
    symbol = placed.symbols[int(trades.symbol[at])]
    group = placed.groups[int(trades.group[at])]
    close = int(trades.close_utc_ms[at])
    held, opened = int(trades.hold_ms[at]), _get(trades, "open_utc_ms", at, 0)
    currency = _name(trades.account_currencies, _get(trades, "currency", at, -1))
    qualified = _get(trades, "qualified_ms", at, 0)
    bottom = _get(trades, "bonus_bottom", at, 0)
    client = int(trades.client[at])
    return TradeFacts(
        lots_e8=int(trades.lots_e8[at]),
        hold_ms=None if held < 0 else held,
        close_utc_ms=close,
        client_id=None if client < 0 else client,
        cancelled=bool(_get(trades, "cancelled", at, False)),
        symbol_name=symbol.name,
        symbol_group=symbol.symbol_group,
        symbol_known=symbol.known,
        group_name=group.name,
        account_type=group.account_type,
        lot_factor=group.lot_factor,
        own=_own(trades, at),
        open_utc_ms=opened or None,
        open_quote=QUOTE_SOURCES[_get(trades, "open_quote", at, 0)],
        close_quote=QUOTE_SOURCES[_get(trades, "close_quote", at, 0)],
        typical_points=_dated(symbol.typical, group.name, close),
        markup_points=_dated(symbol.markup, group.name, close),
        deal_reason=_get(trades, "reason", at, -1),
        currency=currency or group.currency,
        country=_name(trades.countries, _get(trades, "country", at, -1)),
        qualified_ms=None if qualified < 0 else qualified,
        bonus=Fraction(_get(trades, "bonus_top", at, 0), bottom) if bottom else None,
        book="made" if _get(trades, "book", at, 0) else "passed",
        digits=symbol.digits,
        contract_e8=_get(trades, "contract_e8", at, 0) or symbol.contract_e8,
        pip_points=symbol.pip_points,
        calc=symbol.calc,
        tick_size_e8=symbol.tick_size_e8,
        tick_value_e8=symbol.tick_value_e8,
        profit_currency=symbol.currency,
        **{name: _get(trades, name, at, 0) for name in _SAME},
        **{name: _get(trades, name, at, None) for name in _OR_UNKNOWN},
    )


def _get(trades: TradeColumns, name: str, at: int, unknown: Any) -> Any:
    column = getattr(trades, name)
    return unknown if column is None else column[at].item()


def _name(names: tuple[str, ...], place: int) -> str:
    return "" if place < 0 else names[place]


def _dated(table: tuple[Dated, ...], group: str, close: int) -> Fraction | None:
    """Return what holds: the group's own row before one for any, the latest of those begun."""
    begun = [row for row in table if row.from_ms <= close
             and row.group.casefold() in ("", group.casefold())]  # fmt: skip
    best = max(begun, key=lambda row: (row.group != "", row.from_ms), default=None)
    return None if best is None else best.points


def _own(trades: TradeColumns, at: int) -> OwnRate | None:
    own = trades.own
    if own is None or own.rate_e8[at] <= 0:
        return None
    base, quote = _name(own.bases, int(own.base[at])), _name(own.quotes, int(own.quote[at]))
    if not base or not quote:
        return None
    rate = Fraction(int(own.rate_e8[at]), 10**8)
    return OwnRate(base, quote, rate, DEAL_ID, f"ticket {_get(trades, 'ticket', at, 0)}")


def exchange(world: World) -> Fx:
    """Return the twin's way to the exchange rates of the files."""

    def find(
        base: str, quote: str, utc_ms: int, side: str = "mid"
    ) -> tuple[Fraction, int, str] | None:
        found = world.fx.find(base, quote, utc_ms, *(() if side == "mid" else (side,)))
        if found is None:
            return None
        source = "(by definition)" if abs(found[1]) in (0, CENT_ID) else "(from the file)"
        return (*found, source)

    return find


def broker_day(clock: Clock) -> BrokerDay:
    """Return the broker's day as the twin knows it."""
    return BrokerDay(clock.zone, clock.shift_ms)
