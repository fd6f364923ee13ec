"""Lists that come in pages: read on from where they ended, or whole again after a while.

A list that is sorted oldest first grows at its end: it is read from there, less an overlap. One
without a known order is read whole each time it is due. What did not change is no news, as its
pages are the same. A page that comes twice, or that have no end, are faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipshare.crm.polled import Ask, Call, Page, listed, taken
from pipshare.errors import Unavailable

MOST_PAGES = 20_000  # of one list in one round


@dataclass(frozen=True)
class Listing:
    """A list of a CRM. `ask(at, size)`: `at` is rows to leave out, or a page from 1 (`by_page`).

    `whole_s`: seconds until it is read whole again. `overlap`: rows of it that are read again each
    time, where it is sorted oldest first. `names`: under which of them the rows stand.
    """

    name: str
    ask: Callable[[int, int], Ask]
    names: tuple[str, ...]
    size: int
    whole_s: int
    is_sorted: bool = False
    overlap: int = 0
    by_page: bool = False


def walked(
    listing: Listing, call: Call, cursor: Mapping[str, Any], now_ms: int
) -> Iterator[tuple[bytes, int, dict[str, Any]]]:
    """Yield (body, rows in it, this list's cursor after it) of each page; the last has no rows.

    Raises Unavailable: crm_same_page, crm_endless, and as polled.taken does.
    """
    state = dict(cursor)
    first = 1 if listing.by_page else 0
    at, last = int(state.get("at", first)), str(state.get("last", ""))
    if not state.get("going"):
        if now_ms - int(state.get("whole_ms", 0)) >= listing.whole_s * 1000:
            state |= {"was_ms": state.get("whole_ms"), "whole_ms": now_ms}
            at, last = first, ""
        elif not listing.is_sorted:
            return
        else:
            at, last = _before(listing, at, first), ""
    for _ in range(MOST_PAGES):
        ask = listing.ask(at, listing.size)
        where = ask.url.partition("?")[0]
        answer = call(ask)
        told = taken(answer, where)
        rows = len(listed(told, where, *listing.names))
        digest = hashlib.sha256(answer.body).hexdigest()[:16]
        if rows and digest == last:
            raise Unavailable(
                "crm_same_page", f"{where} gives the same page again for the next one: it does not"
                " seem to know how pages are asked for; nothing more was taken",
            )  # fmt: skip
        over = not rows or (not listing.by_page and _counted(told, at + rows))
        if listing.by_page:
            at += 1 if rows else 0
        else:
            at += rows
        last = digest
        state |= {"at": at, "last": last, "going": not over}
        yield answer.body, rows, dict(state)
        if over:
            return
    raise Unavailable(
        "crm_endless", f"{listing.name}: {MOST_PAGES} pages and no end; look at what it answers"
    )


def read_lists(
    listings: Sequence[Listing], call: Call, cursor: Mapping[str, Any], now_ms: int
) -> Iterator[Page]:
    """Yield the pages of all lists; the cursor has each list's own state under its name."""
    held = dict(cursor)
    for number, listing in enumerate(listings, 1):
        for body, rows, state in walked(listing, call, held.get(listing.name) or {}, now_ms):
            held = {**held, listing.name: state}
            place = f"{listing.name}/{state['at'] - (1 if listing.by_page else rows)}"
            more = bool(state["going"]) or number < len(listings)
            yield Page(place, body if rows else b"", held, more)


def _before(listing: Listing, at: int, first: int) -> int:
    """Return where an overlap begins: at the start of a page, so that its pages stay the same."""
    if listing.by_page:
        return max(first, at - 1 - -(-listing.overlap // listing.size))
    return max(first, at - listing.overlap) // listing.size * listing.size


def _counted(told: Any, read: int) -> bool:
    """Tell whether the answer says that there are no more rows than were read."""
    count = told.get("count") if isinstance(told, dict) else None
    return isinstance(count, int) and 0 < count <= read
