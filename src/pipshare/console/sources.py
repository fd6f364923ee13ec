"""Sources: how each fares, what its last check found, and what was refused of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import inbox
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, ago, caught_up, count, counted, lasting, moment, wall
from pipshare.errors import Missing
from pipshare.inbox import SourceStatus
from pipshare.statements.received import Refused, refused_live
from pipshare.web import Cell, Column, Table, reading, room

_TONES = {"ok": "good", "warning": "warn", "fault": "bad"}
_COUNTED = (("fault", "broken"), ("warning", "to look at"))
_LEVELS = {"ok": "In order", "warning": "Look at it", "fault": "Broken"}
KINDS = {"mt5_web": "MetaTrader 5 Web API", "files": "Folder of files"}


@room("sources.see")
def sources(request: HttpRequest) -> HttpResponse:
    """List the sources that are set up, with what somebody has to look at."""
    now_ms = time.time_ns() // 1_000_000
    with reading() as conn:
        fares = inbox.statuses(conn)
        alerts = inbox.alerts(conn, limit=100)
    columns = [Column("Source", head=True), Column("State"), Column("Last news"),
               Column("Last try"), Column("Trades", number=True),
               Column("Close to booked, half", number=True), Column("99 of 100", number=True),
               Column("Last check")]  # fmt: skip
    rows: list[Row] = []
    for one in fares:
        word, tone, note = source_state(one, now_ms)
        check, check_tone = checked(one)
        url = reverse("console:source", args=[one.source.code])
        rows.append([
            Cell(one.source.code, url, note=KINDS.get(one.source.kind, one.source.kind)),
            Cell(word, tone=tone, note=note),
            Cell(ago(one.last_news_ms, now_ms), title=moment(one.last_news_ms)),
            Cell(ago(one.last_try_ms, now_ms), title=moment(one.last_try_ms)),
            count(one.trades),
            Cell("–" if one.lag_p50_ms is None else lasting(one.lag_p50_ms),
                 note=caught_up(one, now_ms)),
            "–" if one.lag_p99_ms is None else lasting(one.lag_p99_ms),
            Cell(check, tone=check_tone,
                 note=moment(one.checked_ms) if one.checked_ms is not None else ""),
        ])  # fmt: skip
    table = Table("Sources", columns, rows, hide_caption=True) if rows else None
    return render(request, "console/sources.html", {"table": table, "alerts": alerts})


@room("sources.see")
def source(request: HttpRequest, code: str) -> HttpResponse:
    """Show one source: state, settings, cursor, alerts, findings, refused records."""
    now_ms = time.time_ns() // 1_000_000
    user: Any = request.user
    with reading() as conn:
        found = {one.source.code: one for one in inbox.statuses(conn)}
        one = found.get(code)
        if one is None:
            raise Missing("unknown_source", f"There is no source {code!r}.")
        alerts = [alert for alert in inbox.alerts(conn, limit=200) if alert.source == code]
        cursor = inbox.cursor(conn, one.source.id)
        refused = []
        if scope_of(conn, user) is None and user.may("trades.raw"):
            refused = refused_live(conn, one.source.server_id)
    word, tone, note = source_state(one, now_ms)
    return render(request, "console/source.html", {
        "one": one, "word": word, "tone": tone, "note": note, "alerts": alerts,
        "kind": KINDS.get(one.source.kind, one.source.kind),
        "facts": _facts(one, now_ms), "settings": sorted(one.source.settings.items()),
        "cursor": read_so_far(cursor), "findings": _findings(one),
        "checked": moment(one.checked_ms), "refused": _refused(refused) if refused else None,
    })  # fmt: skip


def read_so_far(cursor: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say in words how far a source was read; moments of a cursor are server seconds."""
    told = []
    if cursor.get("live_s"):
        told.append(("Live trades up to", f"{wall(cursor['live_s'] * 1000)}, server time"))
    if cursor.get("history_to_s"):
        left = cursor["history_to_s"] - cursor.get("history_s", 0)
        word = "read whole" if left <= 0 else f"read up to {wall(cursor['history_s'] * 1000)}"
        told.append(("History", f"{word}, from {wall(cursor.get('start_s', 0) * 1000)}"))
    if cursor.get("rescan_s"):
        until = f"{wall(cursor['rescan_s'] * 1000)} of {wall(cursor['rescan_to_s'] * 1000)}"
        told.append(("Nightly re-scan", until))
    if cursor.get("drift_ms"):
        told.append(("Server's clock is off by", lasting(abs(cursor["drift_ms"]))))
    return told


def source_state(one: SourceStatus, now_ms: int) -> tuple[str, str, str]:
    """Say how a source fares: a word, its tone, and a sentence for a person."""
    if one.source.state != "active":
        return "Paused", "plain", f"pipshare source resume {one.source.code}"
    if one.outage_since_ms is not None:
        return "Outage", "bad", f"for {lasting(now_ms - one.outage_since_ms)}: {one.error}"
    if not one.worked:
        return "Not worked", "warn", "nobody polls it; start: pipshare work"
    if one.last_ok_ms is None:
        return "Starting", "plain", "not reached yet"
    return "Working", "good", f"last answer {ago(one.last_ok_ms, now_ms)}"


def checked(one: SourceStatus) -> tuple[str, str]:
    """Say what the last check came to: a few words and a tone."""
    if one.findings is None:
        return "Never checked", "plain"
    levels = [finding.get("level") for finding in one.findings]
    told = [f"{levels.count(level)} {word}" for level, word in _COUNTED if level in levels]
    return ", ".join(told) or "In order", _TONES["fault" if "fault" in levels else
                                                 "warning" if told else "ok"]  # fmt: skip


def _facts(one: SourceStatus, now_ms: int) -> list[tuple[str, str]]:
    half = "–" if one.lag_p50_ms is None else lasting(one.lag_p50_ms)
    most = "–" if one.lag_p99_ms is None else lasting(one.lag_p99_ms)
    return [
        ("Last try", f"{ago(one.last_try_ms, now_ms)} ({moment(one.last_try_ms)})"),
        ("Last answer", f"{ago(one.last_ok_ms, now_ms)} ({moment(one.last_ok_ms)})"),
        ("Last news", f"{ago(one.last_news_ms, now_ms)} ({moment(one.last_news_ms)})"),
        ("Brought", f"{counted(one.deals, 'deal')}, {counted(one.trades, 'trade')}"),
        ("Close to booked", f"half within {half}, 99 of 100 within {most} (last 1,000 trades)"),
        *([("Caught up", told)] if (told := caught_up(one, now_ms)) else []),
        ("Failed tries in a row", count(one.fails)),
    ]


def _findings(one: SourceStatus) -> Table | None:
    if not one.findings:
        return None
    rank = {"fault": 0, "warning": 1}
    told = sorted(one.findings, key=lambda row: rank.get(row.get("level", ""), 2))
    rows: list[Row] = [
        [Cell(str(row.get("what", ""))),
         Cell(_LEVELS.get(row.get("level", ""), "–"),
              tone=_TONES.get(row.get("level", ""), "plain")),
         str(row.get("text", ""))]
        for row in told
    ]  # fmt: skip
    columns = [Column("What was looked at", head=True), Column("Result"), Column("In words")]
    return Table("What the last check found", columns, rows)


def _refused(rows: list[Refused]) -> Table:
    columns = [Column("Code", head=True), Column("Why it was not taken"), Column("Record")]
    return Table("Records that were not taken", columns,
                 [[row.code, row.reason, row.raw] for row in rows])  # fmt: skip
