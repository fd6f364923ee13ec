"""Balance operations as `trade/balance` does them: checks, limits, and the deal."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from pipshare.sandbox.mt5.world.deal_json import BALANCE, BONUS, CREDIT, DEALER
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.records import free_cents
from pipshare.sandbox.mt5.world.refused import MONEY_LIMIT, NO_MONEY, NOT_FOUND, PARAMS, Refused
from pipshare.sandbox.mt5.world.wall import offset_ms

MOST = 1_000_000_000
COMMENT = 31


def cents_of(action: int, amount: Decimal) -> int:
    """Return the cents of an amount. Raises Refused: 3 for what is none, 4005 over the limit."""
    if action not in range(BALANCE, BONUS + 1) or not amount.is_finite():
        raise Refused(PARAMS)
    if abs(amount) > MOST:
        raise Refused(MONEY_LIMIT)
    cents = int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))
    if not cents:
        raise Refused(PARAMS)
    return cents


def operate(
    realm: Realm, utc_ms: int, login: int, action: int, cents: int, comment: str, check: bool
) -> int:
    """Move money or credit on an account; return the deal's ticket.

    With `check`, what is taken may not be more than the account's free margin, or its credit:
    Refused 10019. An account out of sight: Refused 13. The comment is cut to 31 characters.
    """
    account = realm.accounts.seen(login)
    if account is None:
        raise Refused(NOT_FOUND)
    credit = action == CREDIT
    if check and cents < 0:
        has = realm.accounts.credit[account] if credit else free_cents(realm, account)
        if -cents > has or (not credit and -cents > realm.accounts.balance[account]):
            raise Refused(NO_MONEY)
    if credit:
        realm.accounts.credit[account] += cents
    return realm.cash(
        account, action, cents, comment[:COMMENT], utc_ms + offset_ms(utc_ms),
        dealer=7, reason=DEALER, counts=not credit,
    )  # fmt: skip
