"""Which of the few charsets that MetaTrader files come in a file is written in.

Statements are mostly ASCII with a name or a caption in between, so a verdict rests on few bytes:
each candidate is decoded strictly and scored by how much its non-ASCII letters look like words of
that charset's languages. On such short texts this was right where charset-normalizer's general
model was not (a Cyrillic name, one accented letter), see tests/sources/test_detect_charset.py.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipshare.errors import BadInput
from pipshare.sources.files.wordlike import SCORES

_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
_DECLARED = re.compile(
    rb"""<(?:meta[^>]{0,200}charset|\?xml[^>]{0,100}encoding)\s*=\s*["']?([\w-]+)""", re.I
)
# What a declaration or an operator may call a charset -> the superset that files really use.
_ALIASES = {
    "utf8": "utf-8", "utf-8-sig": "utf-8", "shift_jis": "cp932", "shift-jis": "cp932",
    "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "gb2312": "gb18030",
    "gbk": "gb18030", "cp936": "gb18030", "windows-936": "gb18030", "windows-1251": "cp1251",
    "windows-1252": "cp1252", "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252",
    "ascii": "cp1252", "us-ascii": "cp1252", "utf16": "utf-16", "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}  # fmt: skip
_SAMPLE = 65_536
_EDGES = re.compile(rb"[\r\n<>]")


@dataclass(frozen=True)
class Charset:
    """A charset settled on: its `name` for people, Python's `codec`, and `how` it was found.

    `how` is one of bom, told (by the operator), declared (by the file), valid (as UTF-8), guessed.
    """

    name: str
    codec: str
    how: str


def find_charset(data: bytes, *, told: str | None = None, whole: bool = True) -> Charset:
    """Settle the charset of `data`. `whole` is false when data is only the start of a file.

    Order: byte order mark, what the operator told, what the file declares, UTF-8 if valid,
    UTF-16 without a mark, then the best of cp1251, cp932, GB18030 and cp1252. Raises BadInput
    when the operator's charset is unknown or does not fit.
    """
    for mark, name, codec in _BOMS:
        if data.startswith(mark):
            return Charset(name, codec, "bom")
    if told is not None:
        return _told(data, told, whole)
    if halved := _bare_utf16(data):
        return Charset("utf-16", halved, "guessed")
    declared = _DECLARED.search(data, 0, 4096)
    if declared:
        said = _codec(declared[1].decode("ascii", "replace"))
        if said and not said.startswith("utf-16") and _decodes(data, said, whole):
            return Charset(said, said, "declared")
    if _decodes(data, "utf-8", whole):
        return Charset("utf-8", "utf-8", "valid")
    guess = _best_guess(data, whole)
    return Charset(guess, guess, "guessed")


def decode(data: bytes, charset: Charset, name: str) -> str:
    """Decode strictly. Raises BadInput naming the file and the first byte that does not fit."""
    try:
        return data.decode(charset.codec)
    except UnicodeDecodeError as error:
        raise BadInput(
            "wrong_encoding",
            f"{name}: byte {error.start + 1} does not fit the encoding {charset.name} "
            f"({charset.how}): give the right one with --encoding",
        ) from None


def _told(data: bytes, told: str, whole: bool) -> Charset:
    codec = _codec(told)
    if codec is None:
        raise BadInput(
            "unknown_encoding",
            f"{told!r} is no encoding: use utf-8, cp1251, cp932, gb18030, utf-16 or cp1252",
        )
    if codec == "utf-16":  # no mark, so the byte order shows in where the zeros are
        codec = _bare_utf16(data) or "utf-16-le"
    if not _decodes(data, codec, whole):
        raise BadInput(
            "wrong_encoding",
            f"the file is not written in {told}: leave --encoding away or name the right one",
        )
    return Charset("utf-16" if codec.startswith("utf-16") else codec, codec, "told")


def _codec(name: str) -> str | None:
    lowered = name.strip().lower()
    try:
        found = codecs.lookup(_ALIASES.get(lowered, lowered))
    except (LookupError, ValueError):
        return None
    # Python also knows codecs that are no charsets (rot13, zlib); those do not encode text.
    return found.name if getattr(found, "_is_text_encoding", True) else None


def _decodes(data: bytes, codec: str, whole: bool) -> bool:
    if codec == "utf-8" and data.isascii():
        return True
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:  # in pieces, because fresh memory for all of it costs more than the decoding
        for start in range(0, len(data), _SAMPLE):
            decoder.decode(data[start : start + _SAMPLE])
        decoder.decode(b"", whole)
    except UnicodeError:
        return False
    return True


def _bare_utf16(data: bytes) -> str | None:
    """Return the codec when every second byte is mostly zero, as in UTF-16 markup and figures."""
    head = data[:_SAMPLE]
    pairs = len(head) // 2
    if pairs < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for zeros, others, codec in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros * 10 > pairs * 4 and others * 20 < pairs:
            return codec
    return None


def _best_guess(data: bytes, whole: bool) -> str:
    pieces = (piece for piece in _EDGES.split(data) if not piece.isascii())
    lines = b"\n".join(pieces)[:_SAMPLE]
    best, best_score = "cp1252", -1.0
    for codec, score in SCORES:
        if _decodes(data, codec, whole):
            points = score(lines.decode(codec, "ignore"))
            if points > best_score:
                best, best_score = codec, points
    return best
