"""Records that a machine sends: JSON objects in the field names of a kind, typed as a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipshare.facts.cells import Clocks
from pipshare.facts.delimited import json_strings
from pipshare.facts.one_record import fault as fault_of
from pipshare.facts.reading import UTC_DAY, check_columns, read_fields, schema
from pipshare.facts.values import Refusal

RAW = 200  # characters of a record that its refusal shows


def read_records(
    records: Sequence[bytes], kind: str, *, clock: Clocks = UTC_DAY,
    defaults: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, list[Refusal]]:  # fmt: skip
    """Return read_table's frame of the records that are right, and the refusals of the others.

    `line` is a record's number from 1. Numbers may be written as numbers or as strings; digits are
    kept as they stand. `defaults` go before those of facts.fields. Raises BadInput for a field that
    no such record has, or a required one that all lack.
    """
    found = cut_records(records, kind, "the request")
    if not found.texts:
        return pl.DataFrame(schema=schema(kind)), found.refused
    strings = found.strings
    for field, value in (defaults or {}).items():
        told = pl.col(field) if field in strings.columns else pl.lit("")
        strings = strings.with_columns(
            pl.when(told.fill_null("") == "").then(pl.lit(value)).otherwise(told).alias(field)
        )
    frame, bad = read_fields(strings, kind, clock, place="record")
    wrong = [Refusal(one.line, one.code, f"record {one.line}: {one.reason}", one.raw)
             for one in found.wrong]  # fmt: skip
    return frame, sorted(found.refused + wrong + bad, key=lambda one: one.line)


@dataclass(frozen=True)
class Cut:
    """Records as text cells: a frame named by their fields, with `line`, a record's number from 1.

    `refused` are no records at all, `wrong` have cells that do not fit; `texts` by number.
    """

    strings: pl.DataFrame
    texts: dict[int, str]
    refused: list[Refusal]
    wrong: list[Refusal]


def cut_records(records: Sequence[bytes], kind: str, name: str) -> Cut:
    """Cut records into text cells. Raises BadInput for a field that records of a kind do not have,
    or a required one that all lack; `name` is what it calls them."""
    refused: list[Refusal] = []
    kept: dict[int, str] = {}
    for number, record in enumerate(records, 1):
        text = record.decode("utf-8", "replace")
        if (fault := fault_of(text)) is None:
            kept[number] = text
        else:
            refused.append(Refusal(number, "bad_json", f"record {number}: {fault}", text[:RAW]))
    if not kept:
        return Cut(pl.DataFrame(), kept, refused, [])
    whole = "[" + ",".join(kept.values()) + "]"
    strings, wrong = json_strings(whole, name, lambda names: check_columns(names, kind, name))
    numbers = dict(enumerate(kept, 1))
    strings = strings.with_columns(pl.col("line").replace_strict(numbers, return_dtype=pl.Int32))
    return Cut(strings, kept, refused, [replace(one, line=numbers[one.line]) for one in wrong])
