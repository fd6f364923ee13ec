"""The overview: what came in, what was booked, what waits and why, and how fresh it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import inbox, market, statements
from pipshare.console.kept import kept
from pipshare.console.scope import scope_of
from pipshare.console.shown import (
    Row,
    ago,
    breaking,
    caught_up,
    count,
    counted,
    lasting,
    moment,
    money,
)
from pipshare.console.sources import source_state
from pipshare.console.words import mend, short
from pipshare.period import Clock, broker_days, day_to_date, to_ms
from pipshare.statements.arrivals import Arrivals, arrivals
from pipshare.statements.earnings import earned
from pipshare.statements.waiting_periods import WaitingPeriod, waiting_periods
from pipshare.web import Cell, Column, Stat, Table, reading, room

_NAMED = 3  # of what is missing, so many by name


@dataclass(frozen=True)
class _Figures:
    arrivals: Arrivals
    waiting: Sequence[statements.Waiting]
    periods: Sequence[WaitingPeriod]
    today: date
    clock: str
    month: str
    earned: dict[str, int]


@room("overview.see")
def overview(request: HttpRequest) -> HttpResponse:
    """Show the first room."""
    return render(request, "console/overview.html", _page(request))


@room("overview.see")
def live(request: HttpRequest) -> HttpResponse:
    """Return the part of the overview that refreshes itself."""
    return render(request, "console/parts/overview_live.html", _page(request))


def _page(request: HttpRequest) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    user: Any = request.user
    with reading() as conn:
        scope = scope_of(conn, user)
        found = kept(conn, f"overview {scope}", lambda: _figures(conn, now_ms, scope))
        whole = scope is None  # how the broker's sources fare is not a partner's business
        fares = inbox.statuses(conn) if whole else []
        alerts = inbox.alerts(conn, limit=20) if whole else []
    told = found.value
    return {
        "stats": _stats(told, money_too=user.may("earnings.see"), whole=whole),
        "waiting": _waiting(told) if told.waiting or told.periods else None,
        "sources": _sources(fares, now_ms) if fares else None,
        "alerts": alerts,
        "whole": whole,
        "arrivals": told.arrivals,
        "as_of": moment(found.at_ms),
        "today": f"{told.today:%A %d %B %Y}",
        "clock": told.clock,
    }


def _figures(
    conn: psycopg.Connection[Any], now_ms: int, scope: Sequence[int] | None
) -> _Figures:  # fmt: skip
    entities = market.entities(conn)
    text = min(entities.values(), key=lambda one: one.id).clock if entities else "UTC"
    clock = Clock.parse(text)
    today = day_to_date(int(broker_days(np.array([now_ms], np.int64), clock)[0]))
    wall = datetime(today.year, today.month, today.day, tzinfo=UTC)
    midnight_ms = int(clock.to_utc(np.array([to_ms(wall)], np.int64))[0])
    found = arrivals(conn, today=today, midnight_ms=midnight_ms, now_ms=now_ms, scope=scope)
    month = f"{today:%Y-%m}"
    sums: dict[str, int] = {}
    for amounts in earned(conn, month, scope).values():
        for currency, amount in amounts.items():
            sums[currency] = sums.get(currency, 0) + amount
    return _Figures(found, statements.waiting(conn, scope), waiting_periods(conn, scope), today,
                    text, month, sums)  # fmt: skip


def _stats(told: _Figures, *, money_too: bool, whole: bool) -> list[Stat]:
    found = told.arrivals
    waits = sum(row.trades for row in told.waiting) + sum(row.lines for row in told.periods)
    stats = [
        Stat("Trades closed today", count(found.closed),
             f"{count(found.last_hour)} in the last hour", url=reverse("console:trades")),
        Stat("Trades booked today", count(found.booked),
             f"{counted(found.received, 'record')} received" if whole else ""),
        Stat("Waiting", count(waits), "see below why" if waits else "nothing waits",
             "warn" if waits else "good"),
    ]  # fmt: skip
    if money_too:
        stats += [
            Stat(f"Earned today, {currency}",
                 breaking(money(found.accrued.get(currency, 0), currency)),
                 f"{told.month}: {money(told.earned.get(currency, 0), currency)}")
            for currency in sorted(found.accrued.keys() | told.earned.keys())
        ] or [Stat("Earned today", "–", f"{told.month}: nothing yet")]  # fmt: skip
    return stats


def _waiting(told: _Figures) -> Table:
    """Show a row per reason and server, or component, with the commonest of what is missing."""
    columns = [Column("Reason", head=True), Column("For"), Column("How many", number=True),
               Column("Since"), Column("The way to mend it")]  # fmt: skip
    groups: dict[tuple[str, str], list[statements.Waiting]] = {}
    for row in told.waiting:
        groups.setdefault((row.reason, row.server), []).append(row)
    shown: list[Row] = []
    for (reason, server), some in sorted(groups.items()):
        way = mend(reason)
        query = urlencode({"standing": "waiting", "reason": reason})
        keys = [row.key for row in some if row.key]
        more = f" and {count(len(keys) - _NAMED)} more" if len(keys) > _NAMED else ""
        shown.append([
            Cell(short(reason), f"{reverse('console:trades')}?{query}", "warn", way.why),
            Cell(", ".join(keys[:_NAMED]) + more or "–", note=server),
            counted(sum(row.trades for row in some), "trade"),
            Cell(f"{min(row.since for row in some)[:16]} UTC", title="in UTC"),
            Cell(way.what, note=way.command),
        ])  # fmt: skip
    shown += [_period(row) for row in told.periods]
    return Table("What waits, and why", columns, shown)


def _period(row: WaitingPeriod) -> Row:
    """Show what waits and is of no trade: a client's bonus, a cost or sum of a period."""
    way = mend(row.reason)
    example = f"client {row.client}" if row.client else row.partner
    return [
        Cell(short(row.reason), tone="warn", title=way.why),
        Cell(row.key or "–", note=f"{row.programme}/{row.component}"),
        Cell(counted(row.lines, "line"), note=f"of no trade, as {example}" if example else ""),
        Cell(f"{row.since[:16]} UTC", title="in UTC"),
        Cell(way.what, note=way.command),
    ]


def _sources(fares: Sequence[inbox.SourceStatus], now_ms: int) -> Table:
    columns = [Column("Source", head=True), Column("State"), Column("Last news"),
               Column("Close to booked, half", number=True), Column("99 of 100", number=True),
               Column("Trades", number=True)]  # fmt: skip
    shown: list[Row] = []
    for one in fares:
        word, tone, note = source_state(one, now_ms)
        shown.append([
            Cell(one.source.code, reverse("console:source", args=[one.source.code])),
            Cell(word, tone=tone, note=note),
            Cell(ago(one.last_news_ms, now_ms), title=moment(one.last_news_ms)),
            Cell("–" if one.lag_p50_ms is None else lasting(one.lag_p50_ms),
                 note=caught_up(one, now_ms)),
            "–" if one.lag_p99_ms is None else lasting(one.lag_p99_ms),
            count(one.trades),
        ])  # fmt: skip
    return Table("Sources", columns, shown)
