"""`pipshare work`: poll the sources and bring to rest what waits, until told to end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

import click

from pipshare import db, inbox
from pipshare.cli.options import console, counted
from pipshare.inbox import Source
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.work import work

_PARENT_S = 0.5  # between two looks whether the parent is still there


@click.command("work")
@click.option("--only", multiple=True, metavar="CODE", help="Tend this source only; repeatable.")
@click.option("--quiet", is_flag=True, help="Say nothing of what comes in; only what goes wrong.")
@click.option("--every", default=10, type=click.IntRange(min=0), show_default=True,
              metavar="SECONDS", help="Say what came in at most so often.")  # fmt: skip
@click.option("--with-parent", type=int, metavar="PID",
              help="End when this process, which started it, ends.")  # fmt: skip
def work_command(only: tuple[str, ...], quiet: bool, every: int, with_parent: int | None) -> None:
    """Poll the sources and bring to rest what waits, until SIGTERM or Ctrl-C.

    Several may run side by side, on several machines: each source is polled by one of them.
    """
    stop = threading.Event()
    listen_to_signals(stop)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    db.migrate()
    with db.connect() as conn:
        found = [inbox.source(conn, code) for code in only] or inbox.sources(conn)
    if not quiet:
        console.print(f"work: {counted(len(found), 'source')}; Ctrl-C ends it"
                      if found else "work: no source is set up: `pipshare source add`")  # fmt: skip
    if with_parent:
        threading.Thread(target=_watch_parent, args=(stop, with_parent), daemon=True).start()
    work(stop, only=only or None, on_news=None if quiet else _News(every).told)
    if not quiet:
        console.print("work: ended; nothing is left half done")


class _News:
    """Says what came in: a line per source, at most one every so many seconds."""

    def __init__(self, every: int) -> None:
        self.every, self.lock = every, threading.Lock()
        self.sums: dict[str, list[int]] = {}
        self.said: dict[str, float] = {}

    def told(self, source: Source, polled: Polled) -> None:
        """Count a poll's news, and print a line when it is time."""
        with self.lock:
            sums = self.sums.setdefault(source.code, [0, 0, 0])
            for place, count in enumerate((polled.new, polled.revised, polled.trades)):
                sums[place] += count
            now = time.monotonic()
            if now - self.said.get(source.code, -1e9) < self.every:
                return
            self.said[source.code] = now
            new, revised, trades = self.sums.pop(source.code)
            lag = sorted(polled.lags_ms)[len(polled.lags_ms) // 2] if polled.lags_ms else None
            parts = [f"{new} new", f"{revised} revised" * bool(revised),
                     f"{counted(trades, 'trade')} booked",
                     f"{lag / 1000:.1f} s after the close" if lag is not None else ""]  # fmt: skip
            console.print(f"{source.code}: {', '.join(part for part in parts if part)}")


def listen_to_signals(stop: threading.Event) -> None:
    """The first signal ends safely, a second one at once."""

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _watch_parent(stop: threading.Event, parent: int) -> None:
    while not stop.wait(_PARENT_S):
        if os.getppid() != parent:
            stop.set()
