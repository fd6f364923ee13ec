"""The first day: accounts with their deposits, and positions opened long before."""

from __future__ import annotations

from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.deal_json import BALANCE, CLIENT
from pipshare.sandbox.mt5.world.legs import FORMS, start_position
from pipshare.sandbox.mt5.world.price_list import GROUPS, WEEKDAY_SYMBOLS
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.trading import affordable
from pipshare.sandbox.mt5.world.wall import DAY_MS, is_weekend, offset_ms

_OLD_BUILD_MS = 60 * DAY_MS  # deals older than this may be of a server that kept no quotes
_LOTS = (1, 2, 5, 10, 10, 20, 50, 100)


def begin(realm: Realm) -> None:
    """Write the deals of the time before the first start, in their order."""
    moments = [
        (realm.start_ms - 1000 * realm.accounts.age_s(account), account, False)
        for account in range(len(realm.accounts))
    ]
    for number in range(open_positions(realm)):
        moments.append((_opened(realm, number), number, True))
    moments.sort()
    for utc_ms, number, trade in moments:
        wall_ms = utc_ms + offset_ms(utc_ms)
        if trade:
            _old_position(realm, wall_ms, realm.start_ms - utc_ms)
        else:
            cents = realm.accounts.first_deposit(number)
            realm.cash(number, BALANCE, cents, "Deposit", wall_ms)
    _pending_orders(realm)


def open_positions(realm: Realm) -> int:
    """Return how many positions are open at any time."""
    if realm.size.positions is not None:
        return realm.size.positions
    # How long one is held on average follows from this and the rate: an hour, at usual rates.
    wanted = max(int(realm.size.rate * 3_600), min(400, 2 * realm.size.logins))
    return min(30_000, 10 * realm.size.logins, wanted)


def _opened(realm: Realm, number: int) -> int:
    """Draw when a position was opened: most within two days, some months ago, on weekdays."""
    days = 2 if number % 4 else 120
    while True:
        utc_ms = realm.start_ms - 1 - realm.dice.roll() * days * DAY_MS // 2**32
        if not is_weekend(utc_ms + offset_ms(utc_ms)):
            return utc_ms
        days = min(120, days + 1)


def _old_position(realm: Realm, wall_ms: int, age_ms: int) -> None:
    dice, accounts = realm.dice, realm.accounts
    account = dice.below(len(accounts))
    group = accounts.group[account]
    table = WEEKDAY_SYMBOLS[group]
    quoted = table[dice.below(len(table))]
    if GROUPS[group].netting and any(
        held.quoted is quoted for held in realm.positions.held(account)
    ):
        return
    bits = dice.roll()
    lots = affordable(realm, account, _LOTS[bits & 7])
    spread_out = quoted.spec.step * 10
    bid = quoted.spec.price + dice.below(2 * spread_out) - spread_out
    realm.positions.add(start_position(
        realm, account, quoted, bool(bits & 8), lots, wall_ms, CLIENT,
        bid=bid, quotes=age_ms < _OLD_BUILD_MS or bool(bits & 16),
    ))  # fmt: skip


def _pending_orders(realm: Realm) -> None:
    """Let one account in forty wait for a price."""
    for account in range(5, len(realm.accounts), 40):
        table = WEEKDAY_SYMBOLS[realm.accounts.group[account]]
        quoted = table[realm.dice.below(len(table))]
        price = FORMS[quoted.number - 1].price(quoted.spec.price * 49 // 50).decode()
        setup = realm.start_ms + offset_ms(realm.start_ms) - 3_600_000 * (1 + account % 40)
        realm.pending.append({
            "Order": str(realm.order()), "Login": str(login_of(account)), "Symbol": quoted.name,
            "Digits": str(quoted.digits), "TimeSetup": str(setup // 1000), "Type": "2",
            "State": "1", "PriceOrder": price, "VolumeInitial": "1000", "VolumeCurrent": "1000",
            "VolumeInitialExt": "10000000", "VolumeCurrentExt": "10000000", "Reason": "0",
            "PositionID": "0", "Comment": "",
        })  # fmt: skip
