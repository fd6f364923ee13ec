"""Clients and their trading accounts, with the accounts' group, currency and status over time.

What comes in: load files as typed columns (facts.reading), and what trade servers are seen to say.
What goes out: accounts as columns, with their owners and what was true of them at each moment.
Guaranteed: histories are only added to; the same file or observation again changes nothing; an
account changes its owner only by two people, and an operator's decision stands over a platform's.
"""

from pipshare.clients.accounts import Accounts, accounts
from pipshare.clients.agents import NativeAgent, agents, decide_agents, note_agents
from pipshare.clients.load_accounts import load_accounts
from pipshare.clients.load_clients import load_clients
from pipshare.clients.observe import Observed, observe, observed_now
from pipshare.clients.owner import apply_owner

__all__ = [
    "Accounts",
    "NativeAgent",
    "Observed",
    "accounts",
    "agents",
    "apply_owner",
    "decide_agents",
    "load_accounts",
    "load_clients",
    "note_agents",
    "observe",
    "observed_now",
]
