"""Trades pushed as JSON objects: the fields of the generic CSV, one object each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipshare.facts import QUOTED, TRADE, Refusal, empty
from pipshare.facts.delimited import json_strings
from pipshare.facts.one_record import fault as fault_of
from pipshare.facts.reading import check_columns
from pipshare.sources.mapped.mapping import Mapping
from pipshare.sources.mapped.typed import facts

_RAW = 200
_PUSHED = {**TRADE, **QUOTED}


def pushed_trades(records: Sequence[bytes]) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return a TRADE and QUOTED frame of the records that are right, and the others' refusals.

    `line` is a record's number from 1. Numbers may be written as numbers or as strings; digits are
    kept as they stand. Raises BadInput for a field that no trade has, or one that all lack.
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
        return empty(_PUSHED), refused
    name = "the pushed trades"
    strings, wrong = json_strings(
        "[" + ",".join(text for _, text in kept) + "]", name,
        lambda names: check_columns(names, "trades", name),
    )  # fmt: skip
    numbers = {place: number for place, (number, _) in enumerate(kept, 1)}
    strings = strings.with_columns(pl.col("line").replace_strict(numbers, return_dtype=pl.Int32))
    texts = dict(kept)

    def refuse(line: int, code: str, reason: str) -> Refusal:
        return Refusal(line, code, reason, texts[line][:_RAW])

    refused += [refuse(numbers[one.line], one.code, one.reason) for one in wrong]
    if not len(strings):
        return empty(_PUSHED), sorted(refused, key=lambda one: one.line)
    frame, bad = facts(strings, Mapping(name, "trades", "", {}), refuse)
    return frame, sorted(refused + bad, key=lambda one: one.line)
