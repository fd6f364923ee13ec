"""A trade export goes through inbox and trades, and is booked: one transaction per chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from pipshare import audit, inbox, market, trades
from pipshare.errors import BadInput
from pipshare.facts import TRADE, Refusal
from pipshare.market import Server
from pipshare.money import format_e8
from pipshare.pipeline import journals
from pipshare.pipeline.book import Booked, book
from pipshare.pipeline.run import Run
from pipshare.sources import files
from pipshare.sources.reading import CLIENT, Chunk, Reading

JOURNAL = "journal"
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Order:
    """How a person wants files imported; see `pipshare import --help` for each option."""

    server: str
    by: str
    mapping: Path | None = None
    encoding: str | None = None
    trust: str = ""
    accept_gap: bool = False
    as_of_ms: int | None = None
    login: int | None = None  # the account of a file that names none


@dataclass
class FileReport:
    """What became of a file's rows. Counts are trades (closing deals on MT5) unless named.

    `cash`, `cancelled` and `compaction` count rows of the file. `why_not` says why it books
    nothing, `note` what else a person should know.
    """

    file: str
    format: str
    booked: bool
    why_not: str = ""
    note: str = ""
    new: int = 0
    repeated: int = 0
    revised: int = 0
    older: int = 0
    cash: int = 0
    cancelled: int = 0
    compaction: int = 0
    opening_unknown: int = 0
    gap_e8: int = 0
    refused: list[Refusal] = field(default_factory=list)
    result: Booked = field(default_factory=Booked)
    matching: int = 0
    differing: int = 0
    not_stored: int = 0
    differences: list[trades.Difference] = field(default_factory=list)


def import_file(run: Run, path: Path, order: Order, progress: Progress | None = None) -> FileReport:
    """Import one file, committing chunk by chunk; a killed import is continued by the next.

    Raises BadInput for a file that is none of the known formats or does not add up, Missing for an
    unknown server. Rows that could not be taken are in the report, and stored with the file.
    """
    server = market.server(run.conn, order.server)
    reading = files.read(path, mapping=order.mapping, encoding=order.encoding)
    _check_platform(path, reading, server)
    report = FileReport(str(path), reading.meta.format, *_may_book(reading, server, order))
    report.note = _note(reading, server, order, report.booked)
    report.gap_e8 = _gap(path, reading, order)
    as_of_ms = _as_of(reading, server, order)
    file_id = inbox.receive_file(
        run.conn, server.id, path, reading.meta,
        trust=order.trust, as_of_ms=as_of_ms, by=order.by, booked=report.booked,
    )  # fmt: skip
    _audit(run, path, order, reading, report, file_id)
    run.conn.commit()
    for chunk in reading.chunks():
        _name_account(chunk, order.login)
        _take(run, server, chunk, file_id, as_of_ms, report)
        run.conn.commit()
        if progress:
            progress(max(len(chunk.trades), len(chunk.deals)))
    return report


def _check_platform(path: Path, reading: Reading, server: Server) -> None:
    told = reading.meta.platform if reading.meta.format != JOURNAL else ""  # it does not say
    if told and told != server.platform:
        raise BadInput(
            "wrong_platform",
            f"{path} comes from {told.upper()}, and server {server.code} is"
            f" {server.platform.upper()}: name the right server with --server",
        )


def _may_book(reading: Reading, server: Server, order: Order) -> tuple[bool, str]:
    """Return whether the file's trades book, and if not, the sentence that says why."""
    if reading.meta.provenance == CLIENT and not order.trust:
        return False, (
            "a client can edit such a document, so it is compared and books nothing;"
            " to book it, say why it can be trusted: --trust REASON"
        )
    if server.authority != "files":
        return False, (
            f"trades of {server.code} come from {server.authority}; files are only compared"
        )
    return True, ""


def _note(reading: Reading, server: Server, order: Order, booked: bool) -> str:
    if not booked:
        return ""
    if server.go_live_ms is None:
        return (
            f"{server.code} has no go-live: its trades are kept and nothing is booked; set one:"
            " `pipshare load servers` with a go_live"
        )
    if reading.meta.format == JOURNAL and order.login is None:
        return "a journal names no account: say whose it is with --login NUMBER"
    return ""


def _name_account(chunk: Chunk, login: int | None) -> None:
    """Give rows that name no account the one that a person named."""
    if login is not None and len(chunk.trades):
        named = pl.when(pl.col("login") == 0).then(login).otherwise("login").alias("login")
        chunk.trades = chunk.trades.with_columns(named)


def _gap(path: Path, reading: Reading, order: Order) -> int:
    """Return how far an MT4 statement's rows miss the P/L it prints; refuse it when they do."""
    printed = reading.meta.closed_pl_printed_e8
    if printed is None or reading.meta.format != "mt4_statement":
        return 0
    summed, refused = 0, []
    for chunk in reading.chunks():
        summed += _closed_pl(chunk)
        refused.extend(chunk.refused)
    if summed != printed and not order.accept_gap:
        rows = "".join(f"\n  line {r.line}: {r.reason}" for r in refused[:20])
        raise BadInput(
            "does_not_add_up",
            f"{path}: the closed rows sum to {format_e8(summed)}, the statement prints"
            f" {format_e8(printed)}; {format_e8(printed - summed)} is missing. Nothing was"
            f" imported; --accept-gap imports the rest.{rows}",
        )
    return printed - summed


def _closed_pl(chunk: Chunk) -> int:
    money = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")
    rows = sum(int(chunk.trades[name].sum()) for name in money)
    return rows + chunk.compaction_pl_e8 + chunk.other_pl_e8


def _as_of(reading: Reading, server: Server, order: Order) -> int | None:
    """Return the UTC moment of the file's content: the report time it prints, else --as-of."""
    if reading.meta.report_ms is None:
        return order.as_of_ms
    return int(server.to_utc(np.array([reading.meta.report_ms], np.int64))[0])


def _audit(
    run: Run, path: Path, order: Order, reading: Reading, report: FileReport, file_id: int
) -> None:
    detail = {"server": order.server, "file_id": file_id}
    if report.booked and reading.meta.provenance == CLIENT:
        audit.record(run.conn, order.by, "file.trusted", path.name, order.trust, detail)
    if report.gap_e8:
        missing = {"gap": format_e8(report.gap_e8), **detail}
        audit.record(run.conn, order.by, "file.gap_accepted", path.name, detail=missing)


def _take(
    run: Run, server: Server, chunk: Chunk, file_id: int, as_of_ms: int | None, report: FileReport
) -> None:
    """Take in and book one chunk, in the open transaction."""
    report.cancelled += chunk.cancelled
    report.compaction += chunk.compaction_rows
    report.repeated += chunk.repeated
    report.cash += _balance_rows(chunk)
    refused = list(chunk.refused)
    if report.booked:
        refused += _take_facts(run, server, chunk, file_id, as_of_ms, report)
    else:
        _compare(run, server, chunk, report)
    refused.sort(key=lambda one: one.line)
    inbox.store_refused(run.conn, file_id, refused)
    report.refused.extend(refused)


def _take_facts(
    run: Run, server: Server, chunk: Chunk, file_id: int, as_of_ms: int | None, report: FileReport
) -> list[Refusal]:
    batch_id = inbox.open_batch(
        run.conn, server.id, "file", len(chunk.trades) + len(chunk.deals) + len(chunk.cash),
        file_id=file_id, first_line=chunk.first_line, last_line=chunk.last_line,
    )  # fmt: skip
    conflicts: list[Refusal] = []
    if report.format == JOURNAL:
        chunk.trades, conflicts = journals.told_by_platform(run.conn, server, chunk.trades)
    if len(chunk.cash):
        inbox.store_cash(run.conn, server.id, chunk.cash, batch_id)
    if len(chunk.deals):
        taken = inbox.store_deals(run.conn, server.id, chunk.deals, batch_id, as_of_ms)
        conflicts += taken.conflicts
        closed = trades.from_deals(run.conn, server.id, taken.positions)
        intake = trades.take_in(run.conn, server, closed, batch_id, as_of_ms, judged=True)
        # Positions that a deal touched are assembled whole: what is in them and not in this file
        # is no repeat of this file's.
        known = _closings(chunk.deals) - intake.new - intake.revised - len(taken.conflicts)
        intake = replace(intake, repeated=max(0, known))
        _settle(run, server, intake, report)
        _replace_journals(run, server, closed, batch_id, report)
    if len(chunk.trades):
        intake = trades.take_in(run.conn, server, chunk.trades, batch_id, as_of_ms)
        conflicts += intake.conflicts
        _settle(run, server, intake, report)
        if report.format != JOURNAL:
            _replace_journals(run, server, chunk.trades, batch_id, report)
    return conflicts


def _replace_journals(
    run: Run, server: Server, told: pl.DataFrame, batch_id: int, report: FileReport
) -> None:
    """Take back what a trusted journal had told of trades that the platform now tells itself."""
    gone = journals.replaced(run.conn, server, told)
    if not len(gone):
        return
    gone = gone.select(list(trades.ASSEMBLED))
    _settle(
        run, server, trades.take_in(run.conn, server, gone, batch_id, None, judged=True), report
    )
    report.note = "trades that a journal had told are replaced by the platform's own"


def _closings(deals: pl.DataFrame) -> int:
    return len(deals.filter(pl.col("action").is_in([0, 1]) & pl.col("entry").is_in([1, 2, 3])))


def _balance_rows(chunk: Chunk) -> int:
    other = chunk.deals.filter(~pl.col("action").is_in([0, 1, 13, 14]))
    told = other["deal"].is_in(chunk.cash["ticket"].implode())  # a format may tell them twice
    return len(chunk.cash) + int((~told).sum())


def _settle(run: Run, server: Server, intake: trades.Intake, report: FileReport) -> None:
    """Count an intake and book it: trades seen first by themselves, revisions as differences."""
    report.new += intake.new
    report.revised += intake.revised
    report.repeated += intake.repeated
    report.older += intake.older
    report.opening_unknown += intake.waiting
    # An unknown opening waits in rating too, unless the programme says that it pays all the same.
    ready = pl.concat([intake.settled, intake.opening_unknown]).sort("ticket")
    first = ready["revision"] == 1
    report.result.add(book(run, server, ready.filter(first), fresh=True))
    report.result.add(book(run, server, ready.filter(~first), fresh=False))


def _compare(run: Run, server: Server, chunk: Chunk, report: FileReport) -> None:
    frame = chunk.trades if len(chunk.trades) else trades.assemble(chunk.deals)
    if report.format == JOURNAL:
        frame = journals.with_platforms_tickets(run.conn, server, frame)
    found = trades.compare(run.conn, server, frame.select(list(TRADE)))
    report.matching += found.matching
    report.differing += found.differing
    report.not_stored += found.missing
    report.differences.extend(found.differences)
