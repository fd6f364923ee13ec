"""Checks a watched folder: is it there, may it be read and written, does anything come."""

from __future__ import annotations

import os

from pipshare import inbox
from pipshare.inbox import Source
from pipshare.period import from_ms
from pipshare.pipeline.feeds.check import FAULT, OK, WARNING, Finding
from pipshare.pipeline.feeds.folder_look import Looks
from pipshare.pipeline.feeds.folder_move import DONE, REFUSED
from pipshare.pipeline.feeds.folder_settings import Watched
from pipshare.pipeline.run import Run


def check(run: Run, source: Source) -> list[Finding]:
    """Look at the folder as the feed would, taking nothing. Raises Unavailable when it is away."""
    watched = Watched.parse(source.settings)
    files = Looks(watched.folder, 0.0, watched.mapping).look()
    found = [_writable(watched)]
    last = inbox.cursor(run.conn, source.id)
    if last.get("last"):
        when = from_ms(int(last["last_ms"]))
        text = f"the last file was {last['last']}, taken at {when:%Y-%m-%d %H:%M} UTC"
        found.append(Finding(OK, "files", text))
    elif files:
        found.append(Finding(OK, "files", f"{len(files)} of them lie there to be taken"))
    else:
        text = f"none came yet: put exports into {watched.folder}"
        found.append(Finding(WARNING, "files", text))
    if not watched.no_file_after_s:
        text = "nobody is told when no file comes: add the source with --no-file-after HOURS"
        found.append(Finding(WARNING, "alert", text))
    return found


def _writable(watched: Watched) -> Finding:
    for place in (watched.folder, watched.folder / DONE, watched.folder / REFUSED):
        if place.exists() and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            text = (f"{place} may not be written by this account: files that were taken have to be"
                    " moved; give it write access")  # fmt: skip
            return Finding(FAULT, "folder", text)
    return Finding(OK, "folder", f"{watched.folder} can be read and written")
