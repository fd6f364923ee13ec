"""Finds the partners and programmes that rows of a terms file name, or says why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import psycopg

from pipshare.facts import Refusal
from pipshare.partners.lookup import all_partners
from pipshare.partners.wording import hint
from pipshare.period import FOREVER_MS
from pipshare.plans.read_book import parsed
from pipshare.plans.recorded import programmes
from pipshare.plans.terms import ANY_CARD

NOTHING = "none"  # in place of a programme's code: earns nothing, on purpose
CARD = "standard"
_RESOLVED = [
    "entity",
    "partner_id",
    "partner",
    "programme_id",
    "programme",
    "card",
    "start",
    "end",
    "line",
]


def resolve(
    conn: psycopg.Connection[Any], frame: pl.DataFrame
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the rows that name what exists, and refuse the others.

    Columns out: entity, partner_id, partner (code), programme_id (0 = earns nothing), programme,
    card, start and end (UTC ms, 0 and FOREVER_MS where open), line.
    """
    people = all_partners(conn).select("entity", partner="code", partner_id="id")
    plans, cards = _offered(conn)
    nothing = pl.col("programme").str.to_lowercase() == NOTHING
    rows = frame.select(
        "partner", "line",
        entity=pl.col("entity").fill_null("main"),
        programme=pl.when(nothing).then(pl.lit(NOTHING)).otherwise("programme"),
        card=pl.when(nothing).then(pl.lit(CARD)).otherwise(pl.col("card").fill_null(CARD)),
        start=pl.col("valid_from").fill_null(0),
        end=pl.col("valid_to").fill_null(FOREVER_MS),
    ).join(people, on=["entity", "partner"], how="left", maintain_order="left").join(
        plans, on=["entity", "programme"], how="left", maintain_order="left"
    ).join(cards, on=["programme_id", "card"], how="left", maintain_order="left")  # fmt: skip
    none = pl.col("programme") == NOTHING
    rows = rows.with_columns(programme_id=pl.when(none).then(0).otherwise("programme_id"))
    good = (
        pl.col("partner_id").is_not_null()
        & pl.col("programme_id").is_not_null()
        & (pl.col("offered").is_not_null() | none)
        & (pl.col("start") < pl.col("end"))
    )
    known = _Known(people, plans, cards)
    refused = [known.refusal(row) for row in rows.filter(~good).to_dicts()]
    return rows.filter(good).select(_RESOLVED), refused


def _offered(conn: psycopg.Connection[Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return programmes (entity, programme, programme_id), and the cards of each that do anything.

    Where some rate is for any card, the card `standard` needs no rate of its own.
    """
    plans, cards = [], []
    for row in programmes(conn):
        plans.append((row.entity, row.code, row.id))
        found = {
            rule.card
            for version in row.versions
            for component in parsed(row, version).components
            for rule in component.rates
        }
        if ANY_CARD in found:
            found.add(CARD)
        cards += [(row.id, card, True) for card in sorted(found - {ANY_CARD})]
    text, number = pl.String, pl.Int64
    return (
        pl.DataFrame(plans, {"entity": text, "programme": text, "programme_id": number},
                     orient="row"),
        pl.DataFrame(cards, {"programme_id": number, "card": text, "offered": pl.Boolean},
                     orient="row"),
    )  # fmt: skip


class _Known:
    """What could have been meant by a row that is refused."""

    def __init__(self, people: pl.DataFrame, plans: pl.DataFrame, cards: pl.DataFrame) -> None:
        self._people, self._plans, self._cards = people, plans, cards

    def refusal(self, row: Mapping[str, Any]) -> Refusal:
        code, reason = self._why(row)
        return Refusal(row["line"], code, f"line {row['line']}, {reason}")

    def _why(self, row: Mapping[str, Any]) -> tuple[str, str]:
        here = pl.col("entity") == row["entity"]
        if row["partner_id"] is None:
            near = hint(row["partner"], self._people.filter(here)["partner"])
            where = f"in entity {row['entity']}{near}"
            return "unknown_partner", f"field partner: no partner {row['partner']!r} {where}"
        if row["programme_id"] is None:
            known = sorted(self._plans.filter(here)["programme"])
            near = hint(row["programme"], known) or f"; known: {', '.join(known) or 'none yet'}"
            return "unknown_programme", (
                f"field programme: no programme {row['programme']!r} in entity {row['entity']}"
                f"{near}; `pipshare plan apply` brings one, `none` says: earns nothing"
            )
        if row["start"] >= row["end"]:
            return "empty_span", "field valid_to: has to be later than valid_from"
        cards = self._cards.filter(pl.col("programme_id") == row["programme_id"])["card"].to_list()
        return "unknown_card", (
            f"field card: programme {row['programme']} has no rate for the card {row['card']!r}"
            f"{hint(row['card'], cards)}; it has: {', '.join(cards)}"
        )
