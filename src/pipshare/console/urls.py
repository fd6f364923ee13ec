"""The addresses of the console's rooms, and their lines in the menu."""

from __future__ import annotations

from django.urls import path

from pipshare.console import (
    client_life,
    client_why,
    compliance,
    countries,
    crm_deposits,
    crm_endpoints,
    crm_log,
    crm_mapping,
    crm_setup,
    crm_waiting,
    explanation,
    files,
    funnel,
    landings,
    links,
    message,
    message_types,
    onboarding_urls,
    overview,
    partner,
    partner_tree,
    postback_log,
    postback_try,
    proposals,
    receiver_setup,
    receivers,
    sources,
    statement,
    trackers,
    trade,
    trades,
    window,
)
from pipshare.web import rooms

app_name = "console"
_PARTNER = "partners/<int:partner_id>/"
_COUNTRY = "compliance/countries/<str:code>/"
_RECEIVER = "receivers/<int:receiver_id>/"
_ENDPOINT = "crm/endpoints/<str:code>/"
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
    *onboarding_urls.PATTERNS,
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
    path(f"{_PARTNER}funnel/", funnel.partner_funnel, name="partner_funnel"),
    path("funnel/", funnel.show_funnel, name="funnel"),
    path("clients/", client_why.client_why, name="client_why"),
    path("clients/life/", client_life.client_life, name="client_life"),
    path("crm/", crm_endpoints.endpoints, name="crm"),
    path("crm/add/", crm_setup.choose_crm, name="choose_crm"),
    path("crm/add/<str:name>/", crm_setup.add_endpoint, name="add_endpoint"),
    path("crm/payloads/", crm_log.payloads, name="crm_log"),
    path("crm/payloads/replay/", crm_log.replay, name="crm_replay"),
    path("crm/payloads/<str:payload_id>/", crm_log.show_payload, name="crm_payload"),
    path("crm/deposits/", crm_deposits.crm_deposits, name="crm_deposits"),
    path("crm/waiting/", crm_waiting.crm_waiting, name="crm_waiting"),
    path("crm/waiting/client/", crm_waiting.add_client, name="add_client"),
    path("crm/waiting/account/", crm_waiting.add_account, name="add_account"),
    path(_ENDPOINT, crm_endpoints.endpoint, name="crm_endpoint"),
    path(f"{_ENDPOINT}mapping/", crm_mapping.mapping, name="crm_mapping"),
    path(f"{_ENDPOINT}secret/", crm_endpoints.rotate_secret, name="rotate_endpoint"),
    *(
        path(f"{_ENDPOINT}{to}/", crm_endpoints.change_endpoint, {"to": to}, name=f"{to}_endpoint")
        for to in crm_endpoints.STATES
    ),
    path("compliance/", compliance.compliance, name="compliance"),
    path("compliance/clients/", compliance.kyc_clients, name="kyc_clients"),
    path("compliance/warnings/", countries.change_warnings, name="change_warnings"),
    path("compliance/block/", countries.block_country, name="block_country"),
    path("compliance/proposals/<int:number>/", countries.decide_country, name="decide_country"),
    path(_COUNTRY, countries.country, name="country"),
    path(f"{_COUNTRY}block/", countries.block_country, name="block_country_again"),
    path(f"{_COUNTRY}unblock/", countries.unblock_country, name="unblock_country"),
    path("proposals/", proposals.proposals, name="proposals"),
    path("proposals/<int:number>/", proposals.decide, name="decide_proposal"),
    path("postbacks/", postback_log.postbacks, name="postbacks"),
    path("postbacks/try/", postback_try.build_url, name="build_url"),
    path("postbacks/try/send/", postback_try.send_postback, name="send_postback"),
    path("postbacks/trackers/", trackers.trackers, name="trackers"),
    path("postbacks/trackers/add/", trackers.add_tracker, name="add_tracker"),
    path("postbacks/trackers/<str:code>/revoke/", trackers.revoke_tracker, name="revoke_tracker"),
    path("postbacks/<str:postback_id>/", postback_log.postback, name="postback"),
    path("receivers/", receivers.receivers, name="receivers"),
    path("receivers/events/", message_types.message_types, name="message_types"),
    path("receivers/events/<str:kind>.json", message_types.schema, name="message_schema"),
    path("receivers/add/", receiver_setup.choose_preset, name="add_receiver"),
    path("receivers/add/<str:preset>/", receiver_setup.add_receiver, name="new_receiver"),
    path(_RECEIVER, receivers.receiver, name="receiver"),
    path(f"{_RECEIVER}edit/", receiver_setup.edit_receiver, name="edit_receiver"),
    path(f"{_RECEIVER}state/", receivers.change_state, name="change_receiver"),
    path(f"{_RECEIVER}test/", receivers.send_test, name="test_receiver"),
    path(f"{_RECEIVER}replay/", message.replay, name="replay"),
    path(f"{_RECEIVER}secret/", message.secret, name="secret"),
    path(f"{_RECEIVER}header/", message.secret_header, name="secret_header"),
    path(f"{_RECEIVER}messages/<int:message_id>/", message.message, name="message"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<str:code>/", sources.source, name="source"),
    path("files/", files.files, name="files"),
    path("files/<int:file_id>/", files.file, name="file"),
]
rooms.add("Overview", "console:overview", "overview.see")
rooms.add("Trades", "console:trades", "trades.see")
rooms.add("Partners", "console:partners", "partners.see")
rooms.add("Compliance", "console:compliance", "compliance.see")
rooms.add("Onboarding", "console:onboarding", "onboarding.see")
rooms.add("Proposals", "console:proposals", "proposals.see")
rooms.add("Links", "console:links", "tracking.see")
rooms.add("Funnel", "console:funnel", "tracking.see")
rooms.add("Postbacks", "console:postbacks", "tracking.see")
rooms.add("CRM", "console:crm", "crm.see")
rooms.add("Receivers", "console:receivers", "receivers.see")
rooms.add("Sources", "console:sources", "sources.see")
rooms.add("Files", "console:files", "sources.see")
