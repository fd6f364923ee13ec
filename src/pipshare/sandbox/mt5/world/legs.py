"""Write the deals of positions: profit, swap and commission worked out in whole cents."""

from __future__ import annotations

from typing import NamedTuple

from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.block import Row
from pipshare.sandbox.mt5.world.deal_json import BUY, IN, OUT, SELL, SL, SO, TP, Form, eight, money
from pipshare.sandbox.mt5.world.positions import Position
from pipshare.sandbox.mt5.world.price_list import GROUPS, SYMBOLS, Group, Quoted
from pipshare.sandbox.mt5.world.prices import ONE
from pipshare.sandbox.mt5.world.realm import Realm

FORMS = [Form(quoted) for quoted in SYMBOLS]
_DAY_S = 86_400
_CLIENTS_OWN = frozenset((0, 1, 10, 16, 17))


class Leg(NamedTuple):
    """A deal of a position: `lots` traded, of which `closed` close it; prices in points.

    `quotes` False leaves out bid and ask, as deals of old server builds do.
    """

    order: int
    action: int
    entry: int
    reason: int
    wall_ms: int
    bid: int
    price: int
    lots: int
    closed: int = 0
    comment: bytes = b""
    quotes: bool = True


def rounded(value: int, unit: int) -> int:
    """Divide, rounding half away from zero as the platform does."""
    if value < 0:
        return -((unit - 2 * value) // (2 * unit))
    return (2 * value + unit) // (2 * unit)


def write_leg(realm: Realm, position: Position, leg: Leg) -> int:
    """Write a deal, settle it on the balance, and return its ticket."""
    quoted, account = position.quoted, position.account
    accounts, prices = realm.accounts, realm.prices
    group = GROUPS[accounts.group[account]]
    rate = prices.rate(quoted.profit, group.currency)
    raw = profit = storage = opened = 0
    reason, comment = leg.reason, leg.comment
    if leg.closed:
        opened = position.points
        gain = leg.price - opened if position.buy else opened - leg.price
        raw = rounded(gain * leg.closed * quoted.contract, quoted.unit)
        profit = rounded(raw * rate, ONE)
        storage = _swap(position, leg)
    commission = _commission(group, leg) if group.commission else 0
    fee = -rounded(group.fee * leg.lots, 100) if group.fee else 0
    after = accounts.balance[account] + profit + storage + commission + fee
    accounts.balance[account] = after
    if after < 0 and leg.entry == OUT and reason in _CLIENTS_OWN:
        reason, comment = SO, b"so 0.00%%/%b/0.00" % money(after)
    ticket = realm.ticket()
    data = _json(ticket, position, leg, reason, comment, (
        raw, profit, storage, commission, fee, opened, rate,
        prices.rate(quoted.margin, group.currency),
    ))  # fmt: skip
    realm.deals.add(Row(ticket, account, leg.wall_ms // 1000, quoted.number, data))
    return ticket


def start_position(
    realm: Realm, account: int, quoted: Quoted, buy: bool, lots: int, wall_ms: int, reason: int,
    *, expert: int = 0, bid: int | None = None, quotes: bool = True,
) -> Position:  # fmt: skip
    """Open a position, at the market unless `bid` says otherwise, and write its deal."""
    if bid is None:
        bid = realm.prices.move(quoted.market, realm.dice.roll())
    price = bid + quoted.spread if buy else bid
    position = Position(
        realm.order(), account, quoted, buy, lots, price, wall_ms // 1000, expert
    )  # fmt: skip
    write_leg(realm, position, Leg(
        position.ticket, BUY if buy else SELL, IN, reason, wall_ms, bid, price, lots,
        quotes=quotes,
    ))  # fmt: skip
    return position


def stops(position: Position) -> tuple[int, int]:
    """Return a position's stop loss and take profit in points, 0 = none: by its ticket."""
    away = position.quoted.spec.step * (30 if position.buy else -30)
    loss = position.points - away if position.ticket & 1 else 0
    gain = position.points + away * 3 // 2 if position.ticket & 2 else 0
    return loss, gain


def _swap(position: Position, leg: Leg) -> int:
    nights = leg.wall_ms // 1000 // _DAY_S - position.time_s // _DAY_S
    if not nights:
        return 0
    spec = position.quoted.spec
    return rounded(nights * leg.closed * (spec.swap_buy if position.buy else spec.swap_sell), 100)


def _commission(group: Group, leg: Leg) -> int:
    charged = leg.lots if group.both else leg.lots - leg.closed
    return -rounded(group.commission * charged, 100)


def _json(
    ticket: int, position: Position, leg: Leg, reason: int, comment: bytes, sums: tuple[int, ...]
) -> bytes:
    quoted = position.quoted
    form = FORMS[quoted.number - 1]
    price, zero = form.price, form.zero
    raw, profit, storage, commission, fee, opened, rate, margin = sums
    loss, gain = stops(position)
    if reason == SL:
        loss = leg.price
    elif reason == TP:
        gain = leg.price
    ours = 1 if leg.action == BUY else -1  # what the broker adds to the provider's price
    value = rounded(leg.lots * quoted.contract * leg.price * rate, quoted.unit * ONE)
    return form.template % (
        ticket,
        b"LP%d" % leg.order if quoted.gateway else b"",
        login_of(position.account),
        7 if reason == 2 else 0,
        leg.order,
        leg.action,
        leg.entry,
        reason,
        leg.wall_ms // 1000,
        leg.wall_ms,
        price(leg.price),
        leg.lots * 100,
        leg.lots * 1_000_000,
        money(profit),
        money(storage),
        money(commission),
        money(fee),
        eight(rate),
        eight(margin),
        position.expert,
        position.ticket,
        comment,
        money(raw),
        price(opened) if opened else zero,
        price(loss) if loss else zero,
        price(gain) if gain else zero,
        leg.closed * 100,
        leg.closed * 1_000_000,
        price(leg.price - ours) if quoted.gateway else zero,
        money(value),
        price(leg.bid) if leg.quotes else zero,
        price(leg.bid + quoted.spread) if leg.quotes else zero,
    )
