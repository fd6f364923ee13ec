"""All deals of the server: added at the end, found by ticket, account, time and symbol."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pipshare.sandbox.mt5.world.block import Block, Row, Wanted

BLOCK = 1_024
HOT = 64  # blocks kept unpacked: the last minutes of a busy server, the last hours of a quiet one


class Deals:
    """Deals in ascending tickets. What is older than the last blocks is kept packed."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.rows: list[Row] = []  # the newest, not yet a block
        self.changed: dict[int, Row | None] = {}  # of those rows, by place
        self._firsts: list[int] = []
        self._tail: Block | None = None

    def add(self, row: Row) -> None:
        """Add a deal; its ticket is higher than any before."""
        self.rows.append(row)
        if len(self.rows) == BLOCK:
            self._seal()

    def find(self, ticket: int) -> Row | None:
        """Return a deal as it stands now; None = there is none (any more)."""
        if self.rows and ticket >= self.rows[0].ticket:
            place = self._live_place(ticket)
            if place is None:
                return None
            return self.changed[place] if place in self.changed else self.rows[place]
        block = self._block_of(ticket)
        found = None if block is None else block.place(ticket)
        return None if block is None or found is None else block.row(found)

    def change(self, ticket: int, row: Row | None) -> None:
        """Put another deal in the place of a ticket that exists, or none."""
        if self.rows and ticket >= self.rows[0].ticket:
            place = self._live_place(ticket)
            assert place is not None
            self.changed[place] = row
            self._tail = None
            return
        block = self._block_of(ticket)
        found = None if block is None else block.place(ticket)
        assert block is not None
        assert found is not None
        block.change(found, row)

    def select(self, wanted: Wanted) -> list[bytes]:
        """Return the JSON of the deals asked for, in the order of tickets."""
        out: list[bytes] = []
        for block in self._all():
            out += block.select(wanted)
        return out

    def restore(self, blocks: list[Block]) -> None:
        """Take over blocks read from a file."""
        self.blocks = blocks
        self._firsts = [block.first for block in blocks]

    def _seal(self) -> None:
        block = self._live()
        assert block is not None
        block.pack()
        self.blocks.append(block)
        self._firsts.append(block.first)
        self.rows, self.changed, self._tail = [], {}, None
        if len(self.blocks) > HOT:
            self.blocks[-HOT - 1].data = None

    def _live(self) -> Block | None:
        """Return the newest deals as a block, made again only when something has come."""
        if not self.rows:
            return None
        if self._tail is None or len(self._tail.tickets) != len(self.rows):
            self._tail = Block.of(self.rows)
            for place, row in self.changed.items():
                self._tail.change(place, row)
        return self._tail

    def _live_place(self, ticket: int) -> int | None:
        place = bisect_left(self.rows, ticket, key=_ticket)
        return place if place < len(self.rows) and self.rows[place].ticket == ticket else None

    def _all(self) -> Iterator[Block]:
        yield from self.blocks
        if (live := self._live()) is not None:
            yield live

    def _block_of(self, ticket: int) -> Block | None:
        place = bisect_right(self._firsts, ticket) - 1
        return self.blocks[place] if place >= 0 else None


def _ticket(row: Row) -> int:
    return row.ticket
