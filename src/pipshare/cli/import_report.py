"""What `pipshare import` says of a file: in words for a person, as JSON for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from pipshare.cli.options import SHOWN, console, counted, say_booked
from pipshare.facts import Refusal
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline.files import FileReport
from pipshare.trades import Difference


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
                         for name, (here, stored) in _fields(one).items())  # fmt: skip
        console.print(f"    line {one.line}, ticket {one.ticket}: {told}")
    _refused([(one.line, one.reason) for one in report.refused])
    say_booked(report.result)


def as_json(report: FileReport) -> dict[str, Any]:
    """Return a report ready for JSON: amounts as strings, times in ISO 8601."""
    found = asdict(report)
    found["gap"] = format_e8(found.pop("gap_e8"))
    found["refused"] = [_without_raw(one) for one in report.refused]
    found["differences"] = [
        {"ticket": one.ticket, "line": one.line,
         "fields": {name: {"here": here, "stored": stored}
                    for name, (here, stored) in _fields(one).items()}}
        for one in report.differences
    ]  # fmt: skip
    return {**found, "error": None}


def _without_raw(refusal: Refusal) -> dict[str, Any]:
    return {name: value for name, value in asdict(refusal).items() if name != "raw"}


def _heading(file: str, rest: str) -> None:
    console.print(Text.assemble((file, "bold"), rest))


def _refused(rows: Sequence[tuple[int, str]]) -> None:
    for line, reason in rows[:SHOWN]:
        console.print(f"  refused, line {line}: {reason}")
    if len(rows) > SHOWN:
        console.print(f"  ... and {counted(len(rows) - SHOWN, 'more refused row')}")


def _fields(one: Difference) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ as people write them: lots 0.10, a time with its day."""
    return {
        name.removesuffix("_e8").removesuffix("_ms"): (_plain(name, here), _plain(name, stored))
        for name, (here, stored) in one.fields.items()
    }


def _plain(name: str, value: Any) -> Any:
    if name.endswith("_e8"):
        return format_e8(value)
    return from_ms(value).isoformat(" ")[:19] if name.endswith("_ms") else value
