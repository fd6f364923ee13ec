"""What was mapped, as the frames that the rest of pipshare takes in.

Events go to clients.take_events, accounts to load_accounts, clients to load_clients; claims are
handed on by whose they are. What the readers of facts refuse becomes a Problem of its item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipshare.crm.kinds import ACCOUNT, CLAIMED, RECORDS, REGISTRATION, UPDATED
from pipshare.crm.mapping import Mapped, Problem
from pipshare.facts.cells import Clocks
from pipshare.facts.events import checked
from pipshare.facts.fields import FIELDS
from pipshare.facts.reading import UTC_DAY, read_fields, schema
from pipshare.facts.values import Refusal

_PEOPLE = (REGISTRATION, UPDATED, CLAIMED)


@dataclass(frozen=True)
class Canonical:
    """Frames of read_table's columns; `line` is the place in what was mapped, from 1.

    `clients` are those who registered, changed or are claimed; what is told of them and of accounts
    holds from its moment on. `problems` name what readers refused; a Mapped
    with a problem is in no frame. `claims` has what claims something, in its order, and is right.
    """

    events: pl.DataFrame
    accounts: pl.DataFrame
    clients: pl.DataFrame
    claims: list[Mapped]
    problems: list[Problem]


def canonical(
    mapped: Sequence[Mapped], *, clock: Clocks = UTC_DAY, defaults: Mapping[str, str] | None = None
) -> Canonical:
    """Type what was mapped. `defaults` (source, entity) stand where a mapping tells none."""
    rows = [{**(defaults or {}), **one.fields} for one in mapped]
    events, refused = _read(mapped, rows, "events", clock, ~_of(mapped, *RECORDS))
    right, wrong = checked(events)
    # `checked` makes other columns; who takes events in checks them again.
    events = events.filter(pl.col("line").is_in(right["line"].implode()))
    accounts, more = _read(mapped, rows, "accounts", clock, _of(mapped, ACCOUNT))
    clients, most = _read(mapped, rows, "clients", clock, _of(mapped, *_PEOPLE))
    problems = [_problem(mapped, one) for one in (*refused, *wrong, *more, *most)]
    bad = {one.line for one in (*refused, *wrong, *more, *most)}
    claims = [one for line, one in enumerate(mapped, 1) if one.claims and line not in bad]
    return Canonical(events, accounts, clients, claims, problems)


def _of(mapped: Sequence[Mapped], *kinds: str) -> pl.Series:
    return pl.Series([one.kind in kinds for one in mapped], dtype=pl.Boolean)


def _read(
    mapped: Sequence[Mapped], rows: Sequence[Mapping[str, str]], kind: str, clock: Clocks,
    wanted: pl.Series,
) -> tuple[pl.DataFrame, list[Refusal]]:  # fmt: skip
    lines = [line for line, is_wanted in enumerate(wanted, 1) if is_wanted]
    if not lines:
        return pl.DataFrame(schema=schema(kind)), []
    mine = [rows[line - 1] for line in lines]
    names = [one.name for one in FIELDS[kind]]
    cells = {name: [row.get(name, "") for row in mine] for name in names}
    if "valid_from" in cells:
        cells["valid_from"] = list(map(_valid_from, mine))
    strings = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))
    strings = strings.with_columns(line=pl.Series(lines, dtype=pl.Int32))
    frame, refused = read_fields(strings, kind, clock, place="item")
    return frame, refused


def _valid_from(row: Mapping[str, str]) -> str:
    return row.get("at" if row["kind"] in (ACCOUNT, *_PEOPLE) else "valid_from", "")


def _problem(mapped: Sequence[Mapped], refusal: Refusal) -> Problem:
    one = mapped[refusal.line - 1]
    reason = refusal.reason.partition(f" {refusal.line}, ")[2] or refusal.reason
    return Problem(one.item, refusal.code, reason, one.rule)
