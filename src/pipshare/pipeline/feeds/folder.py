"""A watched folder of exports: finished files are taken, each once, and moved away.

What comes in: files of any format that `pipshare import` reads, put into the folder by hand or by
a nightly job. What goes out: their trades booked; the file in done/, or in refused/ when it could
not be read, with its report beside it. Guarantee: a file is booked once, however often the taking
of it was interrupted; a bad file stops none beside it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from pipshare import inbox
from pipshare.errors import BadInput, Conflict
from pipshare.inbox import Gap, Source
from pipshare.period import from_ms
from pipshare.pipeline.admit import Order
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.feeds.folder_look import Found, Looks
from pipshare.pipeline.feeds.folder_move import DONE, REFUSED, free, put_away, still_there
from pipshare.pipeline.feeds.folder_settings import Watched
from pipshare.pipeline.file_report import as_json, as_text
from pipshare.pipeline.files import FileReport, import_file
from pipshare.pipeline.run import Run

_HOUR_S = 3600
_GAP_MS = 10_000  # a folder that was looked at less than this ago was watched without a gap


def make(run: Run, source: Source) -> Folder:
    """Return the feed of a source of the kind `files`. Raises BadInput for settings it cannot use.

    Opens nothing: a folder that is away is found at the first poll.
    """
    return Folder(run, source)


class _Halted(Exception):
    """Raised between two transactions of an import when the feed has to end."""


class Folder:
    """The feed of one folder; see pipeline.feeds.Feed."""

    def __init__(self, run: Run, source: Source) -> None:
        self.run, self.source, self.halt = run, source, threading.Event()
        self.watched = Watched.parse(source.settings)
        server = next(s for s in run.servers.values() if s.id == source.server_id)
        self.server = server.code
        self.looks = Looks(self.watched.folder, self.watched.poll_s, self.watched.mapping)
        self.cursor = inbox.cursor(run.conn, source.id)
        status = next(one for one in inbox.statuses(run.conn) if one.source.id == source.id)
        run.conn.commit()
        self.began_ms, self.watched_ms = time.time_ns() // 10**6, status.last_ok_ms
        self.left: set[Found] = set()  # taken or unreadable, and could not be moved away

    def poll(self) -> Polled:
        """Take the oldest finished file, if there is one, and move it away."""
        ready = [one for one in self.looks.look() if one not in self.left]
        self._settle_alerts()
        if not ready:
            self._watch_the_clock()
            return Polled(wait_s=self.watched.poll_s)
        return self._take(ready[0], more=len(ready) > 1)

    def close(self) -> None:
        """Nothing stays open between polls."""

    def _take(self, file: Found, *, more: bool) -> Polled:
        again = self.cursor.get("begun") == _key(file)
        self._save(begun=_key(file))
        try:
            report = self._import(file)
        except _Halted:
            return Polled(more=True)
        except (BadInput, Conflict) as error:
            self._undo()
            if error.code == "file_changed":
                return Polled(wait_s=self.watched.poll_s)  # it was not finished after all
            self._refuse(file, error.message)
            return Polled(more=more, wait_s=self.watched.poll_s)
        except OSError as error:
            self._undo()
            self._leave(file, "file_unreadable", f"cannot be read: {error.strerror}")
            return Polled(more=more, wait_s=self.watched.poll_s)
        if again:
            report.note = f"{report.note}; " if report.note else ""
            report.note += "it was begun before: of the repeated rows, most had been booked then"
        self._done(file, report)
        booked = report.new + report.revised if report.booked else 0
        lag = max(0, time.time_ns() - file.mtime_ns) // 10**6
        gap = self._gap(file, booked)
        return Polled(
            new=report.new, revised=report.revised, trades=booked, more=more,
            wait_s=self.watched.poll_s, lags_ms=[lag] if booked and not gap else [], gap=gap,
        )  # fmt: skip

    def _gap(self, file: Found, trades: int) -> Gap | None:
        """Return the gap in which a file was put there that nobody was watching for."""
        put_ms = file.mtime_ns // 10**6
        since_ms = put_ms if self.watched_ms is None else self.watched_ms
        if put_ms >= self.began_ms or self.began_ms - since_ms <= _GAP_MS:
            return None
        return Gap(self.began_ms, self.began_ms - since_ms, trades)

    def _import(self, file: Found) -> FileReport:
        """Import a file as `pipshare import` does, ending early between two transactions."""

        def between(_: int) -> None:
            if self.halt.is_set():
                raise _Halted

        watched = self.watched
        order = Order(
            self.server, f"source {self.source.code}", watched.mapping, watched.encoding,
            watched.trust, watched.accept_gap,
            file.mtime_ns // 10**6 if watched.as_of_mtime else None, watched.login,
        )  # fmt: skip
        return import_file(self.run, watched.folder / file.name, order, between)

    def _done(self, file: Found, report: FileReport) -> None:
        target = free(self.watched.folder / DONE, file.name)
        if report.refused:
            count = len(report.refused)
            self._alert(
                "rows_refused", target.name,
                f"{count} row{'s' if count > 1 else ''} of {file.name} could not be taken: read"
                f" {DONE}/{target.name}.report.txt, mend them and bring them again",
            )  # fmt: skip
        inbox.resolve_alert(self.run.conn, "no_file", source_id=self.source.id)
        self._save(begun=None, last=_key(file)[0], last_ms=time.time_ns() // 10**6)
        if not self.looks.changed(file):  # else it grew while it was read, and is taken again
            self._away(file, target, as_json(report), list(as_text(report)))

    def _refuse(self, file: Found, why: str) -> None:
        target = free(self.watched.folder / REFUSED, file.name)
        self._alert(
            "file_refused", target.name,
            f"{file.name} was refused and lies in {REFUSED}/ with its report: {why}",
        )  # fmt: skip
        self._save(begun=None)
        told = {"file": str(self.watched.folder / file.name), "error": why}
        self._away(file, target, told, [f"{told['file']}: refused. {why}"])

    def _away(self, file: Found, target: Path, told: dict[str, Any], lines: list[str]) -> None:
        try:
            put_away(self.watched.folder / file.name, target, told, lines)
        except OSError as error:
            why = f"was read and cannot be moved to {target.parent}: {error.strerror}"
            self._leave(file, "file_stays", why)

    def _leave(self, file: Found, code: str, why: str) -> None:
        """Leave a file where it is until it changes or the process starts anew."""
        self.left.add(file)
        self._alert(code, file.name, f"{self.watched.folder / file.name} {why}; give the account"
                    " that runs pipshare read and write access to the folder")  # fmt: skip
        self.run.conn.commit()

    def _settle_alerts(self) -> None:
        """An alert about a file is over when somebody has taken the file from where it was put."""
        if not self.looks.moved("", DONE, REFUSED):
            return
        for one in inbox.alerts(self.run.conn):
            if one.source == self.source.code and not still_there(
                self.watched.folder, one.code, one.subject
            ):
                inbox.resolve_alert(self.run.conn, one.code, one.subject, source_id=self.source.id)
        self.run.conn.commit()

    def _watch_the_clock(self) -> None:
        """Raise the alert that no file has come for too long, once."""
        if not self.watched.no_file_after_s:
            return
        now_ms = time.time_ns() // 10**6
        if "since_ms" not in self.cursor:
            self._save(since_ms=now_ms)
        since = max(self.cursor.get("last_ms", 0), self.cursor["since_ms"])
        if now_ms - since < self.watched.no_file_after_s * 1000 or self.cursor.get("told") == since:
            return
        last = self.cursor.get("last")
        hours = self.watched.no_file_after_s / _HOUR_S
        self._alert(
            "no_file", self.source.code,
            f"no file came into {self.watched.folder} since {from_ms(since):%Y-%m-%d %H:%M} UTC"
            f" ({f'the last was {last}' if last else 'none ever came'}); one is expected every"
            f" {hours:g} hours: look whether the job that writes it runs",
        )  # fmt: skip
        self._save(told=since)

    def _alert(self, code: str, subject: str, message: str) -> None:
        inbox.raise_alert(self.run.conn, code, subject, message, source_id=self.source.id)

    def _save(self, **values: Any) -> None:
        """Store the cursor with some values changed, and commit."""
        self.cursor.update(values)
        inbox.save_cursor(self.run.conn, self.source.id, self.cursor)
        self.run.conn.commit()

    def _undo(self) -> None:
        self.run.conn.rollback()
        self.run.refresh()


def _key(file: Found) -> list[str | int]:
    """A file as the cursor names it: a name may hold bytes that are no text."""
    return [file.name.encode("utf-8", "replace").decode(), file.size, file.mtime_ns]
