"""What an event of a client led to: `explain --event`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipshare import inbox
from pipshare.errors import BadInput, Missing
from pipshare.period import from_ms
from pipshare.pipeline.deposits import why_not_counted
from pipshare.pipeline.explained.booked import booked_of_event
from pipshare.pipeline.explained.effects import Effect, effects_of
from pipshare.pipeline.explained.of_trade import Part
from pipshare.pipeline.explained.said import said_of
from pipshare.pipeline.explained.sums import Asked, Payee, window_of
from pipshare.pipeline.explained.worked import TooMany, work_clients
from pipshare.pipeline.run import Run
from pipshare.rating.windows import is_of_clients

_EVENT = """
SELECT e.id, e.entity_id, n.code AS entity, e.source, e.event, e.kind, e.client_id,
       c.code AS client, e.amount_e8, e.currency, e.reference,
       to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
       (extract(epoch FROM e.at) * 1000)::bigint AS at_ms, w.reason AS waits, w.key AS waits_for,
       e.client AS named, i.state AS became, i.detail AS became_detail, i.proposal
  FROM clients_event_current e
  JOIN market_entity n ON n.id = e.entity_id
  LEFT JOIN clients_client c ON c.id = e.client_id
  LEFT JOIN clients_event_waiting w ON w.event_id = e.id
  LEFT JOIN clients_identity i ON i.event_id = e.id
 WHERE e.event = %(event)s AND (%(source)s::text IS NULL OR e.source = %(source)s)
 ORDER BY e.source
"""
_ABOUT = """
SELECT event, kind, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
  FROM clients_event_current WHERE source = %(source)s AND reference = %(event)s
 ORDER BY clients_event_current.at
"""
_HELD = """
SELECT b.payee_kind, b.payee_id, coalesce(p.code, k.code) AS payee, b.currency,
       b.amount_e8::bigint AS amount_e8
  FROM ledger_balance b
  LEFT JOIN partners_partner p ON b.payee_kind = 'partner' AND p.id = b.payee_id
  LEFT JOIN clients_client k ON b.payee_kind = 'client' AND k.id = b.payee_id
 WHERE b.state = 'held' AND b.cause = %(cause)s AND b.amount_e8 <> 0 ORDER BY 3, 4
"""

_NAMES = ("entity", "source", "event", "kind", "client", "at", "currency", "reference", "waits",
          "waits_for")  # fmt: skip


@dataclass(frozen=True)
class EventExplanation:
    """An event, the events about it, and what it led to.

    `parts`: by the twin, each line that is paid or taken back at its moment, with its window;
    `booked`: lines in the books that name it as their cause; `held`: what is held by now until the
    client's KYC is approved; `effects`: what the other stages made of it. `agrees`: whether the
    windows of `parts` are booked as they come to, None where there are none or they are not settled
    yet.
    """

    event: dict[str, Any]
    about: list[dict[str, Any]]
    parts: list[Part] = field(default_factory=list)
    booked: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    agrees: bool | None = None
    effects: list[Effect] = field(default_factory=list)


def explain_event(run: Run, event: str, source: str | None = None) -> EventExplanation:
    """Explain what an event led to.

    Raises Missing when there is no such event, BadInput when several sources have one.
    """
    run = run.looking(run.book)
    rows = _rows(run.conn, _EVENT, {"event": event, "source": source})
    if not rows and (told_only := _of_items(run.conn, event, source)) is not None:
        return told_only
    if not rows:
        where = f" of source {source}" if source else ""
        raise Missing("no_event", f"no event {event!r}{where}: load it first")
    if len(rows) > 1:
        raise _ambiguous(event, [row["source"] for row in rows])
    told = rows[0]
    about = _rows(run.conn, _ABOUT, told)
    effects = effects_of(run.conn, told["source"], event, told["client_id"])
    if told["client_id"] is None:
        return EventExplanation(told, about, effects=effects)
    if why := why_not_counted(run, told["client_id"], told["source"], event):
        effects.append({"stage": "clients", "text": why, "at": ""})
    parts = _parts(run, told)
    agreed = [part.window.agrees for part in parts]
    return EventExplanation(
        event=told,
        about=about,
        parts=parts,
        booked=booked_of_event(run.conn, told["client_id"], event),
        held=_rows(run.conn, _HELD, {"cause": f"kyc client {told['client_id']}"}),
        agrees=None if not agreed or None in agreed else all(agreed),
        effects=effects,
    )


def _of_items(
    conn: psycopg.Connection[Any], event: str, source: str | None
) -> EventExplanation | None:
    """Explain what a CRM told that is no event of a client's life: an account, a claim, an IB."""
    items = inbox.items_of_event(conn, event, source)
    sources = sorted({one.source for one in items})
    if not items:
        return None
    if len(sources) > 1:
        raise _ambiguous(event, sources)
    last = items[-1]
    told: dict[str, Any] = dict.fromkeys(_NAMES, "")
    told |= {"source": last.source, "event": event, "kind": last.kind, "client": last.client,
             "at": from_ms(last.at_ms).isoformat(), "amount_e8": 0, "became": ""}  # fmt: skip
    return EventExplanation(told, [], effects=effects_of(conn, last.source, event, None))


def _ambiguous(event: str, sources: Sequence[str]) -> BadInput:
    which = ", ".join(sorted(sources))
    return BadInput("ambiguous", f"event {event} came from {which}: say which with --source")


def _parts(run: Run, told: dict[str, Any]) -> list[Part]:
    """Return what is paid for the client, or taken back, at the moment of the event."""
    client, out = told["client_id"], []
    codes = dict(zip(run.partners.ids.tolist(), run.partners.codes, strict=True))
    for number, versions in said_of(run.book).items():
        last = versions[-1]
        if not is_of_clients(last.component) or last.programme.entity != told["entity"]:
            continue
        worked = work_clients(run, told["entity_id"], number, [client])
        if isinstance(worked, TooMany):
            continue
        mine = [one for one in worked.lines if one.client_id == client
                and one.event == told["event"] and one.line.component_id == number]  # fmt: skip
        for one in mine:
            partner = one.line.partner_id
            kind, code = (
                ("partner", codes.get(partner, "")) if partner else ("client", told["client"])
            )
            payee = Payee(kind, partner or client, code)
            asked = Asked(number, payee, one.start_ms, one.end_ms)
            for window in window_of(run, told["entity_id"], asked, worked):
                if window.currency == one.line.wallet:
                    out.append(Part(window, [one]))
    return out


def _rows(
    conn: psycopg.Connection[Any], query: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
