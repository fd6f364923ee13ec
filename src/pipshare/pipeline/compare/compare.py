"""Compare a legacy report with our side: sums by partner, the tickets that differ most, why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from pipshare.pipeline.compare.legacy import Report, read_report
from pipshare.pipeline.compare.ours import booked, days_of, simulated
from pipshare.pipeline.compare.result import Compared, PartnerRow, TicketRow
from pipshare.pipeline.compare.why import why
from pipshare.pipeline.run import Run
from pipshare.pipeline.simulate.question import Question

_KEY = ["partner", "currency", "server", "ticket"]
_KEPT = 10_000  # differing tickets that are kept while reading; more would not be looked at


@dataclass(frozen=True)
class Asked:
    """A report, its mapping, days (both included; None = all stored), plans in place of what is
    booked, one server, the tolerance in per cent, and how many tickets to explain."""

    file: Path
    mapping: Path | None = None
    first: date | None = None
    last: date | None = None
    plans: Sequence[Path] = ()
    server: str | None = None
    tolerance: Fraction = Fraction(1, 10)
    most: int = 20
    before_go_live: bool = False


@dataclass
class _Sums:
    """Amounts by partner and currency, and the tickets that differ, the biggest ones."""

    legacy: Counter[tuple[str, str]] = field(default_factory=Counter)
    ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    differing: list[pl.DataFrame] = field(default_factory=list)
    same: int = 0
    count: int = 0


def compare(run: Run, asked: Asked) -> Compared:
    """Compare. Writes nothing. Raises BadInput or Missing for what cannot be read or asked."""
    report = read_report(asked.file, asked.mapping)
    looking, frames = _ours(run, asked)
    sums = _Sums()
    _add(sums.legacy, report.rows)
    _by_ticket(sums, report, frames)
    codes = set(run.partners.codes)
    payees = sorted(sums.legacy.keys() | {key for key in sums.ours if sums.ours[key]})
    partners = [
        PartnerRow(*key, sums.legacy[key], sums.ours[key], key[0] in codes) for key in payees
    ]
    rows = _biggest(sums, asked.most) if report.has_tickets else []
    told = [_ticket(row) for row in rows]
    tickets = [why(looking, one, codes, is_plan=bool(asked.plans)) for one in told]
    return Compared(partners, tickets, asked.tolerance, sums.same, sums.count, report.refused)


def _ours(run: Run, asked: Asked) -> tuple[Run, Iterator[pl.DataFrame]]:
    if asked.plans:
        question = Question(asked.plans, (), asked.first, asked.last, asked.server,
                            asked.before_go_live)  # fmt: skip
        return simulated(run, question)
    first, last = days_of(run, asked.first, asked.last)
    # Bad days and servers that are not there are told in the same words.
    question = Question((), (), first, last, asked.server)
    question.span(run, next(iter(run.entities)))
    looking, _ = simulated(run, question)
    return looking, booked(run, first, last, asked.server)


def _add(sums: Counter[tuple[str, str]], rows: pl.DataFrame) -> None:
    found = rows.group_by("partner", "currency").agg(pl.col("amount_e8").cast(pl.Int128).sum())
    for partner, currency, amount in found.iter_rows():
        sums[partner, currency] += amount


def _by_ticket(sums: _Sums, report: Report, frames: Iterator[pl.DataFrame]) -> None:
    """Sum our side, and take away piece by piece the tickets on which both agree.

    A partner whose rows have no ticket at all is compared by his sum alone.
    """
    with_tickets = report.rows.filter(pl.col("ticket") != 0)
    summed = report.rows.join(with_tickets, on="partner", how="anti")["partner"].unique()
    by_ticket = ~pl.col("partner").is_in(summed.implode())
    left = (
        report.rows.filter(by_ticket)
        .group_by(_KEY, maintain_order=True)
        .agg(legacy=pl.col("amount_e8").sum())
    )
    for frame in frames:
        _add(sums.ours, frame)
        if not report.has_tickets:
            continue
        if not report.has_servers:
            frame = frame.with_columns(server=pl.lit(""))
        piece = (
            frame.filter(by_ticket)
            .group_by(_KEY, maintain_order=True)
            .agg(ours=pl.col("amount_e8").sum())
        )
        both = piece.join(left, on=_KEY, how="left", maintain_order="left")
        left = left.join(piece, on=_KEY, how="anti", maintain_order="left")
        _note(sums, both)
    if report.has_tickets:
        _note(sums, left.with_columns(ours=pl.lit(None, pl.Int64)))


def _note(sums: _Sums, both: pl.DataFrame) -> None:
    gap = (pl.col("ours").fill_null(0) - pl.col("legacy").fill_null(0)).abs()
    both = both.select(*_KEY, "legacy", "ours", gap=gap)
    differs = both.filter(pl.col("gap") > 0)
    sums.same += int((both["gap"] == 0).sum())
    sums.count += len(differs)
    sums.differing.append(_most(differs))
    if sum(map(len, sums.differing)) > 10 * _KEPT:
        sums.differing = [_most(pl.concat(sums.differing))]


def _most(differs: pl.DataFrame) -> pl.DataFrame:
    """Keep the biggest differences of each currency: bare numbers of two cannot be compared."""
    ranked = differs.sort("gap", descending=True, maintain_order=True)
    return ranked.group_by("currency", maintain_order=True).head(_KEPT).select(differs.columns)


def _biggest(sums: _Sums, most: int) -> list[dict[str, object]]:
    """Return the differences that are most of their partner's sum in their currency.

    Partners of whom the report says nothing come last: all that they earn differs.
    """
    told = {partner for partner, _ in sums.legacy}

    def rank(row: dict[str, Any]) -> tuple[bool, Fraction, tuple[Any, ...]]:
        key = row["partner"], row["currency"]
        whole = abs(sums.legacy[key]) or abs(sums.ours[key])
        share = Fraction(row["gap"], whole) if whole else Fraction(row["gap"])
        return key[0] not in told, -share, tuple(row[name] for name in _KEY)

    return sorted(pl.concat(sums.differing).to_dicts(), key=rank)[:most]


def _ticket(row: dict[str, object]) -> TicketRow:
    told = {True: "missing here", False: "other amount"}[row["ours"] is None]
    if row["legacy"] is None:
        told = "missing there"
    return TicketRow(
        str(row["partner"]), str(row["currency"]), str(row["server"]), int(str(row["ticket"])),
        row["legacy"], row["ours"], told,  # type: ignore[arg-type]
    )  # fmt: skip
