"""Partners: the tree with its history, whose client is whose, statuses, go-lives, links.

What comes in: load files, approved proposals, links and codes. What goes out: who stood where at a
moment, as known now or then; each partner's wallet currency and status; and `subtree`, the one
scoping function that every query on behalf of a partner passes. Guarantee: a tree without cycles at
every moment; no record is overwritten; nobody is moved by one person alone.
"""

from pipshare.partners.codes import add_typed_code, archive_typed_code, by_typed_code, typed_codes
from pipshare.partners.go_live import apply_go_live
from pipshare.partners.info import PartnerInfo, info
from pipshare.partners.introduced import clients_of, count_clients, introducers
from pipshare.partners.landings import (
    ACTIVE,
    Landing,
    add_landing,
    archive_landing,
    landing,
    landings,
    make_default,
)
from pipshare.partners.links import (
    Link,
    add_link,
    archive_link,
    find_links,
    link,
    links,
    links_by_id,
)
from pipshare.partners.load import load_partners
from pipshare.partners.lookup import Partner, all_partners, partner
from pipshare.partners.relations import apply_relation, load_relations
from pipshare.partners.shards import shards
from pipshare.partners.tracking import Tracking, set_tracking, tracking_settings
from pipshare.partners.tree import subtree, tree

__all__ = [
    "ACTIVE",
    "Landing",
    "Link",
    "Partner",
    "PartnerInfo",
    "Tracking",
    "add_landing",
    "add_link",
    "add_typed_code",
    "all_partners",
    "apply_go_live",
    "apply_relation",
    "archive_landing",
    "archive_link",
    "archive_typed_code",
    "by_typed_code",
    "clients_of",
    "count_clients",
    "find_links",
    "info",
    "introducers",
    "landing",
    "landings",
    "link",
    "links",
    "links_by_id",
    "load_partners",
    "load_relations",
    "make_default",
    "partner",
    "set_tracking",
    "shards",
    "subtree",
    "tracking_settings",
    "tree",
    "typed_codes",
]
