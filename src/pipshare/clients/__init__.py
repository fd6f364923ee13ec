"""Clients and their trading accounts, with the accounts' group, currency and status over time.

What comes in: load files as typed columns (facts.reading), what trade servers are seen to say, and
events of clients' lives. What goes out: accounts as columns, with their owners and what was true of
them at each moment; events as they hold, and a queue of the clients whom something new touches.
Guaranteed: histories are only added to; the same file or observation again changes nothing; an
account changes its owner only by two people, and an operator's decision stands over a platform's.
"""

from pipshare.clients.accounts import Accounts, accounts, logins_of
from pipshare.clients.agents import NativeAgent, agents, decide_agents, note_agents
from pipshare.clients.load_accounts import load_accounts
from pipshare.clients.load_clients import load_clients
from pipshare.clients.observe import Observed, observe, observed_now
from pipshare.clients.owner import apply_owner
from pipshare.clients.read_events import (
    HELD,
    LIFE,
    SNAPSHOT,
    countries_of,
    events_of,
    snapshot_columns,
    standing_columns,
    waiting_events,
)
from pipshare.clients.take_events import TakenEvents, load_events, take_events
from pipshare.clients.touched import claim_touched, touch, touch_all

__all__ = [
    "HELD",
    "LIFE",
    "SNAPSHOT",
    "Accounts",
    "NativeAgent",
    "Observed",
    "TakenEvents",
    "accounts",
    "agents",
    "apply_owner",
    "claim_touched",
    "countries_of",
    "decide_agents",
    "events_of",
    "load_accounts",
    "load_clients",
    "load_events",
    "logins_of",
    "note_agents",
    "observe",
    "observed_now",
    "snapshot_columns",
    "standing_columns",
    "take_events",
    "touch",
    "touch_all",
    "waiting_events",
]
