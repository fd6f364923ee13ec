"""Symbols: from the name a platform prints to the one a rate card knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.market.servers import Server
from pipshare.money.currencies import FIAT

_FEW = 500  # names: fewer are looked up one by one sooner than Polars finds the distinct ones


@dataclass(frozen=True)
class SymbolRow:
    """A symbol as it is known now. `server_id` None: on all servers.

    `source`: "load", or "platform" where nobody loaded it and the server was seen to have it.
    `pip_points` and `calc` as told, 0 and "" = not told; `pip` and `mode` say what then holds.
    """

    id: int
    symbol: str
    symbol_group: str
    digits: int
    contract_e8: int  # units in one lot, 1e-8
    currency: str  # of the profit
    aliases: tuple[str, ...] = ()
    server_id: int | None = None
    source: str = "load"
    pip_points: int = 0
    calc: str = ""  # forex, cfd, futures
    tick_size_e8: int = 0
    tick_value_e8: int = 0

    @property
    def mode(self) -> Literal["forex", "cfd", "futures"]:
        """How profit is worked out: as told, else forex where the name is two currencies."""
        if self.calc in ("forex", "cfd", "futures"):
            return self.calc  # type: ignore[return-value]
        return "forex" if _is_pair(self.symbol) else "cfd"

    @property
    def pip(self) -> int:
        """Points in one pip: as told, else 10 on forex with 3 or 5 digits; 0 = nobody knows."""
        if self.pip_points:
            return self.pip_points
        return 10 if self.mode == "forex" and self.digits in (3, 5) else 0


def _is_pair(name: str) -> bool:
    plain = name.strip().upper()
    return len(plain) == 6 and {plain[:3], plain[3:]} <= FIAT


class SymbolBook:
    """The symbols of one server.

    A name is found as it stands, whatever its case, among names and aliases; the server's own
    before those of all servers. What is not found so is tried without each of the server's
    suffixes, the longest first. What was loaded goes before what was only seen on the platform.
    """

    def __init__(self, rows: Iterable[SymbolRow], suffixes: Sequence[str] = ()) -> None:
        own_first = sorted(rows, key=lambda r: (r.server_id is None, r.id))
        self.rows = tuple(own_first)
        endings = {suffix.casefold() for suffix in suffixes if suffix}
        self._suffixes = sorted(endings, key=lambda s: (-len(s), s))
        self._loaded: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        for place, row in enumerate(self.rows):
            named = self._seen if row.source == "platform" else self._loaded
            for name in (row.symbol, *row.aliases):
                named.setdefault(name.casefold(), place)

    def place(self, raw: str) -> int:
        """Return the place in `rows` of the symbol a platform prints as `raw`, -1 if none."""
        name = raw.strip().casefold()
        for named in (self._loaded, self._seen):
            if name in named:
                return named[name]
            for suffix in self._suffixes:
                if name.endswith(suffix) and name[: -len(suffix)] in named:
                    return named[name[: -len(suffix)]]
        return -1

    def resolve(self, raw: str) -> SymbolRow | None:
        """Return the symbol a platform prints as `raw`; None: unpriced."""
        place = self.place(raw)
        return self.rows[place] if place >= 0 else None

    def resolve_column(self, raw: pl.Series) -> npt.NDArray[np.int32]:
        """Return `place` for each name of a column."""
        if raw.is_empty():
            return np.zeros(0, np.int32)
        if len(raw) <= _FEW:
            listed = raw.to_list()
            return np.array([-1 if n is None else self.place(n) for n in listed], np.int32)
        names = raw.unique().drop_nulls()
        places = [self.place(name) for name in names]
        found = raw.replace_strict(names, places, default=-1, return_dtype=pl.Int32)
        return found.to_numpy()


_SYMBOLS = """
SELECT DISTINCT ON (lower(symbol), server_id)
       id, symbol, symbol_group, digits, contract_e8, currency, aliases, server_id, source,
       pip_points, calc, tick_size_e8, tick_value_e8
  FROM market_symbol WHERE server_id = %s OR server_id IS NULL
 ORDER BY lower(symbol), server_id, id DESC
"""


def symbols(conn: psycopg.Connection[Any], server: Server) -> SymbolBook:
    """Return the symbols of a server, its own and those of all servers."""
    rows = conn.execute(_SYMBOLS, (server.id,)).fetchall()
    known = [
        SymbolRow(id_, name, group, digits, contract, currency, tuple(aliases.split()), *rest)
        for id_, name, group, digits, contract, currency, aliases, *rest in rows
    ]
    return SymbolBook(known, server.suffixes)
