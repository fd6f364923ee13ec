"""Points per symbol and account group, over time: the broker's markups, and typical spreads.

Of the rows that fit a symbol and an account group those decide that rank first by: the symbol's
name, its group, neither; then the server's own, those of all servers; then the account group's
exact name, longer masks, shorter ones. In them the row holds that began last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import psycopg

from pipshare.db import ms
from pipshare.market.groups import matches
from pipshare.market.symbols import SymbolRow
from pipshare.money.amounts import SCALE

Table = Literal["market_markup", "market_spread"]


@dataclass(frozen=True)
class PointsRow:
    """So many points from a moment on. `server_id` None: on all servers; "" and "*": any."""

    id: int
    server_id: int | None
    symbol: str
    symbol_group: str
    mask: str
    points_e8: int
    valid_from_ms: int


@dataclass(frozen=True)
class Since:
    """What holds for one symbol and one account group from `from_ms` (UTC) on."""

    points: Fraction
    group: str
    from_ms: int


_ROWS = """
SELECT DISTINCT ON (server_id, lower(symbol), lower(symbol_group), lower(mask), valid_from)
       id, server_id, symbol, symbol_group, mask, points_e8, {}
  FROM {} ORDER BY server_id, lower(symbol), lower(symbol_group), lower(mask), valid_from, id DESC
"""


def markups(conn: psycopg.Connection[Any]) -> list[PointsRow]:
    """Return the rows in force of the broker's markups."""
    return [
        PointsRow(*row) for row in conn.execute(_ROWS.format(ms("valid_from"), "market_markup"))
    ]


def spreads(conn: psycopg.Connection[Any]) -> list[PointsRow]:
    """Return the rows in force of typical spreads."""
    return [
        PointsRow(*row) for row in conn.execute(_ROWS.format(ms("valid_from"), "market_spread"))
    ]


def points_of(
    rows: Iterable[PointsRow], symbol: SymbolRow, server_id: int, groups: Sequence[str]
) -> list[Since]:
    """Return what holds for a symbol on a server, for each account group over time.

    For each group in turn, in order of moment; before the first nothing is known. A key of a
    higher rank holds from its first row on, and one of a lower rank until then.
    """
    fitting = [
        row for row in rows
        if row.server_id in (None, server_id)
        and (not row.symbol or row.symbol.casefold() == symbol.symbol.casefold())
        and (not row.symbol_group or row.symbol_group.casefold() == symbol.symbol_group.casefold())
    ]  # fmt: skip
    found: list[Since] = []
    for group in groups:
        mine = [row for row in fitting if matches(row.mask, group)]
        last: PointsRow | None = None
        for moment in sorted({row.valid_from_ms for row in mine}):
            begun = (row for row in mine if row.valid_from_ms <= moment)
            row = max(begun, key=lambda one: _rank(one, group))
            if last is None or row.points_e8 != last.points_e8:
                found.append(Since(Fraction(row.points_e8, SCALE), group, moment))
            last = row
    return found


def _rank(row: PointsRow, group: str) -> tuple[object, ...]:
    mask = row.mask.casefold()
    return (
        2 if row.symbol else 1 if row.symbol_group else 0, row.server_id is not None,
        mask == group.casefold(), len(mask), mask, row.valid_from_ms, row.id,
    )  # fmt: skip
