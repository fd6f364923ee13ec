"""What is wrong with a postback by what is known: its click, its client, its partner, its deposit.

A postback is refused where nothing of it can be used; what one of its claims lacks is noted, and
decided when the claim is settled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import inbox, partners
from pipshare.attribution.claims import SKEW_MS
from pipshare.facts.clicks import click_ms, is_click_id
from pipshare.inbox.postbacks import Before
from pipshare.inbox.trackers import Tracker
from pipshare.money.currencies import is_known
from pipshare.period import from_ms
from pipshare.pipeline.claims_named import reversal_fault
from pipshare.tracking.postback_fields import Fault
from pipshare.tracking.postbacks import AHEAD_MS, MONEY, REGISTRATION, REVERSAL, Postback

# One row for each postback asked about. By LATERAL: each is looked up by an index of its own.
_LOOK_UP = """
SELECT t.id, t.entity_id, e.code, t.code, t.networks, t.money, t.state, t.digest, t.secret,
       b.id, b.content, b.currency, b.amount_e8, b.client, b.click,
       c.partner_id, p.entity_id, c.is_archived, k.id IS NOT NULL, r.id IS NOT NULL, r.partner_id
  FROM json_to_recordset(%s::json)
       u (n int, digest text, kind text, txid text, click text, client text)
  LEFT JOIN inbox_tracker t ON t.digest = decode(u.digest, 'hex') AND t.state = 'active'
  LEFT JOIN market_entity e ON e.id = t.entity_id
  LEFT JOIN LATERAL (SELECT id, content, currency, amount_e8, client, click FROM inbox_postback
                      WHERE tracker_id = t.id AND kind = u.kind AND txid = u.txid
                        AND verdict = 'accepted' LIMIT 1) b ON true
  LEFT JOIN LATERAL (SELECT partner_id, is_archived FROM inbox_click
                      WHERE id = u.click LIMIT 1) c ON true
  LEFT JOIN partners_partner p ON p.id = c.partner_id
  LEFT JOIN LATERAL (SELECT id FROM clients_client
                      WHERE entity_id = t.entity_id AND code = u.client LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT id, partner_id FROM partners_client
                      WHERE client_id = k.id AND valid_from <= now() AND now() < valid_to
                      ORDER BY id DESC LIMIT 1) r ON true
 ORDER BY u.n
"""
_IN_USE = """
SELECT base FROM market_fx WHERE base = ANY(%(odd)s)
UNION SELECT quote FROM market_fx WHERE quote = ANY(%(odd)s)
UNION SELECT currency FROM partners_partner WHERE currency = ANY(%(odd)s)
UNION SELECT currency FROM market_entity WHERE currency = ANY(%(odd)s)
"""
_NOBODY = Postback("", "")


@dataclass
class Found:
    """What is known of everything that one postback names.

    `before`: accepted with the same identity; `click`: whose the click is, as (partner, his entity,
    whether the link was archived); `in_force`: the client's partner while `is_settled`, None =
    direct; `coded`: whom the partner code stands for; `original`: what a reversal takes back.
    """

    tracker: Tracker | None
    before: Before | None
    click: tuple[int, int, bool] | None
    is_client: bool
    is_settled: bool
    in_force: int | None
    coded: int | None = None
    original: Before | None = None
    is_strange: bool = False  # nobody has heard of the currency yet


def look_up(
    conn: psycopg.Connection[Any], asked: Sequence[tuple[bytes, Postback | None]]
) -> list[Found]:  # fmt: skip
    """Read what is known of postbacks, in their order: a token's digest and what it came with.

    Almost always one statement: it stands between a sender and his answer.
    """
    rows = []
    for n, (digest, one) in enumerate(asked):
        told = one or _NOBODY
        rows.append({"n": n, "digest": digest.hex(), "kind": told.kind, "txid": told.txid,
                     "click": told.click_id, "client": told.client})  # fmt: skip
    found = [_found(row) for row in conn.execute(_LOOK_UP, (json.dumps(rows),)).fetchall()]
    pairs = [(known, told) for known, (_, told) in zip(found, asked, strict=True)
             if told is not None and known.tracker is not None]  # fmt: skip
    _add_codes(conn, pairs)
    _add_originals(conn, pairs)
    _add_strange(conn, pairs)
    return found


def _found(row: tuple[Any, ...]) -> Found:
    tracker, before, click = row[:9], row[9:15], row[15:18]
    return Found(
        None if tracker[0] is None else inbox.Tracker.of_row(tracker),
        None if before[0] is None else Before(*before),
        None if click[0] is None else click,
        *row[18:],
    )


Pairs = Sequence[tuple[Found, Postback]]


def _add_codes(conn: psycopg.Connection[Any], pairs: Pairs) -> None:
    told: dict[int, set[str]] = {}
    for known, one in pairs:
        if one.partner and known.tracker is not None:
            told.setdefault(known.tracker.entity_id, set()).add(one.partner)
    for entity, codes in told.items():
        whose = partners.by_typed_code(conn, entity, sorted(codes))
        for known, one in pairs:
            if known.tracker is not None and known.tracker.entity_id == entity:
                known.coded = whose.get(one.partner)


def _add_originals(conn: psycopg.Connection[Any], pairs: Pairs) -> None:
    referred = {(known.tracker.id, one.of, one.reference): known for known, one in pairs
                if one.kind == REVERSAL and known.tracker is not None}  # fmt: skip
    if not referred:
        return
    originals = inbox.accepted_before(conn, referred)
    for known, one in pairs:
        if known.tracker is not None:
            known.original = originals.get((known.tracker.id, one.of, one.reference))


def _add_strange(conn: psycopg.Connection[Any], pairs: Pairs) -> None:
    """Mark whose currency is neither well known nor in use here."""
    odd = {one.currency for _, one in pairs if one.currency and not is_known(one.currency)}
    if odd:
        odd -= {code for (code,) in conn.execute(_IN_USE, {"odd": list(odd)})}
        for known, one in pairs:
            known.is_strange = one.currency in odd


def fault_of(tracker: Tracker, told: Postback, now_ms: int, known: Found) -> Fault | None:
    """Return why a postback is refused, None when it is accepted."""
    if told.entity and told.entity != tracker.entity:
        return Fault("other_entity", f"tracker {tracker.code} belongs to entity {tracker.entity},"
                     f" not to {told.entity}: use that one's own token")  # fmt: skip
    if known.is_strange:
        return Fault("unknown_currency", f"field currency: nothing is known of {told.currency}: put"
                     " it right, or load a rate of it first (`pipshare load fx`)")  # fmt: skip
    if told.kind == REVERSAL:
        wrong = known.original and reversal_fault(
            told.client, told.amount_e8, told.currency, known.original
        )
        return Fault(wrong[0], f"{told.of} {told.reference}: {wrong[1]}") if wrong else None
    faults = _claims(tracker, told, now_ms, known)
    is_sound = bool(told.click_id) + bool(told.partner) > len(faults)
    # A registration of somebody unknown is not taken without what it claims: sent again without
    # that, it makes him known.
    stands_alone = known.is_client or bool(told.client and told.kind != REGISTRATION)
    if faults and not is_sound and not stands_alone:
        return faults[0]
    return _of_another(told, known) if told.kind == REGISTRATION else None


def note_of(tracker: Tracker, told: Postback, now_ms: int, known: Found) -> tuple[str, str]:
    """Return what an accepted postback's sender may want to know: a word and a sentence, or ""s."""
    if told.kind != REVERSAL:
        faults = _claims(tracker, told, now_ms, known)
        if faults:
            return faults[0].code, f"taken, without this claim: {faults[0].detail}"
        if known.click is not None and known.click[2]:
            return "link_archived", "taken, without this claim: its link was archived by then"
        other = _of_another(told, known)
        if other is not None:
            return other.code, f"taken, and nothing is re-attributed: {other.detail}"
    elif known.original is None:
        return "waits", f"no {told.of} {told.reference} came yet: it waits for that"
    if told.kind in MONEY and told.kind not in tracker.money:
        return "attribution_only", (
            f"{told.kind}s of tracker {tracker.code} book nothing: the broker did not make it"
            " authoritative for them"
        )
    return "", ""


def _claims(tracker: Tracker, told: Postback, now_ms: int, known: Found) -> list[Fault]:
    """Return what is wrong with the click and the partner code that a postback names."""
    found = []
    if told.partner and known.coded is None:
        found.append(Fault("unknown_partner", f"no partner of entity {tracker.entity} has the code"
                                              f" {told.partner}"))  # fmt: skip
    if told.click_id and (wrong := _of_click(tracker, told, now_ms, known)):
        found.append(wrong)
    return found


def _of_click(tracker: Tracker, told: Postback, now_ms: int, known: Found) -> Fault | None:
    if known.click is None:
        if is_click_id(told.click_id) and click_ms(told.click_id) > now_ms + AHEAD_MS:
            return Fault("click_in_the_future", f"click {told.click_id} would have been made in the"
                         " future, by its id: it is none of ours")  # fmt: skip
        return Fault("unknown_click", f"nobody clicked under the id {told.click_id}: pass on the"
                     " click id that came with the visitor, unchanged")  # fmt: skip
    if known.click[1] != tracker.entity_id:
        return Fault("other_entity", f"click {told.click_id} was on a link of another entity's"
                     f" partner: tracker {tracker.code} belongs to {tracker.entity}")  # fmt: skip
    clicked = click_ms(told.click_id)
    if told.kind == REGISTRATION and told.at_ms is not None and clicked > told.at_ms + SKEW_MS:
        return Fault(
            "click_after_registration",
            f"click {told.click_id} was made at {from_ms(clicked).isoformat()}, after the"
            f" registration at {from_ms(told.at_ms).isoformat()}: it did not bring the client",
        )
    return None


def _of_another(told: Postback, known: Found) -> Fault | None:
    """Tell that the client is another partner's, for life."""
    claimed = known.coded or (known.click[0] if known.click else None)
    if not known.is_settled or claimed is None or claimed == known.in_force:
        return None
    whose = "was declared direct" if known.in_force is None else "is another partner's already"
    return Fault("client_of_another_partner", f"client {told.client} {whose}, for life: only the"
                 " broker's own people re-assign")  # fmt: skip
