"""Checks a source: says in words what it lacks, to the people who can mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pipshare.errors import PipshareError
from pipshare.inbox import Source
from pipshare.pipeline.run import Run

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `text` says how it is and, unless ok, what to do."""

    level: str
    what: str
    text: str


Check = Callable[[Run, Source], list[Finding]]
# Kind -> module and function (or the function itself), as in FEEDS.
CHECKS: dict[str, str | Check] = {
    "files": "pipshare.pipeline.feeds.folder_check:check",
    "mt5_web": "pipshare.pipeline.feeds.check_mt5:check",
}


def check(run: Run, source: Source) -> list[Finding]:
    """Check a source, and how its server is set up here; what stops the check is a finding."""
    try:
        return [*_own(run, source), *_server(run, source)]
    except PipshareError as error:
        return [Finding(FAULT, "connection", error.message)]


def _own(run: Run, source: Source) -> list[Finding]:
    found = CHECKS.get(source.kind)
    if isinstance(found, str):
        module, _, name = found.partition(":")
        found = getattr(import_module(module), name)
    return found(run, source) if callable(found) else []


def _server(run: Run, source: Source) -> list[Finding]:
    """Whether what comes would be booked."""
    server = run.servers[source.server_id]
    found = []
    if server.go_live_ms is None:
        text = (f"{server.code} has no go-live: its trades are kept and nothing is booked; load the"
                " server's row with a go_live (`pipshare load servers`)")  # fmt: skip
        found.append(Finding(WARNING, "go-live", text))
    if server.authority != source.kind:
        text = (f"trades of {server.code} come from {server.authority}: this source is compared and"
                f" books nothing; load the server's row with authority {source.kind}")  # fmt: skip
        found.append(Finding(WARNING, "authority", text))
    return found or [Finding(OK, "server", f"trades of {server.code} book from here")]
