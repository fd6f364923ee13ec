"""When each client's trades had reached what a qualification asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

import numpy as np
import numpy.typing as npt

from pipshare.period import Clock, broker_days
from pipshare.period import Millis as Longs
from pipshare.plans.qualifying import Qualify

_SAFE = 2**62


@dataclass(frozen=True)
class ClientTrades:
    """Trades of clients that pass a component's conditions as parallel columns, in any order.

    `lots_e8` with the lot factor of the account's group. `spread_e8`, `commission_e8` (what the
    client was charged, positive) and `revenue_e8` are in the currency of the qualification; None =
    not known.
    """

    client: Longs
    close_utc_ms: Longs
    lots_e8: Longs
    spread_e8: Longs | None = None
    commission_e8: Longs | None = None
    revenue_e8: Longs | None = None


def asks_trades(asked: Qualify) -> bool:
    """Tell whether trades can make a client qualify."""
    return any(part is not None for part in (asked.lots, asked.spread, asked.commission,
                                             asked.revenue, asked.orders,
                                             asked.active_days))  # fmt: skip


def reached(trades: ClientTrades, asked: Qualify, clock: Clock) -> dict[int, int]:
    """Return by client the moment (UTC ms) at which all that is asked of trades was reached.

    Clients that have not reached it are left out, and everybody when nothing is asked.
    """
    order = np.lexsort((trades.close_utc_ms, trades.client))
    client, close = trades.client[order], trades.close_utc_ms[order]
    found = []
    for value, least in _measures(trades, asked, clock, order):
        hit = np.flatnonzero(_running(client, value) >= least)
        who, first = np.unique(client[hit], return_index=True)
        found.append(dict(zip(who.tolist(), close[hit][first].tolist(), strict=True)))
    if not found:
        return {}
    return reduce(lambda a, b: {who: max(a[who], b[who]) for who in a.keys() & b.keys()}, found)


def _measures(
    trades: ClientTrades, asked: Qualify, clock: Clock, order: Longs
) -> Iterator[tuple[Longs, int]]:
    """Yield what each trade adds to a measure, and how much of it is needed."""
    nothing = np.zeros(len(order), np.int64)
    amounts = ((trades.lots_e8, asked.lots), (trades.spread_e8, asked.spread),
               (trades.commission_e8, asked.commission),
               (trades.revenue_e8, asked.revenue))  # fmt: skip
    for column, least in amounts:
        if least is not None:
            yield (nothing if column is None else column[order]), _up(least * 10**8)
    if asked.orders is not None:
        yield nothing + 1, asked.orders
    if asked.active_days is not None:
        day = broker_days(trades.close_utc_ms[order], clock).astype(np.int64)
        _, first = np.unique(np.stack((trades.client[order], day)), axis=1, return_index=True)
        fresh = nothing.copy()
        fresh[first] = 1
        yield fresh, asked.active_days


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _running(client: Longs, value: Longs) -> npt.NDArray[np.int64] | npt.NDArray[np.object_]:
    """Return the running totals of each client; clients stand together."""
    most = int(np.abs(value).max(initial=0)) * len(value)
    total = np.cumsum(value if most < _SAFE else value.astype(object))
    starts = np.flatnonzero(np.r_[True, client[1:] != client[:-1]][: len(client)])
    before = (total[starts] - value[starts]) if len(starts) else total
    length = np.diff(np.r_[starts, len(client)])
    return total - np.repeat(before, length)
