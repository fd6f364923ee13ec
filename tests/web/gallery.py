"""A page with every shared part on it, for tests that look: URLs of the site, and /gallery."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from pipshare.urls import *  # noqa: F403
from pipshare.urls import urlpatterns as _site
from pipshare.web import Cell, Column, Pager, Stat, Table, room

_PAGE = """{% extends "web/base.html" %}
{% block title %}Gallery{% endblock %}{% block heading %}Overview{% endblock %}
{% block actions %}<a class="button" href="/gallery">Export</a><a class="button main" href="/gallery">Add a source</a>{% endblock %}
{% block main %}
{% include "web/parts/alert.html" with tone="warn" title="Server A is 4 minutes behind." text="The connection was lost at 14:02; the next try is at 14:07." %}
{% include "web/parts/alert.html" with tone="bad" title="12 trades wait" text="because nobody has said who introduced their clients." url="/gallery" action="Show them" %}
<div class="stats">{% for stat in stats %}{% include "web/parts/stat.html" %}{% endfor %}</div>
<form class="panel filters" method="get"><div class="field"><label for="a">Partner</label><input id="a" name="a" placeholder="IB-204"></div>
<div class="field"><label for="b">From</label><input id="b" name="b" type="date"></div><div class="field"><label for="c">State</label><select id="c"><option>Booked</option></select></div><div class="submit"><button class="main">Search</button></div></form>
{% include "web/parts/table.html" %}{% include "web/parts/pager.html" %}
<div class="columns"><section class="panel"><h2>Source</h2><dl class="facts"><dt>Address</dt><dd>https://mt5.broker.example:443</dd><dt>State</dt><dd><span class="live good">3 s behind</span></dd></dl></section>
{% include "web/parts/empty.html" with title="No trades yet" text="They appear here seconds after the first poll." url="/gallery" action="Add a source" %}</div>
<pre class="raw">{"Deal": "1000231", "Login": "50012", "Symbol": "EURUSD.z", "Volume": "15000", "Profit": "12.40"}</pre>
{% endblock %}"""  # noqa: E501


@room("overview.see")
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every part with content of the usual length."""
    rows = [
        [Cell(f"{1000231 + n}", url="/gallery", note="Demo-MT5-Live"), "2026-11-20 14:02:31",
         Cell("50012", url="/gallery"), "EURUSD.z", "1.50",
         Cell("booked", tone="good") if n % 3 else Cell("waits", tone="warn", note="no rate fits"),
         "1,234.56789012 USD"] for n in range(6)
    ]  # fmt: skip
    columns = [Column("Ticket", head=True), Column("Closed, server time"), Column("Login"),
               Column("Symbol"), Column("Lots", number=True), Column("State"),
               Column("Commission", number=True)]  # fmt: skip
    known: dict[str, Any] = {
        "table": Table("Trades", columns, rows, foot=["", "", "", "", "9.00", "", "7,407.41 USD"]),
        "pager": Pager(older="/gallery", said="6 trades, newest first"),
        "stats": [
            Stat("Trades today", "12,408", "4 revised", url="/gallery"),
            Stat("Booked today", "8,204.13 USD", "to 41 partners", "good"),
            Stat("Waiting", "12", "no introducer known", "warn"),
            Stat("Behind", "2.1 s", "median, close to booked"),
        ],
    }
    page = engines["django"].from_string(_PAGE)
    return HttpResponse(page.render(known, request))


urlpatterns = [path("gallery", gallery, name="gallery"), *_site]
