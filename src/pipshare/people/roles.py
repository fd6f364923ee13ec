"""Which role may do what: one plain table, read by every view.

A permission is a room and a verb. A role that is not in a permission's set may not. There is no
wildcard: a new permission opens to nobody until it is written down here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A role: its code, its name, and what it is for in one sentence."""

    code: str
    name: str
    about: str


ROLES = {
    role.code: role
    for role in (
        Role("admin", "Administrator", "Sets the platform up: people, sources, programmes."),
        Role("finance", "Finance", "Answers for amounts: statements, corrections, payouts."),
        Role("partner_manager", "Partner manager", "Looks after introducing brokers."),
        Role("compliance", "Compliance", "Looks into clients, partners and single trades."),
        Role("metatrader", "MetaTrader", "Keeps servers, sources and symbols in order."),
        Role("auditor", "Auditor", "Reads everything, changes nothing."),
        Role("partner", "Partner", "An introducing broker; nothing of the console is open."),
    )
}
STAFF = frozenset(ROLES) - {"partner"}
_MONEY = frozenset({"admin", "finance", "partner_manager", "compliance", "auditor"})
_RELATIONS = frozenset({"admin", "partner_manager"})

PERMISSIONS: dict[str, frozenset[str]] = {
    "overview.see": STAFF,
    "trades.see": STAFF,
    "trades.raw": frozenset({"admin", "finance", "compliance", "metatrader", "auditor"}),
    "waiting.see": STAFF,
    "partners.see": _MONEY,
    "earnings.see": _MONEY,
    "statements.see": _MONEY,
    "explanations.see": _MONEY,
    "programmes.see": _MONEY,
    "clients.see": _MONEY,
    "compliance.see": _MONEY,
    "compliance.change": frozenset({"admin", "compliance"}),
    "onboarding.see": _MONEY,
    "onboarding.decide": frozenset({"admin", "partner_manager", "compliance"}),
    "onboarding.change": frozenset({"admin", "compliance"}),
    "tracking.see": _MONEY,
    "tracking.change": _RELATIONS,
    "trackers.change": frozenset({"admin"}),
    "crm.see": _MONEY,
    "crm.raw": frozenset({"admin", "finance", "compliance", "auditor"}),
    "crm.replay": frozenset({"admin", "finance", "partner_manager"}),
    "crm.change": frozenset({"admin"}),
    "mappings.change": frozenset({"admin"}),
    "waiting.mend": frozenset({"admin", "partner_manager"}),
    "receivers.see": _MONEY,
    "receivers.change": _RELATIONS,
    "secrets.change": frozenset({"admin"}),
    "sources.see": STAFF,
    "sources.check": frozenset({"admin", "metatrader"}),
    "sources.change": frozenset({"admin", "metatrader"}),
    "agents.see": STAFF,
    "agents.decide": frozenset({"admin", "finance"}),
    "proposals.see": STAFF,
    "proposals.decide": frozenset({"admin", "finance"}),
    "people.see": frozenset({"admin", "auditor"}),
    "keys.see": frozenset({"admin", "auditor"}),
    "keys.change": frozenset({"admin"}),
    "api.docs": STAFF,
}

# What a session alone does not open: these ask for a code of the last minutes, too.
FRESH = frozenset({"crm.change", "keys.change", "secrets.change", "trackers.change"})


def may(role: str, permission: str) -> bool:
    """Whether a role has a permission. Raises KeyError for a permission that nobody declared."""
    return role in PERMISSIONS[permission]
