"""How big and how busy a sandbox world is."""

from __future__ import annotations

from dataclasses import dataclass

SERVER = "Demo-MT5-Live"


@dataclass(frozen=True)
class Size:
    """The size of a world. `seed` and `logins` belong to its folder; the rest may change later.

    `rate`: closing deals a second, 0.001 to 5,000: the average over a week that has quiet nights,
    busy afternoons, news and weekends; with `steady` it is that rate at every hour. `history_days`
    of activity lie behind the first start, at `history_rate` (so that a start stays quick); the
    same rate fills the time of a shutdown longer than an hour. `positions`: open at any time,
    None = by the rate. `mischief`: edits, cancellations, deletions, late deals, archived logins
    and rows of unknown kinds, now and then. `first_deal`: the first deal ticket.
    """

    logins: int = 3_000
    rate: float = 1.0
    history_days: int = 3
    history_rate: float = 0.05
    steady: bool = False
    mischief: bool = True
    positions: int | None = None
    first_deal: int = 48_200_113
