"""Locks on files by flock(2), which the kernel gives back however their holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

SHARED, ALONE, NONE = fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN


def opened(path: Path) -> int:
    """Open a lock file, making it (0600) where missing; children do not inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def attempt(descriptor: int, kind: int) -> bool:
    """Take or change a lock without waiting. A change that fails has lost the old lock."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for(descriptor: int, kind: int, seconds: float) -> bool:
    """Take a lock; False when it was not to be had in `seconds`."""
    deadline = time.monotonic() + seconds
    while not attempt(descriptor, kind):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def free(path: Path) -> bool:
    """Whether nobody holds a lock on the file at this moment."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return attempt(descriptor, ALONE)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[int]:
    """Hold the lock on `path` alone, waiting as long as it takes; yields its descriptor.

    A child that is given the descriptor holds the lock, too, and goes on holding it.
    """
    descriptor = opened(path)
    try:
        fcntl.flock(descriptor, ALONE)
        yield descriptor
    finally:
        os.close(descriptor)
