"""What is done to the world from outside, by the moment at which it is done.

Each function changes the realm and nothing else, so that the same calls after the same events
give the same world again. Raises Refused as the trade server would.
"""

from __future__ import annotations

import json

from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.block import Row, Wanted
from pipshare.sandbox.mt5.world.deal_json import (
    BALANCE,
    BUY,
    BUY_CANCELED,
    CLIENT,
    DEALER,
    OUT,
    SELL,
    SELL_CANCELED,
    compact,
)
from pipshare.sandbox.mt5.world.legs import Leg, start_position, write_leg
from pipshare.sandbox.mt5.world.masks import fits
from pipshare.sandbox.mt5.world.price_list import GROUP_NUMBERS, GROUPS, WEEKDAY_SYMBOLS
from pipshare.sandbox.mt5.world.realm import NO_SYMBOL, Realm
from pipshare.sandbox.mt5.world.refused import NOT_FOUND, PARAMS, Refused
from pipshare.sandbox.mt5.world.trading import close_for, open_for
from pipshare.sandbox.mt5.world.wall import DAY_MS, is_weekend, offset_ms

_BY_MANAGER = "2"  # ModificationFlags


def edit_deal(realm: Realm, utc_ms: int, ticket: int, fields: dict[str, str]) -> None:
    """Change fields of a deal, as a manager may; balances stay as they are."""
    row = _deal(realm, ticket)
    record = json.loads(row.data)
    unknown = sorted(set(fields) - set(record) | ({"Deal"} & set(fields)))
    if unknown:
        raise Refused(PARAMS, f"Invalid parameters: a deal has no {', '.join(unknown)} to edit")
    if not all(str(fields.get(name, "0")).isdigit() for name in ("Login", "Time")):
        raise Refused(PARAMS, "Invalid parameters: Login and Time are whole numbers")
    record |= {"ModificationFlags": _BY_MANAGER} | {n: str(value) for n, value in fields.items()}
    _rewrite(realm, row, record)


def cancel_deal(realm: Realm, utc_ms: int, ticket: int) -> int:
    """Cancel a trade: its action changes, its profit becomes 0, a balance deal takes that back.

    Return the ticket of the balance deal.
    """
    row = _deal(realm, ticket)
    record = json.loads(row.data)
    if int(record["Action"]) not in (BUY, SELL):
        raise Refused(PARAMS, f"Invalid parameters: deal {ticket} is not a trade")
    cents = int(record["Profit"].replace(".", ""))
    action = BUY_CANCELED if int(record["Action"]) == BUY else SELL_CANCELED
    record |= {"Action": str(action), "Profit": "0.00", "ProfitRaw": "0.00",
               "ModificationFlags": _BY_MANAGER}  # fmt: skip
    _rewrite(realm, row, record)
    wall_ms = utc_ms + offset_ms(utc_ms)
    return realm.cash(row.account, BALANCE, -cents, f"Cancel deal #{ticket}", wall_ms,
                      dealer=7, reason=DEALER)  # fmt: skip


def delete_deal(realm: Realm, utc_ms: int, ticket: int) -> None:
    """Delete a deal for good: nobody finds it any more."""
    _deal(realm, ticket)
    realm.deals.change(ticket, None)


def archive_login(realm: Realm, utc_ms: int, login: int) -> None:
    """Archive an account: it and its deals are out of sight, and it trades no more."""
    account = _account(realm, login)
    realm.accounts.archived.add(account)
    realm.accounts.changed()
    for position in list(realm.positions.held(account)):
        realm.positions.remove(position)


def hide_group(realm: Realm, utc_ms: int, mask: str) -> None:
    """Take groups away from what the manager may see."""
    realm.accounts.masks.append(mask)
    realm.accounts.changed()


def show_group(realm: Realm, utc_ms: int, mask: str) -> None:
    """Give groups back that `hide_group` hid, and others hidden from the start."""
    kept = [hidden for hidden in realm.accounts.masks if hidden != mask and not fits(hidden, mask)]
    realm.accounts.masks = kept
    realm.accounts.changed()


def compact_history(realm: Realm, utc_ms: int, login: int, before_s: int) -> int:
    """Replace an account's deals before a server time by one balance deal; return its ticket."""
    account = _account(realm, login)
    mask = realm.accounts.visible() & False
    mask[account] = True
    total = 0
    for data in realm.deals.select(Wanted(0, before_s - 1, mask)):
        record = json.loads(data)
        for name in ("Profit", "Storage", "Commission", "Fee"):
            total += int(record[name].replace(".", ""))
        realm.deals.change(int(record["Deal"]), None)
    return realm.cash(account, BALANCE, total, "History compacted", (before_s - 1) * 1000,
                      counts=False)  # fmt: skip


def edit_user(realm: Realm, utc_ms: int, login: int, fields: dict[str, str]) -> None:
    """Change a user: Group and Agent too."""
    account = _account(realm, login)
    group = fields.get("Group")
    if group is not None and group not in GROUP_NUMBERS:
        raise Refused(NOT_FOUND, f"Not found: there is no group {group}")
    if not fields.get("Agent", "0").isdigit():
        raise Refused(PARAMS, "Invalid parameters: Agent is a login")
    realm.accounts.edit(account, {name: str(value) for name, value in fields.items()})


def open_account(realm: Realm, utc_ms: int) -> int:
    """Open one more account, with a deposit; return its login."""
    account = realm.accounts.open()
    wall_ms = utc_ms + offset_ms(utc_ms)
    realm.accounts.edit(account, {"Registration": str(wall_ms // 1000)})
    realm.cash(account, BALANCE, realm.accounts.first_deposit(account), "Deposit", wall_ms)
    return login_of(account)


def open_trade(realm: Realm, utc_ms: int, login: int) -> int:
    """Let an account open a position at the market; return its deal."""
    open_for(realm, _account(realm, login), utc_ms)
    return realm.next_deal - 1


def close_trade(realm: Realm, utc_ms: int, login: int) -> int:
    """Let an account close its oldest position at the market; return its deal."""
    ticket = close_for(realm, _account(realm, login), utc_ms)
    if ticket is None:
        raise Refused(NOT_FOUND, f"Not found: account {login} has nothing to close now")
    return ticket


def burst(realm: Realm, utc_ms: int, rate_milli: int, seconds: int) -> None:
    """Let so many positions (in thousandths a second) be closed for some time from now on."""
    start = utc_ms * 1_000_000
    realm.spans.append((start, start + seconds * 1_000_000_000, rate_milli, False))
    realm.next_ns = max(start, min(realm.next_ns, start + 500_000_000_000 // max(1, rate_milli)))


def late_deal(realm: Realm, utc_ms: int, login: int | None, seconds: int) -> int:
    """Let a trade arrive now that was closed `seconds` ago; return its closing deal.

    Without a login it is somebody's. What would fall on a weekend is as many days older.
    """
    account = _account(realm, hedging_login(realm) if login is None else login)
    held = 1_000 * (30 + realm.dice.below(3_600))
    then = utc_ms - seconds * 1000
    while is_weekend(then + offset_ms(then)) or is_weekend(then - held + offset_ms(then)):
        then -= DAY_MS
    wall_ms = then + offset_ms(then)
    table = WEEKDAY_SYMBOLS[realm.accounts.group[account]]
    quoted = table[realm.dice.below(len(table))]
    position = start_position(realm, account, quoted, True, 10, wall_ms - held, CLIENT)
    bid = realm.prices.move(quoted.market, realm.dice.roll())
    leg = Leg(realm.order(), SELL, OUT, 9, wall_ms, bid, bid, 10, 10, b"gateway sync")
    return write_leg(realm, position, leg)


def hedging_login(realm: Realm) -> int:
    """Return the login of some account at work that may hold several positions of a symbol."""
    for _ in range(64):
        account = realm.dice.below(len(realm.accounts))
        group = GROUPS[realm.accounts.group[account]]
        if account not in realm.accounts.archived and not group.netting:
            return login_of(account)
    raise Refused(NOT_FOUND, "Not found: hardly an account is left that trades")


def _deal(realm: Realm, ticket: int) -> Row:
    row = realm.deals.find(ticket)
    if row is None:
        raise Refused(NOT_FOUND, f"Not found: there is no deal {ticket}")
    return row


def _account(realm: Realm, login: int) -> int:
    account = realm.accounts.number(login)
    if account is None or account in realm.accounts.archived:
        raise Refused(NOT_FOUND, f"Not found: there is no account {login}")
    return account


def _rewrite(realm: Realm, row: Row, record: dict[str, object]) -> None:
    account = _account(realm, int(str(record["Login"])))
    name = str(record["Symbol"])
    symbol = realm.symbol_number(name) if name else NO_SYMBOL
    realm.deals.change(
        row.ticket, Row(row.ticket, account, int(str(record["Time"])), symbol, compact(record))
    )
