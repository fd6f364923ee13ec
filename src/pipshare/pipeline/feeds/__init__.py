"""Feeds: what polls a source and takes in and books what it brings, one file per kind of source.

What comes in: a source as it was set up, and a Run of its own. What goes out: facts taken in and
booked, the cursor saved, in the feed's own transactions; and what a poll came to. Guarantee: no
call to the outside happens inside a transaction; a poll that fails half-way loses nothing.

A kind is added here, or by a package with an entry point of the group `pipshare.feeds`, named as
the kind, that leads to a function `make(run, source) -> Feed`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol

from pipshare.errors import Missing
from pipshare.inbox import Gap, Source
from pipshare.pipeline.run import Run

__all__ = ["FEEDS", "Feed", "Make", "Polled", "make"]


@dataclass(frozen=True)
class Polled:
    """What a poll came to: deals (or rows) new and revised, trades booked, and when to look again.

    `wait_s` is how long to rest; with `more` the next poll follows at once. `lags_ms` are the lags
    of trades booked, from their close (or their file's completion) to now, where that was while the
    source was polled; `gap` counts those that were caught up with after a time when it was not.
    """

    new: int = 0
    revised: int = 0
    trades: int = 0
    wait_s: float = 1.0
    lags_ms: list[int] = field(default_factory=list)
    more: bool = False
    gap: Gap | None = None

    @property
    def news(self) -> bool:
        """Whether the poll brought anything."""
        return bool(self.new or self.revised or self.trades)


class Feed(Protocol):
    """Something that polls one source; used by one thread, which owns `run.conn`.

    `poll` commits what it took in. It raises PipshareError when the source cannot be read, and is
    called again later: the caller rolls back, notes the fault and backs off. `close` must not
    raise. A feed whose poll takes long looks at `halt`, which the caller sets before the first
    poll, between its transactions, and returns early when it is set.
    """

    halt: threading.Event

    def poll(self) -> Polled: ...

    def close(self) -> None: ...


Make = Callable[[Run, Source], Feed]
# Kind -> module and function, or the function itself. Modules are imported when they are used.
FEEDS: dict[str, str | Make] = {
    "files": "pipshare.pipeline.feeds.folder:make",
    "mt5_web": "pipshare.pipeline.feeds.mt5_feed:make",
}


def make(run: Run, source: Source) -> Feed:
    """Return the feed of a source. Raises Missing for a kind that is not known here."""
    found = FEEDS.get(source.kind)
    if found is None:
        for entry in entry_points(group="pipshare.feeds", name=source.kind):
            found = entry.value
    if found is None:
        raise Missing(
            "unknown_kind",
            f"source {source.code} is of the kind {source.kind!r}, which this pipshare does not"
            f" know; it knows {', '.join(FEEDS)}: install the package that brings it",
        )
    if isinstance(found, str):
        module, _, name = found.partition(":")
        found = getattr(import_module(module), name)
    made: Feed = found(run, source)
    return made
