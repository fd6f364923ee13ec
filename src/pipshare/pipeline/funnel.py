"""The funnel: clicks, registrations, qualifying deposits, first trades, by partner, link, campaign.

Each step is counted on its own day: a first trade of this month may come of a click of the last.
A client counts where the claim stands by which he was attributed, else for the partner whose client
he is now, without a link. What was undone (a deposit charged back) does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl
import psycopg

from pipshare import db, inbox, partners
from pipshare.clients.milestones import FIRST_TRADE, QUALIFIED, REGISTERED

By = Literal["link", "campaign", "partner"]
BY: tuple[By, ...] = ("link", "campaign", "partner")
_REACHED = """
WITH reached AS (
    SELECT client_id, kind FROM clients_milestone
     WHERE undone_at IS NULL AND at >= to_timestamp(%(since)s / 1000.0)
       AND at < to_timestamp(%(until)s / 1000.0)
     GROUP BY 1, 2
), claimed AS (
    SELECT DISTINCT ON (c.client_id) c.client_id, c.partner_id, k.link_id
      FROM attribution_claim c
      LEFT JOIN inbox_click k ON c.via = 'click' AND k.id = c.evidence
     WHERE c.decision = 'attributed' AND c.client_id IN (SELECT client_id FROM reached)
     ORDER BY c.client_id, c.id DESC
), related AS (
    SELECT DISTINCT ON (client_id) client_id, partner_id FROM partners_client
     WHERE client_id IN (SELECT client_id FROM reached)
       AND valid_from <= now() AND valid_to > now()
     ORDER BY client_id, id DESC
)
SELECT coalesce(c.link_id, 0), coalesce(c.partner_id, p.partner_id) AS whose,
       count(*) FILTER (WHERE kind = %(registered)s), count(*) FILTER (WHERE kind = %(qualified)s),
       count(*) FILTER (WHERE kind = %(traded)s)
  FROM reached r LEFT JOIN claimed c USING (client_id) LEFT JOIN related p USING (client_id)
 WHERE coalesce(c.partner_id, p.partner_id) IS NOT NULL
   AND (%(partners)s::int[] IS NULL
        OR coalesce(c.partner_id, p.partner_id) = ANY(%(partners)s::int[]))
 GROUP BY 1, 2"""
_STEPS = dict.fromkeys(("link_id", "partner_id", REGISTERED, QUALIFIED, FIRST_TRADE), pl.Int64)


@dataclass(frozen=True)
class Funnel:
    """One row: numbers of clicks by people, by programs and by browsers that looked ahead; then of
    clients. `link` is "" for clients without one, or where rows of several are summed.
    """

    partner: str
    campaign: str
    link: str
    clicks: int
    bots: int
    prefetches: int
    registered: int
    qualified: int
    first_trades: int


def funnel(
    conn: psycopg.Connection[Any],
    since_ms: int,
    until_ms: int,
    *,
    partner_ids: Sequence[int] | None = None,
    by: By = "link",
) -> list[Funnel]:
    """Return the funnel of a half-open span (UTC ms), of some partners (None: of all), by code.

    By link also links without a click are there, unless they are archived.
    """
    counted = inbox.count_clicks(conn, since_ms, until_ms, partner_ids)
    reached = _reached(conn, since_ms, until_ms, partner_ids)
    told = counted.join(
        reached, on=["link_id", "partner_id"], how="full", coalesce=True
    ).fill_null(0)  # fmt: skip
    active = {one.id: one for one in partners.links(conn, partner_ids)}
    links = active | partners.links_by_id(conn, told["link_id"].to_list())
    codes = {row["id"]: row["code"] for row in partners.all_partners(conn).iter_rows(named=True)}
    rows = []
    for link_id, partner_id, *numbers in told.iter_rows():
        link = links.get(link_id)
        rows.append(Funnel(codes.get(partner_id, ""), link.campaign if link else "",
                           link.code if link else "", *numbers))  # fmt: skip
    seen = set(told["link_id"].to_list())
    rows += [Funnel(one.partner, one.campaign, one.code, 0, 0, 0, 0, 0, 0)
             for one in active.values() if one.id not in seen]  # fmt: skip
    return _summed(rows, by)


def _reached(
    conn: psycopg.Connection[Any], since_ms: int, until_ms: int, only: Sequence[int] | None
) -> pl.DataFrame:
    values = {"since": since_ms, "until": until_ms, "registered": REGISTERED,
              "qualified": QUALIFIED, "traded": FIRST_TRADE,
              "partners": None if only is None else list(only)}  # fmt: skip
    return db.read_columns(conn, _REACHED, values, schema=_STEPS)


def _summed(rows: Sequence[Funnel], by: By) -> list[Funnel]:
    found: dict[tuple[str, str, str], Funnel] = {}
    for row in rows:
        if by != "link":
            row = replace(row, link="", campaign=row.campaign if by == "campaign" else "")
        key = (row.partner, row.campaign, row.link)
        had = found.get(key)
        found[key] = row if had is None else replace(
            row, clicks=had.clicks + row.clicks, bots=had.bots + row.bots,
            prefetches=had.prefetches + row.prefetches, registered=had.registered + row.registered,
            qualified=had.qualified + row.qualified,
            first_trades=had.first_trades + row.first_trades,
        )  # fmt: skip
    return [found[key] for key in sorted(found)]
