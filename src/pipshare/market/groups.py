"""Account groups: which row of the group table holds for a group's name at a moment.

A row names a group or a mask with `*`, as MetaTrader administrators write them (real\\ecn*). An
exact name goes before a mask, a longer mask before a shorter one; case does not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import psycopg

from pipshare.db import ms
from pipshare.money import parse_rate
from pipshare.period import Millis


@dataclass(frozen=True)
class GroupRow:
    """What holds for the accounts of a group from a moment on (until the mask's next row)."""

    id: int
    mask: str
    type: str
    lot_factor: Fraction  # what one lot counts, exact
    treatment: str  # normal, excluded, direct
    currency: str  # "" = not told
    valid_from_ms: int
    book: str = ""  # made (the broker takes the other side), passed (on); "" = not told


_GROUPS = f"""
SELECT DISTINCT ON (lower(mask), valid_from)
       id, mask, type, lot_factor, treatment, currency, {ms("valid_from")}, book
  FROM market_group WHERE server_id = %s ORDER BY lower(mask), valid_from, id DESC
"""


def groups(conn: psycopg.Connection[Any], server_id: int) -> list[GroupRow]:
    """Return a server's group rows in force, ordered by mask and moment."""
    return [
        GroupRow(id_, mask, type_, parse_rate(factor), treatment, currency, since, book)
        for id_, mask, type_, factor, treatment, currency, since, book in conn.execute(
            _GROUPS, (server_id,)
        )
    ]


def matches(mask: str, name: str) -> bool:
    """Tell whether a mask covers a group's name; only `*` is special."""
    pattern = ".*".join(map(re.escape, mask.casefold().split("*")))
    return re.fullmatch(pattern, name.casefold(), re.DOTALL) is not None


def match_group(rows: Sequence[GroupRow], name: str, utc_ms: int) -> int:
    """Return the place in `rows` of what holds for a group at a moment; -1 where nothing does."""
    held = [at for at, row in enumerate(rows) if row.valid_from_ms <= utc_ms]
    covering = [at for at in held if matches(rows[at].mask, name)]
    return max(covering, key=lambda at: _rank(rows[at], name), default=-1)


def _rank(row: GroupRow, name: str) -> tuple[bool, int, str, int, int]:
    # The mask's text breaks a tie between masks of one length; moment and id one of one mask.
    mask = row.mask.casefold()
    return mask == name.casefold(), len(mask), mask, row.valid_from_ms, row.id


def group_history(
    rows: Sequence[GroupRow], names: Sequence[str]
) -> tuple[Millis, Millis, Millis]:  # fmt: skip
    """Return match_group for many names and all moments, as period.Segments takes it.

    Columns (place in `names`, start UTC ms, place in `rows` or -1), sorted by the first two.
    """
    found: list[tuple[int, int, int]] = []
    for number, name in enumerate(names):
        covering = [row for row in rows if matches(row.mask, name)]
        for moment in sorted({0, *(row.valid_from_ms for row in covering)}):
            place = match_group(covering, name, moment)
            held = rows.index(covering[place]) if place >= 0 else -1
            if not found or found[-1][0] != number or found[-1][2] != held:
                found.append((number, moment, held))
    table = np.array(found, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
