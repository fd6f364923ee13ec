"""Changes that two people decide: what waits for the second one, and what was decided lately.

Whoever proposed a change cannot approve it, but may take it back. What is approved holds at once;
`pipshare work` then rates again what it changes.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from pipshare import audit, db
from pipshare.audit.propose import person
from pipshare.console.asked import may, sentence, who
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, at, moment
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.pipeline.loads import apply_proposal
from pipshare.pipeline.work import CHANNEL
from pipshare.web import Cell, Column, Table, reading, room, writing

MOST = 100  # that wait; as many decided ones are shown
WHAT = {
    "account_owner": "Whose account it is",
    "authority": "Whose trades book",
    "client_merge": "Two clients are one person",
    "event_authority": "Whose deposits count",
    "go_live": "A server's go-live",
    "jurisdiction": "A blocked country",
    "partner_go_live": "A partner's go-live",
    "payout": "A payment to record",
    "relation": "Whose client or sub-partner",
    "terms": "A partner's terms",
}
# Who may decide beside those who may decide everything.
ALSO = {"jurisdiction": "compliance.change"}


@room("proposals.see")
def proposals(request: HttpRequest) -> HttpResponse:
    """List what waits for a second person, the longest waiting first, and the latest decisions."""
    with reading() as conn:
        whole = scope_of(conn, request.user) is None
        waiting = audit.pending(conn) if whole else []
        decided = audit.decided_lately(conn, MOST) if whole else []
    me = person(who(request))
    cards = [
        {
            "one": one, "what": what_of(one), "since": moment(one.proposed_at),
            "is_mine": person(one.proposed_by) == me, "may_decide": _may(request, one),
        }
        for one in waiting[:MOST]
    ]  # fmt: skip
    return render(request, "console/proposals.html", {
        "cards": cards, "more": max(len(waiting) - MOST, 0), "table": _decided(decided),
    })  # fmt: skip


@room("proposals.see", methods=("POST",))
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approve or reject what somebody proposed, or take back one's own."""
    verdict = request.POST.get("what")
    if verdict not in ("approve", "reject"):
        messages.error(request, "Nothing was decided: press Approve or Reject.")
        return redirect("console:proposals")
    try:
        with writing() as conn:
            found = audit.proposal(conn, number)
            if scope_of(conn, request.user) is not None or not _may(request, found):
                raise Missing("no_proposal", "There is no such proposal for you to decide.")
            if verdict == "approve":
                apply_proposal(conn, number, by=who(request))
            else:
                audit.reject(conn, number, who(request))
            db.wake(conn, CHANNEL)
    except (BadInput, Conflict, Missing) as error:
        messages.error(request, sentence(error))
    else:
        done = "it holds, and what it changes is rated again" if verdict == "approve" \
            else "it is not done"  # fmt: skip
        messages.success(request, f"Proposal {number} ({found.subject}): {done}.")
    return redirect("console:proposals")


def what_of(one: audit.Proposal) -> str:
    """Say in words what kind of change it is."""
    return WHAT.get(one.kind, one.kind.replace("_", " "))


def _may(request: HttpRequest, one: audit.Proposal) -> bool:
    also = ALSO.get(one.kind)
    return may(request, "proposals.decide") or (also is not None and may(request, also))


def _decided(found: list[audit.Proposal]) -> Table | None:
    columns = [Column("Decided", head=True), Column("Change"), Column("Why"), Column("Proposed by"),
               Column("Verdict")]  # fmt: skip
    rows: list[Row] = [
        [at(one.decided_at),
         Cell(f"{one.id}: {one.subject}", note=what_of(one)), one.reason, one.proposed_by,
         Cell("Approved" if one.approved else "Rejected", note=f"by {one.decided_by}",
              tone="good" if one.approved else "plain")]
        for one in found
    ]  # fmt: skip
    return Table("Decided lately", columns, rows) if rows else None
