"""What became of a file's rows, for a program (JSON) and in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pipshare.facts import Refusal
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline.files import FileReport
from pipshare.trades import Difference


def as_json(report: FileReport) -> dict[str, Any]:
    """Return a report ready for JSON: amounts as strings, times in ISO 8601."""
    found = asdict(report)
    del found["window_lines"]  # for a person alone
    found["gap"] = format_e8(found.pop("gap_e8"))
    found["refused"] = [_without_raw(one) for one in report.refused]
    found["differences"] = [
        {"ticket": one.ticket, "line": one.line,
         "fields": {name: {"here": here, "stored": stored}
                    for name, (here, stored) in differing(one).items()}}
        for one in report.differences
    ]  # fmt: skip
    return {**found, "error": None}


def as_text(report: FileReport) -> Iterator[str]:
    """Yield the lines of a report for a person."""
    yield f"{report.file}: {report.format}"
    counts = {
        "new": report.new, "repeated": report.repeated, "revised": report.revised,
        "older than what is stored": report.older, "refused": len(report.refused),
        "opening unknown": report.opening_unknown, "balance rows": report.cash,
        "cancelled orders": report.cancelled, "compaction rows": report.compaction,
    }  # fmt: skip
    yield ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing new"
    if report.gap_e8:
        yield f"accepted gap: {format_e8(report.gap_e8)}"
    if report.why_not:
        yield f"not booked: {report.why_not}"
        yield (f"compared: {report.matching} match, {report.differing} differ,"
               f" {report.not_stored} are not stored")  # fmt: skip
    if report.note:
        yield report.note
    for one in report.differences:
        told = ", ".join(f"{name} {here} here, {stored} stored"
                         for name, (here, stored) in differing(one).items())  # fmt: skip
        yield f"line {one.line}, ticket {one.ticket}: {told}"
    for refusal in report.refused:
        yield f"refused, line {refusal.line}: {refusal.reason}"
    done = report.result
    if done.trades:
        yield (f"booked: {done.trades} trades ({done.introduced} introduced, {done.direct} direct,"
               f" {done.excluded} excluded, {done.history} before go-live), {done.lines} lines"
               )  # fmt: skip
    if report.window_lines:
        yield f"by window and client: {report.window_lines} lines"
    for reason, count in sorted(done.waiting.items()):
        yield f"{count} wait: {reason}"


def differing(one: Difference) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ as people write them: lots 0.10, a time with its day."""
    return {
        name.removesuffix("_e8").removesuffix("_ms"): (_plain(name, here), _plain(name, stored))
        for name, (here, stored) in one.fields.items()
    }


def _without_raw(refusal: Refusal) -> dict[str, Any]:
    return {name: value for name, value in asdict(refusal).items() if name != "raw"}


def _plain(name: str, value: Any) -> Any:
    if name.endswith("_e8"):
        return format_e8(value)
    return from_ms(value).isoformat(" ")[:19] if name.endswith("_ms") else value
