"""Partners: the tree with its history, whose client is whose, statuses, go-lives, links.

What comes in: load files, approved proposals, applications, links and codes. What goes out: who
stood where at a moment, as known now or then; each partner's wallet currency and status; and
`subtree`, the one scoping function that every query on behalf of a partner passes. Guarantee: a
tree without cycles at every moment; no record is overwritten; nobody is moved by one person alone;
who applied can be erased, and what he agreed to stays.
"""

from pipshare.partners.agreements import (
    Acceptance,
    Agreement,
    accept,
    acceptances,
    add_agreement,
    agreement,
    agreements,
    agreements_at,
)
from pipshare.partners.applicants import (
    Applicant,
    Note,
    add_note,
    alike,
    erase_person,
    is_too_many,
    notes,
    people_of,
    person_of,
)
from pipshare.partners.applications import (
    Application,
    Step,
    add_application,
    add_step,
    application,
    application_by_external,
    application_by_reference,
    applications,
    applications_of,
    count_applications,
    steps,
)
from pipshare.partners.codes import add_typed_code, archive_typed_code, by_typed_code, typed_codes
from pipshare.partners.go_live import apply_go_live
from pipshare.partners.info import PartnerInfo, info
from pipshare.partners.introduced import clients_of, count_clients, introducers, recorded
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
from pipshare.partners.relations import apply_relation, ask_relations, load_relations
from pipshare.partners.shards import shards
from pipshare.partners.tracking import Tracking, set_tracking, tracking_settings
from pipshare.partners.tree import subtree, tree

__all__ = [
    "ACTIVE",
    "Acceptance",
    "Agreement",
    "Applicant",
    "Application",
    "Landing",
    "Link",
    "Note",
    "Partner",
    "PartnerInfo",
    "Step",
    "Tracking",
    "accept",
    "acceptances",
    "add_agreement",
    "add_application",
    "add_landing",
    "add_link",
    "add_note",
    "add_step",
    "add_typed_code",
    "agreement",
    "agreements",
    "agreements_at",
    "alike",
    "all_partners",
    "application",
    "application_by_external",
    "application_by_reference",
    "applications",
    "applications_of",
    "apply_go_live",
    "apply_relation",
    "archive_landing",
    "archive_link",
    "archive_typed_code",
    "ask_relations",
    "by_typed_code",
    "clients_of",
    "count_applications",
    "count_clients",
    "erase_person",
    "find_links",
    "info",
    "introducers",
    "is_too_many",
    "landing",
    "landings",
    "link",
    "links",
    "links_by_id",
    "load_partners",
    "load_relations",
    "make_default",
    "notes",
    "partner",
    "people_of",
    "person_of",
    "recorded",
    "set_tracking",
    "shards",
    "steps",
    "subtree",
    "tracking_settings",
    "tree",
    "typed_codes",
]
