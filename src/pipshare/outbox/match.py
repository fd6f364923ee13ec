"""Which receivers a message is for: entity, type, partner and the receiver's own filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pipshare.outbox.values import (
    OFF,
    PAUSED,
    POSTBACK,
    REMOVED,
    SWITCHED_OFF,
    TEST,
    WEBHOOK,
    Message,
    Receiver,
)

# Of persons who apply, of clients' documents: trackers have no business with them.
_NOT_TRACKERS = ("ib.", "kyc.")
COLLECTS_MS = 30 * 24 * 3600 * 1000  # so long what is said to one switched off is kept for him


def wants_type(events: Sequence[str], kind: str) -> bool:
    """Whether a list of types names `kind`: itself, or its group as commission.*; empty: all."""
    return not events or kind in events or f"{kind.partition('.')[0]}.*" in events


class Matcher:
    """The receivers, by what they want. Made once for as long as none of them changes."""

    def __init__(self, receivers: Iterable[Receiver]) -> None:
        self._by_id = {one.id: one for one in receivers if one.state != REMOVED}
        self._by_entity: dict[int, list[Receiver]] = {}
        for one in self._by_id.values():
            self._by_entity.setdefault(one.entity_id, []).append(one)
        self._found: dict[tuple[int, str], tuple[list[Receiver], dict[str, list[Receiver]]]] = {}

    def match(
        self, message: Message, receiver_id: int | None = None, now_ms: int = 0
    ) -> list[Receiver]:
        """Return whom a message is for; `receiver_id` is the only one who may get it, as a test."""
        if receiver_id is not None:
            only = self._by_id.get(receiver_id)
            return [only] if only else []
        everybodys, partners = self._of_type(message.entity_id, message.type)
        found = list(everybodys)
        if partners:
            for code in _named(message.data):
                found.extend(partners.get(code, ()))
        return [one for one in found if passes(one, message, now_ms)]

    def _of_type(
        self, entity_id: int, kind: str
    ) -> tuple[list[Receiver], dict[str, list[Receiver]]]:
        """Return who wants a type: those who hear everybody's, and a partner's own by his code."""
        key = entity_id, kind
        if key not in self._found:
            everybodys: list[Receiver] = []
            partners: dict[str, list[Receiver]] = {}
            for one in self._by_entity.get(entity_id, ()):
                if wants_type(one.settings.get("events", ()), kind):
                    (partners.setdefault(one.partner, []) if one.partner else everybodys).append(
                        one
                    )
            self._found[key] = everybodys, partners
        return self._found[key]


def passes(receiver: Receiver, message: Message, now_ms: int = 0) -> bool:
    """Whether a message that is of the receiver's types and partner passes its filters.

    A message without a country or an amount passes the filter for it: a registration has no amount,
    and is wanted by who wants deposits from 100 USD.
    """
    if message.type == SWITCHED_OFF:  # news for the broker's own systems, not for a tracker
        return receiver.kind == WEBHOOK and not receiver.partner and receiver.state != OFF
    if receiver.kind == POSTBACK and message.type.startswith(_NOT_TRACKERS):
        return False
    told_by = message.data.get("told_by")
    if told_by and told_by == receiver.settings.get("source"):
        return False  # it said so itself
    if receiver.state == OFF and now_ms - (receiver.off_at_ms or 0) > COLLECTS_MS:
        return False
    told, country = receiver.settings, message.data.get("country")
    if country and told.get("countries") and country not in told["countries"]:
        return False
    if country and country in told.get("not_countries", ()):
        return False
    if _knows_clicks_only(told) and message.type != TEST and not message.data.get("sub1"):
        return False
    return not told.get("minimum") or _enough(told["minimum"], receiver.partner, message.data)


def sends(receiver: Receiver) -> bool:
    """Whether what is due to a receiver is to be sent now."""
    return receiver.state not in (PAUSED, OFF, REMOVED)


def _knows_clicks_only(settings: Mapping[str, Any]) -> bool:
    """Whether it is a known tracker that takes its own click id, {sub1}, and refuses all else.

    A client who came by a typed code has none: each message of him would be a dead letter, and
    three days of such clients would switch the receiver off.
    """
    return bool(settings.get("preset")) and "{sub1}" in settings.get("url", "")


def _named(data: Mapping[str, Any]) -> Iterable[str]:
    """Return the partners whom a message names: the client's own, and who earned by it."""
    own, earned = data.get("partner"), data.get("earned") or {}
    return ({own: None} | dict.fromkeys(earned)) if own else earned


def _enough(minimum: Mapping[str, str], partner: str, data: Mapping[str, Any]) -> bool:
    """Whether an amount reaches the minimum of its currency; one without a minimum passes.

    The amount is what the receiver's partner earned by it, else the message's own.
    """
    worth = (data.get("earned") or {}).get(partner) or data
    amount, least = worth.get("amount"), minimum.get(worth.get("currency") or "")
    if amount is None or least is None:
        return True
    try:
        return Decimal(amount) >= Decimal(least)
    except InvalidOperation:
        return True
