"""Tells which files of a folder are finished: the same at two looks, and by no temporary name."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from pipshare.errors import Unavailable

# What programs that copy, upload or edit name a file until it is whole.
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download",
               ".upload", ".writing", ".swp", ".lock", "~")  # fmt: skip
_OURS = (".report.txt", ".report.json")
_EMPTY_S = 60.0  # a file without content is one that was just made, for so long


class Found(NamedTuple):
    """A file as it looked: any change of it makes it another."""

    name: str
    size: int
    mtime_ns: int


class Looks:
    """Looks at a folder again and again, and remembers what it saw."""

    def __init__(self, folder: Path, apart_s: float, skipped: Path | None = None) -> None:
        self.folder, self.apart_s, self.skipped = folder, apart_s, skipped
        self._since: dict[Found, float] = {}
        self._stamps: dict[str, int] = {}

    def look(self) -> list[Found]:
        """Return the finished files, oldest first.

        Raises Unavailable when the folder is not there or may not be listed.
        """
        now = time.monotonic()
        seen = {one: self._since.get(one, now) for one in self._files()}
        self._since = seen
        ready = [
            one for one, since in seen.items()
            if now - since >= (self.apart_s if one.size else max(self.apart_s, _EMPTY_S))
        ]  # fmt: skip
        return sorted(ready, key=lambda one: (one.mtime_ns, one.name))

    def changed(self, file: Found) -> bool:
        """Whether a file is another now, or gone."""
        try:
            state = (self.folder / file.name).stat()
        except OSError:
            return True
        return (state.st_size, state.st_mtime_ns) != file[1:]

    def moved(self, *names: str) -> bool:
        """Whether something was put into or taken from one of these folders since the last call."""
        stamps = {}
        for name in names:
            try:
                stamps[name] = (self.folder / name).stat().st_mtime_ns
            except OSError:
                stamps[name] = 0
        was, self._stamps = self._stamps, stamps
        return stamps != was

    def _files(self) -> list[Found]:
        try:
            with os.scandir(self.folder) as entries:
                return [found for entry in entries if (found := self._found(entry)) is not None]
        except OSError as error:
            raise Unavailable(
                "no_folder",
                f"the folder {self.folder} cannot be read: {error.strerror}; create it, mount it or"
                " let the account that runs pipshare read and write it",
            ) from None

    def _found(self, entry: os.DirEntry[str]) -> Found | None:
        name = entry.name
        if name.startswith((".", "~")) or name.lower().endswith((*_UNFINISHED, *_OURS)):
            return None
        if self.skipped is not None and self.skipped == self.folder / name:
            return None
        try:
            state = entry.stat()
        except OSError:
            return None  # gone since it was listed, or a link to nothing
        if not stat.S_ISREG(state.st_mode):
            return None
        return Found(name, state.st_size, state.st_mtime_ns)
