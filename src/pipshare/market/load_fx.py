"""Load FX rates. A rate is never edited: another one for the same moment is recorded after it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl
import psycopg

from pipshare.db import Text, Timestamp, copy_in, ms, read_columns
from pipshare.facts import history
from pipshare.facts.lookup import refuse
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal
from pipshare.market.fx import fits
from pipshare.market.turn import take_turn
from pipshare.money import parse_rate
from pipshare.money.currencies import CENT_CURRENCIES

_KNOWN = f"SELECT id, base, quote, {ms('at')}, rate FROM market_fx"
_SCHEMA = {"id": pl.Int64, "base": pl.String, "quote": pl.String, "from_ms": pl.Int64,
           "rate": pl.String}  # fmt: skip
_PAIR = ["base", "quote"]


def load_fx(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `fx` frame of read_table in the caller's transaction.

    A row is the same when the pair has this very rate at this very moment, whoever said so.
    """
    take_turn(conn)
    report = LoadReport("fx", rows=len(frame))
    frame, report.refused = _checked(frame)
    known = _exact(read_columns(conn, _KNOWN, schema=_SCHEMA))
    rows = _exact(frame.with_columns(from_ms="time"))
    pairs = pl.concat([known.select(_PAIR), rows.select(_PAIR)]).unique(maintain_order=True)
    pairs = pairs.with_row_index("subject").with_columns(pl.col("subject").cast(pl.Int64))
    known = history.resolve(known.join(pairs, on=_PAIR, maintain_order="left"))
    rows = rows.join(pairs, on=_PAIR, maintain_order="left")
    merged = history.merge(known, rows, {"exact": ""}, first_serves=False)
    part = LoadReport("fx")
    history.report(part, merged, lambda s: f"rate of {pairs['base'][s]} in {pairs['quote'][s]}")
    # A rate for a new moment is an addition; only one for a known moment is a change.
    moments = known.select("subject", "from_ms").with_columns(known=pl.lit(True))
    records = merged.records.drop("exact").join(
        rows.select("line", *_PAIR, "rate", "source"), on="line", maintain_order="left"
    ).join(moments, on=["subject", "from_ms"], how="left", maintain_order="left")  # fmt: skip
    report.changed = int(records["known"].sum() or 0)
    report.added, report.same = len(records) - report.changed, part.same
    report.refused = sorted(report.refused + part.refused, key=lambda one: one.line)
    _store(conn, records)
    # Also where no rate was before: trades closed there may have used the rate they came with.
    report.touch(records["from_ms"].min())  # type: ignore[arg-type]
    return report


def _checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    base, quote = pl.col("base"), pl.col("quote")
    frame, equal = refuse(
        frame,
        base == quote,
        "same_currency",
        "field quote: {quote} costs 1 in itself; leave it out",
    )
    main = {"base": base.replace(CENT_CURRENCIES), "quote": quote.replace(CENT_CURRENCIES)}
    frame, cents = refuse(
        frame, main["base"] == main["quote"], "cent_currency",
        "field rate: {base} and {quote} are 100 to 1 by definition and need no rate; leave it out",
    )  # fmt: skip
    wrong = [text for text, rate in _rates(frame).items() if not fits(rate)]
    frame, rates = refuse(
        frame, pl.col("rate").is_in(wrong), "bad_rate",
        "field rate: {rate} is not usable: a rate is more than 0 and exact in 16 digits",
    )  # fmt: skip
    return frame, equal + cents + rates


def _rates(frame: pl.DataFrame) -> dict[str, Fraction]:
    return {text: parse_rate(text) for text in frame["rate"].unique()}


def _exact(frame: pl.DataFrame) -> pl.DataFrame:
    """Add one spelling per rate, so that 0.5 and 1/2 are no change."""
    spelled = {text: str(rate) for text, rate in _rates(frame).items()}
    return frame.with_columns(exact=pl.col("rate").replace(spelled))


def _store(conn: psycopg.Connection[Any], records: pl.DataFrame) -> None:
    copy_in(conn, "market_fx", {
        "base": Text(records["base"]),
        "quote": Text(records["quote"]),
        "at": Timestamp(records["from_ms"].to_numpy()),
        "rate": Text(records["rate"]),
        "source": Text(records["source"]),
    })  # fmt: skip
