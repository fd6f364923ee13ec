"""An opened file: its bytes, the charset they are in, and the text they make.

Formats take from it what they need: small documents their whole text, large exports the path,
the codec and the start of the file to stream by.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from pipshare.errors import BadInput
from pipshare.sources.files.charset import Charset, decode, find_charset

WHOLE_BYTES = 8 * 2**20  # up to here the whole file is read to settle its charset
HEAD_BYTES = 2**20  # beyond, only so much
HEAD_TEXT = 65_536  # characters that detection looks at
_NOTHING = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"  # blanks and byte order marks


@dataclass(frozen=True)
class Opened:
    """A file before its rows are read.

    `head` is the file's first bytes (all of them when `whole`), `text` the first HEAD_TEXT
    characters they decode to, `mapping` and `told` what the operator gave.
    """

    path: Path
    size: int
    head: bytes
    charset: Charset
    text: str
    mapping: Path | None = None
    told: str | None = None

    @property
    def whole(self) -> bool:
        """Tell whether `head` is the whole file."""
        return len(self.head) == self.size

    def data(self) -> bytes:
        """Return all bytes of the file."""
        return self.head if self.whole else _read(self.path, self.size)

    def full_text(self) -> tuple[str, Charset]:
        """Return the whole text and the charset it turned out to be in.

        Raises BadInput when a charset that was told or declared does not fit the whole file.
        """
        data = self.data()
        charset = self._settled(data)
        return decode(data, charset, self.path.name), charset

    def utf8(self) -> tuple[bytes, Charset]:
        """Return the whole text as UTF-8 bytes without a mark; a UTF-8 file as it is, uncopied."""
        data = self.data()
        charset = self._settled(data)
        if charset.codec == "utf-8" and (charset.how == "valid" or data.isascii()):
            return data, charset
        return decode(data, charset, self.path.name).encode("utf-8"), charset

    def _settled(self, data: bytes) -> Charset:
        if self.whole or self.charset.how not in ("valid", "guessed"):
            return self.charset
        return find_charset(data)


def open_file(path: Path, *, mapping: Path | None = None, told: str | None = None) -> Opened:
    """Read the start of a file and settle its charset.

    Raises BadInput for a path that is no readable file, an empty file, and an encoding that the
    operator told but that does not fit.
    """
    if path.is_dir():
        raise BadInput("is_folder", f"{path} is a folder: name the files in it")
    if not path.exists():
        raise BadInput("no_such_file", f"{path} does not exist: check the name")
    if not path.is_file():
        raise BadInput(
            "no_plain_file", f"{path} is no ordinary file: save the export to disk first"
        )
    size = path.stat().st_size
    head = _read(path, size if size <= WHOLE_BYTES else HEAD_BYTES)
    if not head[:4096].strip(_NOTHING) and not head.strip(_NOTHING):
        raise BadInput("empty_file", f"{path.name} is empty: export it again")
    whole = len(head) == size
    charset = find_charset(head, told=told, whole=whole)
    decoder = codecs.getincrementaldecoder(charset.codec)("replace")
    text = decoder.decode(head[: 4 * HEAD_TEXT])[:HEAD_TEXT]
    return Opened(path, size, head, charset, text, mapping, told)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise BadInput("unreadable", f"{path} cannot be read: {error.strerror}") from None
