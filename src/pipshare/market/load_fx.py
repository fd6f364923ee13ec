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

_KNOWN = f"""
SELECT id, base, quote, {ms("at")}, rate, coalesce(bid, ''), coalesce(ask, '') FROM market_fx
"""
_SCHEMA = {"id": pl.Int64, "base": pl.String, "quote": pl.String, "from_ms": pl.Int64,
           "rate": pl.String, "bid": pl.String, "ask": pl.String}  # fmt: skip
_SIDES = ("rate", "bid", "ask")
_PAIR = ["base", "quote"]


def load_fx(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `fx` frame of read_table in the caller's transaction.

    A row is the same when the pair has these very rates at this very moment, whoever said so.
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
        rows.select("line", *_PAIR, *_SIDES, "source"), on="line", maintain_order="left"
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
    frame, missing = refuse(
        frame, pl.col("rate").is_null() & (pl.col("bid").is_null() | pl.col("ask").is_null()),
        "no_rate", "field rate: give the rate, or bid and ask",
    )  # fmt: skip
    frame = frame.with_columns(pl.col("bid", "ask").fill_null(""))
    refused = equal + cents + missing
    for side in _SIDES:
        wrong = [text for text, rate in _rates(frame[side]).items() if not fits(rate)]
        frame, bad = refuse(
            frame, pl.col(side).is_in(wrong), "bad_rate",
            f"field {side}: {{{side}}} is not usable: a rate is more than 0 and exact in 16 digits",
        )  # fmt: skip
        refused += bad
    frame = frame.with_columns(rate=_middle(frame))
    crossed = [
        line for line, *told in frame.select("line", "bid", "rate", "ask").iter_rows()
        if (known := [parse_rate(text) for text in told if text]) != sorted(known)
    ]  # fmt: skip
    frame, bad = refuse(
        frame, pl.col("line").is_in(crossed), "crossed",
        "bid {bid}, rate {rate}, ask {ask} do not rise in this order",
    )  # fmt: skip
    return frame, refused + bad


def _middle(frame: pl.DataFrame) -> pl.Series:
    """Return the rate of each row, that between bid and ask where it is not told."""
    told = [
        rate or str((parse_rate(bid) + parse_rate(ask)) / 2)
        for rate, bid, ask in frame.select(_SIDES).iter_rows()
    ]
    return pl.Series("rate", told, dtype=pl.String)


def _rates(texts: pl.Series) -> dict[str, Fraction]:
    return {text: parse_rate(text) for text in texts.drop_nulls().unique() if text}


def _exact(frame: pl.DataFrame) -> pl.DataFrame:
    """Add one spelling per row's rates, so that 0.5 and 1/2 are no change."""
    spelled = {text: str(rate) for side in _SIDES for text, rate in _rates(frame[side]).items()}
    plain = (pl.col(side).replace(spelled) for side in _SIDES)
    return frame.with_columns(exact=pl.concat_str(*plain, separator=" "))


def _store(conn: psycopg.Connection[Any], records: pl.DataFrame) -> None:
    copy_in(conn, "market_fx", {
        "base": Text(records["base"]),
        "quote": Text(records["quote"]),
        "at": Timestamp(records["from_ms"].to_numpy()),
        "rate": Text(records["rate"]),
        "bid": Text(_told(records["bid"])),
        "ask": Text(_told(records["ask"])),
        "source": Text(records["source"]),
    })  # fmt: skip


def _told(texts: pl.Series) -> pl.Series:
    return texts.to_frame("one").select(pl.when(pl.col("one") != "").then("one"))["one"]
