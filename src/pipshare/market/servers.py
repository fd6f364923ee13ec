"""Read entities and trade servers: platform, clocks, go-live, symbol endings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import psycopg

from pipshare.db import ms
from pipshare.errors import Missing
from pipshare.facts.fields import FIELDS
from pipshare.period import FOREVER_MS, Clock, Millis


@dataclass(frozen=True)
class Entity:
    """A legal entity or brand: its base currency and the clock of its day (text of a Clock)."""

    id: int
    code: str
    name: str
    currency: str
    clock: str


@dataclass(frozen=True)
class Server:
    """A trade server as it is known now.

    `clocks`: (valid from, UTC ms; clock) in order, at least one; before the first it holds too.
    `go_live_ms`: UTC ms from which closed trades book; None: nothing does.
    """

    id: int
    code: str
    entity_id: int
    platform: str
    authority: str
    suffixes: tuple[str, ...]
    clocks: tuple[tuple[int, Clock], ...]
    go_live_ms: int | None

    def to_utc(self, wall_ms: Millis) -> Millis:
        """Turn server milliseconds into UTC milliseconds by the clock that held at each moment.

        Where a change of clocks shows an hour twice, the later clock is taken.
        """
        wall = np.asarray(wall_ms, np.int64)
        utc = self.clocks[0][1].to_utc(wall)
        for since, clock in self.clocks[1:]:
            later = clock.to_utc(wall)
            utc = np.where(later >= since, later, utc)
        return utc


_ENTITIES = "SELECT id, code, name, currency, clock FROM market_entity ORDER BY id"
_SERVERS = """
SELECT s.id, s.code, s.entity_id, s.platform, coalesce(
       (SELECT a.authority FROM market_authority a WHERE a.server_id = s.id
         ORDER BY a.id DESC LIMIT 1), s.authority)
  FROM market_server s ORDER BY s.id
"""
_SUFFIXES = "SELECT DISTINCT ON (server_id) server_id, suffixes FROM market_suffixes " \
    "ORDER BY server_id, id DESC"  # fmt: skip
_CLOCKS = f"""
SELECT DISTINCT ON (server_id, valid_from) server_id, {ms("valid_from")}, clock
  FROM market_server_clock ORDER BY server_id, valid_from, id DESC
"""
_GO_LIVE = f"""
SELECT DISTINCT ON (server_id) server_id, {ms("go_live")}
  FROM market_go_live ORDER BY server_id, id DESC
"""


def entities(conn: psycopg.Connection[Any]) -> dict[int, Entity]:
    """Return all entities by id."""
    return {row[0]: Entity(*row) for row in conn.execute(_ENTITIES)}


def servers(conn: psycopg.Connection[Any]) -> list[Server]:
    """Return all servers, in the order in which they were first loaded."""
    suffixes = dict(conn.execute(_SUFFIXES).fetchall())
    go_live = dict(conn.execute(_GO_LIVE).fetchall())
    clocks: dict[int, list[tuple[int, Clock]]] = {}
    for server_id, since, text in conn.execute(_CLOCKS):
        clocks.setdefault(server_id, []).append((since, Clock.parse(text)))
    return [
        Server(
            id_, code, entity_id, platform, authority,
            tuple(suffixes.get(id_, "").split()),
            tuple(clocks.get(id_, [(0, Clock("UTC", 0))])),
            go_live.get(id_),
        )
        for id_, code, entity_id, platform, authority in conn.execute(_SERVERS).fetchall()
    ]  # fmt: skip


def server(conn: psycopg.Connection[Any], name: str) -> Server:
    """Return one server by its name. Raises Missing with what there is."""
    found = servers(conn)
    for one in found:
        if one.code == name:
            return one
    raise Missing("unknown_server", _unknown(name, [one.code for one in found]))


def _unknown(name: str, codes: list[str]) -> str:
    if not codes:
        return f"there is no server {name!r}, nor any other: load one with `pipshare load servers`"
    close = get_close_matches(name, codes, 1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(sorted(codes)[:20])}"
    return f"there is no server {name!r} ({hint})"


def day_clocks(conn: psycopg.Connection[Any], kind: str) -> dict[str, Clock]:
    """Return the broker's day for moments in a load file of `kind`, as read_table takes it.

    Keys are entity codes where the kind has an entity field, else server names; "" is the day of
    the entity `main`.
    """
    known = entities(conn)
    clocks = {one.code: Clock.parse(one.clock) for one in known.values()}
    main = {"": clocks["main"]} if "main" in clocks else {}
    if any(field.name == "entity" for field in FIELDS[kind]):
        return clocks | main
    by_server: Iterable[Server] = servers(conn)
    return {one.code: clocks[known[one.entity_id].code] for one in by_server} | main


def earliest(*moments: int | None) -> int | None:
    """Return the earliest of some moments, None where there is none."""
    told = [moment for moment in moments if moment is not None]
    lowest = min(told, default=FOREVER_MS)
    return None if lowest >= FOREVER_MS else lowest
