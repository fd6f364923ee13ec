"""What anybody wants to be told, in short: so that a booking writes no message in vain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare.outbox.match import wants_type
from pipshare.outbox.receivers import receivers


@dataclass(frozen=True)
class Listeners:
    """Who wants one type of message: everybody's (`all`), or that of some partners only.

    A partner's receiver hears what names him: data["partner"], or a key of data["earned"].
    """

    all: bool = False
    partner_ids: frozenset[int] = frozenset()
    partners: frozenset[str] = frozenset()  # their codes

    def __bool__(self) -> bool:
        return self.all or bool(self.partners)


_NOBODY = Listeners()


@dataclass(frozen=True)
class Wanted:
    """Which types of message somebody wants, by entity. Empty when there is no receiver."""

    _by_entity: dict[int, list[tuple[tuple[str, ...], int | None, str]]] = field(
        default_factory=dict
    )

    def __bool__(self) -> bool:
        return bool(self._by_entity)

    def by(self, entity_id: int, kind: str) -> Listeners:
        """Return who wants messages of type `kind` of an entity; false when nobody does."""
        found = [one for one in self._by_entity.get(entity_id, ()) if wants_type(one[0], kind)]
        if not found:
            return _NOBODY
        return Listeners(
            any(one[1] is None for one in found),
            frozenset(one[1] for one in found if one[1] is not None),
            frozenset(one[2] for one in found if one[2]),
        )


def wanted(conn: psycopg.Connection[Any]) -> Wanted:
    """Return what is wanted as receivers now stand; changes are watched as kind "receivers"."""
    found: dict[int, list[tuple[tuple[str, ...], int | None, str]]] = {}
    for one in receivers(conn):
        row = (tuple(one.settings.get("events", ())), one.partner_id, one.partner)
        found.setdefault(one.entity_id, []).append(row)
    return Wanted(found)
