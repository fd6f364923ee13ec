"""Re-assignments that a CRM tells: each is proposed once, and is true when a person approves it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipshare import audit, clients, inbox, partners
from pipshare.clients.identity import (
    FOLLOWED,
    OUTDATED,
    PROPOSED,
    REFUSED,
    REJECTED,
    SAME,
    WAITS,
    WITHDRAWN,
    IdentityWord,
)
from pipshare.facts.events import CANCELLED, REASSIGNED
from pipshare.pipeline.identity.proposals import decided, withdraw
from pipshare.pipeline.run import Run

ALERT = "reassignment"
DIRECT = "direct"
_OPEN = (None, WAITS, PROPOSED)
_CODES = "SELECT id, code FROM clients_client WHERE id = ANY(%s)"
_PARTNER = "SELECT count(*) FROM partners_partner WHERE entity_id = %s AND code = %s"
Cancelled = Mapping[tuple[str, str], IdentityWord]


def settle_reassigned(run: Run) -> None:
    """Propose, or take back, what re-assignments that hold ask for; in the caller's transaction."""
    words = clients.identity_words(run.conn, (REASSIGNED, CANCELLED))
    if not words:
        return
    cancelled = {(one.source, one.reference): one for one in words if one.kind == CANCELLED}
    into = clients.merged_into(run.conn)
    codes: dict[int, str] = dict(run.conn.execute(_CODES, (sorted(set(into.values())),)).fetchall())
    for one in words:
        if one.kind == REASSIGNED and one.state in _OPEN:
            code = codes.get(into.get(one.client_id or 0, 0), one.client)
            _settle(run, one, code, cancelled.get((one.source, one.event)))
    for one in words:
        if one.kind == CANCELLED and one.state is None:
            _note_cancelled(run, one, words)


def _settle(run: Run, one: IdentityWord, code: str, cancelled: IdentityWord | None) -> None:
    verdict = decided(run.conn, one.proposal)
    if verdict is not None:
        assert one.proposal is not None
        by = audit.proposal(run.conn, one.proposal).decided_by
        state, word = (FOLLOWED, "approved") if verdict else (REJECTED, "rejected")
        _note(run, one, state, f"{word} by {by}", one.proposal)
    elif cancelled is not None:
        withdraw(run.conn, one.proposal)
        _note(run, one, WITHDRAWN, f"taken back by event {cancelled.event}", one.proposal)
    elif one.client_id is None:
        _note(run, one, WAITS, f"client {one.client} is not known yet")
    elif one.state != PROPOSED:
        _propose(run, one, code)


def _propose(run: Run, one: IdentityWord, code: str) -> None:
    partner = DIRECT if one.partner.lower() == DIRECT else one.partner
    known = run.conn.execute(_PARTNER, (one.entity_id, partner)).fetchone()
    if partner != DIRECT and not (known and known[0]):
        if _note(run, one, WAITS, f"partner {partner} is not known in entity {one.entity}"):
            inbox.raise_alert(run.conn, ALERT, _subject(one), (
                f"{one.source} re-assigns client {one.client} to {partner} (event {one.event}),"
                f" whom entity {one.entity} does not know: load the partner, or correct the event"
            ))  # fmt: skip
        return
    frame = pl.DataFrame(
        [{"kind": "client", "code": code, "partner": partner, "entity": one.entity,
          "valid_from": one.effective_ms or one.at_ms, "valid_to": None, "line": 1}],
        schema_overrides={"valid_from": pl.Int64, "valid_to": pl.Int64, "line": pl.Int32},
    )  # fmt: skip
    report = partners.ask_relations(run.conn, frame, by=one.source, reason=one.why)
    if report.refused:
        _note(run, one, REFUSED, report.refused[0].reason)
    elif report.proposed:
        number = report.proposed[0]
        _note(run, one, PROPOSED, f"proposal {number} waits for a second person", number)
    else:
        _note(run, one, SAME, f"{code} is {partner}'s from then on already")


def _note_cancelled(run: Run, one: IdentityWord, words: list[IdentityWord]) -> None:
    """Note what a cancellation came to: what people approved before it stands."""
    about = [word for word in words if word.kind == REASSIGNED
             and (word.source, word.event) == (one.source, one.reference)]  # fmt: skip
    if not about:
        return  # it waits for the event that it is about
    approved = decided(run.conn, about[0].proposal)
    if not approved:
        clients.note_word(run.conn, one, FOLLOWED, f"re-assignment {one.reference} is not to be")
        return
    detail = f"proposal {about[0].proposal} had been approved: re-assign the client back by hand"
    clients.note_word(run.conn, one, REFUSED, detail)
    inbox.raise_alert(run.conn, ALERT, _subject(one), (
        f"{one.source} takes back (event {one.event}) the re-assignment {one.reference} of client"
        f" {one.client}; {detail}, with a reason, if that is meant"
    ))  # fmt: skip


def _note(
    run: Run, one: IdentityWord, state: str, detail: str, proposal: int | None = None
) -> bool:
    news = clients.note_word(run.conn, one, state, detail, proposal)
    if news and one.state == WAITS and state not in (WAITS, OUTDATED):
        inbox.resolve_alert(run.conn, ALERT, _subject(one))
    return news


def _subject(one: IdentityWord) -> str:
    return f"{one.entity}/{one.client}"
