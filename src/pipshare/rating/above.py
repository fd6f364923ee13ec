"""Who stands above the trades of a deal, at any depth: whose measures its trades count in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.deals import Stretches
from pipshare.rating.payees import TERMINATED, Payees
from pipshare.rating.slots import Slots


@dataclass(frozen=True)
class Above:
    """By deal and level: `partner_id`, -1 where nobody stands or nothing counts for him any more,
    or yet; `own_client`, whose trades do not count for the partner, -1 none."""

    partner_id: Longs
    own_client: Longs


def above(found: Stretches, made: Slots, book: Book, payees: Payees) -> Above:
    """Return who stands above each deal's trades; nothing counts for a terminated partner, for one
    before his go-live, or of own trades that the programme does not pay."""
    place = found.members[found.chain]
    deal, level = np.nonzero(place >= 0)
    who, moment = place[deal, level], found.start_ms[deal]
    gone = payees.status_at(who, moment) == TERMINATED
    counts = ~gone & (moment >= payees.go_live_ms[who])
    partner_id = np.full(place.shape, -1, np.int64)
    partner_id[deal, level] = np.where(counts, payees.ids[who], -1)
    own = np.array([v.programme.own_trading == "pay" for v in book.versions] + [True], np.bool_)
    own_client = np.full(place.shape, -1, np.int64)
    own_client[deal, level] = np.where(own[made.decides[deal]], -1, payees.own_client[who])
    return Above(partner_id, own_client)
