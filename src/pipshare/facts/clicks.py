"""A click on a partner's link, and the shape of its id.

Ids sort by time: 26 small letters and digits that hold 48 bits of UTC milliseconds, then 80 random
bits. Nobody can guess one, and a span of time is a span of ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HUMAN, BOT, PREFETCH = 0, 1, 2
KINDS = ("human", "bot", "prefetch")  # kinds are places in this
SUBS = 5
RANDOM_BYTES = 10
_ID = re.compile(r"[0-9a-v]{26}")
_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # five bits each, in the order of the letters
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]


@dataclass(frozen=True)
class Click:
    """One click as it is stored.

    `address` is a keyed digest of the network address, empty where none is known. `target` is the
    deep link that was followed, empty for the link's own landing page; `refused` says why a deep
    link was not. `visitor` is the cookie's value, empty without one. Of a link that was archived
    by then nobody becomes a client.
    """

    id: str
    link_id: int
    partner_id: int
    subs: tuple[str, str, str, str, str] = ("", "", "", "", "")
    country: str = ""
    address: bytes = b""
    agent: str = ""
    referrer: str = ""
    kind: int = HUMAN
    visitor: str = ""
    landing_id: int = 0
    target: str = ""
    refused: str = ""
    is_archived: bool = False

    @property
    def at_ms(self) -> int:
        """The moment of the click, UTC milliseconds."""
        return click_ms(self.id)


def click_id(at_ms: int, random: bytes) -> str:
    """Return the id of a click at `at_ms` (UTC) with RANDOM_BYTES random bytes."""
    bits = int.from_bytes(at_ms.to_bytes(6, "big") + random, "big") << 2  # 130: 13 pairs
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])


def first_id(at_ms: int) -> str:
    """Return the lowest id that a click at this moment can have: the bound of a span of time."""
    return click_id(at_ms, bytes(RANDOM_BYTES))


def is_click_id(text: str) -> bool:
    """Whether a text has the shape of a click's id."""
    return _ID.fullmatch(text) is not None


def click_ms(id_: str) -> int:
    """Return the moment that an id holds, UTC milliseconds."""
    return int(id_[:10], 32) >> 2
