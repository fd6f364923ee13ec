"""Partners' links: a code that stands for a partner, a campaign and a landing page."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.partners.landings import ACTIVE, Landing, landings
from pipshare.partners.lookup import Partner

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,63}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another in print
_MADE = 8  # letters of a code that nobody chose
_MOST = 200  # characters of a name or campaign
_LINK = """
SELECT l.id, l.code, l.partner_id, p.code, p.entity_id, l.campaign, l.name, l.landing_id, l.state
  FROM partners_link l JOIN partners_partner p ON p.id = l.partner_id"""
_ADD = """
INSERT INTO partners_link (partner_id, code, campaign, name, landing_id, created_by)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""


@dataclass(frozen=True)
class Link:
    """A link. `landing_id` is None where it leads to the entity's default landing page."""

    id: int
    code: str
    partner_id: int
    partner: str
    entity_id: int
    campaign: str
    name: str
    landing_id: int | None
    state: str = ACTIVE


def add_link(
    conn: psycopg.Connection[Any], partner: Partner, *, by: str, code: str = "",
    campaign: str = "", name: str = "", landing: Landing | None = None,
) -> Link:  # fmt: skip
    """Make a link of a partner's; without a `code` one is made up.

    Raises BadInput for a code or name that will not do, or where no landing page is allowed yet;
    Conflict for a code that is taken: codes are unique over all partners, in any case.
    """
    if code and not CODE.fullmatch(code):
        raise BadInput("bad_code", f"{code!r} cannot be a link's code: use letters, digits, '-' and"
                                   " '_', 3 to 64 of them")  # fmt: skip
    for what, text in (("campaign", campaign), ("name", name)):
        if len(text) > _MOST or not text.isprintable():
            raise BadInput(f"bad_{what}", f"a {what} has at most {_MOST} printable characters")
    if landing is None and not any(one.is_default for one in landings(conn, partner.entity_id)):
        raise BadInput("no_landing", "links have nowhere to lead yet: allow a landing page with"
                                     " `pipshare landing add CODE URL`")  # fmt: skip
    landing_id = landing.id if landing else None
    for _ in range(1 if code else 20):
        said = code or "".join(secrets.choice(_LETTERS) for _ in range(_MADE))
        row = conn.execute(_ADD, (partner.id, said, campaign, name, landing_id, by)).fetchone()
        if row is not None:
            break
    else:
        raise Conflict("link_exists", f"there is a link {code!r} already: choose another code")
    audit.record(conn, by, "link.added", said, detail={"partner": partner.code,
                 "campaign": campaign, "landing": landing.code if landing else ""})  # fmt: skip
    return Link(row[0], said, partner.id, partner.code, partner.entity_id, campaign, name,
                landing_id)  # fmt: skip


def links(
    conn: psycopg.Connection[Any], partner_ids: Sequence[int] | None = None, *,
    archived: bool = False,
) -> list[Link]:  # fmt: skip
    """Return the links of some partners (None: of all), archived ones too when asked."""
    only = None if partner_ids is None else list(partner_ids)
    rows = conn.execute(
        f"{_LINK} WHERE (%(only)s::int[] IS NULL OR l.partner_id = ANY(%(only)s::int[]))"
        " AND (l.state = 'active' OR %(archived)s) ORDER BY p.code, l.campaign, l.id",
        {"only": only, "archived": archived},
    )
    return [Link(*row) for row in rows.fetchall()]


def find_links(conn: psycopg.Connection[Any], codes: Sequence[str]) -> dict[str, Link]:
    """Return links, archived ones too, by the code as given here, in any case; others miss."""
    rows = conn.execute(f"{_LINK} WHERE lower(l.code) = ANY(%s)", ([c.lower() for c in codes],))
    found = {link.code.lower(): link for link in (Link(*row) for row in rows.fetchall())}
    return {code: found[code.lower()] for code in codes if code.lower() in found}


def links_by_id(conn: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, Link]:
    """Return links, archived ones too, by their id."""
    rows = conn.execute(f"{_LINK} WHERE l.id = ANY(%s)", (list(ids),))
    return {link.id: link for link in (Link(*row) for row in rows.fetchall())}


def link(conn: psycopg.Connection[Any], code: str) -> Link:
    """Return one link by its code, in any case. Raises Missing."""
    found = find_links(conn, [code])
    if code not in found:
        raise Missing("no_link", f"there is no link {code!r}: pipshare link list")
    return found[code]


def archive_link(conn: psycopg.Connection[Any], one: Link, *, by: str) -> None:
    """Let nobody become a client by this link any more; it still leads to its landing page."""
    conn.execute("UPDATE partners_link SET state = 'archived' WHERE id = %s", (one.id,))
    audit.record(conn, by, "link.archived", one.code)
