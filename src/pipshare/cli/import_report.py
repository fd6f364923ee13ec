"""What `pipshare import` says of a file to a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from pipshare.cli.options import SHOWN, console, counted, say_booked
from pipshare.money import format_e8
from pipshare.pipeline.file_report import as_json, differing
from pipshare.pipeline.files import FileReport

__all__ = ["as_json", "say", "say_check"]


def say_check(one: dict[str, Any]) -> None:
    """Print the object of `import --check` for one file."""
    if one["error"]:
        _heading(one["file"], f": refused. {one['error']}")
        return
    account = f", account {one['account']}" if one["account"] else ""
    _heading(one["file"], f": {one['format']} ({one['encoding']}){account}")
    printed = one["closed_pl_printed"]
    console.print(
        f"  {counted(one['closed_trades'], 'closed trade')}, {one['lots']} lots, closed P/L"
        f" {one['closed_pl_summed']}" + (f" (printed {printed})" if printed is not None else "")
    )
    console.print(f"  {counted(one['balance_rows'], 'balance row')},"
                  f" {counted(one['cancelled'], 'cancelled order')},"
                  f" {counted(one['compaction_rows'], 'compaction row')}")  # fmt: skip
    _refused([(row["line"], row["reason"]) for row in one["refused"]])


def say(report: FileReport) -> None:
    """Print what became of a file's rows."""
    counts = {
        "new": report.new, "repeated": report.repeated, "revised": report.revised,
        "older than what is stored": report.older, "refused": len(report.refused),
        "opening unknown": report.opening_unknown,
    }  # fmt: skip
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    others = {"balance row": report.cash, "cancelled order": report.cancelled,
              "compaction row": report.compaction}  # fmt: skip
    parts += [counted(count, name) for name, count in others.items() if count]
    nothing = "nothing new in it" if report.booked else "nothing booked"
    _heading(report.file, f": {report.format}; {', '.join(parts) or nothing}")
    if report.gap_e8:
        console.print(f"  accepted gap: {format_e8(report.gap_e8)}")
    if report.why_not:
        console.print(f"  not booked: {report.why_not}")
        console.print(f"  compared: {report.matching} match, {report.differing} differ,"
                      f" {report.not_stored} are not stored")  # fmt: skip
    if report.note:
        console.print(f"  {report.note}")
    for one in report.differences[:SHOWN]:
        told = ", ".join(f"{name} {here} here, {stored} stored"
                         for name, (here, stored) in differing(one).items())  # fmt: skip
        console.print(f"    line {one.line}, ticket {one.ticket}: {told}")
    _refused([(one.line, one.reason) for one in report.refused])
    say_booked(report.result)
    if report.window_lines:
        console.print(f"By window and client: {counted(report.window_lines, 'line')}.")


def _heading(file: str, rest: str) -> None:
    console.print(Text.assemble((file, "bold"), rest))


def _refused(rows: Sequence[tuple[int, str]]) -> None:
    for line, reason in rows[:SHOWN]:
        console.print(f"  refused, line {line}: {reason}")
    if len(rows) > SHOWN:
        console.print(f"  ... and {counted(len(rows) - SHOWN, 'more refused row')}")
