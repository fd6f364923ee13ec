"""The trades of windows block by block, in order of their closes, from all servers of an entity."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from pipshare.period import Span
from pipshare.pipeline.lives import asks_of_trades, with_lives
from pipshare.pipeline.read_placed import Gathered, read_placed
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows.counts import in_blocks
from pipshare.pipeline.windows.moments import ClientMoments
from pipshare.rating.windows.by_block import Block
from pipshare.rating.windows.given import Given


class TradeBlocks:
    """All trades of a span, of some trees or accounts, as rating.windows.by_block takes them.

    Not many more than counts.AT_ONCE are in memory at a time. `live_only`: trades from before their
    server's go-live do not count at all.
    """

    def __init__(
        self,
        run: Run,
        entity_id: int,
        given: Given,
        span: Span,
        *,
        shards: Collection[int] | None,
        logins: Mapping[int, list[int]] | None,
        live_only: bool,
    ) -> None:
        self._run, self._entity_id, self._given, self._span = run, entity_id, given, span
        self._shards, self._logins, self._live_only = shards, logins, live_only
        self._parts: list[Span] | None = None
        self._last: tuple[Span, Block] | None = None
        self._moments = ClientMoments(run, entity_id, given, lives=False)

    def __call__(self, span: Span) -> Iterator[Block]:
        """Yield the trades that closed in a span."""
        if self._parts is None:
            self._parts = in_blocks(self._run, self._entity_id, self._span, self._logins)
        for part in self._parts:
            inside = Span(max(part.start, span.start), min(part.end, span.end))
            if inside.start < inside.end:
                yield self._block(inside)

    def everything(self) -> Iterator[Block]:
        """Yield all trades."""
        return self(self._span)

    def _block(self, span: Span) -> Block:
        if self._last is None or self._last[0] != span:
            self._last = None  # the one before goes before the next comes
            self._last = span, self._read(span)
        return self._last[1]

    def _read(self, span: Span) -> Block:
        run, given = self._run, self._given
        gathered = read_placed(run, self._entity_id, start_ms=span.start, end_ms=span.end,
                               shards=self._shards, logins=self._logins)  # fmt: skip
        if self._live_only:
            gathered = gathered.live_only()
        return Block(replace(given, placed=self._with_lives(gathered).placed), gathered.live)

    def _with_lives(self, gathered: Gathered) -> Gathered:
        moments, placed = None, gathered.placed
        if asks_of_trades(self._run.book):
            client = placed.trades.client
            moments = self._moments.of(np.unique(client[client >= 0]).tolist())
        made = with_lives(self._run, self._entity_id, placed, moments=moments,
                          as_of_ms=self._given.as_of_ms)  # fmt: skip
        # Called by their places.
        return replace(gathered, placed=replace(made, trades=replace(made.trades, trade_row=None)))
