"""Lines of clients whose KYC is not approved: held, released when it is, forfeited after days."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pipshare.period import FOREVER_MS, Clock, broker_days
from pipshare.period import Millis as Longs
from pipshare.rating.qualify.life import Life

FREE, HELD, FORFEITED = 0, 1, 2


def kyc_states(
    lives: Iterable[Life],
    client: Longs,
    moment_ms: Longs,
    *,
    clock: Clock,
    as_of_ms: int,
    forfeit_days: int | None = None,
) -> npt.NDArray[np.int8]:
    """Return FREE, HELD or FORFEITED for each line, by its client and moment, as of a moment.

    A line is free if the client was approved at its moment, or was after it (and, with
    `forfeit_days`, not later than so many of the broker's days); a line of no client is free. What
    was released stays so when the approval ends.
    """
    approved = _next_approved(lives, client, moment_ms)
    released = approved <= as_of_ms
    state = np.where(released, FREE, HELD)
    if forfeit_days is not None and len(client):
        last = broker_days(moment_ms, clock).astype(np.int64) + forfeit_days
        told = broker_days(np.minimum(approved, as_of_ms), clock)
        state = np.where(told > last, FORFEITED, state)
    return np.where(client < 0, FREE, state).astype(np.int8)


def _next_approved(lives: Iterable[Life], client: Longs, moment_ms: Longs) -> Longs:
    """Return when each line's client was next approved: its own moment if he was then."""
    spans = sorted(span for life in lives for span in _approved(life))
    table = np.array(spans, np.int64).reshape(-1, 3)
    if not len(table):
        return np.full(len(client), FOREVER_MS, np.int64)
    ends = (table[:, 0] << 42) | (table[:, 2] - 1)
    place = np.searchsorted(ends, (client << 42) | moment_ms)
    held = np.minimum(place, len(table) - 1)
    same = (place < len(table)) & (table[held, 0] == client)
    return np.where(same, np.maximum(table[held, 1], moment_ms), FOREVER_MS)


def _approved(life: Life) -> Iterable[tuple[int, int, int]]:
    """Yield (client, from, to) of the times in which a client was approved."""
    start = None
    for word in life.kyc:
        if word.good and start is None:
            start = word.at_ms
        elif not word.good and start is not None:
            if word.at_ms > start:
                yield life.client, start, word.at_ms
            start = None
    if start is not None:
        yield life.client, start, FOREVER_MS
