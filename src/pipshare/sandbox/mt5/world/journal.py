"""Keep a world in a folder, so that it goes on where it was, even after a kill.

`deals.dat` holds the packed blocks of deals, `state.json` the rest as of one moment, and the
journal every event count that was shown and every call made since. What came after the state is
made again from the seed, byte for byte, and the calls are repeated at their places.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from pathlib import Path
from typing import Any

from pipshare.errors import BadInput, Conflict
from pipshare.sandbox.mt5.world.block import Block, blocks_from

Entry = dict[str, Any]


class Journal:
    """The files of one world. Raises Conflict where another process has the folder open."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Conflict(
                "sandbox_in_use",
                f"{folder} is in use by another sandbox server: stop it, or name another folder",
            ) from None
        self._number = 0
        self._written = 0  # blocks in deals.dat
        self._bytes = 0
        self._file: int | None = None

    def read(self) -> tuple[dict[str, Any], list[Block], list[Entry]] | None:
        """Return the state, the blocks of deals and the entries since; None = a new folder."""
        path = self._folder / "state.json"
        if not path.exists():
            return None
        try:
            saved = json.loads(zlib.decompress(path.read_bytes()))
            self._number, self._written, self._bytes = (
                saved["number"], saved["blocks"], saved["bytes"],
            )  # fmt: skip
            raw = self._deals().read_bytes()[: self._bytes] if self._bytes else b""
            blocks = blocks_from(raw)
        except (ValueError, KeyError, zlib.error, OSError) as error:
            raise BadInput(
                "bad_sandbox_folder",
                f"{path} cannot be read ({error}): remove the folder {self._folder} to begin anew",
            ) from error
        if self._deals().exists():
            os.truncate(self._deals(), self._bytes)
        return saved["state"], blocks, self._entries()

    def write(self, entry: Entry) -> None:
        """Write an entry; it survives the end of the process as soon as this returns."""
        if self._file is None:
            path = self._folder / f"journal-{self._number}.jsonl"
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, json.dumps(entry).encode() + b"\n")

    def save(self, state: dict[str, Any], blocks: list[Block]) -> None:
        """Write the state and the blocks not yet written; the journal begins anew."""
        with self._deals().open("ab") as file:
            for block in blocks[self._written :]:
                self._bytes += file.write(block.to_bytes())
        self._written = len(blocks)
        old, self._number = self._number, self._number + 1
        saved = {"number": self._number, "blocks": self._written, "bytes": self._bytes,
                 "state": state}  # fmt: skip
        fresh = self._folder / "state.new"
        fresh.write_bytes(zlib.compress(json.dumps(saved).encode(), 1))
        fresh.replace(self._folder / "state.json")
        self._close_file()
        (self._folder / f"journal-{old}.jsonl").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the folder."""
        self._close_file()
        os.close(self._lock)

    def _entries(self) -> list[Entry]:
        path = self._folder / f"journal-{self._number}.jsonl"
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")
        if lines[-1]:  # the process ended in the middle of a line: nobody was told of it
            os.truncate(path, path.stat().st_size - len(lines[-1]))
        return [json.loads(line) for line in lines[:-1]]

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _deals(self) -> Path:
        return self._folder / "deals.dat"
