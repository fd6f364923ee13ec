"""Audit: who did what, and what waits for a second person.

What comes in: an actor, an action and its subject; or a change that needs two people. What goes
out: events that stay, and proposals with their decision. Guarantee: a proposal is decided once,
approved only by somebody other than the one who made it, and applied in the transaction of its
approval.
"""

from pipshare.audit.decide import Applier, approve, reject
from pipshare.audit.event import record
from pipshare.audit.propose import Proposal, pending, proposal, propose

__all__ = [
    "Applier",
    "Proposal",
    "approve",
    "pending",
    "proposal",
    "propose",
    "record",
    "reject",
]
