"""The second person's decision: approve, which applies the change, or reject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg

from pipshare.audit.event import record
from pipshare.audit.propose import Proposal, person, proposal
from pipshare.errors import BadInput, Conflict, Missing

# Applies an approved payload under the names of both people.
Applier = Callable[[psycopg.Connection[Any], dict[str, Any], str], Any]
_LOCK = "SELECT id FROM audit_proposal WHERE id = %s FOR UPDATE"
_DECIDE = """
UPDATE audit_proposal SET decided_by = %s, decided_at = clock_timestamp(), approved = %s
 WHERE id = %s
"""


def approve(
    conn: psycopg.Connection[Any],
    number: int,
    by: str,
    appliers: Mapping[str, Applier] | None = None,
) -> Proposal:
    """Approve a proposal in the caller's transaction; its payload comes back with its `reason`.

    `appliers` (by kind) apply the change right here, so that approval and effect are one; what
    theirs returned is in `outcome`. Without them the caller applies it before it commits. Raises
    Missing, Conflict (decided already, or the same person), and whatever the applier raises: the
    caller then rolls back and nothing is decided.
    """
    decided = _decide(conn, number, by, True)
    decided = replace(decided, payload={"reason": decided.reason, **decided.payload})
    if appliers is None:
        return decided
    if decided.kind not in appliers:
        raise Missing("no_applier", f"proposal {number}: nothing applies a {decided.kind!r}")
    outcome = appliers[decided.kind](conn, decided.payload, decided.signed)
    return replace(decided, outcome=outcome)


def reject(conn: psycopg.Connection[Any], number: int, by: str) -> Proposal:
    """Reject a proposal, or take back one's own; it never takes effect. Raises as approve does."""
    return _decide(conn, number, by, False)


def _decide(conn: psycopg.Connection[Any], number: int, by: str, approved: bool) -> Proposal:
    if not person(by):
        raise BadInput("no_name", f"proposal {number}: the decision needs a name: give --by")
    conn.execute(_LOCK, (number,))
    found = proposal(conn, number)
    if found.decided_by is not None:
        verdict = "approved" if found.approved else "rejected"
        raise Conflict(
            "decided",
            f"proposal {number} was {verdict} by {found.decided_by},"
            f" {found.decided_at:%Y-%m-%d %H:%M} UTC",
        )
    if approved and person(found.proposed_by) == person(by):
        raise Conflict(
            "same_person",
            f"proposal {number} was made by {found.proposed_by}: somebody else has to decide",
        )
    conn.execute(_DECIDE, (" ".join(by.split()), approved, number))
    verb = "approve" if approved else "reject"
    record(conn, by, f"{verb} {found.kind}", found.subject, found.reason, {"proposal": number})
    return proposal(conn, number)
