"""Mode per level (and override): every line earns what its own rate gives."""

from __future__ import annotations

import numpy as np

from pipshare.rating.work import Work


def earn(work: Work) -> None:
    """Settle every line at its own rate."""
    every = np.arange(len(work.rows))
    gross = work.by_rate(every)
    gross.wait_or_stop(work, every)
    work.earns(every, gross)
