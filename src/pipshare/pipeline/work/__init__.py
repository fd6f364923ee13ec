"""The one loop of `pipshare work`: sources are polled, and what waits is brought to rest.

What comes in: the sources that are set up and active. What goes out: everything that they bring,
booked. Guarantees: a source is polled by one instance at a time, however many work side by side;
a fault of one source is noted, alerted and backed off, and stops no other; a source paused stops
within a second or its transaction; killed at any point, nothing is lost and nothing comes twice.

    conduct.py   which sources to tend: takes their leases, starts and ends their threads
    tend.py      one source's thread: polls its feed, notes how it went, backs off
    resting.py   one thread that takes up what waited, when something changed

Beside them one thread delivers what the outbox holds (pipeline/deliver.py), and one polls CRMs
(pipeline/crm/polling.py), each in a thread of its own, unless only some sources are to be tended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pipshare.inbox import Source
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.work.conduct import Conductor
from pipshare.pipeline.work.resting import CHANNEL

OnNews = Callable[[Source, Polled], None]

__all__ = ["CHANNEL", "OnNews", "work"]


def work(
    stop: threading.Event,
    *,
    only: Sequence[str] | None = None,
    on_news: OnNews | None = None,
) -> None:
    """Work until `stop` is set; then end each transaction in hand, and return.

    `only` are codes of sources to tend (None = all); `on_news` is called by a source's thread after
    a poll that brought something. The database going away ends nothing: it is tried again.
    """
    Conductor(stop, only, on_news).conduct()
