"""One step ahead: the next block is cut by a second thread while this one is worked on.

Polars and file reads let other Python threads run, so two cores share the work of one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items in order; never more than one is made before it is asked for."""
    with ThreadPoolExecutor(1, "pipshare-ahead") as thread:
        following = thread.submit(_next, items)
        while found := following.result():
            following = thread.submit(_next, items)
            yield found[0]


def _next(items: Iterator[Item]) -> tuple[Item] | None:
    # A tuple, because an item may be false and StopIteration cannot pass through a future.
    for item in items:
        return (item,)
    return None
