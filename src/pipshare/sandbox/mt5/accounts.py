"""Calls for accounts: user/*, their trade state, and balance operations."""

from __future__ import annotations

import re

from pipshare.sandbox.mt5 import retcodes
from pipshare.sandbox.mt5.asked import (
    Asked,
    Call,
    exactly_one,
    logins_of,
    many,
    one,
    total,
    written,
)
from pipshare.sandbox.mt5.retcodes import Refusal

COMMENT = 31  # 32 characters with the terminator; what is longer is cut without a word
BALANCE_TYPES = range(2, 7)  # balance, credit, charge, correction, bonus
# What a manager without "Access to personal data" gets as empty texts.
_PERSONAL = re.compile(
    rb'("(?:Name|FirstName|LastName|MiddleName|Company|City|State|ZipCode|Address|Phone|Email|ID'
    rb'|Status|Comment)"\s*:\s*)"(?:[^"\\]|\\.)*"'
)


def _seen(asked: Asked, record: bytes) -> bytes:
    if "personal" in asked.manager.rights:
        return record
    return re.sub(rb'("ApiData"\s*:\s*)\[[^\]]*\]', rb"\1[]", _PERSONAL.sub(rb'\1""', record))


def _get(asked: Asked) -> bytes:
    return _seen(asked, one(asked.world.user(asked.given.whole("login"))))


def _chosen(asked: Asked) -> list[int]:
    exactly_one(asked.given, "login", "group")
    logins = logins_of(asked)
    return asked.world.logins("*") if logins is None else logins


def _get_batch(asked: Asked) -> bytes:
    found = (asked.world.user(login) for login in _chosen(asked))
    return many([_seen(asked, record) for record in found if record is not None])


def _logins(asked: Asked) -> bytes:
    masks = ",".join(asked.given.words("group"))
    if not masks:
        raise Refusal(retcodes.BAD_PARAMETERS)
    return many([b'"%d"' % login for login in asked.world.logins(masks)])


def _total(asked: Asked) -> bytes:
    return total(len(asked.world.logins("*")))


def _account(asked: Asked) -> bytes:
    return one(asked.world.account(asked.given.whole("login")))


def _accounts(asked: Asked) -> bytes:
    found = (asked.world.account(login) for login in _chosen(asked))
    return many([record for record in found if record is not None])


def _balance(asked: Asked) -> bytes:
    """Credit or debit an account: money limits and the free margin are the world's to judge."""
    given = asked.given
    kind, amount = given.whole("type"), given.amount("balance")
    if kind not in BALANCE_TYPES:
        raise Refusal(retcodes.BAD_PARAMETERS)
    ticket = asked.world.balance(
        given.whole("login"),
        kind,
        amount,
        given.word("comment", "")[:COMMENT],
        check_margin=given.whole("check_margin", 1) != 0,
    )
    return written({"Ticket": str(ticket)})


CALLS: dict[str, Call] = {
    "/api/user/get": _get,
    "/api/user/get_batch": _get_batch,
    "/api/user/logins": _logins,
    "/api/user/total": _total,
    "/api/user/account/get": _account,
    "/api/user/account/get_batch": _accounts,
    "/api/trade/balance": _balance,
}
