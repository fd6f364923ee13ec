"""The addresses of the console's rooms, and their lines in the menu."""

from __future__ import annotations

from django.urls import path

from pipshare.console import (
    explanation,
    files,
    landings,
    links,
    overview,
    partner,
    partner_tree,
    sources,
    statement,
    trade,
    trades,
    window,
)
from pipshare.web import rooms

app_name = "console"
_PARTNER = "partners/<int:partner_id>/"
_TRADE = "trades/<int:server_id>/<str:ticket>/"
urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("overview/live/", overview.live, name="overview_live"),
    path("trades/", trades.trades, name="trades"),
    path(_TRADE, trade.trade, name="trade"),
    path(f"{_TRADE}why/", explanation.explanation, name="explanation"),
    path("partners/", partner_tree.tree, name="partners"),
    path(_PARTNER, partner.partner, name="partner"),
    path(f"{_PARTNER}below/", partner_tree.below, name="below"),
    path(f"{_PARTNER}statements/<str:period>/", statement.statement, name="statement"),
    path(f"{_PARTNER}statements/<str:period>/lines.csv", statement.lines_csv, name="lines_csv"),
    path(f"{_PARTNER}windows/<int:component>/<int:start_ms>/", window.window, name="window"),
    path("links/", links.links, name="links"),
    path("links/add/", links.add_link, name="add_link"),
    path("links/landings/", landings.landings, name="landings"),
    path("links/landings/add/", landings.add_landing, name="add_landing"),
    path("links/landings/<int:landing_id>/", landings.change_landing, name="change_landing"),
    path("links/codes/add/", landings.add_code, name="add_code"),
    path("links/codes/<int:partner_id>/", landings.archive_code, name="archive_code"),
    path("links/settings/<str:entity>/", landings.change_tracking, name="change_tracking"),
    path("links/<int:link_id>/", links.link, name="link"),
    path("links/<int:link_id>/archive/", links.archive_link, name="archive_link"),
    path("links/<int:link_id>/qr.<str:kind>", links.link_qr, name="link_qr"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<str:code>/", sources.source, name="source"),
    path("files/", files.files, name="files"),
    path("files/<int:file_id>/", files.file, name="file"),
]
rooms.add("Overview", "console:overview", "overview.see")
rooms.add("Trades", "console:trades", "trades.see")
rooms.add("Partners", "console:partners", "partners.see")
rooms.add("Links", "console:links", "tracking.see")
rooms.add("Sources", "console:sources", "sources.see")
rooms.add("Files", "console:files", "sources.see")
