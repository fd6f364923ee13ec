"""A trade export goes through inbox and trades, and is booked: one transaction per chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from pipshare import audit, inbox, market, trades
from pipshare.facts import TRADE, Refusal
from pipshare.market import Server
from pipshare.money import format_e8
from pipshare.pipeline import admit, journals
from pipshare.pipeline.admit import JOURNAL, Order
from pipshare.pipeline.book import Booked, book
from pipshare.pipeline.compensations import take_compensations
from pipshare.pipeline.executions import note_many
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows import settle_windows, take_up_clients
from pipshare.sources import files
from pipshare.sources.reading import CLIENT, Chunk, Reading

Progress = Callable[[int], None]
__all__ = ["FileReport", "Order", "import_file"]


@dataclass
class FileReport:
    """What became of a file's rows. Counts are trades (closing deals on MT5) unless named.

    `cash`, `cancelled` and `compaction` count rows of the file. `why_not` says why it books
    nothing, `note` what else a person should know. `window_lines`: what windows of many trades, or
    clients, came to when all was booked.
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
    window_lines: int = 0
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
    admit.check_platform(path, reading, server)
    report = FileReport(str(path), reading.meta.format, *admit.may_book(reading, server, order))
    report.note = admit.note(reading, server, order, report.booked)
    report.gap_e8 = admit.gap(path, reading, order)
    as_of_ms = _as_of(reading, server, order)
    ahead = _ahead(reading.chunks())
    file_id = inbox.receive_file(
        run.conn, server.id, path, reading.meta,
        trust=order.trust, as_of_ms=as_of_ms, by=order.by, booked=report.booked,
    )  # fmt: skip
    _audit(run, path, order, reading, report, file_id)
    run.conn.commit()
    for chunk in ahead:
        journals.name_account(chunk, order.login)
        _take(run, server, chunk, file_id, as_of_ms, report)
        run.conn.commit()
        if progress:
            progress(max(len(chunk.trades), len(chunk.deals)))
    if take_compensations(run):
        while take_up_clients(run):
            pass
    report.window_lines = settle_windows(run).lines
    return report


def _ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Return the chunks, the next one being parsed while the last one is booked."""
    maker = ThreadPoolExecutor(1)
    coming = maker.submit(next, chunks, None)

    def in_turn() -> Iterator[Chunk]:
        nonlocal coming
        with maker:
            while (chunk := coming.result()) is not None:
                coming = maker.submit(next, chunks, None)
                yield chunk

    return in_turn()


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
    run.current()
    server = run.servers[server.id]
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
    note_many(run, server, chunk.deals, chunk.trades)
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
    if intake.again is not None:
        report.result.add(book(run, server, intake.again, fresh=False))
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
