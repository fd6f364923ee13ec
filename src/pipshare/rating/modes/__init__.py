"""Modes: how the levels of a component share. A mode is one small file; this is the registry.

A mode is a function of a part's lines: it goes from the client upward, says what each open line
earns (`earns`), lets it be settled (caps, rebate, wallet), and learns what became of it.
"""

from __future__ import annotations

from collections.abc import Callable

from pipshare.rating.modes import difference, per_level, percent_of_child, pot_split, rank, share_up
from pipshare.rating.work import Work

MODES: dict[str, Callable[[Work], None]] = {
    "per_level": per_level.earn,
    "override": per_level.earn,
    "percent_of_child": percent_of_child.earn,
    "pot_split": pot_split.earn,
    "share_up": share_up.earn,
    "difference": difference.earn,
    "rank": rank.earn,
}
