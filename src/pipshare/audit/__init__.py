"""Audit: who did what, and what waits for a second person.

What comes in: an actor, an action and its subject; or a change that needs two people. What goes
out: events that stay, proposals with their decision, and which reference data changed since it
was read. Guarantee: a proposal is decided once, approved only by somebody other than the one who
made it, and applied in the transaction of its approval; no change commits beside a booking.
"""

from pipshare.audit.changes import alone, changed_since, snapshot
from pipshare.audit.decide import Applier, approve, reject
from pipshare.audit.event import record
from pipshare.audit.propose import Proposal, decided_lately, pending, proposal, propose
from pipshare.audit.prune import prune

__all__ = [
    "Applier",
    "Proposal",
    "alone",
    "approve",
    "changed_since",
    "decided_lately",
    "pending",
    "proposal",
    "propose",
    "prune",
    "record",
    "reject",
    "snapshot",
]
