"""What happens beside trading: agents paid, deposits, transfers, and now and then mischief."""

from __future__ import annotations

from collections.abc import Callable

from pipshare.sandbox.mt5.world import calls
from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.block import Row
from pipshare.sandbox.mt5.world.deal_json import (
    AGENT,
    BALANCE,
    BONUS,
    CHARGE,
    CORRECTION,
    CREDIT,
    DEALER,
    SO_COMPENSATION,
)
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.refused import Refused
from pipshare.sandbox.mt5.world.trading import Closed
from pipshare.sandbox.mt5.world.wall import offset_ms

_AGENT_CENTS_A_LOT = 200
_UNKNOWN_ACTIONS = (21, 22, 77)
_DIVIDEND, _COMMISSION_DAILY, _INTEREST = 15, 8, 12


def after_close(realm: Realm, utc_ms: int, closed: Closed) -> None:
    """Do what follows from a closing deal: pay an agent, make good a balance below zero."""
    accounts, account = realm.accounts, closed.account
    if accounts.agent[account]:
        _pay_agent(realm, closed, utc_ms + offset_ms(utc_ms))
    if accounts.balance[account] < 0:
        missing, wall_ms = -accounts.balance[account], utc_ms + offset_ms(utc_ms)
        realm.cash(account, SO_COMPENSATION, missing, "negative balance protection", wall_ms)
        realm.cash(account, BALANCE, accounts.first_deposit(account), "Deposit", wall_ms)


def happen(realm: Realm, utc_ms: int, ticket: int) -> None:
    """Perhaps let something happen: one close in fifty brings one."""
    roll = realm.dice.roll() >> 12  # 20 bits
    if roll >= _OF:
        return
    for chance, mischief, happening in _CHANCES:
        roll -= chance
        if roll < 0:
            if realm.size.mischief or not mischief:
                happening(realm, utc_ms, ticket)
            return


def _pay_agent(realm: Realm, closed: Closed, wall_ms: int) -> None:
    """Pay the platform's own agent commission, as it does at once."""
    agent = realm.accounts.number(realm.accounts.agent[closed.account])
    if agent is not None and agent not in realm.accounts.archived:
        comment = f"agent '{login_of(closed.account)}' - #{closed.ticket}"
        realm.cash(agent, AGENT, closed.lots * _AGENT_CENTS_A_LOT // 100, comment, wall_ms)


def _somebody(realm: Realm) -> int | None:
    try:
        return realm.accounts.number(calls.hedging_login(realm))
    except Refused:
        return None


def _cash(realm: Realm, utc_ms: int, action: int, cents: int, comment: str, reason: int) -> None:
    account = _somebody(realm)
    if account is not None and realm.accounts.balance[account] + cents >= 0:
        realm.cash(account, action, cents, comment, utc_ms + offset_ms(utc_ms), reason=reason)


def _deposit(realm: Realm, utc_ms: int, ticket: int) -> None:
    cents = (1 + realm.dice.below(40)) * 5_000
    if realm.dice.roll() & 3 == 0:
        _cash(realm, utc_ms, BALANCE, -cents, "Withdrawal", DEALER)
    else:
        _cash(realm, utc_ms, BALANCE, cents, "Deposit", DEALER)


def _transfer(realm: Realm, utc_ms: int, ticket: int) -> None:
    giver, taker = _somebody(realm), _somebody(realm)
    if giver is None or taker is None or giver == taker:
        return
    cents, wall_ms = realm.accounts.balance[giver] // 4, utc_ms + offset_ms(utc_ms)
    if cents > 0:
        to, source = login_of(taker), login_of(giver)
        realm.cash(giver, BALANCE, -cents, f"IT To {to}", wall_ms, reason=DEALER)
        realm.cash(taker, BALANCE, cents, f"IT From {source}", wall_ms, reason=DEALER)


def _other_cash(realm: Realm, utc_ms: int, ticket: int) -> None:
    action, comment = (
        (CHARGE, "inactivity fee"), (CORRECTION, "Roll Over Adjustment"), (BONUS, "welcome"),
        (_COMMISSION_DAILY, "daily"), (_INTEREST, "interest"), (_DIVIDEND, "US30 dividend"),
        (BALANCE, "Financing"),
    )[realm.dice.below(7)]  # fmt: skip
    sign = -1 if action in (CHARGE, _COMMISSION_DAILY) else 1
    _cash(realm, utc_ms, action, sign * (100 + realm.dice.below(2_000)), comment, DEALER)


def _credit(realm: Realm, utc_ms: int, ticket: int) -> None:
    account = _somebody(realm)
    if account is None:
        return
    credit = realm.accounts.credit
    cents = -credit[account] if credit[account] else 10_000
    credit[account] += cents
    realm.cash(account, CREDIT, cents, "Credit In" if cents > 0 else "Credit Out",
               utc_ms + offset_ms(utc_ms), reason=DEALER, counts=False)  # fmt: skip


def _unknown(realm: Realm, utc_ms: int, ticket: int) -> None:
    _cash(realm, utc_ms, _UNKNOWN_ACTIONS[realm.dice.below(3)], 500, "", DEALER)


def _register(realm: Realm, utc_ms: int, ticket: int) -> None:
    calls.open_account(realm, utc_ms)


def _earlier(realm: Realm, ticket: int) -> Row | None:
    """Draw a closing deal made some time ago; None = what was drawn is none (any more)."""
    row = realm.deals.find(ticket - realm.dice.below(2_000))
    if row is None or row.account in realm.accounts.archived:
        return None
    trade = b'"Action":"0"' in row.data or b'"Action":"1"' in row.data
    return row if trade and b'"Entry":"1"' in row.data else None


def _edit(realm: Realm, utc_ms: int, ticket: int) -> None:
    if (row := _earlier(realm, ticket)) is not None:
        calls.edit_deal(realm, utc_ms, row.ticket, {"Commission": "-1.25", "Comment": "adjusted"})


def _cancel(realm: Realm, utc_ms: int, ticket: int) -> None:
    if (row := _earlier(realm, ticket)) is not None:
        calls.cancel_deal(realm, utc_ms, row.ticket)


def _delete(realm: Realm, utc_ms: int, ticket: int) -> None:
    if (row := _earlier(realm, ticket)) is not None:
        calls.delete_deal(realm, utc_ms, row.ticket)


def _late(realm: Realm, utc_ms: int, ticket: int) -> None:
    account = _somebody(realm)
    if account is not None:
        calls.late_deal(realm, utc_ms, login_of(account), 60 + realm.dice.below(20_000))


def _archive(realm: Realm, utc_ms: int, ticket: int) -> None:
    account = _somebody(realm)
    if account is not None and not realm.positions.held(account):
        calls.archive_login(realm, utc_ms, login_of(account))


# Chances in 2^20 closes; whether it is mischief; what it is.
_CHANCES: tuple[tuple[int, bool, Callable[[Realm, int, int], None]], ...] = (
    (8_000, False, _deposit),
    (2_000, False, _transfer),
    (3_000, False, _other_cash),
    (1_000, False, _credit),
    (500, False, _register),
    (300, True, _unknown),
    (900, True, _edit),
    (300, True, _cancel),
    (150, True, _delete),
    (900, True, _late),
    (20, True, _archive),
)
_OF = sum(chance for chance, _, _ in _CHANCES)
