"""Partners: the tree with its history, whose client is whose, statuses, go-lives.

What comes in: load files and approved proposals. What goes out: who stood where at a moment, as
known now or then; each partner's wallet currency and status; and `subtree`, the one scoping
function that every query on behalf of a partner passes. Guarantee: a tree without cycles at every
moment; no record is overwritten; nobody is moved by one person alone.
"""

from pipshare.partners.go_live import apply_go_live
from pipshare.partners.info import PartnerInfo, info
from pipshare.partners.introduced import clients_of, count_clients, introducers
from pipshare.partners.load import load_partners
from pipshare.partners.lookup import Partner, all_partners, partner
from pipshare.partners.relations import apply_relation, load_relations
from pipshare.partners.shards import shards
from pipshare.partners.tree import subtree, tree

__all__ = [
    "Partner",
    "PartnerInfo",
    "all_partners",
    "apply_go_live",
    "apply_relation",
    "clients_of",
    "count_clients",
    "info",
    "introducers",
    "load_partners",
    "load_relations",
    "partner",
    "shards",
    "subtree",
    "tree",
]
