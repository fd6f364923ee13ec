"""The funnel: from clicks to registrations, qualifying deposits and first trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import partners
from pipshare.console.asked import Form, sentence, text
from pipshare.console.kept import kept
from pipshare.console.partner import partner_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, count, counted
from pipshare.errors import BadInput, Missing
from pipshare.period import to_ms
from pipshare.pipeline.funnel import BY, Funnel, funnel
from pipshare.web import Cell, Column, Stat, Table, reading, room

_DAYS = 30
_MOST = 500  # rows of a page
_DAY = {"type": "date"}


class Span(Form):
    """What is counted: whole days in UTC, of all or of a partner, link or campaign."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs=_DAY))
    until = forms.DateField(label="to", required=False, widget=forms.DateInput(attrs=_DAY))
    partner = text("Partner and all below", required=False, placeholder="IB-110")
    campaign = text("Campaign", required=False)
    link = text("Link", required=False)
    by = forms.ChoiceField(label="One row for each", required=False,
                           choices=[(one, one) for one in BY])  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse a span that ends before it begins."""
        told: dict[str, Any] = super().clean() or {}
        since, until = told.get("since"), told.get("until")
        if since and until and until < since:
            self.add_error("until", "It is before the first day.")
        return told


@dataclass(frozen=True)
class Steps:
    """A funnel's sums."""

    clicks: int
    others: int
    registered: int
    qualified: int
    first_trades: int


@room("tracking.see")
def show_funnel(request: HttpRequest) -> HttpResponse:
    """Show the funnel of a span of days by link, campaign or partner."""
    today = datetime.now(UTC).date()
    form = Span(_given(request, today))
    rows: Sequence[Funnel] = ()
    if form.is_valid():
        told = form.cleaned_data
        with reading() as conn:
            try:
                ids = _partners(conn, told["partner"].replace("\0", "").strip(), request)
            except (Missing, BadInput) as error:
                form.add_error("partner", sentence(error))
            else:
                since, until = told["since"] or today, told["until"] or today
                rows = _narrowed(_counted(conn, since, until, ids, told["by"] or "link"), told)
    steps = summed(rows)
    return render(request, "console/funnel.html", {
        "form": form, "stats": steps_shown(steps), "said": counted(len(rows), "row"),
        "table": _table(rows, steps, form.cleaned_data.get("by") or "link") if rows else None,
        "left_out": max(0, len(rows) - _MOST),
    })  # fmt: skip


@room("tracking.see")
def partner_funnel(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Return the steps of a partner and all below him, 30 days: put into his page when counted."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=_DAYS - 1)
    with reading() as conn:
        one = partner_of(conn, partner_id, scope_of(conn, request.user))
        ids = partners.subtree(conn, one.id)
        steps = summed(_counted(conn, first, today, ids, "partner"))
    url = f"{reverse('console:funnel')}?{urlencode({'partner': one.code})}"
    return render(request, "console/parts/stats.html", {"stats": steps_shown(steps, url)})


def summed(rows: Sequence[Funnel]) -> Steps:
    """Return the sums of rows."""
    return Steps(
        sum(one.clicks for one in rows), sum(one.bots + one.prefetches for one in rows),
        sum(one.registered for one in rows), sum(one.qualified for one in rows),
        sum(one.first_trades for one in rows),
    )  # fmt: skip


def steps_shown(steps: Steps, url: str = "") -> list[Stat]:
    """Show the four steps, each with its share of the one before."""
    return [
        Stat("Clicks", count(steps.clicks),
             f"{counted(steps.others, 'bot')} and prefetches apart" if steps.others
             else "of people", url=url),
        Stat("Registrations", count(steps.registered), share(steps.registered, steps.clicks,
                                                             "clicks")),
        Stat("Qualified deposits", count(steps.qualified),
             share(steps.qualified, steps.registered, "registrations")),
        Stat("First trades", count(steps.first_trades),
             share(steps.first_trades, steps.qualified, "qualified")),
    ]  # fmt: skip


def share(part: int, whole: int, of: str) -> str:
    """Write a share to a tenth of a percent; of nothing there is none."""
    if not whole:
        return ""
    tenths = (part * 1000 + whole // 2) // whole
    return f"{tenths // 10}.{tenths % 10} % of {of}"


def _given(request: HttpRequest, today: date) -> dict[str, Any]:
    given = {name: request.GET.get(name, "") for name in Span.base_fields}
    if not given["since"] and not given["until"]:
        given["since"] = f"{today - timedelta(days=_DAYS - 1)}"
        given["until"] = f"{today}"
    given["by"] = given["by"] if given["by"] in BY else "link"
    return given


def _partners(
    conn: psycopg.Connection[Any], code: str, request: HttpRequest
) -> list[int] | None:  # fmt: skip
    scope = scope_of(conn, request.user)
    if not code:
        return scope
    one = partners.partner(conn, code)
    if scope is not None and one.id not in scope:
        raise Missing("no_partner", f"there is no partner {code!r}")
    return partners.subtree(conn, one.id)


def _counted(
    conn: psycopg.Connection[Any], since: date, until: date, ids: list[int] | None, by: Any
) -> list[Funnel]:
    """Count, or take what was counted some seconds ago."""
    first, end = _ms(since), _ms(until + timedelta(days=1))

    def work() -> list[Funnel]:
        return funnel(conn, first, end, partner_ids=ids, by=by)

    return kept(conn, f"funnel {first} {end} {by} {ids}", work).value


def _ms(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _narrowed(rows: Sequence[Funnel], told: dict[str, Any]) -> list[Funnel]:
    link, campaign = told["link"].strip().lower(), told["campaign"].strip().lower()
    return [one for one in rows
            if (not link or one.link.lower() == link)
            and (not campaign or one.campaign.lower() == campaign)]  # fmt: skip


def _table(rows: Sequence[Funnel], steps: Steps, by: str) -> Table:
    links = reverse("console:links")
    heads = {"link": ("Link", "Campaign", "Partner"), "campaign": ("Campaign", "Partner"),
             "partner": ("Partner",)}[by]  # fmt: skip
    columns = [*(Column(name, head=not at) for at, name in enumerate(heads)),
               *(Column(name, number=True) for name in
                 ("Clicks", "Registrations", "Qualified", "First trades"))]  # fmt: skip
    found: list[Row] = []
    for one in rows[:_MOST]:
        named = {
            "Link": Cell(one.link or "without a link",
                         f"{links}?{urlencode({'q': one.link, 'archived': ''})}" if one.link
                         else ""),
            "Campaign": Cell(one.campaign or "no campaign"),
            "Partner": Cell(one.partner, f"{links}?{urlencode({'q': one.partner})}"),
        }  # fmt: skip
        found.append([
            *(named[name] for name in heads),
            *_numbers(one.clicks, one.bots + one.prefetches, one.registered, one.qualified,
                      one.first_trades),
        ])  # fmt: skip
    foot = [Cell("Together"), *(Cell("") for _ in heads[1:]),
            *_numbers(steps.clicks, steps.others, steps.registered, steps.qualified,
                      steps.first_trades)]  # fmt: skip
    return Table("Funnel", columns, found, foot, hide_caption=True)


def _numbers(clicks: int, others: int, registered: int, qualified: int, traded: int) -> list[Cell]:
    return [
        Cell(count(clicks), note=f"{count(others)} bots apart" if others else ""),
        Cell(count(registered), note=share(registered, clicks, "clicks")),
        Cell(count(qualified), note=share(qualified, registered, "registrations")),
        Cell(count(traded), note=share(traded, qualified, "qualified")),
    ]
