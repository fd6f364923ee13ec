"""Clients and their trading accounts, with the accounts' group, currency and status over time.

What comes in: load files as typed columns (facts.reading). What goes out: accounts as columns,
with their owners and what was true of them at each moment. Guaranteed: histories are only added
to; the same file loaded again changes nothing; an account changes its owner only by two people.
"""

from pipshare.clients.accounts import Accounts, accounts
from pipshare.clients.load_accounts import load_accounts
from pipshare.clients.load_clients import load_clients
from pipshare.clients.owner import apply_owner

__all__ = ["Accounts", "accounts", "apply_owner", "load_accounts", "load_clients"]
