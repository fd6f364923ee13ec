"""Grow the tree: plan who stands where, store new partners, write and propose their places."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.partners import store
from pipshare.partners.lookup import all_partners
from pipshare.partners.plan import PARTNER, Plan, plan_relations
from pipshare.partners.rows import Checked, Key, Row, drop_orphans
from pipshare.partners.verdicts import NOBODY, in_order
from pipshare.partners.wording import ROOT
from pipshare.period import FOREVER_MS

_RECORD = {
    "subject": pl.Int64, "above": pl.Int64, "start": pl.Int64, "end": pl.Int64, "line": pl.Int32,
    "entity": pl.String, "code": pl.String, "above_code": pl.String,
}  # fmt: skip


def plan_tree(checked: Checked, recorded: pl.DataFrame, *, may_move: bool) -> Plan:
    """Plan parents, refusing rows until what remains is a tree at every moment.

    `recorded` is everybody's known parents. New partners have the numbers that `numbers` gives,
    after those in use.
    """
    names = {one.id: key[1] for key, one in checked.known.items()}
    while True:
        made = checked.makes()
        given = numbers(checked)
        names.update({number: key[1] for key, number in given.items()})
        firsts = {row["line"] for row in made.values()}
        table = [
            _record(row, given) for row in checked.rows
            if row["parent"] is not None or row["line"] in firsts
        ]  # fmt: skip
        records = in_order(pl.DataFrame(table, schema=_RECORD, orient="row"))
        plan = plan_relations(PARTNER, records, recorded, names, may_move=may_move)
        if not plan.refused:
            return plan
        checked.refused += plan.refused
        checked.keep(refusal.line for refusal in plan.refused)
        drop_orphans(checked)


def numbers(checked: Checked) -> dict[Key, int]:
    """Return everybody's number: the database's, or for new partners one after those in use."""
    given = {key: one.id for key, one in checked.known.items()}
    following = max(given.values(), default=0) + 1
    given.update({key: following + i for i, key in enumerate(checked.makes())})
    return given


def _record(row: Row, given: dict[Key, int]) -> tuple[Any, ...]:
    parent = row["parent"] or ROOT
    above = NOBODY if parent == ROOT else given[row["key"][0], parent]
    return (
        given[row["key"]], above, row["start"], FOREVER_MS, row["line"],
        row["entity"], row["partner"], parent,
    )  # fmt: skip


def make_partners(conn: psycopg.Connection[Any], checked: Checked) -> dict[Key, int]:
    """Store the partners whom the load makes; returns everybody's number in the database."""
    told: dict[Key, Row] = {}
    for row in checked.rows:  # in order of moment: of a history the last word on each field
        kept = {name: value for name, value in row.items() if value is not None}
        told[row["key"]] = {**told.get(row["key"], {}), **kept}
    made = [told[key] for key in checked.makes()]
    if made:
        own = pl.Series([row.get("own_client_id") for row in made], dtype=pl.Int64)
        db.copy_in(conn, "partners_partner", {
            "entity_id": db.Int4(pl.Series([row["entity_id"] for row in made]).to_numpy()),
            "code": db.Text(pl.Series([row["partner"] for row in made])),
            "name": db.Text(pl.Series([row.get("name", "") for row in made])),
            "currency": db.Text(pl.Series([row.get("currency", "USD") for row in made])),
            "own_client_id": db.Int4(own.fill_null(0).to_numpy(), own.is_not_null().to_numpy()),
        })  # fmt: skip
    stored = all_partners(conn).select("entity_id", "code", "id").iter_rows()
    return {(entity, code): number for entity, code, number in stored}


def place_partners(
    conn: psycopg.Connection[Any], plan: Plan, renumber: dict[int, int], by: str, reason: str
) -> dict[int, int]:
    """Write planned places, numbers exchanged by `renumber`; propose moves.

    Returns the proposal of each line that was proposed.
    """
    told = in_order(pl.concat([plan.new, plan.fills])).with_columns(
        subject=pl.col("subject").replace(renumber), above=pl.col("above").replace(renumber)
    )
    store.write_relations(conn, PARTNER, told, by, reason)
    if not len(plan.moves):
        return {}
    proposals = store.propose_relations(conn, PARTNER, plan.moves, by, reason)
    return dict(zip(plan.moves["line"].to_list(), proposals, strict=True))
