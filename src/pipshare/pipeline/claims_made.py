"""The claims that postbacks and CRMs make: codes, clicks, links and tags, and who stands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg

from pipshare import inbox, partners
from pipshare.attribution.claims import DAY_MS, Claim, Rules, Via
from pipshare.facts.clicks import HUMAN, Click

_PARTNERS = "SELECT id, entity_id, code FROM partners_partner WHERE id = ANY(%s)"


@dataclass(frozen=True)
class Telling:
    """What somebody says of whose client a known client is; texts are "" where not told.

    `source` and `id` name who says so and where: s2s:<tracker> and the postback, or crm:<endpoint>
    and the event. `happened_ms` is UTC.
    """

    id: str
    source: str
    entity_id: int
    entity: str
    client_id: int
    client: str
    happened_ms: int
    is_registration: bool
    click: str = ""
    partner_code: str = ""
    link: str = ""
    crm_field: str = ""
    tag: str = ""
    tag_partner: str = ""

    @property
    def claims_anything(self) -> bool:
        """Tell whether there is anything in it to decide on."""
        return any((self.click, self.link, *(code for _, _, code in self.codes)))

    @cached_property
    def codes(self) -> list[tuple[Via, str, str]]:
        """Return the partners' codes that it names: by which way, as it was written, the code."""
        told = (
            (Via.CRM, self.crm_field, self.crm_field),
            (Via.PARTNER_CODE, self.partner_code, self.partner_code),
            (Via.TAG, self.tag or self.tag_partner, self.tag_partner or self.tag),
        )
        return [one for one in told if one[2]]


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
    conn: psycopg.Connection[Any], told: Sequence[Telling], moments: Mapping[int, int]
) -> Made:
    """Return the claims in what was told; `moments`: when each client registered (UTC ms)."""
    made = Made()
    claiming = [one for one in told if one.claims_anything]
    if not claiming:
        return made
    found = _by_code(conn, claiming, made)
    links = partners.find_links(conn, sorted({one.link for one in claiming if one.link}))
    ids = sorted({one.click for one in claiming if one.click})
    clicks = inbox.clicks_of(conn, ids) if ids else {}
    others = _of_visitors(conn, clicks, made, moments)
    behind = {click.partner_id for click in clicks.values()}
    behind |= {click.partner_id for some in others.values() for click in some}
    behind |= {partner for some in found.values() for partner in some.values()}
    behind |= {link.partner_id for link in links.values()}
    for id_, entity, code in conn.execute(_PARTNERS, (sorted(behind),)).fetchall():
        made.entities[id_], made.codes[id_] = entity, code
    for one in claiming:
        mine = made.claims.setdefault(one.client_id, [])
        for via, evidence, code in one.codes:
            mine.append(_of_code(one, via, evidence, found[one.entity_id].get(code), made))
        if one.click:
            mine += _of_click(one, clicks.get(one.click), others, made)
        if one.link:
            link = links.get(one.link)
            partner = None if link is None else link.partner_id
            is_archived = link is not None and link.state != partners.ACTIVE
            mine.append(_of_code(one, Via.LINK, one.link, partner, made, is_archived))
    return made


def _by_code(
    conn: psycopg.Connection[Any], claiming: Sequence[Telling], made: Made
) -> dict[int, dict[str, int]]:
    """Return by entity whose codes were named; keep the entities' rules."""
    found: dict[int, dict[str, int]] = {}
    for entity in {one.entity_id for one in claiming}:
        held = partners.tracking_settings(conn, entity)
        made.rules[entity] = Rules(held.model, held.window_days)
        codes = {code for one in claiming if one.entity_id == entity for _, _, code in one.codes}
        found[entity] = partners.by_typed_code(conn, entity, sorted(codes)) if codes else {}
    return found


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


def _of_code(
    one: Telling, via: Via, evidence: str, partner: int | None, made: Made,
    is_archived: bool = False,
) -> Claim:  # fmt: skip
    return Claim(
        via, evidence, partner, None if partner is None else made.entities[partner],
        one.happened_ms, one.source, one.id, first_hand=one.is_registration,
        is_archived=is_archived,
    )  # fmt: skip


def _of_click(
    one: Telling, click: Click | None, others: Mapping[str, Sequence[Click]], made: Made
) -> list[Claim]:
    """Return the claim of the click that was told, and those of the same visitor's other ones."""
    first_hand = one.is_registration
    if click is None:
        return [Claim(Via.CLICK, one.click, None, None, one.happened_ms, one.source, one.id,
                      first_hand=first_hand)]  # fmt: skip
    beside = [other for other in others.get(click.visitor, ()) if other.id != click.id]
    return [
        Claim(
            Via.CLICK, each.id, each.partner_id, made.entities.get(each.partner_id), each.at_ms,
            one.source, one.id, first_hand=first_hand, is_visitors=each is not click,
            is_archived=each.is_archived,
        )
        for each in [click, *beside]
    ]  # fmt: skip
