"""What a rule of a mapping may tell: kinds of events, of records beside them, and their fields.

Events are those of facts.events. Beside them stand an account that was opened, a client whose data
changed, a claim alone: that somebody is a partner's client; and introducing brokers (ib.*).
"""

from __future__ import annotations

from difflib import get_close_matches

from pipshare.facts.events import ALSO, ALWAYS, ANY, KINDS, KYC_CHANGED, EventKind
from pipshare.facts.fields import FIELDS

REGISTRATION = "registration"
ACCOUNT, UPDATED, CLAIMED = "account.opened", "client.updated", "client.claimed"
_IB = ("partner", "name", "email", "company", "country", "phone", "website")
RECORDS: dict[str, EventKind] = {
    ACCOUNT: EventKind("a trading account was opened for the client",
                       ("client", "server", "login"), ("group", "currency")),
    UPDATED: EventKind("the client's data changed", ("client",), ("country",)),
    CLAIMED: EventKind("says whose client somebody is, and nothing else", ("client",)),
    "ib.applied": EventKind("somebody applied to become a partner", ("ib", "name"),
                            (*_IB, "parent", "currency")),
    "ib.approved": EventKind("he is a partner now, under the code `partner`, else under `ib`",
                             ("ib",), (*_IB, "parent", "currency", "programme", "tier")),
    "ib.rejected": EventKind("his application was rejected", ("ib",), ("reason", "name")),
    "ib.tier_changed": EventKind("he has another programme or rate card from then on", ("ib",),
                                 ("partner", "programme", "tier", "effective_at", "reason")),
}  # fmt: skip
# What says by which way a client came; attribution.claims has the order among them.
CLAIMS = {
    "click_id": "the click's id that our redirect added to the landing page",
    "link": "code of the partner's link",
    "partner_code": "the partner's code as the client typed it",
    "crm_field": "the partner's code in the CRM's own field",
    "tag": "the tag as it was written, for example a524-b12-p1",
    "tag_partner": "code of the partner whom the tag names",
}
# Kinds that take money, which some systems write below zero.
OUT = ("withdrawal", "deposit_reversed", "bonus_removed", "payment_fee", "chargeback_opened",
       "chargeback_lost", "chargeback_won")  # fmt: skip
FIELD_TYPES = {one.name: one.type for one in FIELDS["events"]} | dict.fromkeys(
    ("group", "ib", "name", "email", "company", "phone", "website", "parent", "programme", "tier"),
    "text",
)
CLAIMING = (REGISTRATION, ACCOUNT, UPDATED, CLAIMED)  # kinds that may carry claims


def is_of_ib(kind: str) -> bool:
    """Tell whether a kind is about an introducing broker, and names no client."""
    return kind.startswith("ib.")


def kind_of(name: str) -> str | None:
    """Return the canonical name of a kind, None for a name that is none."""
    told = name.strip().lower()
    told = ALSO.get(told, told)
    return told if told in KINDS or told in RECORDS or told == KYC_CHANGED else None


def needs(kind: str) -> tuple[str, ...]:
    """Return the fields that a kind must have, besides its client or account."""
    if kind == KYC_CHANGED:
        return (*ALWAYS, "status")
    return (*ALWAYS, *{**KINDS, **RECORDS}[kind].needs)


def fields_of(kind: str) -> frozenset[str]:
    """Return the fields that a kind may have, those of claims included."""
    claims = CLAIMS if kind in CLAIMING else {}
    if kind == KYC_CHANGED:
        return frozenset((*needs(kind), *KINDS["kyc_approved"].may, *ANY))
    return frozenset((*needs(kind), *{**KINDS, **RECORDS}[kind].may, *ANY, *claims)) - {"kind"}


def close_to(word: str, known: list[str]) -> str:
    """Return a hint at the name that was probably meant, and all that there are."""
    close = get_close_matches(word, known, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"{hint}; there are {', '.join(known)}"
