"""Attribution: each trade with its chain of partners at its close (or opening: a plan may ask).

What comes in: trades; accounts with their histories, group rows, relations with two times. What
goes out: a standing (introduced, direct, excluded, unknown), the chain from the direct IB upward,
account currency and group row. Guarantee: the same for any batch size and order; only what is
unknown waits, with what to bring; nothing here knows about money.
"""

from pipshare.attribution.attribute import attribute, attribute_known
from pipshare.attribution.claims import decide
from pipshare.attribution.claims_store import (
    cases,
    claims_before,
    store_claims,
    told_before,
    why_client,
)
from pipshare.attribution.clients import ClientChains, client_chains
from pipshare.attribution.directory import Directory
from pipshare.attribution.opening import chains_at, with_chains
from pipshare.attribution.result import Attributed
from pipshare.attribution.standing import Standing, Why
from pipshare.attribution.waiting import clear_waiting, store_waiting, takeable, untouched, waits
from pipshare.attribution.why import of_why, why_at_opening, why_one

__all__ = [
    "Attributed",
    "ClientChains",
    "Directory",
    "Standing",
    "Why",
    "attribute",
    "attribute_known",
    "cases",
    "chains_at",
    "claims_before",
    "clear_waiting",
    "client_chains",
    "decide",
    "of_why",
    "store_claims",
    "store_waiting",
    "takeable",
    "told_before",
    "untouched",
    "waits",
    "why_at_opening",
    "why_client",
    "why_one",
    "with_chains",
]
