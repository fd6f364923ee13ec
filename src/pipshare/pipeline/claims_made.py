"""The claims that postbacks make: codes and clicks, with whoever stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare import inbox, partners
from pipshare.attribution.claims import DAY_MS, Claim, Rules, Via
from pipshare.facts.clicks import HUMAN, Click
from pipshare.inbox.postbacks_due import DuePostback
from pipshare.inbox.trackers import Tracker
from pipshare.tracking.postbacks import REGISTRATION

_PARTNERS = "SELECT id, entity_id, code FROM partners_partner WHERE id = ANY(%s)"


@dataclass
class Made:
    """Claims by client; the rules by entity; partners' entities and codes by id."""

    claims: dict[int, list[Claim]] = field(default_factory=dict)
    rules: dict[int, Rules] = field(default_factory=dict)
    entities: dict[int, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)

    def partners(self) -> list[int]:
        """Return everybody who is claimed to have introduced somebody."""
        found = {one.partner for some in self.claims.values() for one in some}
        return sorted(one for one in found if one is not None)


def claims_of(
    conn: psycopg.Connection[Any], due: Sequence[DuePostback],
    client_of: Callable[[DuePostback], int], moments: Mapping[int, int],
    trackers: Mapping[int, Tracker],
) -> Made:  # fmt: skip
    """Return the claims of postbacks; `moments`: when each client registered (UTC ms)."""
    made = Made()
    claiming = [one for one in due if one.click or one.partner]
    if not claiming:
        return made
    found: dict[int, dict[str, int]] = {}
    for entity in {one.entity_id for one in claiming}:
        held = partners.tracking_settings(conn, entity)
        made.rules[entity] = Rules(held.model, held.window_days)
        codes = sorted({one.partner for one in claiming if one.entity_id == entity and one.partner})
        found[entity] = partners.by_typed_code(conn, entity, codes) if codes else {}
    ids = sorted({one.click for one in claiming if one.click})
    clicks = inbox.clicks_of(conn, ids) if ids else {}
    others = _of_visitors(conn, clicks, made, moments)
    behind = {click.partner_id for click in clicks.values()}
    behind |= {click.partner_id for some in others.values() for click in some}
    behind |= {partner for some in found.values() for partner in some.values()}
    for id_, entity, code in conn.execute(_PARTNERS, (sorted(behind),)).fetchall():
        made.entities[id_], made.codes[id_] = entity, code
    for one in claiming:
        mine = made.claims.setdefault(client_of(one), [])
        source = trackers[one.tracker_id].source
        if one.partner:
            mine.append(_of_code(one, source, found[one.entity_id].get(one.partner), made))
        if one.click:
            mine += _of_click(one, source, clicks.get(one.click), others, made)
    return made


def _of_visitors(
    conn: psycopg.Connection[Any], clicks: Mapping[str, Click], made: Made,
    moments: Mapping[int, int],
) -> dict[str, list[Click]]:  # fmt: skip
    """Return by visitor the clicks of people, as far back as the longest window looks."""
    visitors = sorted({click.visitor for click in clicks.values() if click.visitor})
    if not visitors:
        return {}
    windows = [rules.window_days for rules in made.rules.values()]
    since = 0 if 0 in windows else max(min(moments.values()) - max(windows) * DAY_MS, 0)
    found = inbox.clicks_of_visitors(conn, visitors, since)
    return {who: [one for one in some if one.kind == HUMAN] for who, some in found.items()}


def _of_code(one: DuePostback, source: str, partner: int | None, made: Made) -> Claim:
    return Claim(
        Via.PARTNER_CODE, one.partner, partner, None if partner is None else made.entities[partner],
        one.happened_ms, source, one.id, first_hand=one.kind == REGISTRATION,
    )  # fmt: skip


def _of_click(
    one: DuePostback, source: str, click: Click | None, others: Mapping[str, Sequence[Click]],
    made: Made,
) -> list[Claim]:  # fmt: skip
    """Return the claim of the click that was told, and those of the same visitor's other ones."""
    first_hand = one.kind == REGISTRATION
    if click is None:
        return [Claim(Via.CLICK, one.click, None, None, one.happened_ms, source, one.id,
                      first_hand=first_hand)]  # fmt: skip
    beside = [other for other in others.get(click.visitor, ()) if other.id != click.id]
    return [
        Claim(
            Via.CLICK, each.id, each.partner_id, made.entities.get(each.partner_id), each.at_ms,
            source, one.id, first_hand=first_hand, is_visitors=each is not click,
            is_archived=each.is_archived,
        )
        for each in [click, *beside]
    ]  # fmt: skip
