"""Clients and their trading accounts, with the accounts' group, currency and status over time.

What comes in: load files as typed columns (facts.reading), what trade servers are seen to say, and
events of clients' lives. What goes out: accounts as columns, with their owners and what was true of
them at each moment; events as they hold, a queue of the clients whom something new touches, and
what clients reached: registered, qualified by deposits, first execution.
Guaranteed: histories are only added to; the same file or observation again changes nothing; an
account changes its owner only by two people, and an operator's decision stands over a platform's.
"""

from pipshare.clients.accounts import Accounts, accounts, logins_of, owned_by
from pipshare.clients.agents import NativeAgent, agents, decide_agents, note_agents
from pipshare.clients.authority import (
    RecordedAuthority,
    apply_authority,
    authorities,
    recorded_authorities,
    say_authority,
    telling,
)
from pipshare.clients.executions import (
    EXECUTION,
    claim_traders,
    executions_of,
    known_executions,
    newest_trader,
    note_executions,
    queue_traders,
)
from pipshare.clients.identity import (
    IdentityWord,
    apply_merge,
    identity_words,
    identity_words_about,
    merged_into,
    note_word,
    replaced_words,
    write_merges,
)
from pipshare.clients.jurisdictions import (
    apply_jurisdiction,
    clients_of_country,
    jurisdictions,
    say_jurisdiction,
)
from pipshare.clients.load_accounts import load_accounts
from pipshare.clients.load_clients import load_clients
from pipshare.clients.milestones import (
    Milestone,
    Reached,
    add_milestones,
    entities_of,
    mark_said,
    milestones_of,
    note_first_trades,
    undo_milestone,
)
from pipshare.clients.observe import Observed, observe, observed_now
from pipshare.clients.owner import apply_owner
from pipshare.clients.read_events import (
    HELD,
    LIFE,
    SNAPSHOT,
    counting,
    countries_at,
    countries_of,
    events_of,
    snapshot_columns,
    standing_columns,
    waiting_events,
)
from pipshare.clients.settle_events import settle_takings
from pipshare.clients.stage import take_turn
from pipshare.clients.take_events import TakenEvents, load_events, take_events
from pipshare.clients.touched import (
    claim_touched,
    touch,
    touch_all,
    touch_cleared,
    touch_unsaid,
)
from pipshare.clients.verified import STATES as KYC_STATES
from pipshare.clients.verified import (
    Verified,
    count_verified,
    expiring,
    expiry_days,
    note_expiry_said,
    set_expiry_days,
    verified,
)

__all__ = [
    "EXECUTION",
    "HELD",
    "KYC_STATES",
    "LIFE",
    "SNAPSHOT",
    "Accounts",
    "IdentityWord",
    "Milestone",
    "NativeAgent",
    "Observed",
    "Reached",
    "RecordedAuthority",
    "TakenEvents",
    "Verified",
    "accounts",
    "add_milestones",
    "agents",
    "apply_authority",
    "apply_jurisdiction",
    "apply_merge",
    "apply_owner",
    "authorities",
    "claim_touched",
    "claim_traders",
    "clients_of_country",
    "count_verified",
    "counting",
    "countries_at",
    "countries_of",
    "decide_agents",
    "entities_of",
    "events_of",
    "executions_of",
    "expiring",
    "expiry_days",
    "identity_words",
    "identity_words_about",
    "jurisdictions",
    "known_executions",
    "load_accounts",
    "load_clients",
    "load_events",
    "logins_of",
    "mark_said",
    "merged_into",
    "milestones_of",
    "newest_trader",
    "note_agents",
    "note_executions",
    "note_expiry_said",
    "note_first_trades",
    "note_word",
    "observe",
    "observed_now",
    "owned_by",
    "queue_traders",
    "recorded_authorities",
    "replaced_words",
    "say_authority",
    "say_jurisdiction",
    "set_expiry_days",
    "settle_takings",
    "snapshot_columns",
    "standing_columns",
    "take_events",
    "take_turn",
    "telling",
    "touch",
    "touch_all",
    "touch_cleared",
    "touch_unsaid",
    "undo_milestone",
    "verified",
    "waiting_events",
    "write_merges",
]
