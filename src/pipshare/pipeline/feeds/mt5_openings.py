"""Fetch the openings of positions whose closing came alone: they may be months older.

What is asked in vain is not asked again for a day. A position's deals are asked for by login, in
windows that widen: most positions were opened the day before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from pipshare import trades
from pipshare.facts import DEAL, empty
from pipshare.facts.content import closed_volume
from pipshare.period import FOREVER_MS
from pipshare.pipeline.feeds.mt5_state import DAY_S
from pipshare.pipeline.feeds.mt5_take import Brought, Desk
from pipshare.sources.mt5_web import Mt5Web
from pipshare.sources.mt5_web.errors import Garbled, NotAllowed, Refused, Stuck

AT_ONCE = 200  # logins asked for before a batch is booked; the rest is asked for afterwards
_CHUNK = 50  # logins in one request
_BACK_S = (2 * DAY_S, 40 * DAY_S, None)  # windows before the close; None: all there is
_AGAIN_MS = 20 * 3_600_000
_KEPT = 100_000  # positions remembered or queued
_KEYS = {"login": pl.Int64, "position": pl.Int64}

_WAITING = """
SELECT t.login, t.position, max(t.close_ms)
  FROM trades_waiting w
  JOIN trades_current t ON t.server_id = w.server_id AND t.ticket = w.ticket
 WHERE w.server_id = %s AND w.reason = 'opening_unknown' AND t.position <> 0 AND t.state = 1
 GROUP BY t.login, t.position LIMIT %s"""

Position = tuple[int, int]  # login, position
Wanted = dict[Position, int]  # -> the second of its earliest close without an opening


class Openings:
    """What is missing, what was asked in vain, and what waits to be asked. One per feed."""

    def __init__(self, desk: Desk, web: Mt5Web) -> None:
        self._desk, self._web = desk, web
        self._vain: dict[Position, int] = {}
        self._queue: Wanted = {}

    @property
    def waiting(self) -> bool:
        """Whether positions are left to be asked for."""
        return bool(self._queue)

    def complete(self, brought: Brought, *, hurry: bool = False) -> Brought:
        """Return the deals with the openings that they lack, as far as the server has them.

        In a `hurry`, while newer trades wait, none is asked for now: such a trade waits for its
        opening, and is booked when that was fetched behind the others.
        """
        alone = list(lacking(brought.deals))
        if not alone:
            return brought
        base = self._beside(brought.deals, pl.DataFrame(alone, schema=_KEYS, orient="row"))
        wanted = {key: at for key, at in lacking(base).items() if not self._was_vain(key)}
        now = dict(list(wanted.items())[: 0 if hurry else AT_ONCE])
        self._put_off({key: at for key, at in wanted.items() if key not in now})
        return brought.and_(self._fetch(now, base)) if now else brought

    def put_off_waiting(self) -> None:
        """Queue the stored trades that wait for their opening, to be asked for again."""
        conn = self._desk.conn
        rows = conn.execute(_WAITING, (self._desk.server.id, _KEPT)).fetchall()
        conn.commit()
        self._put_off({(login, position): ms // 1000 for login, position, ms in rows})

    def next(self) -> Brought:
        """Ask for some of the positions that were put off."""
        now = dict(list(self._queue.items())[:AT_ONCE])
        touched = pl.DataFrame(list(now), schema=_KEYS, orient="row")
        found = self._fetch(now, self._beside(empty(DEAL), touched))
        for key in now:
            del self._queue[key]
        return found

    def _put_off(self, wanted: Wanted) -> None:
        room = max(0, _KEPT - len(self._queue))
        fresh = [(key, at) for key, at in wanted.items() if not self._was_vain(key)]
        self._queue.update(fresh[:room])

    def _was_vain(self, key: Position) -> bool:
        asked = self._vain.get(key)
        return asked is not None and self._desk.utc_ms() - asked < _AGAIN_MS

    def _beside(self, deals: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
        """Return all known deals of positions: those that came, and those that are stored."""
        stored = trades.deals_of(self._desk.conn, self._desk.server.id, touched)
        self._desk.conn.commit()
        came = deals.join(touched, on=["login", "position"], how="semi")
        return pl.concat([came, stored.filter(~pl.col("deal").is_in(came["deal"].implode()))])

    def _fetch(self, wanted: Wanted, base: pl.DataFrame) -> Brought:
        """Ask for the deals of positions until their closes have openings, or all was asked."""
        found, left = Brought(), dict(wanted)
        for back_s in _BACK_S:
            keys = sorted(left)
            for first in range(0, len(keys), _CHUNK):
                some = {key: left[key] for key in keys[first : first + _CHUNK]}
                for part in self._asked(some, back_s):
                    found = found.and_(part)
            fresh = found.deals.filter(~pl.col("deal").is_in(base["deal"].implode()))
            short = lacking(pl.concat([base, fresh]))
            left = {key: at for key, at in left.items() if key in short}
            if not left:
                break
        self._vain.update(dict.fromkeys(left, self._desk.utc_ms()))
        while len(self._vain) > _KEPT:
            del self._vain[next(iter(self._vain))]
        return found

    def _asked(self, wanted: Wanted, back_s: int | None) -> Iterator[Brought]:
        """Yield the deals of the wanted positions, of one window before their closes."""
        end_s = max(wanted.values())
        start_s = 0 if back_s is None else max(0, min(wanted.values()) - back_s)
        logins = sorted({login for login, _ in wanted})
        keys = pl.DataFrame(list(wanted), schema=_KEYS, orient="row").with_columns(is_wanted=True)
        try:
            for answer in self._web.deals_of(logins, start_s, end_s):
                if not len(answer.deals):
                    continue
                marked = answer.deals.join(
                    keys, on=["login", "position"], how="left", maintain_order="left"
                )
                mask = marked["is_wanted"].fill_null(value=False).to_numpy()
                yield Brought.of(answer).only(mask)
        except (Garbled, Stuck, Refused, NotAllowed):
            return  # what one account's history does must not stop everybody's trades


def lacking(deals: pl.DataFrame) -> Wanted:
    """Return the positions in which more is closed than was opened before, and when first.

    Sums in order of time, much cheaper than assembling the positions; where the assembly sees more
    (docs/decisions/0006), the trade waits for its opening and is asked for at night.
    """
    rows = deals.filter(pl.col("action").is_in([0, 1]) & (pl.col("position") != 0))
    if not len(rows):
        return {}
    rows = rows.sort("position", "login", "time_ms", "deal")
    login, position = rows["login"].to_numpy(), rows["position"].to_numpy()
    closed = closed_volume(rows)
    opened = np.maximum(rows["volume_e8"].to_numpy() - closed, 0)
    opened = np.where(np.isin(rows["entry"].to_numpy(), (0, 2)), opened, 0)
    first = np.flatnonzero(np.r_[True, (np.diff(login) != 0) | (np.diff(position) != 0)])
    before = np.cumsum(opened - closed) - (opened - closed)
    before -= np.repeat(before[first], np.diff(np.r_[first, len(rows)]))
    # What a reversal opens comes after what it closes.
    at_ms = np.where(before < closed, rows["time_ms"].to_numpy(), FOREVER_MS)
    since_ms = np.minimum.reduceat(at_ms, first)
    keys = zip(login[first].tolist(), position[first].tolist(), since_ms.tolist(), strict=True)
    return {(who, where): ms // 1000 for who, where, ms in keys if ms < FOREVER_MS}
