"""Turn the codes of a load file into numbers, and refuse the rows whose codes nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import Refusal
from pipshare.partners.lookup import all_partners
from pipshare.partners.plan import CLIENT
from pipshare.partners.verdicts import NOBODY
from pipshare.partners.wording import DIRECT, ROOT, Hints
from pipshare.period import FOREVER_MS

_MANY = 20_000
_CLIENTS = "SELECT id, entity_id, code FROM clients_client"
_SOME = " WHERE code = ANY(%s::text[])"
_CLIENT_SCHEMA = {"subject": pl.Int64, "entity_id": pl.Int64, "code": pl.String}


def with_entities(
    conn: psycopg.Connection[Any], frame: pl.DataFrame
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Add `entity_id`; rows of an unknown entity are refused."""
    known = dict(conn.execute("SELECT code, id FROM market_entity").fetchall())
    marked = frame.with_columns(
        entity_id=pl.col("entity").replace_strict(known, default=None, return_dtype=pl.Int64)
    )
    hints = Hints(known)
    return _split(
        marked, pl.col("entity_id").is_null(), "unknown_entity",
        lambda row: f"entity {row['entity']!r} is not known{hints.of(row['entity'])}:"
        " load entities first",
    )  # fmt: skip


def with_spans(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    """Turn valid_from and valid_to into start and end; empty spans are refused."""
    marked = frame.with_columns(
        start=pl.col("valid_from").fill_null(0), end=pl.col("valid_to").fill_null(FOREVER_MS)
    )
    return _split(
        marked, pl.col("start") >= pl.col("end"), "empty_span",
        lambda row: "valid_to is not after valid_from: the relation would never hold",
    )  # fmt: skip


def with_subjects(
    conn: psycopg.Connection[Any], kind: str, frame: pl.DataFrame
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Add `subject`, the number of the client or partner `code`; unknown ones are refused."""
    people = _clients(conn, frame["code"]) if kind == CLIENT else _partners(conn, "subject")
    marked = frame.join(people, on=["entity_id", "code"], how="left", maintain_order="left")
    hints = Hints([] if kind == CLIENT else people["code"])
    return _split(
        marked, pl.col("subject").is_null(), f"unknown_{kind}",
        lambda row: f"{kind} {row['code']!r} is not known in entity {row['entity']}"
        f"{hints.of(row['code'])}: load {kind}s first",
    )  # fmt: skip


def with_above(
    conn: psycopg.Connection[Any], kind: str, frame: pl.DataFrame
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Add `above` (NOBODY for `direct`, `root`) and `above_code`; unknown ones are refused."""
    word = DIRECT if kind == CLIENT else ROOT
    people = _partners(conn, "above")
    marked = frame.rename({"partner": "above_code"}).with_columns(
        above_code=pl.when(pl.col("above_code").str.to_lowercase() == word)
        .then(pl.lit(word))
        .otherwise("above_code")
    )
    marked = marked.join(
        people.rename({"code": "above_code"}),
        on=["entity_id", "above_code"], how="left", maintain_order="left",
    ).with_columns(
        above=pl.when(pl.col("above_code") == word).then(NOBODY).otherwise("above")
    )  # fmt: skip
    hints = Hints([*people["code"], word])
    kept, refused = _split(
        marked, pl.col("above").is_null(), "unknown_partner",
        lambda row: f"partner {row['above_code']!r} is not known in entity {row['entity']}"
        f"{hints.of(row['above_code'])}: load partners first, or write {word}",
    )  # fmt: skip
    if kind == CLIENT:
        return kept, refused
    kept, themselves = _split(
        kept, pl.col("above") == pl.col("subject"), "own_parent",
        lambda row: f"partner {row['code']} cannot be his own parent",
    )  # fmt: skip
    return kept, refused + themselves


def _clients(conn: psycopg.Connection[Any], codes: pl.Series) -> pl.DataFrame:
    distinct = codes.unique()
    if len(distinct) > _MANY:
        return db.read_columns(conn, _CLIENTS, schema=_CLIENT_SCHEMA)
    return db.read_columns(conn, _CLIENTS + _SOME, (distinct.to_list(),), schema=_CLIENT_SCHEMA)


def _partners(conn: psycopg.Connection[Any], name: str) -> pl.DataFrame:
    return all_partners(conn).select(pl.col("id").alias(name), "entity_id", "code")


def _split(
    frame: pl.DataFrame, wrong: pl.Expr, code: str, reason: Callable[[dict[str, Any]], str]
) -> tuple[pl.DataFrame, list[Refusal]]:
    bad = frame.filter(wrong)
    if not len(bad):
        return frame, []
    refused = [
        Refusal(row["line"], code, f"line {row['line']}: {reason(row)}")
        for row in bad.iter_rows(named=True)
    ]
    return frame.filter(~wrong), refused
