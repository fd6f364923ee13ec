"""When the next event comes: the rate by hour, news, bursts and shutdowns."""

from __future__ import annotations

from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.wall import (
    HOUR_MS,
    NEWS_FACTOR,
    SHAPE,
    is_weekend,
    news,
    offset_ms,
    week_hour,
)

_MS = 1_000_000
_HALF_S_NS = 500_000_000  # an opening and a close are one close


class Pace:
    """Tells the time of the next event. The rate of a moment holds until the next change."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._mean_ns = 0
        self._edge_ns = 0

    def after(self, at_ns: int) -> int:
        """Return the time of the event after one at `at_ns`."""
        while True:
            if at_ns >= self._edge_ns:
                self._look(at_ns)
            then = at_ns + self._realm.dice.wait(self._mean_ns)
            if then <= self._edge_ns:
                return then
            at_ns = self._edge_ns  # a new rate: the wait begins anew, as waits do

    def changed(self) -> None:
        """Say that a span was added."""
        self._edge_ns = 0

    def _look(self, at_ns: int) -> None:
        """Find the rate at a moment, and the moment until which it holds."""
        realm = self._realm
        utc_ms = at_ns // _MS
        edge_ms = (utc_ms // HOUR_MS + 1) * HOUR_MS
        rate, hours = _thousandths(realm.size.rate), not realm.size.steady
        edge_ns, live = edge_ms * _MS, True
        for start, end, own, by_hour in realm.spans:
            if start <= at_ns < end:
                rate, hours, live, edge_ns = own, by_hour, False, min(edge_ns, end)
            elif at_ns < start < edge_ns:
                edge_ns = start
        if hours:
            wall_ms = utc_ms + offset_ms(utc_ms)
            rate = rate * SHAPE[week_hour(wall_ms)] // 1000
            out, until = news(wall_ms, realm.seed)
            if live and not is_weekend(wall_ms):
                rate *= NEWS_FACTOR if out else 1
                edge_ns = min(edge_ns, (until - wall_ms + utc_ms) * _MS)
        self._mean_ns = _HALF_S_NS * 1000 // max(1, rate)
        self._edge_ns = edge_ns


def _thousandths(rate: float) -> int:
    """Return a rate in closes per 1,000 seconds."""
    return max(1, round(rate * 1000))
