"""Open and close positions: the deals that clients make.

An event is one deal, or two where a position is closed by another. Hedging groups open a position
a deal; netting groups add to the one they have, close it in part, or turn it round (INOUT).
"""

from __future__ import annotations

from typing import NamedTuple

from pipshare.sandbox.mt5.world.deal_json import (
    BUY,
    CLIENT,
    DEALER,
    EXPERT,
    IN,
    INOUT,
    MOBILE,
    OUT,
    OUT_BY,
    SELL,
    SL,
    TP,
    WEB,
)
from pipshare.sandbox.mt5.world.legs import FORMS, Leg, start_position, write_leg
from pipshare.sandbox.mt5.world.positions import Position
from pipshare.sandbox.mt5.world.price_list import GROUPS, WEEKDAY_SYMBOLS, WEEKEND_SYMBOLS
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.wall import is_weekend, offset_ms

_LOTS = (1, 1, 1, 2, 2, 5, 5, 10, 10, 10, 20, 20, 50, 100, 150, 300)  # hundredths
# Cents of balance for each hundredth of a lot that an account trades at most; one in thirty is
# reckless, and loses it all now and then.
_CAREFUL, _RECKLESS = 15_000, 300
_MOST = 5_000
_REASONS = (CLIENT,) * 9 + (MOBILE,) * 10 + (WEB,) * 4 + (EXPERT,) * 8 + (DEALER,)
_ADMINISTRATIVE = (6, 8, 11, 12, 13, 15, 18)
_UNKNOWN = (19, 20, 37)


def open_one(realm: Realm, utc_ms: int) -> None:
    """Let somebody open a position, or add to one."""
    account = _trader(realm)
    if account is not None:
        open_for(realm, account, utc_ms)


def open_for(realm: Realm, account: int, utc_ms: int) -> None:
    """Let an account open a position, or add to one."""
    wall_ms = utc_ms + offset_ms(utc_ms)
    weekend = is_weekend(wall_ms)
    group = realm.accounts.group[account]
    table = (WEEKEND_SYMBOLS if weekend else WEEKDAY_SYMBOLS)[group]
    quoted = table[realm.dice.below(len(table))]
    bits = realm.dice.roll()
    lots, buy = affordable(realm, account, _LOTS[bits & 15]), bool(bits & 16)
    reason = _REASONS[bits >> 8 & 31]
    held = realm.positions.held(account)
    if GROUPS[group].netting:
        for position in held:
            if position.quoted is quoted:
                _add(realm, position, lots, wall_ms, reason)
                return
    elif held and not bits & 0xE0 and (held[-1].quoted.crypto or not weekend):
        quoted, buy = held[-1].quoted, not held[-1].buy  # a hedge
    expert = 880_000 + account % 97 if reason == EXPERT else 0
    realm.positions.add(
        start_position(realm, account, quoted, buy, lots, wall_ms, reason, expert=expert)
    )


class Closed(NamedTuple):
    """What was closed: the (first) closing deal, its account, its lots in hundredths."""

    ticket: int
    account: int
    lots: int


def close_one(realm: Realm, utc_ms: int) -> Closed | None:
    """Let somebody close a position or a part of one; None = there was nothing to close."""
    wall_ms = utc_ms + offset_ms(utc_ms)
    position = realm.positions.draw(realm.dice, crypto_only=is_weekend(wall_ms))
    if position is None:
        open_one(realm, utc_ms)
        return None
    bits = realm.dice.roll()
    kind = bits & 15
    if GROUPS[realm.accounts.group[position.account]].netting:
        if kind < 3:
            lots = position.lots
            return Closed(_turn_round(realm, position, wall_ms), position.account, lots)
    elif kind < 2 and (other := _opposite(realm, position)) is not None:
        lots = min(position.lots, other.lots)
        return Closed(_close_by(realm, position, other, wall_ms), position.account, lots)
    lots = position.lots
    if kind > 12 and lots > 1:
        lots = 1 + realm.dice.below(lots - 1)
    return Closed(_close(realm, position, lots, wall_ms, bits >> 8), position.account, lots)


def close_for(realm: Realm, account: int, utc_ms: int) -> int | None:
    """Let an account close its oldest position; return the closing deal, None = there is none.

    At weekends only positions in crypto can be closed.
    """
    wall_ms = utc_ms + offset_ms(utc_ms)
    for position in realm.positions.held(account):
        if position.quoted.crypto or not is_weekend(wall_ms):
            return _close(realm, position, position.lots, wall_ms, realm.dice.roll() >> 8)
    return None


def _trader(realm: Realm) -> int | None:
    """Draw an account that is not archived; a few trade much, many a little."""
    count = len(realm.accounts)
    for _ in range(64):
        roll = realm.dice.roll()
        account = (roll * roll >> 32) * count >> 32
        if account not in realm.accounts.archived:
            return account
    return None


def affordable(realm: Realm, account: int, lots: int) -> int:
    """Return the lots that somebody with this balance and these positions would trade."""
    cents = _CAREFUL * (1 + len(realm.positions.held(account))) if account % 30 else _RECKLESS
    return max(1, min(lots, realm.accounts.balance[account] // cents))


def _add(realm: Realm, position: Position, lots: int, wall_ms: int, reason: int) -> None:
    """Add to a netting position: its price becomes the average."""
    lots = min(lots, _MOST - position.lots)
    if lots <= 0:
        return
    bid, price = _market(realm, position, opening=position.buy)
    leg = Leg(realm.order(), BUY if position.buy else SELL, IN, reason, wall_ms, bid, price, lots)
    write_leg(realm, position, leg)
    total = position.lots + lots
    position.points = (position.points * position.lots + price * lots + total // 2) // total
    position.lots = total


def _close(realm: Realm, position: Position, lots: int, wall_ms: int, bits: int) -> int:
    bid, price = _market(realm, position, opening=not position.buy)
    reason, comment = _why(position, price, bits)
    if realm.size.mischief and bits & 0xFFF000 == 0:
        reason = _UNKNOWN[(bits & 0xFFF) % 3] if bits & 1 else _ADMINISTRATIVE[(bits & 0xFFF) % 7]
        comment = b""
    action = SELL if position.buy else BUY
    leg = Leg(realm.order(), action, OUT, reason, wall_ms, bid, price, lots, lots, comment)
    ticket = write_leg(realm, position, leg)
    position.lots -= lots
    if not position.lots:
        realm.positions.remove(position)
    return ticket


def _why(position: Position, price: int, bits: int) -> tuple[int, bytes]:
    """Return reason and comment of a close: a stop, if the position has one and it fits."""
    gains = price > position.points if position.buy else price < position.points
    text = FORMS[position.quoted.number - 1].price(price)
    if position.ticket & 1 and not gains and bits & 1:
        return SL, b"[sl %b]" % text
    if position.ticket & 2 and gains and bits & 1:
        return TP, b"[tp %b]" % text
    return (EXPERT if position.expert else _REASONS[bits >> 1 & 31]), b""


def _turn_round(realm: Realm, position: Position, wall_ms: int) -> int:
    """Close a netting position and open the opposite one, in one deal and under one number."""
    bid, price = _market(realm, position, opening=not position.buy)
    more = affordable(realm, position.account, _LOTS[realm.dice.roll() & 15])
    leg = Leg(
        realm.order(), SELL if position.buy else BUY, INOUT, CLIENT, wall_ms, bid, price,
        position.lots + more, position.lots,
    )  # fmt: skip
    ticket = write_leg(realm, position, leg)
    position.buy, position.lots = not position.buy, more
    position.points, position.time_s = price, wall_ms // 1000
    return ticket


def _opposite(realm: Realm, position: Position) -> Position | None:
    for other in realm.positions.held(position.account):
        if other.quoted is position.quoted and other.buy != position.buy:
            return other
    return None


def _close_by(realm: Realm, position: Position, other: Position, wall_ms: int) -> int:
    """Close a position by an opposite one: both at the other's price, so that one has all gain."""
    bid, _ = _market(realm, position, opening=True)
    lots, price, order = min(position.lots, other.lots), other.points, realm.order()
    tickets = []
    for mine, against in ((position, other), (other, position)):
        leg = Leg(
            order, SELL if mine.buy else BUY, OUT_BY, CLIENT, wall_ms, bid, price, lots, lots,
            b"close by #%d" % against.ticket,
        )  # fmt: skip
        tickets.append(write_leg(realm, mine, leg))
    for mine in (position, other):
        mine.lots -= lots
        if not mine.lots:
            realm.positions.remove(mine)
    return tickets[0]


def _market(realm: Realm, position: Position, *, opening: bool) -> tuple[int, int]:
    """Return the bid, and the price at which one buys (`opening` True) or sells now, in points."""
    quoted = position.quoted
    bid = realm.prices.move(quoted.market, realm.dice.roll())
    return bid, bid + quoted.spread if opening else bid
