"""Group masks as MetaTrader writes them: `real*,!real\\test*`."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def _parts(mask: str) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    parts = []
    for part in mask.split(","):
        name = part.strip()
        if name:
            wanted = not name.startswith("!")
            text = name if wanted else name[1:]
            pattern = ".*".join(re.escape(piece) for piece in text.split("*"))
            parts.append((wanted, re.compile(pattern, re.IGNORECASE)))
    return tuple(parts)


def fits(group: str, mask: str) -> bool:
    """Tell whether a group is named by a mask: by one of its parts, and by none after `!`.

    Parts are separated by commas; `*` stands for any characters; case does not count. A mask of
    exclusions alone names nothing.
    """
    named = False
    for wanted, pattern in _parts(mask):
        if pattern.fullmatch(group):
            if not wanted:
                return False
            named = True
    return named
