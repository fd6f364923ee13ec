"""Shards: partners who were ever in one tree. What builds up is settled a shard at a time."""

from __future__ import annotations

from typing import Any

import psycopg

_EDGES = "SELECT DISTINCT partner_id, parent_id FROM partners_parent WHERE parent_id IS NOT NULL"


def shards(conn: psycopg.Connection[Any]) -> dict[int, int]:
    """Return the shard of every partner who has, or is, a parent; others are one by themselves.

    A shard is named by its lowest partner id. All records count, also superseded ones, so that a
    shard never falls apart; trees that a new relation joins become one.
    """
    above: dict[int, int] = {}

    def top(one: int) -> int:
        while (over := above.setdefault(one, one)) != one:
            above[one] = one = above.setdefault(over, over)
        return one

    for partner, parent in conn.execute(_EDGES).fetchall():
        low, high = sorted((top(partner), top(parent)))
        above[high] = low
    return {one: top(one) for one in list(above)}
