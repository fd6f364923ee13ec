"""The states of accounts that follow from what was loaded and what the platform was seen to say.

Pure. What was loaded and what was observed are both kept; the states in force are worked out from
the two, so that it does not matter which came first.
"""

from __future__ import annotations

import polars as pl

EXPLICIT = ("excluded", "direct")  # an operator's decision, never overwritten by the platform
SCHEMA = {"subject": pl.Int64, "from_ms": pl.Int64, "group": pl.String, "currency": pl.String,
          "status": pl.String, "source": pl.String, "group_told": pl.Boolean,
          "currency_told": pl.Boolean}  # fmt: skip
_KEY = ["subject", "from_ms"]
_SAID = ("group", "currency", "status")
_USUAL = {"group": "", "currency": "USD"}


def follow(states: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """Return the records to append so that the states are what they should be.

    `states`: SCHEMA and id, all records there are; `observed`: id, subject, from_ms, group,
    currency ("" = not visible), status. Returns SCHEMA and `effect`, the moment from which the
    truth differs. From each observation on the platform's group, currency and status hold, but for
    an EXPLICIT status that was loaded; what a load left out is as before it, and before the first
    observation as in that. Accounts without states or without observations are left alone.
    """
    seen = _in_force(observed)
    states = states.join(seen.select("subject").unique(), on="subject", how="semi")
    seen = seen.join(states.select("subject").unique(), on="subject", how="semi")
    if seen.is_empty():
        return pl.DataFrame(schema={**SCHEMA, "effect": pl.Int64})
    loaded = _in_force(states.filter(source="load"))
    return _missing(_marked(_in_turn(loaded, seen)), _in_force(states))


def _in_force(records: pl.DataFrame) -> pl.DataFrame:
    return records.sort([*_KEY, "id"]).unique(_KEY, keep="last", maintain_order=True)


def _in_turn(loaded: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Lay loads and observations in one row of time, null where one does not tell."""
    told = seen.select(
        *_KEY, *_SAID, group_told=pl.col("group") != "", currency_told=pl.col("currency") != "",
        observed=pl.lit(True),
    )  # fmt: skip
    both = pl.concat([loaded.with_columns(observed=pl.lit(False)).select(told.columns), told])
    both = both.sort([*_KEY, "observed"]).unique(_KEY, keep="last", maintain_order=True)
    return both.with_columns(
        *(pl.when(f"{name}_told").then(name).alias(name) for name in _USUAL),
        operators=pl.when(~pl.col("observed")).then("status"),
    ).with_columns(pl.col(*_USUAL, "operators").forward_fill().over("subject"))


def _marked(both: pl.DataFrame) -> pl.DataFrame:
    """Fill what is still untold, say where from, and mark what is `news` after the row before."""
    both = both.with_columns(
        pl.col(name).is_null().alias(f"no_{name}") for name in _USUAL
    ).with_columns(pl.col(*_USUAL, "operators").backward_fill().over("subject"))
    assumed = pl.any_horizontal(
        pl.col(f"no_{name}") & (pl.col(name).fill_null(usual) != usual)
        for name, usual in _USUAL.items()
    )
    explicit = pl.col("observed") & pl.col("operators").is_in(EXPLICIT)
    both = both.with_columns(
        *(pl.col(name).fill_null(usual) for name, usual in _USUAL.items()),
        status=pl.when(explicit).then("operators").otherwise("status"),
        source=pl.when("observed").then(pl.lit("platform"))
        .when(assumed).then(pl.lit("first_known")).otherwise(pl.lit("load")),
    )  # fmt: skip
    same = pl.all_horizontal(
        (pl.col(name) == pl.col(name).shift(1).over("subject")).fill_null(False) for name in _SAID
    )
    was_assumed = pl.col("source").shift(1).over("subject") == "first_known"
    return both.with_columns(news=~same | was_assumed.fill_null(False))


def _missing(wanted: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return the wanted records that are not held: new ones only where they bring news."""
    known = held.select(*_KEY, *(pl.col(name).alias(f"held_{name}") for name in (*_SAID, "source")))
    rows = wanted.join(known, on=_KEY, how="left", maintain_order="left")
    same = pl.all_horizontal(pl.col(name) == pl.col(f"held_{name}") for name in _SAID)
    assumed = (pl.col("held_source") == "first_known") == (pl.col("source") == "first_known")
    is_held = pl.col("held_source").is_not_null()
    rows = rows.filter(pl.when(is_held).then(~(same & assumed)).otherwise("news"))
    begins = held.group_by("subject").agg(pl.col("from_ms").min().alias("begins"))
    rows = rows.join(begins, on="subject", how="left", maintain_order="left")
    # The first record serves for all the time before it.
    effect = pl.when(pl.col("from_ms") <= pl.col("begins")).then(0).otherwise("from_ms")
    return rows.with_columns(effect=effect.cast(pl.Int64)).select(*SCHEMA, "effect")
