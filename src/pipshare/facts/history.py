"""Histories: what a load file's rows change in values that hold from a moment on.

A record holds from its `from_ms` until the subject's next one, whatever the order in which they
arrived; of two for the same moment the one recorded last holds. Records are added, never edited.
Pure, and a column at a time: a million accounts are one call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal

ADDED, CHANGED, SAME = "added", "changed", "same"
TWICE, UNDATED = "said_twice", "no_valid_from"  # refused
_KEY = ["subject", "from_ms"]


@dataclass(frozen=True)
class Merged:
    """What to record, and what became of each row.

    `records`: subject, from_ms, values..., line; in order of subject and moment. `rows`: line,
    subject, verdict, other (the line that a TWICE row contradicts, else null). `from_ms`: the
    earliest moment at which what was known became different; None when nothing did.
    """

    records: pl.DataFrame
    rows: pl.DataFrame
    from_ms: int | None


def resolve(records: pl.DataFrame) -> pl.DataFrame:
    """Return the history in force: of equal (subject, from_ms) the highest `id`; sorted.

    Takes subject, from_ms, id and any values; gives the same columns.
    """
    return records.sort([*_KEY, "id"]).unique(_KEY, keep="last", maintain_order=True)


def merge(
    known: pl.DataFrame, rows: pl.DataFrame, defaults: Mapping[str, object], *,
    first_serves: bool = True,
) -> Merged:  # fmt: skip
    """Compare a file's rows with the history in force.

    `known` has subject, from_ms and the values named by `defaults`, as `resolve` gives them;
    `rows` the same with `line`, where a null value means "as before" and a null from_ms "always".
    A row without a moment for a subject that has changed over time already is refused (UNDATED):
    it could mean the whole past or only today. `first_serves`: before its first record a subject
    has that record's values (accounts), otherwise none (groups).
    """
    values = list(defaults)
    known = known.select(*_KEY, *values)
    rows = rows.select(*_KEY, *values, "line").with_columns(at=pl.col("from_ms").fill_null(0))
    single, repeats = _once_each(rows, values)
    undated = single.filter(pl.col("from_ms").is_null())
    idle = _undated(undated, known, values)
    dated = single.join(idle.select("line"), on="line", how="anti")
    full = _filled(known, dated, values, defaults)
    judged = _judged(known, full, values, first_serves)
    records = judged.filter(pl.col("verdict") != SAME).select(*_KEY, *values, "line")
    changed = judged.filter(pl.col("verdict") == CHANGED)["effect"]
    told = [
        frame.select("line", "subject", "verdict", "other") for frame in (repeats, idle, judged)
    ]
    lowest = changed.min()
    return Merged(
        records.sort(_KEY), pl.concat(told).sort("line"), None if lowest is None else int(lowest)  # type: ignore[arg-type]
    )  # fmt: skip


def _once_each(rows: pl.DataFrame, values: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into the first of each (subject, moment) and those that say it again."""
    if not rows.select(pl.struct("subject", "at").is_duplicated().any()).item():
        return rows, _no_verdicts(rows)
    same = pl.struct(values).n_unique().over("subject", "at") == 1
    first = pl.col("line").min().over("subject", "at")
    last = pl.col("line").max().over("subject", "at")
    marked = rows.with_columns(same=same, first=first, last=last)
    single = marked.filter(pl.col("same") & (pl.col("line") == pl.col("first")))
    others = marked.filter(~pl.col("same") | (pl.col("line") != pl.col("first"))).with_columns(
        verdict=pl.when("same").then(pl.lit(SAME)).otherwise(pl.lit(TWICE)),
        other=pl.when(~pl.col("same"))
        .then(pl.when(pl.col("line") == pl.col("first")).then("last").otherwise("first"))
        .cast(pl.Int32),
    )
    return single.drop("same", "first", "last"), others


def _no_verdicts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.clear().with_columns(
        verdict=pl.lit(None, pl.String), other=pl.lit(None, pl.Int32)
    )  # fmt: skip


def _undated(rows: pl.DataFrame, known: pl.DataFrame, values: list[str]) -> pl.DataFrame:
    """Return the rows without a moment that change nothing, or that cannot be placed."""
    ends = known.group_by("subject", maintain_order=True).agg(
        pl.col("from_ms").first().alias("first"),
        pl.len().alias("records"),
        *(pl.col(v).first().alias(f"first_{v}") for v in values),
        *(pl.col(v).last().alias(f"last_{v}") for v in values),
    )
    found = rows.join(ends, on="subject", how="inner")
    is_last = _says(values, "last_")
    is_first = _says(values, "first_") & (pl.col("first") == 0)
    alone = (pl.col("records") == 1) & (pl.col("first") == 0)
    return found.with_columns(
        verdict=pl.when(is_last | is_first).then(pl.lit(SAME))
        .when(~alone).then(pl.lit(UNDATED)),
        other=pl.lit(None, pl.Int32),
    ).filter(pl.col("verdict").is_not_null())  # fmt: skip


def _says(values: list[str], prefix: str) -> pl.Expr:
    """Tell whether a row, its nulls apart, says what the columns with `prefix` hold."""
    return pl.all_horizontal(
        pl.col(v).is_null() | (pl.col(v) == pl.col(prefix + v)) for v in values
    )  # fmt: skip


def _filled(
    known: pl.DataFrame, rows: pl.DataFrame, values: list[str], defaults: Mapping[str, object]
) -> pl.DataFrame:
    """Give each row the values it leaves out: those before it, else the first known, or default."""
    rows = rows.select("subject", pl.col("at").alias("from_ms"), *values, "line")
    if not rows.select(pl.any_horizontal(pl.col(values).is_null().any())).item():
        return rows
    both = pl.concat([known.with_columns(line=pl.lit(0, pl.Int32)), rows], how="diagonal")
    carried = (
        both.sort([*_KEY, "line"])
        .with_columns(pl.col(values).forward_fill().over("subject"))
        .filter(pl.col("line") > 0)
    )
    carried = carried.join(_first(known, values), on="subject", how="left", maintain_order="left")
    return carried.select(
        *_KEY,
        *(pl.coalesce(v, f"first_{v}").fill_null(defaults[v]).alias(v) for v in values),
        "line",
    )


def _first(known: pl.DataFrame, values: list[str]) -> pl.DataFrame:
    """Return each subject's first record as first_<value> and first_from."""
    names = {"from_ms": "first_from"} | {v: f"first_{v}" for v in values}
    return known.sort(_KEY).unique("subject", keep="first", maintain_order=True).rename(names)


def _judged(
    known: pl.DataFrame, rows: pl.DataFrame, values: list[str], first_serves: bool
) -> pl.DataFrame:
    """Add verdict, other (null) and effect (from when the truth differs) to filled rows."""
    rows = rows.with_columns(other=pl.lit(None, pl.Int32))
    if known.is_empty():
        return rows.with_columns(verdict=pl.lit(ADDED), effect=pl.lit(None, pl.Int64))
    old = {v: f"old_{v}" for v in values}
    records = known.sort(_KEY).rename(old).with_columns(old_from=pl.col("from_ms"))
    held = rows.sort(_KEY).join_asof(
        records, on="from_ms", by="subject", strategy="backward", check_sortedness=False
    )
    held = held.join(_first(known, values), on="subject", how="left", maintain_order="left")
    if first_serves:
        held = held.with_columns(
            pl.coalesce(f"old_{v}", f"first_{v}").alias(f"old_{v}") for v in values
        )
    equal = pl.all_horizontal(pl.col(v) == pl.col(f"old_{v}") for v in values)
    begins = (pl.col("from_ms") <= pl.col("first_from")) & pl.lit(first_serves)
    return held.with_columns(
        verdict=pl.when(equal & (pl.col("old_from") == pl.col("from_ms"))).then(pl.lit(SAME))
        .when(pl.col(f"old_{values[0]}").is_null() | equal).then(pl.lit(ADDED))
        .otherwise(pl.lit(CHANGED)),
        effect=pl.when(begins).then(pl.lit(0, pl.Int64)).otherwise(pl.col("from_ms")),
    )  # fmt: skip


def report(into: LoadReport, merged: Merged, name: Callable[[int], str]) -> None:
    """Add a merge's verdicts to a load's report; `name` says what a subject is called."""
    counts = dict(merged.rows["verdict"].value_counts().iter_rows())
    into.added += counts.get(ADDED, 0)
    into.changed += counts.get(CHANGED, 0)
    into.same += counts.get(SAME, 0)
    refused = merged.rows.filter(pl.col("verdict").is_in([TWICE, UNDATED]))
    for line, subject, verdict, other in refused.iter_rows():
        why = (
            f"contradicts line {other}, which tells of the same moment; keep one of the two"
            if verdict == TWICE
            else "has changed over time, so a row without valid_from could mean all of the past or "
            "only today; give valid_from"
        )
        into.refused.append(Refusal(line, verdict, f"line {line}, {name(subject)}: {why}"))
    into.touch(merged.from_ms)
