"""The partners as rating needs them: wallet currency, status over time, go-live, own client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.errors import Missing
from pipshare.period import Segments

Longs = npt.NDArray[np.int64]
ACTIVE, SUSPENDED, TERMINATED = 0, 1, 2
STATUSES = ("active", "suspended", "terminated")  # the codes above are places in this


@dataclass(frozen=True)
class Payees:
    """Columns, one row per partner; `ids` ascend and every partner of a chain is among them.

    `currencies` names the codes that `currency` holds. `own_client` is -1 where none is linked,
    `go_live_ms` 0 where none is set. `status` has rows (partner id, start_ms, code of STATUSES);
    before the first the partner is active.
    """

    ids: Longs
    currency: npt.NDArray[np.int32]
    currencies: tuple[str, ...]
    own_client: Longs
    go_live_ms: Longs
    status: tuple[Longs, Longs, Longs]

    def find(self, partner_ids: Longs) -> tuple[Longs, npt.NDArray[np.bool_]]:
        """Return where each partner stands in the columns, and whether he is there at all."""
        wanted = np.asarray(partner_ids, np.int64)
        if not len(self.ids):
            return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
        place = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return place, self.ids[place] == wanted

    def places(self, partner_ids: Longs) -> Longs:
        """Return where each partner stands in the columns. Raises Missing for an unknown id."""
        place, known = self.find(partner_ids)
        if not known.all():
            missing = np.asarray(partner_ids, np.int64)[~known][:5].tolist()
            raise Missing("no_partner", f"partners {missing} of a chain are not among those read: "
                          "read the partners again and repeat")  # fmt: skip
        return place

    def status_at(self, places: Longs, moment_ms: Longs) -> Longs:
        """Return the status code of each partner (by place) at its moment."""
        who, start, code = self.status
        place, known = self.find(who)
        held = Segments(place[known], np.asarray(start)[known], np.asarray(code)[known])
        return np.maximum(held.at(places, moment_ms), ACTIVE)


def payees(
    rows: Sequence[tuple[int, str, int | None, int | None, Sequence[tuple[int, str]]]],
) -> Payees:
    """Build Payees from (id, currency, own client, go-live ms, [(from ms, status)]) rows."""
    ordered = sorted(rows, key=lambda row: row[0])
    codes = sorted({row[1] for row in ordered})
    status = [(row[0], start, STATUSES.index(word)) for row in ordered for start, word in row[4]]
    table = np.array(status, np.int64).reshape(-1, 3)
    return Payees(
        ids=np.array([row[0] for row in ordered], np.int64),
        currency=np.array([codes.index(row[1]) for row in ordered], np.int32),
        currencies=tuple(codes),
        own_client=np.array([-1 if row[2] is None else row[2] for row in ordered], np.int64),
        go_live_ms=np.array([row[3] or 0 for row in ordered], np.int64),
        status=(table[:, 0], table[:, 1], table[:, 2]),
    )
