"""`pipshare work` in a process of its own, which notes the lag of every trade it booked."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from pipshare import db
from pipshare.cli.pools import one_pool
from pipshare.pipeline.work import work


def main() -> None:
    """Work until SIGTERM; a line per poll goes into the file, a lag in milliseconds per trade."""
    one_pool()
    job = json.loads(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Path(job["told"]).open("a") as told:

        def news(_: Any, polled: Any) -> None:
            told.write(" ".join(map(str, polled.lags_ms)) + "\n")
            told.flush()

        with db.use(db.Target(job["app"], job["owner"])):
            work(stop, on_news=news)


if __name__ == "__main__":
    main()
