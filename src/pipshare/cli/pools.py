"""One memory pool for all threads of the program.

glibc gives each thread a pool of its own and keeps what was freed in it. An import's helper
threads work one after another on blocks of megabytes, so several pools hold the same memory:
a fifth more at the peak, and no faster (docs/performance.md).
"""

from __future__ import annotations

import ctypes
import os

_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>


def one_pool() -> None:
    """Keep to one pool, unless the operator said otherwise. Another C library does without."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_ARENA_MAX, 1)
