"""Let time pass: one event after the other, openings and closings by turns."""

from __future__ import annotations

from pipshare.sandbox.mt5.world.genesis import open_positions
from pipshare.sandbox.mt5.world.happenings import after_close, happen
from pipshare.sandbox.mt5.world.pace import Pace
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.trading import close_one, open_one

_MS = 1_000_000


class Activity:
    """Makes the events of a realm in their order, each as the one before left the realm."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self.pace = Pace(realm)
        usual = open_positions(realm)
        self._few, self._many = usual - usual // 20, usual + usual // 20

    def until(self, utc_ms: int) -> None:
        """Make all events up to a moment, that moment included."""
        realm, end_ns = self._realm, utc_ms * _MS + _MS - 1
        while realm.next_ns <= end_ns:
            self._one()

    def until_event(self, events: int) -> None:
        """Make events until there were so many."""
        while self._realm.events < events:
            self._one()

    def _one(self) -> None:
        realm = self._realm
        at_ns = realm.next_ns
        utc_ms = at_ns // _MS
        if realm.opens:
            self._open(utc_ms)
        else:
            closed = close_one(realm, utc_ms)
            if closed is not None:
                after_close(realm, utc_ms, closed)
                happen(realm, utc_ms, closed.ticket)
        realm.opens = not realm.opens
        realm.events += 1
        realm.next_ns = self.pace.after(at_ns)

    def _open(self, utc_ms: int) -> None:
        """Open one position, two while there are few, none while there are many."""
        held = len(self._realm.positions)
        if held <= self._many:
            open_one(self._realm, utc_ms)
        if held < self._few:
            open_one(self._realm, utc_ms)
