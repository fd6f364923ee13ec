"""Trades pushed as JSON objects: the fields of the generic CSV, one object each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipshare.facts import QUOTED, TRADE, Refusal, empty
from pipshare.facts.records import RAW, cut_records
from pipshare.sources.mapped.mapping import Mapping
from pipshare.sources.mapped.typed import facts

_PUSHED = {**TRADE, **QUOTED}


def pushed_trades(records: Sequence[bytes]) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return a TRADE and QUOTED frame of the records that are right, and the others' refusals.

    `line` is a record's number from 1. Numbers may be written as numbers or as strings; digits are
    kept as they stand. Raises BadInput for a field that no trade has, or one that all lack.
    """
    name = "the pushed trades"
    found = cut_records(records, "trades", name)

    def refuse(line: int, code: str, reason: str) -> Refusal:
        return Refusal(line, code, reason, found.texts[line][:RAW])

    refused = found.refused + [refuse(one.line, one.code, one.reason) for one in found.wrong]
    if not len(found.strings):
        return empty(_PUSHED), sorted(refused, key=lambda one: one.line)
    frame, bad = facts(found.strings, Mapping(name, "trades", "", {}), refuse)
    return frame, sorted(refused + bad, key=lambda one: one.line)
