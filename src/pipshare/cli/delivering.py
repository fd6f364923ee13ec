"""`pipshare deliver`: send what is said to receivers, as a process of its own."""

from __future__ import annotations

import logging
import sys
import threading

import click

from pipshare import db, outbox
from pipshare.cli.options import console, counted
from pipshare.cli.working import listen_to_signals
from pipshare.pipeline.deliver import deliver


@click.command("deliver")
def deliver_command() -> None:
    """Send postbacks and webhooks until SIGTERM or Ctrl-C. `pipshare work` does it, too.

    One instance sends at a time; the others take over when it ends, however it ends.
    """
    stop = threading.Event()
    listen_to_signals(stop)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    db.migrate()
    with db.connect() as conn:
        found = outbox.receivers(conn)
    told = counted(len(found), "receiver") if found else "no receiver yet: `pipshare receiver add`"
    console.print(f"deliver: {told}; Ctrl-C ends it")
    deliver(stop)
    console.print("deliver: ended; what was not sent waits")
