"""Records that a machine sends: JSON objects in the field names of a kind, typed as a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pipshare.facts.cells import Clocks
from pipshare.facts.delimited import json_strings
from pipshare.facts.one_record import fault as fault_of
from pipshare.facts.reading import UTC_DAY, check_columns, read_fields, schema
from pipshare.facts.values import Refusal

_RAW = 200


def read_records(
    records: Sequence[bytes], kind: str, *, clock: Clocks = UTC_DAY,
    defaults: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, list[Refusal]]:  # fmt: skip
    """Return read_table's frame of the records that are right, and the refusals of the others.

    `line` is a record's number from 1. Numbers may be written as numbers or as strings; digits are
    kept as they stand. `defaults` go before those of facts.fields. Raises BadInput for a field that
    no such record has, or a required one that all lack.
    """
    refused: list[Refusal] = []
    kept: list[tuple[int, str]] = []
    for number, record in enumerate(records, 1):
        text = record.decode("utf-8", "replace")
        if (fault := fault_of(text)) is None:
            kept.append((number, text))
        else:
            refused.append(Refusal(number, "bad_json", f"record {number}: {fault}", text[:_RAW]))
    if not kept:
        return pl.DataFrame(schema=schema(kind)), refused
    name = "the request"
    whole = "[" + ",".join(text for _, text in kept) + "]"
    strings, wrong = json_strings(whole, name, lambda names: check_columns(names, kind, name))
    numbers = {place: number for place, (number, _) in enumerate(kept, 1)}
    strings = strings.with_columns(pl.col("line").replace_strict(numbers, return_dtype=pl.Int32))
    for field, value in (defaults or {}).items():
        told = pl.col(field) if field in strings.columns else pl.lit("")
        strings = strings.with_columns(
            pl.when(told.fill_null("") == "").then(pl.lit(value)).otherwise(told).alias(field)
        )
    frame, bad = read_fields(strings, kind, clock, place="record")
    refused += [
        Refusal(numbers[one.line], one.code, f"record {numbers[one.line]}: {one.reason}", one.raw)
        for one in wrong
    ]
    return frame, sorted(refused + bad, key=lambda one: one.line)
