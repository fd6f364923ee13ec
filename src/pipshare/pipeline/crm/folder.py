"""A folder in which a CRM drops files: each finished file is read in pieces, then moved away.

The same rules as for exports of trades (pipeline/feeds/folder.py): a file is taken when it has not
changed between two looks, goes to done/ when all of it is stored, to refused/ with its report when
it cannot be read. Killed in between, it is read again: the same pieces are no news.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipshare.crm.folder import LARGEST, SUFFIXES, pieces
from pipshare.crm.polled import Page
from pipshare.crm.settings import Given
from pipshare.errors import BadInput, Unavailable
from pipshare.pipeline.feeds.folder_look import Found, Looks
from pipshare.pipeline.feeds.folder_move import DONE, REFUSED, free, put_away


@dataclass(frozen=True)
class Config:
    """`dir`: the folder's whole path."""

    dir: Path
    poll_s: int = 5

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings; it has no secret. Raises BadInput that names the setting."""
        given = Given("folder", settings)
        path = Path(given.text("dir"))
        if not path.is_absolute():
            raise given.bad("dir", "must be the whole path of the folder")
        found = cls(path, given.whole("poll_s", 5, 1, 86_400))
        given.done()
        return found


class Folder:
    """A poller; see crm.polled.Poller. The cursor names what was refused last, for people."""

    def __init__(self, config: Config) -> None:
        self.config, self.poll_s = config, float(config.poll_s)
        self.looks = Looks(config.dir, min(2.0, self.poll_s))

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield the pieces of finished files, the oldest file first. Raises Unavailable.

        A file is moved after its last piece is stored: when the next page is asked for.
        """
        held = dict(cursor)
        ready = [one for one in self.looks.look() if one.name.lower().endswith(SUFFIXES)]
        for number, file in enumerate(ready, 1):
            try:
                body = self._read(file)
                told = list(pieces(file.name, body))
            except BadInput as error:
                self._away(file, REFUSED, error.message)
                raise BadInput(
                    "file_refused", f"{file.name} was refused and lies in {REFUSED}/ with its"
                    f" report: {error.message}",
                ) from None  # fmt: skip
            place = f"{file.name}@{file.mtime_ns}"
            for at, (piece, content_type) in enumerate(told, 1):
                more = at < len(told) or number < len(ready)
                yield Page(f"{place}/{at}", piece, {**held, "last": place}, more, content_type)
            if not self.looks.changed(file):  # else it grew while it was read, and is taken again
                self._away(file, DONE, f"{len(told)} payloads were made of it")

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, file: Found) -> bytes:
        if file.size > LARGEST:
            raise BadInput("too_large", f"it has {file.size} bytes; at most {LARGEST}: split it")
        try:
            return (self.config.dir / file.name).read_bytes()
        except OSError as error:
            raise Unavailable("crm_unreachable", f"{file.name} cannot be read: {error.strerror}") \
                from None  # fmt: skip

    def _away(self, file: Found, folder: str, why: str) -> None:
        target = free(self.config.dir / folder, file.name)
        told = {"file": str(self.config.dir / file.name), "result": why}
        try:
            put_away(self.config.dir / file.name, target, told, [f"{told['file']}: {why}"])
        except OSError as error:
            raise Unavailable(
                "file_stays", f"{file.name} was read and cannot be moved to {folder}/:"
                f" {error.strerror}; let the account that runs pipshare write in the folder",
            ) from None  # fmt: skip
