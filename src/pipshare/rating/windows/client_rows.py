"""The rows of a client component: who qualified when, under which version, for which chain."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare.facts.standing import standing_at
from pipshare.plans.qualifying import Qualify
from pipshare.plans.terms import Component, Programme, leading
from pipshare.rating.parts import Part
from pipshare.rating.qualify import ROWS, Asked, Ladder, Life, qualification_rows
from pipshare.rating.reasons import Wait
from pipshare.rating.windows.client_trades import trades_moments
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import WAITS, no_waits
from pipshare.rating.windows.narrow import starts_of

# ROWS, the chain then (a place in the chains), the client's country and whether it was blocked, the
# currency of his deposits.
_VERSION_ROWS = {**ROWS, "currency": pl.String}
CLIENT_ROWS = {**ROWS, "chain": pl.Int32, "country": pl.String, "currency": pl.String,
               "blocked": pl.Boolean}  # fmt: skip


def is_ladder(component: Component) -> bool:
    """Tell whether a component's bands are steps by the client's deposits."""
    return component.tier is not None and component.tier.of_client


def asked_of(programme: Programme, component: Component) -> Qualify:
    """Return what makes a client qualify: of the component, else the programme, else the CRM's
    word; a registration needs nothing."""
    if component.event == "registration":
        return component.qualify or Qualify(0)
    return component.qualify or programme.qualify or Qualify(0, who="crm")


def asking(given: Given, asked: Qualify, currency: str) -> Asked:
    """Return what is asked of clients, with the clock and the exchange rates that are given."""

    def fx(base: str, quote: str, at: int) -> Fraction | None:
        top, bottom, _, told = given.fx.find_pair(base, quote, np.array([at], np.int64))
        return Fraction(int(top[0]), int(bottom[0])) if told[0] else None

    return Asked(asked, currency, given.clock, fx)


def client_rows(
    given: Given, parts: Sequence[Part], lives: Sequence[Life]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return CLIENT_ROWS of one component, and WAITS. `undoes` is a place in the frame.

    Each client is taken by the first version under which he qualifies while it is in force.
    """
    found, waits, taken = [pl.DataFrame(schema=_VERSION_ROWS)], [no_waits()], set[int]()
    offset = 0
    for part in parts:
        rows, waiting = _of_version(given, part, lives)
        rows = rows.filter(~pl.col("client").is_in(list(taken)))
        found.append(
            rows.with_columns(
                undoes=pl.when(pl.col("undoes") >= 0).then(pl.col("undoes") + offset).otherwise(-1)
            )
        )
        offset += len(rows)
        taken |= set(rows["client"].to_list())
        waits.append(waiting)
    table = _placed(given, pl.concat(found))
    return table, pl.concat(waits).unique(maintain_order=True)


def _of_version(
    given: Given, part: Part, lives: Sequence[Life]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    component, programme = part.component, part.programme
    asked = asked_of(programme, component)
    led = leading(programme.components, component)
    tier, steps = led.tier, is_ladder(led)
    currency = asked.currency or (tier.currency if tier and steps else "") or led.currency
    currency = currency or programme.currency
    ladder = Ladder(first=led.deposits == "first", shares=led.basis == "deposits",
                    anew=tier is not None)  # fmt: skip
    if tier is not None and steps:
        ladder = Ladder(starts_of(led), tier.boundary == "above",
                        tier.measure == "first_deposit")  # fmt: skip
    rows, waiting = qualification_rows(
        lives, trades_moments(given, part, asked, currency), asking(given, asked, currency),
        ladder, component.clawback_days,
    )  # fmt: skip
    number = given.book.versions[part.version].programme_id
    held = given.book.version_at(np.full(len(rows), number), rows["moment_ms"].to_numpy())
    first = rows.with_columns(held=pl.Series(held, dtype=pl.Int64)).group_by("client").agg(
        pl.col("held").first())  # fmt: skip
    mine = first.filter(pl.col("held") == part.version)["client"].to_list()
    rows = _only(rows, pl.col("client").is_in(mine)).with_columns(currency=pl.lit(currency))
    return rows, _waiting(part, waiting)


def _only(rows: pl.DataFrame, kept: pl.Expr) -> pl.DataFrame:
    """Filter rows whose undoing rows go with them, and number anew what these undo."""
    some = rows.with_row_index("old").filter(kept)
    place = {old: new for new, old in enumerate(some["old"].to_list())} | {-1: -1}
    return some.with_columns(
        undoes=pl.col("undoes").replace_strict(place, default=-1, return_dtype=pl.Int64)
    ).drop("old")


def _waiting(part: Part, waiting: pl.DataFrame) -> pl.DataFrame:
    return waiting.select(
        component_id=pl.lit(part.component_id), moment_ms=pl.lit(0), trade_row=pl.lit(-1),
        event=pl.lit(""), level=pl.lit(0), partner_id=pl.lit(0), client="client",
        reason=pl.lit(Wait.NO_FX.word), key="key",
    ).cast(pl.Schema(WAITS))  # fmt: skip


def _placed(given: Given, rows: pl.DataFrame) -> pl.DataFrame:
    """Add chain and country at each row's moment; who was introduced by nobody has no row."""
    client, moment = rows["client"].to_numpy(), rows["moment_ms"].to_numpy()
    if given.chains_at is None or not len(rows):
        return pl.DataFrame(schema=CLIENT_ROWS)
    chain = given.chains_at(client, moment)
    country, blocked = [""] * len(rows), np.zeros(len(rows), np.bool_)
    if given.events is not None:
        said = standing_at(given.events, client, moment, given.countries)
        country = said.country.to_list()
        if given.blocks is not None:
            blocked = given.blocks.barred(said.country, said.document, moment)
    told = rows.with_columns(
        chain=pl.Series(chain, dtype=pl.Int32),
        country=pl.Series(country, dtype=pl.String),
        blocked=pl.Series(blocked),
    )
    # What undoes a row has its moment, and so its chain.
    return _only(told, pl.col("chain") >= 0).select(CLIENT_ROWS.keys())
