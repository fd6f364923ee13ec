"""Figures that many people look at at once are worked out once, and never take up the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg

T = TypeVar("T")
_LEAST_NS = 1_500_000_000
_SHARE = 20  # what took a second is worked out again after twenty
_lock = threading.Lock()
_kept: dict[tuple[Any, ...], Kept[Any]] = {}
_making: dict[tuple[Any, ...], threading.Lock] = {}


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value with when it was worked out (UTC ms) and how long it stands (monotonic ns)."""

    value: T
    at_ms: int
    until_ns: int


def kept(conn: psycopg.Connection[Any], name: str, make: Callable[[], T]) -> Kept[T]:
    """Return a figure that is at most a few seconds old, or as old as its cost excuses.

    `name` says all that it depends on but the database. One thread works it out, others wait.
    """
    key = (conn.info.host, conn.info.port, conn.info.dbname, name)
    with _lock:
        mine = _making.setdefault(key, threading.Lock())
    with mine:
        found = _kept.get(key)
        if found is None or time.monotonic_ns() >= found.until_ns:
            began = time.monotonic_ns()
            value = make()
            took = time.monotonic_ns() - began
            until = time.monotonic_ns() + max(_LEAST_NS, took * _SHARE)
            found = _kept[key] = Kept(value, time.time_ns() // 1_000_000, until)
            _tidy(began)
    return found


def _tidy(now_ns: int) -> None:
    """Drop what nobody has asked for in a while."""
    with _lock:
        for old in [key for key, one in _kept.items() if one.until_ns < now_ns - 10**11]:
            del _kept[old]
            _making.pop(old, None)


def forget() -> None:
    """Forget everything: for tests, which change what is counted and look at once."""
    with _lock:
        _kept.clear()
