"""How much a decoded text looks like words of the languages that its charset is for.

Each score lies between 0 and 1: the mean over the non-ASCII characters, where 1 is "a letter
inside a well-formed word" and 0 is "no writer of this charset would put this here".
"""

from __future__ import annotations

import re
from collections.abc import Callable

_CYRILLIC_RUN = re.compile(r"[A-Za-z\u0400-\u04ff]+")
_CYRILLIC_WORD = re.compile(
    r"[\u0400-\u042f]?[\u0430-\u045f]+|[\u0400-\u042f]+(?:[\u0430-\u045f]{1,3})?"
)
_LATIN_RUN = re.compile(r"[A-Za-z\u00c0-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e]+")
_LATIN_WORD = re.compile(
    r"[A-Z\u00c0-\u00de]?[a-z\u00df-\u00ff\u0153\u0161\u017e]+|[A-Z\u00c0-\u00de]+"
)
_SIGNS = frozenset("\u00a0«»№©®€£¥§°–—“”„‘’…•™ªº¿¡·")
_NEUTRAL = 0.5


def cyrillic(text: str) -> float:
    """Score a decoding of cp1251: words of Cyrillic letters with ordinary capitals."""
    good = 0.0
    for run in _CYRILLIC_RUN.findall(text):
        letters = sum(not c.isascii() for c in run)
        if letters == len(run) and _CYRILLIC_WORD.fullmatch(run):
            good += letters * (1.0 if letters > 2 else 0.4 * letters)
    return _mean(text, good)


def western(text: str) -> float:
    """Score a decoding of cp1252: accented letters inside words that are mostly plain letters."""
    good = 0.0
    for run in _LATIN_RUN.findall(text):
        accented = sum(not c.isascii() for c in run)
        if 2 * accented <= len(run) and _LATIN_WORD.fullmatch(run):
            good += accented
    return _mean(text, good)


def japanese(text: str) -> float:
    """Score a decoding of cp932: kana, full-width forms and the commoner kanji."""
    return _mean(text, sum(_japanese(c) for c in text))


def chinese(text: str) -> float:
    """Score a decoding of GB18030: the 3,755 commoner characters of GB 2312."""
    return _mean(text, sum(_chinese(c) for c in text))


def _mean(text: str, good: float) -> float:
    foreign = [c for c in text if not c.isascii()]
    signs = sum(c in _SIGNS for c in foreign)
    return (good + _NEUTRAL * signs) / len(foreign) if foreign else 0.0


def _japanese(char: str) -> float:
    code = ord(char)
    if code < 0x80 or char in _SIGNS:
        return 0.0
    if 0x3040 <= code < 0x3100 or 0xFF01 <= code < 0xFF5F or 0x3000 <= code < 0x3020:
        return 1.0
    if 0xFF61 <= code < 0xFFA0:  # half-width katakana: what foreign bytes turn into
        return 0.25
    if 0x4E00 <= code < 0xA000:
        lead = char.encode("cp932")[0]
        return 1.0 if 0x88 <= lead <= 0x97 else 0.5
    return 0.3


def _chinese(char: str) -> float:
    code = ord(char)
    if code < 0x80 or char in _SIGNS:
        return 0.0
    if 0x3000 <= code < 0x3020 or 0xFF01 <= code < 0xFF5F:
        return 0.9
    lead, trail = char.encode("gb18030")[:2]
    if trail < 0xA1 or lead < 0xA1:  # GBK's extension: rare characters
        return 0.1
    if 0xB0 <= lead <= 0xD7:
        return 1.0
    return 0.5 if 0x4E00 <= code < 0xA000 else 0.3


SCORES: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("gb18030", chinese),
    ("cp932", japanese),
    ("cp1252", western),
    ("cp1251", cyrillic),
)
