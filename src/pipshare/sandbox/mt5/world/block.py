"""A block of deals: columns to search by, and the deals themselves, packed once they are old."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_HEAD = np.dtype("<u4")
_COLUMNS = (np.int64, np.int32, np.int64, np.int16)


class Row(NamedTuple):
    """A deal: ticket, account number, server seconds, symbol number, and its JSON."""

    ticket: int
    account: int
    time_s: int
    symbol: int
    data: bytes


@dataclass(frozen=True)
class Wanted:
    """What is asked for: server seconds inclusive, accounts as a mask, a symbol's number."""

    from_s: int
    to_s: int
    accounts: npt.NDArray[np.bool_]
    symbol: int | None = None

    def takes(self, row: Row) -> bool:
        """Tell whether one deal is asked for."""
        return (
            self.from_s <= row.time_s <= self.to_s
            and bool(self.accounts[row.account])
            and self.symbol in (None, row.symbol)
        )


@dataclass
class Block:
    """Deals in the order of their tickets. `changed`: what stands at a place now, None = gone."""

    tickets: npt.NDArray[np.int64]
    accounts: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    symbols: npt.NDArray[np.int16]
    data: list[bytes] | None
    packed: bytes | None = None
    changed: dict[int, Row | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[Row]) -> Block:
        """Make a block of rows, at least one."""
        tickets, accounts, times, symbols, data = zip(*rows, strict=True)
        return cls(
            np.array(tickets, np.int64),
            np.array(accounts, np.int32),
            np.array(times, np.int64),
            np.array(symbols, np.int16),
            list(data),
        )

    def __post_init__(self) -> None:
        self.first = int(self.tickets[0])
        self.low, self.high = int(self.times.min()), int(self.times.max())

    def place(self, ticket: int) -> int | None:
        """Return where a ticket is, if it was ever here."""
        place = int(np.searchsorted(self.tickets, ticket))
        return place if place < len(self.tickets) and self.tickets[place] == ticket else None

    def row(self, place: int) -> Row | None:
        """Return the deal at a place as it stands now."""
        if place in self.changed:
            return self.changed[place]
        return Row(
            int(self.tickets[place]), int(self.accounts[place]), int(self.times[place]),
            int(self.symbols[place]), self.texts()[place],
        )  # fmt: skip

    def change(self, place: int, row: Row | None) -> None:
        """Put another deal in a place, or none."""
        self.changed[place] = row
        if row is not None:
            self.low, self.high = min(self.low, row.time_s), max(self.high, row.time_s)

    def select(self, wanted: Wanted) -> list[bytes]:
        """Return the JSON of what is asked for, in the order of tickets."""
        if wanted.to_s < self.low or wanted.from_s > self.high:
            return []
        mask = wanted.accounts[self.accounts]
        if wanted.from_s > self.low or wanted.to_s < self.high:
            mask &= (self.times >= wanted.from_s) & (self.times <= wanted.to_s)
        if wanted.symbol is not None:
            mask &= self.symbols == wanted.symbol
        for place, row in self.changed.items():
            mask[place] = row is not None and wanted.takes(row)
        if not mask.any():
            return []
        data = self.texts()
        if not self.changed:
            return data if mask.all() else [data[place] for place in np.flatnonzero(mask).tolist()]
        out = []
        for place in np.flatnonzero(mask).tolist():
            row = self.changed.get(place)
            out.append(data[place] if row is None else row.data)
        return out

    def texts(self) -> list[bytes]:
        """Return the deals as first written, unpacking them if need be (they stay packed)."""
        if self.data is not None:
            return self.data
        assert self.packed is not None
        return zlib.decompress(self.packed).split(b"\n")

    def pack(self) -> None:
        """Make the packed form."""
        if self.packed is None:
            self.packed = zlib.compress(b"\n".join(self.texts()), 1)

    def to_bytes(self) -> bytes:
        """Write the block for a file; changes are not part of it."""
        self.pack()
        assert self.packed is not None
        head = np.array([len(self.tickets), len(self.packed)], _HEAD).tobytes()
        columns = (self.tickets, self.accounts, self.times, self.symbols)
        return head + b"".join(column.tobytes() for column in columns) + self.packed


def blocks_from(raw: bytes) -> list[Block]:
    """Read blocks as `to_bytes` wrote them, one after the other."""
    blocks, at = [], 0
    while at < len(raw):
        count, size = (int(n) for n in np.frombuffer(raw, _HEAD, 2, at))
        at += 2 * _HEAD.itemsize
        columns: list[Any] = []
        for kind in _COLUMNS:
            columns.append(np.frombuffer(raw, kind, count, at).copy())
            at += columns[-1].nbytes
        tickets, accounts, times, symbols = columns
        blocks.append(Block(tickets, accounts, times, symbols, None, raw[at : at + size]))
        at += size
    return blocks
