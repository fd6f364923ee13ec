"""A trade's parts of what builds up, for the page of its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from pipshare.console.shown import Row, money
from pipshare.console.words import mend
from pipshare.pipeline.explained.of_trade import Part
from pipshare.pipeline.explained.sums import Window
from pipshare.pipeline.explained.words import held_words
from pipshare.pipeline.explained.worked import Earned
from pipshare.web import Cell, Column, Table


def parts_shown(parts: Sequence[Part], scope: list[int] | None) -> list[dict[str, Any]]:
    """Return what the page shows of each part; of partners outside of `scope` nothing."""
    return [_part(part, is_whole=scope is None) for part in parts
            if part.window.payee.is_within(scope)]  # fmt: skip


def _part(part: Part, *, is_whole: bool) -> dict[str, Any]:
    window = part.window
    is_client = window.payee.kind == "client"
    return {
        "window": window, "payee": window.payee.code, "url": _url(window),
        "id": None if is_client else window.payee.id, "adds": part.adds,
        "levels": ", ".join(sorted({str(one.line.level) for one in part.lines})),
        "lines": [_line(one) for one in part.lines],
        "amount": money(window.payable_e8, window.currency) if not window.trades else "",
        "stands": money(window.booked_e8, window.currency), "count": len(window.lines),
        "netted": ", ".join(window.netted_with),
        "working": window.working if len(window.working) > 1 else (),
        "booked": booked_table(window.booked, is_whole=is_whole) if window.booked else None,
    }  # fmt: skip


def _url(window: Window) -> str:
    """Return where all of a partner's window is explained; "" for a client's rebates."""
    if window.payee.kind == "client":
        return ""
    return reverse("console:window", args=[window.payee.id, window.component_id, window.start_ms])


def _line(one: Earned) -> dict[str, Any]:
    line = one.line
    waits = line.wait is not None
    return {
        "what": "This trade" if one.ticket else "The sum of the period",
        "amount": "waits" if waits else money(line.amount_e8, line.wallet),
        "wait": mend(line.wait.word) if line.wait is not None else None,
        "held": held_words(one.held_by), "steps": line.working,
        "zero": "" if waits or line.amount_e8 else line.reason.sentence,
    }  # fmt: skip


def booked_table(rows: Sequence[dict[str, Any]], *, is_whole: bool) -> Table:
    """Show the lines booked of a window; their causes name trades of the whole tree."""
    columns = [Column("Booked", head=True), Column("Because of"), Column("Amount", number=True)]
    told: list[Row] = []
    for row in rows:
        state = [] if row["state"] == "accrued" else [row["state"].replace("_", " ")]
        note = ", ".join([*state, *([row["sentence"]] if row["sentence"] else [])])
        told.append([
            Cell(row["booked_at"].replace("T", " ").replace("Z", " UTC"), title="in UTC",
                 note=f"transfer {row['transfer']}, earned {row['day']}"),
            row["why"] if is_whole else "–",
            Cell(money(row["amount_e8"], row["currency"]), note=note),
        ])  # fmt: skip
    return Table("Lines of the period in the books", columns, told)
