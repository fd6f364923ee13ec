"""Postbacks in: what somebody's site or tracker tells of a client, as a typed value.

Pure. The kinds are the last part of the address `/s2s/...`. An identity is (tracker, kind, txid);
a client registers once, and trades for the first time once, so these two may go without a txid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from pipshare.errors import BadInput
from pipshare.money import is_currency, parse_e8
from pipshare.period import to_ms
from pipshare.tracking.postback_fields import Fault, Fields

REGISTRATION, DEPOSIT, FIRST_TRADE, TRADE, WITHDRAWAL, REVERSAL = KINDS = (
    "registration", "deposit", "first-trade", "trade", "withdrawal", "reversal",
)  # fmt: skip
MONEY = (DEPOSIT, WITHDRAWAL, REVERSAL)  # for which a tracker may be made authoritative
AHEAD_MS = 10 * 60 * 1000  # two machines' clocks differ; what is further ahead has not happened
_ONCE = (REGISTRATION, FIRST_TRADE)
_EARLIEST_MS = 946_684_800_000  # 2000-01-01: an earlier moment is a mistake
_COUNTRY = re.compile("[A-Z]{2}")
# A plus sign that was not encoded arrives as a space.
_LOST_PLUS = re.compile(r"(T\d\d:?\d\d\S*) (\d\d:?\d\d)")
_EPOCH = re.compile(r"\d{10}(\d{3})?")


@dataclass(frozen=True)
class Postback:
    """One postback. Texts are "" where not told; `amount_e8` is 0 then, `at_ms` None.

    `of`: what a reversal takes back, DEPOSIT or WITHDRAWAL; `reference`: its txid.
    """

    kind: str
    txid: str
    at_ms: int | None = None
    client: str = ""
    click_id: str = ""
    partner: str = ""
    amount_e8: int = 0
    currency: str = ""
    reference: str = ""
    of: str = ""
    country: str = ""
    method: str = ""
    entity: str = ""

    @property
    def content(self) -> int:
        """Return a fingerprint of what a repeat has to say again, the same for ever.

        When it happened, and how it was paid, is not in it: senders tell that anew each time.
        """
        told = (self.client, self.click_id, self.partner, str(self.amount_e8), self.currency,
                self.reference, self.of)  # fmt: skip
        digest = blake2b("\0".join(told).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)


def postback_of(kind: str, fields: Fields, now_ms: int) -> Postback | Fault:
    """Type what was read; return the first thing that is wrong with it instead."""
    told = fields.told
    if fields.fault is not None:
        return fields.fault
    try:
        made = Postback(
            kind=kind,
            txid=told.get("txid", "") or _once(kind, told),
            at_ms=_moment(told.get("at", ""), now_ms),
            client=told.get("client", ""),
            click_id=told.get("click_id", ""),
            partner=told.get("partner", ""),
            amount_e8=_amount(told.get("amount", "")),
            currency=_currency(told.get("currency", "")),
            reference=told.get("reference", ""),
            of=_of(kind, told.get("of", "")),
            country=_country(told.get("country", "")),
            method=told.get("method", ""),
            entity=told.get("entity", ""),
        )
    except BadInput as error:
        return Fault(error.code, error.message)
    return _lacking(made) or made


def _once(kind: str, told: Mapping[str, str]) -> str:
    """Return whose the postback is, where that happens once to everybody."""
    return told.get("client", "") or told.get("click_id", "") if kind in _ONCE else ""


def _lacking(made: Postback) -> Fault | None:
    """Return what a postback of this kind needs and does not say."""
    if made.kind == REGISTRATION and not made.client:
        return Fault(
            "missing_client",
            "a registration needs the field client: the client's code in the broker's system,"
            " under which his deposits and accounts come",
        )
    if not made.txid:
        return Fault("missing_txid", f"a {made.kind} needs the field txid: its own number at the"
                     " sender, by which a repeat is told from another one")  # fmt: skip
    if made.kind == REVERSAL:
        if not made.reference:
            return Fault(
                "missing_reference",
                "a reversal needs the field reference: the txid of the deposit (with of=withdrawal:"
                " of the withdrawal) that it takes back",
            )
    elif not (made.client or made.click_id):
        return Fault("nobody", f"a {made.kind} needs the field client or click_id: nothing says"
                               " whose it is")  # fmt: skip
    if made.kind in (DEPOSIT, WITHDRAWAL) and not made.amount_e8:
        return Fault("missing_amount", f"a {made.kind} needs the field amount, more than zero")
    if made.amount_e8 and not made.currency:
        return Fault("missing_currency", "an amount needs the field currency, for example USD")
    return None


def _amount(text: str) -> int:
    if not text:
        return 0
    try:
        units = parse_e8(text)
    except BadInput as error:
        code = "bad_amount" if error.code == "not_a_number" else error.code
        raise BadInput(code, f"field amount: {error.message}; write 1000.50, without separators of"
                             " thousands and without a currency sign") from None  # fmt: skip
    if units < 0:
        raise BadInput("negative_amount", f"field amount: {text} is below zero; the kind says which"
                       " way money went, the amount is more than zero")  # fmt: skip
    return units


def _currency(text: str) -> str:
    code = text.upper()
    if code and not is_currency(code):
        raise BadInput("bad_currency", f"field currency: {text!r} is no code such as USD")
    return code


def _country(text: str) -> str:
    code = text.upper()
    if code and not _COUNTRY.fullmatch(code):
        raise BadInput("bad_country", f"field country: {text!r} is not a two-letter code of ISO"
                                      " 3166 such as CY")  # fmt: skip
    return code


def _of(kind: str, text: str) -> str:
    if kind != REVERSAL:
        return ""
    word = text.lower() or DEPOSIT
    if word not in (DEPOSIT, WITHDRAWAL):
        raise BadInput("bad_of", f"field of: {text!r}; a reversal is of a deposit or a withdrawal")
    return word


def _moment(text: str, now_ms: int) -> int | None:
    """Read ISO 8601 with a zone, or seconds or milliseconds since 1970."""
    if not text:
        return None
    if found := _EPOCH.fullmatch(text):
        at = int(text) * (1 if found[1] else 1000)
    else:
        try:
            moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise BadInput("bad_moment", f"field at: {text!r} is not a moment with a zone such as"
                           " 2026-03-02T10:00:00Z, nor seconds since 1970")  # fmt: skip
        at = to_ms(moment)
    if at > now_ms + AHEAD_MS:
        raise BadInput("in_the_future", f"field at: {text} has not happened yet; check the clock"
                                        " and the zone of the sender")  # fmt: skip
    if at < _EARLIEST_MS:
        raise BadInput("bad_moment", f"field at: {text} is before the year 2000")
    return at
