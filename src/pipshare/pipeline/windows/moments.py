"""Since when clients' trades are enough for what plans ask of them: read some clients at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipshare import clients
from pipshare.period import FOREVER_MS
from pipshare.pipeline.lives import with_lives
from pipshare.pipeline.read_placed import read_placed
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows.counts import few_clients
from pipshare.plans.qualifying import Qualify
from pipshare.rating.parts import Part
from pipshare.rating.windows.client_trades import trades_moments
from pipshare.rating.windows.given import Given, MomentsOf

_Asked = tuple[int, int, Qualify, str]


class ClientMoments:
    """Works out each client once per question; all his trades of all time are looked at.

    `lives`: what events say of the clients is asked, too, as where components pay for clients.
    """

    def __init__(self, run: Run, entity_id: int, given: Given, *, lives: bool) -> None:
        self._run, self._entity_id, self._given, self._lives = run, entity_id, given, lives
        self._known: dict[_Asked, dict[int, int]] = {}
        self._done: dict[_Asked, set[int]] = {}

    def of(self, who: Collection[int]) -> MomentsOf:
        """Return what tells the moments of these clients (and of others that are known)."""

        def moments(part: Part, asked: Qualify, currency: str) -> dict[int, int]:
            key = part.version, part.component_id, asked, currency
            known, done = self._known.setdefault(key, {}), self._done.setdefault(key, set())
            new = set(who) - done
            for some in few_clients(self._run, self._entity_id, new) if new else ():
                given = self._with_trades(some)
                found = trades_moments(given, part, asked, currency)
                mine = set(some)
                known.update((one, at) for one, at in found.items() if one in mine)
            done |= new
            return known

        return moments

    def _with_trades(self, who: list[int]) -> Given:
        run = self._run
        placed = read_placed(
            run, self._entity_id, start_ms=0, end_ms=FOREVER_MS,
            logins=clients.logins_of(run.conn, who),
        ).placed  # fmt: skip
        if self._lives:
            placed = with_lives(run, self._entity_id, placed, as_of_ms=self._given.as_of_ms)
        return replace(self._given, placed=placed, moments=None)
