"""Partners' links: which there are, one with its address and its QR code; made and archived."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import psycopg
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import inbox, market, partners, settings
from pipshare.console.asked import Form, form_page, may, text, who
from pipshare.console.kept import kept
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, count, counted
from pipshare.errors import Missing
from pipshare.partners import Link
from pipshare.tracking.presets import PRESETS
from pipshare.tracking.qr import qr
from pipshare.web import Cell, Column, Stat, Table, reading, room, writing

_DAY_MS = 86_400_000
_DAYS = 30
_AT_ONCE = 100
Clicks = Mapping[int, tuple[int, int]]  # link: clicks of people, of bots and prefetches


class LinkForm(Form):
    """A new link. Its partner is told by his code; without a landing page it is the default one."""

    FAULTS: ClassVar = {
        "no_partner": "partner", "ambiguous": "partner", "bad_code": "code", "link_exists": "code",
        "bad_campaign": "campaign", "bad_name": "name", "no_landing": "landing",
    }  # fmt: skip
    partner = text("Partner", help="His code, as IB-110.")
    campaign = text("Campaign", required=False, help="What reports group by, as spring-2026.")
    name = text("Name", required=False, help="For yourselves: where the link is put.")
    landing = forms.ChoiceField(label="Leads to", required=False)
    code = text("Code", required=False, help="The last part of the address. Left empty, one is made"
                " up. Letters, digits, - and _; it cannot be changed later.")  # fmt: skip

    def __init__(self, *args: Any, pages: Sequence[partners.Landing], **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["landing"].choices = [
            ("", "The default landing page"),
            *((str(one.id), f"{one.code}: {one.url}") for one in pages if not one.is_default),
        ]


@room("tracking.see")
def links(request: HttpRequest) -> HttpResponse:
    """List links; ?q= looks in codes, names, campaigns and partners, ?archived shows those, too."""
    asked = request.GET.get("q", "").replace("\0", "").strip()[:100]
    archived = "archived" in request.GET
    page = request.GET.get("page", "0")
    start = int(page) * _AT_ONCE if page.isascii() and page.isdecimal() and len(page) < 6 else 0
    with reading() as conn:
        scope = scope_of(conn, request.user)
        every = partners.links(conn, scope, archived=archived)
        found = [one for one in every if _is_like(one, asked)]
        pages = {one.id: one for entity in market.entities(conn)
                 for one in partners.landings(conn, entity, archived=True)}  # fmt: skip
        clicks = clicks_lately(conn, scope)
    rows = [_row(request, one, pages, clicks) for one in found[start : start + _AT_ONCE]]
    columns = [Column("Link", head=True), Column("Partner"), Column("Campaign"), Column("Leads to"),
               Column(f"Clicks, {_DAYS} days", number=True)]  # fmt: skip
    here = reverse("console:links")
    query = {"q": asked} | ({"archived": ""} if archived else {})
    number = start // _AT_ONCE
    return render(request, "console/links.html", {
        "may_change": may(request, "tracking.change"), "q": asked, "archived": archived,
        "has_links": bool(every),
        "has_pages": any(one.state == partners.ACTIVE for one in pages.values()),
        "table": Table("Links", columns, rows, hide_caption=True) if rows else None,
        "said": counted(len(found), "link"),
        "first": f"{here}?{urlencode(query)}" if start else "",
        "older": f"{here}?{urlencode({**query, 'page': number + 1})}"
        if len(found) > start + _AT_ONCE else "",
    })  # fmt: skip


@room("tracking.change", methods=("GET", "POST"))
def add_link(request: HttpRequest) -> HttpResponse:
    """Make a link; ?partner= fills his code in."""
    with reading() as conn:
        scope = scope_of(conn, request.user)
        pages = [one for entity in market.entities(conn) for one in partners.landings(conn, entity)]
    begun = {"partner": request.GET.get("partner", "")[:100]}
    form = LinkForm(request.POST or None, pages=pages, initial=begun)
    if request.method == "POST" and form.is_valid():
        told, made = form.cleaned_data, []

        def make() -> None:
            with writing() as conn:
                partner = partners.partner(conn, told["partner"].strip())
                if scope is not None and partner.id not in scope:
                    raise Missing("no_partner", f"there is no partner {partner.code!r}")
                chosen = next((one for one in pages if str(one.id) == told["landing"]), None)
                if chosen is not None and chosen.entity_id != partner.entity_id:
                    raise Missing("no_landing", f"landing page {chosen.code} is of another entity"
                                  f" than {partner.code}, who is of {partner.entity}")  # fmt: skip
                made.append(partners.add_link(
                    conn, partner, by=who(request), code=told["code"].strip(),
                    campaign=told["campaign"].strip(), name=told["name"].strip(), landing=chosen,
                ))  # fmt: skip

        if form.attempt(make):
            messages.success(request, f"Link {made[0].code} is made. Give its address to"
                                      f" {made[0].partner}.")  # fmt: skip
            return redirect("console:link", link_id=made[0].id)
    here = reverse("console:links")
    return form_page(
        request, form, title="New link", crumbs=[("Links", here)], action="Make the link",
        back=here, lead="A link stands for one partner: who registers after a click on it becomes"
        " his client, by the rule of your tracking settings.",
    )  # fmt: skip


@room("tracking.see")
def link(request: HttpRequest, link_id: int) -> HttpResponse:
    """Show a link: its address, what trackers put behind it, its QR code, its clicks."""
    with reading() as conn:
        scope = scope_of(conn, request.user)
        one = link_of(conn, link_id, scope)
        pages = {page.id: page for page in partners.landings(conn, one.entity_id, archived=True)}
        people, others = clicks_lately(conn, scope).get(one.id, (0, 0))
        tracking = partners.tracking_settings(conn, one.entity_id)
    address = address_of(request, one)
    chosen = pages.get(one.landing_id or 0)
    is_gone = chosen is not None and chosen.state != partners.ACTIVE
    default = next((page for page in pages.values() if page.is_default), None)
    return render(request, "console/link.html", {
        "one": one, "address": address, "is_active": one.state == partners.ACTIVE,
        "may_change": may(request, "tracking.change"),
        "leads_to": default if chosen is None or is_gone else chosen, "is_gone": is_gone,
        "click_param": tracking.click_param,
        "partner_url": reverse("console:partner", args=[one.partner_id]),
        "trackers": [(preset.name, f"{address}?{preset.link}") for preset in PRESETS.values()],
        "stats": [
            Stat(f"Clicks, {_DAYS} days", count(people), "of people",
                 url=f"{reverse('console:funnel')}?{urlencode({'link': one.code})}"),
            Stat("Bots and prefetches", count(others), "counted apart; nobody is told of them"),
        ],
    })  # fmt: skip


@room("tracking.see")
def link_qr(request: HttpRequest, link_id: int, kind: str) -> HttpResponse:
    """Return the QR code of a link's address as SVG or PNG; ?download names the file."""
    with reading() as conn:
        one = link_of(conn, link_id, scope_of(conn, request.user))
    types = {"svg": "image/svg+xml", "png": "image/png"}
    if kind not in types:
        raise Missing("no_kind", f"There is no QR code as {kind[:10]!r}: take svg or png.")
    response = HttpResponse(qr(address_of(request, one), kind), content_type=types[kind])
    if "download" in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="{one.code}.{kind}"'
    return response


@room("tracking.change", methods=("POST",))
def archive_link(request: HttpRequest, link_id: int) -> HttpResponse:
    """Let nobody become a client by a link any more."""
    with writing() as conn:
        one = link_of(conn, link_id, scope_of(conn, request.user))
        partners.archive_link(conn, one, by=who(request))
    messages.success(request, f"Link {one.code} is archived: who follows it still reaches the"
                              " landing page, and becomes nobody's client by it.")  # fmt: skip
    return redirect("console:link", link_id=link_id)


def link_of(
    conn: psycopg.Connection[Any], link_id: int, scope: Sequence[int] | None
) -> Link:  # fmt: skip
    """Return a link by its number. Raises Missing when there is none within `scope`."""
    one = partners.links_by_id(conn, [min(link_id, 2**31 - 1)]).get(link_id)
    if one is None or (scope is not None and one.partner_id not in scope):
        raise Missing("no_link", f"There is no link with the number {link_id}.")
    return one


def address_of(request: HttpRequest, one: Link) -> str:
    """Return a link's address as visitors type it."""
    return f"{base_of(request)}/c/{one.code}"


def base_of(request: HttpRequest) -> str:
    """Return the address under which the outside reaches us: PIPSHARE_URL, else as asked here."""
    return settings.ENV.url or request.build_absolute_uri("/")[:-1]


def clicks_lately(conn: psycopg.Connection[Any], scope: Sequence[int] | None) -> Clicks:
    """Return the clicks of the last 30 days by link, some seconds old at most."""
    now_ms = time.time_ns() // 1_000_000

    def count_them() -> Clicks:
        found = inbox.count_clicks(conn, now_ms - _DAYS * _DAY_MS, now_ms + _DAY_MS, scope)
        rows = found.select("link_id", "human", "bot", "prefetch").iter_rows()
        return {link_id: (human, bot + prefetch) for link_id, human, bot, prefetch in rows}

    return kept(conn, f"clicks {scope}", count_them).value


def _is_like(one: Link, asked: str) -> bool:
    """Whether each word of a search is in a link's code, partner, campaign or name."""
    told = f"{one.code} {one.partner} {one.campaign} {one.name}".lower()
    return all(word in told for word in asked.lower().split())


def _row(
    request: HttpRequest, one: Link, pages: Mapping[int, partners.Landing], clicks: Clicks
) -> Row:
    people, others = clicks.get(one.id, (0, 0))
    chosen = pages.get(one.landing_id or 0)
    url = reverse("console:link", args=[one.id])
    is_active = one.state == partners.ACTIVE
    return [
        Cell(one.code, url, note=one.name or address_of(request, one)),
        Cell(one.partner, reverse("console:partner", args=[one.partner_id])),
        Cell(one.campaign or "–"),
        Cell(chosen.code if chosen else "default") if is_active else Cell("Archived", tone="plain"),
        Cell(count(people), note=counted(others, "bot") if others else ""),
    ]
