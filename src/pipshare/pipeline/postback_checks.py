"""What is wrong with a postback by what is known: its click, its client, its partner, its deposit.

A postback is refused where nothing of it can be used; what one of its claims lacks is noted, and
decided when the claim is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare import inbox, partners
from pipshare.attribution.claims import SKEW_MS
from pipshare.facts.clicks import Click, click_ms, is_click_id
from pipshare.inbox.postbacks import Before, Identity
from pipshare.inbox.trackers import Tracker
from pipshare.money.currencies import is_known
from pipshare.period import from_ms
from pipshare.pipeline.claims_named import reversal_fault
from pipshare.tracking.postback_fields import Fault
from pipshare.tracking.postbacks import AHEAD_MS, MONEY, REGISTRATION, REVERSAL, Postback

Key = tuple[int, str]  # entity, code
_CLIENTS = """
SELECT u.entity_id, u.code, r.id IS NOT NULL, r.partner_id
  FROM unnest(%s::int[], %s::text[]) u (entity_id, code)
  JOIN clients_client c ON c.entity_id = u.entity_id AND c.code = u.code
  LEFT JOIN LATERAL (SELECT id, partner_id FROM partners_client
                      WHERE client_id = c.id AND valid_from <= now() AND now() < valid_to
                      ORDER BY id DESC LIMIT 1) r ON true
"""
_IN_USE = """
SELECT base FROM market_fx WHERE base = ANY(%(odd)s)
UNION SELECT quote FROM market_fx WHERE quote = ANY(%(odd)s)
UNION SELECT currency FROM partners_partner WHERE currency = ANY(%(odd)s)
UNION SELECT currency FROM market_entity WHERE currency = ANY(%(odd)s)
"""
_ENTITIES = "SELECT id, entity_id FROM partners_partner WHERE id = ANY(%s)"
Asked = Sequence[tuple[Tracker, Postback]]


@dataclass(frozen=True)
class Known:
    """What is known of everything that some postbacks name.

    `clients`: whether a relation is in force, and the partner's id (None = direct). `strange`:
    currencies of which nobody has heard yet.
    """

    clicks: dict[str, Click] = field(default_factory=dict)
    clients: dict[Key, tuple[bool, int | None]] = field(default_factory=dict)
    codes: dict[Key, int] = field(default_factory=dict)
    entities: dict[int, int] = field(default_factory=dict)
    originals: dict[Identity, Before] = field(default_factory=dict)
    strange: frozenset[str] = frozenset()


def look_up(conn: psycopg.Connection[Any], asked: Asked) -> Known:
    """Read what is known of the clicks, clients, codes and originals that postbacks name."""
    ids = {one.click_id for _, one in asked if one.click_id}
    clicks = inbox.clicks_of(conn, sorted(ids)) if ids else {}
    codes = _codes(conn, asked)
    behind = {one.partner_id for one in clicks.values()}
    referred = {(t.id, one.of, one.reference) for t, one in asked if one.kind == REVERSAL}
    return Known(
        clicks, _clients(conn, asked), codes,
        dict(conn.execute(_ENTITIES, (list(behind),)).fetchall()) if behind else {},
        inbox.accepted_before(conn, referred), _strange(conn, asked),
    )  # fmt: skip


def _clients(
    conn: psycopg.Connection[Any], asked: Asked
) -> dict[Key, tuple[bool, int | None]]:  # fmt: skip
    keys = sorted({(t.entity_id, one.client) for t, one in asked if one.client})
    if not keys:
        return {}
    columns = [list(column) for column in zip(*keys, strict=True)]
    found = conn.execute(_CLIENTS, columns).fetchall()
    return {(entity, code): (is_settled, partner) for entity, code, is_settled, partner in found}


def _strange(conn: psycopg.Connection[Any], asked: Asked) -> frozenset[str]:
    """Return the currencies named that are neither well known nor in use here."""
    odd = {one.currency for _, one in asked if one.currency and not is_known(one.currency)}
    if not odd:
        return frozenset()
    return frozenset(odd - {code for (code,) in conn.execute(_IN_USE, {"odd": list(odd)})})


def _codes(conn: psycopg.Connection[Any], asked: Asked) -> dict[Key, int]:
    told: dict[int, set[str]] = {}
    for tracker, one in asked:
        if one.partner:
            told.setdefault(tracker.entity_id, set()).add(one.partner)
    return {
        (entity, code): partner
        for entity, codes in told.items()
        for code, partner in partners.by_typed_code(conn, entity, sorted(codes)).items()
    }


def fault_of(tracker: Tracker, told: Postback, now_ms: int, known: Known) -> Fault | None:
    """Return why a postback is refused, None when it is accepted."""
    if told.entity and told.entity != tracker.entity:
        return Fault("other_entity", f"tracker {tracker.code} belongs to entity {tracker.entity},"
                     f" not to {told.entity}: use that one's own token")  # fmt: skip
    if told.currency in known.strange:
        return Fault("unknown_currency", f"field currency: nothing is known of {told.currency}: put"
                     " it right, or load a rate of it first (`pipshare load fx`)")  # fmt: skip
    if told.kind == REVERSAL:
        return _of_reversal(told, known.originals.get((tracker.id, told.of, told.reference)))
    wrong = _claims(tracker, told, now_ms, known)
    sound = len([one for one in (told.click_id, told.partner) if one]) - len(wrong)
    is_client = (tracker.entity_id, told.client) in known.clients
    if wrong and not sound and not _stands_alone(told, is_client=is_client):
        return wrong[0]
    if told.kind == REGISTRATION:
        return _of_another(tracker, told, known)
    return None


def note_of(tracker: Tracker, told: Postback, now_ms: int, known: Known) -> tuple[str, str]:
    """Return what an accepted postback's sender may want to know: a word and a sentence, or ""s."""
    wrong = _claims(tracker, told, now_ms, known) if told.kind != REVERSAL else []
    if wrong:
        return wrong[0].code, f"taken, without this claim: {wrong[0].detail}"
    click = known.clicks.get(told.click_id)
    if click is not None and click.is_archived:
        return (
            "link_archived",
            "taken, without this claim: its link was archived by then",
        )
    other = _of_another(tracker, told, known)
    if other is not None:
        return other.code, f"taken, and nothing is re-attributed: {other.detail}"
    if told.kind == REVERSAL and (tracker.id, told.of, told.reference) not in known.originals:
        return "waits", f"no {told.of} {told.reference} came yet: it waits for that"
    if told.kind in MONEY and told.kind not in tracker.money:
        return "attribution_only", (
            f"{told.kind}s of tracker {tracker.code} book nothing: the broker did not make it"
            " authoritative for them"
        )
    return "", ""


def _stands_alone(told: Postback, *, is_client: bool) -> bool:
    """Tell whether a postback is of use without what it claims.

    A registration of somebody unknown is not: sent again without the claim it makes him known.
    """
    return is_client or bool(told.client and told.kind != REGISTRATION)


def _claims(tracker: Tracker, told: Postback, now_ms: int, known: Known) -> list[Fault]:
    """Return what is wrong with the click and the partner code that a postback names."""
    found = []
    if told.partner and (tracker.entity_id, told.partner) not in known.codes:
        found.append(Fault("unknown_partner", f"no partner of entity {tracker.entity} has the code"
                                              f" {told.partner}"))  # fmt: skip
    if told.click_id and (wrong := _of_click(tracker, told, now_ms, known)):
        found.append(wrong)
    return found


def _of_click(tracker: Tracker, told: Postback, now_ms: int, known: Known) -> Fault | None:
    click = known.clicks.get(told.click_id)
    if click is None:
        if is_click_id(told.click_id) and click_ms(told.click_id) > now_ms + AHEAD_MS:
            return Fault("click_in_the_future", f"click {told.click_id} would have been made in the"
                         " future, by its id: it is none of ours")  # fmt: skip
        return Fault("unknown_click", f"nobody clicked under the id {told.click_id}: pass on the"
                     " click id that came with the visitor, unchanged")  # fmt: skip
    if known.entities.get(click.partner_id) != tracker.entity_id:
        return Fault("other_entity", f"click {click.id} was on a link of another entity's partner:"
                     f" tracker {tracker.code} belongs to {tracker.entity}")  # fmt: skip
    if told.kind == REGISTRATION and told.at_ms is not None and click.at_ms > told.at_ms + SKEW_MS:
        return Fault(
            "click_after_registration",
            f"click {click.id} was made at {from_ms(click.at_ms).isoformat()}, after the"
            f" registration at {from_ms(told.at_ms).isoformat()}: it did not bring the client",
        )
    return None


def _of_another(tracker: Tracker, told: Postback, known: Known) -> Fault | None:
    """Tell that the client is another partner's, for life."""
    is_settled, partner = known.clients.get((tracker.entity_id, told.client), (False, None))
    if not is_settled:
        return None
    click = known.clicks.get(told.click_id)
    claimed = known.codes.get((tracker.entity_id, told.partner),
                              None if click is None else click.partner_id)  # fmt: skip
    if claimed is None or claimed == partner:
        return None
    whose = "was declared direct" if partner is None else "is another partner's already"
    return Fault("client_of_another_partner", f"client {told.client} {whose}, for life: only the"
                 " broker's own people re-assign")  # fmt: skip


def _of_reversal(told: Postback, original: Before | None) -> Fault | None:
    wrong = original and reversal_fault(told.client, told.amount_e8, told.currency, original)
    return Fault(wrong[0], f"{told.of} {told.reference}: {wrong[1]}") if wrong else None
