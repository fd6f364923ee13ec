"""What matches what: deposits and withdrawals that a CRM tells, and what moved on the platform.

Pure, and the same for any order of rows. A reference in the platform's comment goes before amounts;
equal amounts go before near ones; of several the nearest in time. Every row is matched once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipshare.period import HOUR_MS

WITHIN_MS = 48 * HOUR_MS
TRANSFER_MS = HOUR_MS  # money between a client's own accounts leaves the one and reaches the other
NEAR = 10  # percent by which an amount may differ and still be the same money: fees, conversion
LEAST = 4  # characters of a reference that say something in a comment
MATCHED, AMOUNT_DIFFERS, ONLY_CRM, ONLY_PLATFORM = (
    "matched", "amount_differs", "only_crm", "only_platform",
)  # fmt: skip
NO_DEPOSIT = "no_deposit"


@dataclass(frozen=True, order=True)
class Money:
    """Money in (`amount_e8` > 0) or out of one client or account, as one side tells it.

    `key` is unique on its side. `client` 0 and `account` "" = not told. `words`: of the platform's
    row its comment; of the other side's what may stand there. `note`: what is known of it, or why
    it is no deposit (`is_none`).
    """

    at_ms: int
    key: str
    amount_e8: int
    currency: str
    client: int = 0
    account: str = ""
    words: tuple[str, ...] = ()
    note: str = ""
    is_none: bool = False


@dataclass(frozen=True, order=True)
class Pair:
    """A row of the report: the two sides, None where one does not know of it, and what it is."""

    verdict: str
    crm: Money | None
    platform: Money | None
    why: str = ""


def match(told: Iterable[Money], moved: Iterable[Money]) -> list[Pair]:
    """Match what the CRM told with what moved on the platform; sorted by moment."""
    crm, rows = sorted(told), sorted(moved)
    platform = [one for one in rows if not one.is_none]
    pairs = [Pair(NO_DEPOSIT, None, one, one.note) for one in rows if one.is_none]
    for fits, why in _WAYS:
        crm, platform, found = _matched(crm, platform, fits)
        pairs += [Pair(MATCHED if _by_amount(one, other) else AMOUNT_DIFFERS, one, other, why)
                  for one, other in found]  # fmt: skip
        if fits is _by_reference:  # what the CRM knows by name is no transfer
            marked = _without_transfers(platform)
            platform = [one for one in marked if not one.is_none]
            pairs += [Pair(NO_DEPOSIT, None, one, one.note) for one in marked if one.is_none]
    pairs += [Pair(ONLY_CRM, one, None) for one in crm]
    pairs += [Pair(ONLY_PLATFORM, None, one, one.note) for one in platform]
    return sorted(pairs, key=lambda pair: (pair.crm or pair.platform, pair.platform is None))


def _matched(
    crm: Sequence[Money], platform: Sequence[Money], fits: Callable[[Money, Money], bool]
) -> tuple[list[Money], list[Money], list[tuple[Money, Money]]]:
    """Pair what fits, the nearest in time first; return what is left of both sides, and pairs."""
    close: dict[int, list[Money]] = {}
    for other in platform:
        close.setdefault(other.at_ms // WITHIN_MS, []).append(other)
    candidates = [
        (abs(one.at_ms - other.at_ms), one, other)
        for one in crm
        for day in range(one.at_ms // WITHIN_MS - 1, one.at_ms // WITHIN_MS + 2)
        for other in close.get(day, ())
        if _is_same_client(one, other) and (one.amount_e8 > 0) == (other.amount_e8 > 0)
        and abs(one.at_ms - other.at_ms) <= WITHIN_MS and fits(one, other)
    ]  # fmt: skip
    used: set[str] = set()
    found = []
    for _, one, other in sorted(candidates):
        if f"c {one.key}" not in used and f"p {other.key}" not in used:
            used |= {f"c {one.key}", f"p {other.key}"}
            found.append((one, other))
    return (
        [one for one in crm if f"c {one.key}" not in used],
        [one for one in platform if f"p {one.key}" not in used],
        found,
    )


def _is_same_client(one: Money, other: Money) -> bool:
    if one.account:
        return one.account == other.account
    return one.client == other.client > 0


def _by_reference(one: Money, other: Money) -> bool:
    """Tell whether a word of the CRM's stands in the platform's comment, as a word of its own."""
    comment = " ".join(other.words).lower()
    return any(
        len(word) >= LEAST and re.search(rf"(?<![0-9a-z]){re.escape(word.lower())}(?![0-9a-z])",
                                         comment)
        for word in one.words
    )  # fmt: skip


def _by_amount(one: Money, other: Money) -> bool:
    return one.currency == other.currency and one.amount_e8 == other.amount_e8


def _nearly(one: Money, other: Money) -> bool:
    apart = abs(one.amount_e8 - other.amount_e8)
    return one.currency == other.currency and apart * 100 <= NEAR * abs(one.amount_e8)


def _without_transfers(moved: Sequence[Money]) -> list[Money]:
    """Mark money that left one account of a client and reached another of his soon after."""
    out = [one for one in moved if not one.is_none and one.amount_e8 < 0 and one.client]
    used: dict[str, str] = {}
    for one in moved:
        if one.is_none or one.amount_e8 <= 0 or not one.client:
            continue
        other = min(
            ((abs(one.at_ms - left.at_ms), left) for left in out
             if left.key not in used and left.client == one.client and left.account != one.account
             and left.amount_e8 == -one.amount_e8 and left.currency == one.currency
             and abs(one.at_ms - left.at_ms) <= TRANSFER_MS), default=None,
        )  # fmt: skip
        if other is not None:
            used |= {one.key: other[1].account, other[1].key: one.account}
    return [
        Money(one.at_ms, one.key, one.amount_e8, one.currency, one.client, one.account, one.words,
              f"internal transfer: the other side is on {used[one.key]}", is_none=True)
        if one.key in used else one for one in moved
    ]  # fmt: skip


_WAYS = (
    (_by_reference, "its reference"),
    (_by_amount, "amount and time"),
    (_nearly, "nearly the amount, and time"),
)
