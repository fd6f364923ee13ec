"""What is held for a client's KYC is forfeited by the passing of days, which no event tells."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from pipshare import clients
from pipshare.pipeline.run import Run
from pipshare.rating import Rated, Reason
from pipshare.rating.placed import Placed

_HELD = """
SELECT DISTINCT a.cause FROM ledger_account a JOIN ledger_leg l ON l.account_id = a.id
 WHERE a.state = 'held' AND a.cause LIKE 'kyc client %%'
 GROUP BY a.id HAVING sum(l.amount_e8) <> 0
"""
_CLIENT = re.compile(r"kyc client (\d+)")


def touch_held(run: Run) -> int:
    """Have all clients looked at again for whom something is held; commits. Returns how many.

    Nothing is done where no plan forfeits.
    """
    days = [version.programme.kyc_forfeit_days for version in run.book.versions]
    if not any(one is not None for one in days):
        return 0
    causes = [_CLIENT.fullmatch(row[0]) for row in run.conn.execute(_HELD)]
    who = sorted({int(found[1]) for found in causes if found})
    clients.touch(run.conn, who)
    run.conn.commit()
    return len(who)


def forfeited(rated: Rated, made: Placed) -> Rated:
    """Return the lines of trades whose time is over as lines of 0 with that reason."""
    if made.lost is None or not made.lost.any():
        return rated
    lost_rows = made.rows[made.lost]
    lines = rated.lines
    lost = np.isin(lines.trade_row, lost_rows) & (lines.reason == Reason.PAID)
    return replace(rated, lines=replace(
        lines,
        amount_e8=np.where(lost, 0, lines.amount_e8),
        orig_e8=np.where(lost, 0, lines.orig_e8),
        reason=np.where(lost, Reason.FORFEITED, lines.reason).astype(lines.reason.dtype),
        rate_id=np.where(lost, 0, lines.rate_id).astype(lines.rate_id.dtype),
        fx_id=np.where(lost, 0, lines.fx_id).astype(lines.fx_id.dtype),
    ))  # fmt: skip
