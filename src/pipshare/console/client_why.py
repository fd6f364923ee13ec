"""Why a client belongs to a partner: the relation that holds, and everything that was claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import market
from pipshare.console.asked import sentence
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row
from pipshare.errors import BadInput, Missing
from pipshare.pipeline.explained.of_client import explain_client, moment_words
from pipshare.web import Cell, Column, Table, reading, room

_TONES = {"attributed": "good", "kept": "plain", "followed": "good", "same": "plain",
          "withdrawn": "plain", "outdated": "plain"}  # fmt: skip
Record = Mapping[str, Any]


@room("clients.see")
def client_why(request: HttpRequest) -> HttpResponse:
    """Explain whose client ?client= is; without one, ask for his code."""
    code = request.GET.get("client", "").replace("\0", "").strip()[:100]
    entity = request.GET.get("entity", "").replace("\0", "")[:100] or None
    told, wrong, scope = None, "", None
    codes: list[str] = []
    if code:
        with reading() as conn:
            codes = sorted(one.code for one in market.entities(conn).values())
            scope = scope_of(conn, request.user)
            try:
                told = explain_client(conn, code, entity)
            except (Missing, BadInput) as error:
                wrong = sentence(error).replace("the --entity", "the entity")
            if scope is not None and not (told and _is_within(told, scope)):
                told, wrong = None, f"There is no client {code!r}."  # nor a hint at others' clients
    if told is None:
        known: dict[str, Any] = {"code": code, "wrong": wrong, "entities": codes}
        return render(request, "console/client_why.html", known, status=404 if wrong else 200)
    if scope is not None:  # who else was claimed, and who stands above, is not his business
        told = {**told, "claims": [], "records": [], "refused": [], "waiting": [], "words": [],
                "chain": [one for one in told["chain"] if one["id"] in scope]}  # fmt: skip
    return render(request, "console/client_why.html", {
        "code": code, "told": told, "entities": codes, "entity": told["entity"],
        "chain": [(one["partner"], reverse("console:partner", args=[one["id"]]))
                  for one in told["chain"]],
        "tables": [table for table in (_words(told["words"]), _claims(told["claims"]),
                                       _postbacks("Postbacks refused", told["refused"]),
                                       _postbacks("Postbacks that wait", told["waiting"]),
                                       _records(told["records"])) if table],
    })  # fmt: skip


def _is_within(told: Record, scope: Sequence[int]) -> bool:
    return bool(told["chain"]) and told["chain"][0]["id"] in scope


def _words(found: Sequence[Record]) -> Table | None:
    columns = [Column("Told", head=True), Column("Says"), Column("What became of it"),
               Column("People")]  # fmt: skip
    return _table("Who he is, and whose: as CRMs told", columns, found, lambda one: [
        Cell(f"{one['event']} of {one['client']}",
             note=f"by {one['source']}, {moment_words(one['at'])}"),
        Cell(one["says"] + (f", from {one['from'][:10]} on" if one["from"] else ""),
             note=one["reason"]),
        Cell(one["state"], tone=_TONES.get(one["state"], "warn"), note=one["detail"]),
        " and ".join(who for who in (one["proposed_by"], one["decided_by"]) if who) or "–",
    ])  # fmt: skip


def _claims(found: Sequence[Record]) -> Table | None:
    columns = [Column("Claimed", head=True), Column("By"), Column("Partner"), Column("Made"),
               Column("What became of it")]  # fmt: skip
    return _table("What was claimed of him", columns, found, lambda one: [
        Cell(one["evidence"] or "–", note=f"link {one['link']}" if one.get("link") else ""),
        Cell(one["via"].replace("_", " "), note=f"told by {one['told_by']}"),
        one["partner"] or "nobody", moment_words(one["moment"]),
        Cell(one["decision"], tone=_TONES.get(one["decision"], "warn"), note=one["detail"]),
    ])  # fmt: skip


def _postbacks(caption: str, found: Sequence[Record]) -> Table | None:
    columns = [Column("Came", head=True), Column("Tracker"), Column("Event"), Column("Why")]
    return _table(caption, columns, found, lambda one: [
        Cell(moment_words(one["at"]), reverse("console:postback", args=[one["id"]])),
        one["tracker"] or "–", one["event"],
        Cell(str(one["reason"]).replace("_", " "), note=one["detail"]),
    ])  # fmt: skip


def _records(found: Sequence[Record]) -> Table | None:
    columns = [Column("Partner", head=True), Column("Holds"), Column("Recorded")]
    return _table("Relations ever recorded, the newest first", columns, found, lambda one: [
        Cell(one["partner"] or "direct"),
        f"{moment_words(one['valid_from'])} to {moment_words(one['valid_to'])}",
        Cell(moment_words(one["recorded_at"]),
             note=" ".join(filter(None, (one["recorded_by"], one["reason"])))),
    ])  # fmt: skip


def _table(
    caption: str, columns: Sequence[Column], found: Sequence[Record], row: Callable[[Record], Row]
) -> Table | None:
    return Table(caption, columns, [row(one) for one in found]) if found else None
