"""Build DEAL frames for tests: by hand, and generated (Hypothesis)."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import strategies as st

from pipshare.facts import DEAL

LOT = 10**8
_PLAIN: dict[str, Any] = {
    "login": 5001, "order": 0, "position": 900, "action": 0, "entry": 0, "reason": 0,
    "time_ms": 1_790_000_000_000, "symbol": "EURUSD", "volume_e8": LOT, "closed_e8": 0,
    "price_e8": 110_000_000, "position_price_e8": 0, "gateway_price_e8": 0, "profit_e8": 0,
    "swap_e8": 0, "commission_e8": 0, "fee_e8": 0, "rate_profit_e8": 10**8,
    "contract_e8": 10**13, "bid_e8": 0, "ask_e8": 0, "line": 0,
}  # fmt: skip
HOUR = 3_600_000


def deal(number: int, **fields: Any) -> dict[str, Any]:
    """Return one deal; `at` is hours after the first moment of the tests."""
    at = fields.pop("at", number)
    row = {**_PLAIN, "deal": number, "time_ms": _PLAIN["time_ms"] + at * HOUR, **fields}
    return {name: row[name] for name in DEAL}


def frame(*deals: dict[str, Any]) -> pl.DataFrame:
    """Return a DEAL frame of `deal` rows."""
    return pl.DataFrame(list(deals), schema=DEAL)


@st.composite
def closed_books(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Deals of a few positions as a platform makes them, each ending flat.

    Netting and hedging at once: openings on top, partial closes, reversals, close-by; charges of
    any sign and awkward size; several deals in one millisecond.
    """
    rows: list[dict[str, Any]] = []
    number = 0
    for position in range(draw(st.integers(1, 4))):
        opened, side, hour = 0, draw(st.sampled_from((1, -1))), draw(st.integers(0, 3))
        for _ in range(draw(st.integers(1, 6))):
            number, hour = number + 1, hour + draw(st.integers(0, 1))
            what = draw(st.sampled_from(("in", "out", "inout") if opened else ("in",)))
            volume = draw(st.integers(1, 7)) * draw(st.sampled_from((LOT, LOT // 100, 1)))
            common = {
                "position": 900 + position, "login": 5001 + position % 2, "at": hour,
                "price_e8": draw(st.integers(1, 3 * 10**8)),
                "commission_e8": draw(st.integers(-10**9, 10**9)),
                "fee_e8": draw(st.integers(-5, 5)), "profit_e8": draw(st.integers(-10**10, 10**10)),
            }  # fmt: skip
            if what == "in":
                rows.append(deal(number, **common, action=_buy(side), volume_e8=volume))
                opened += volume
            elif what == "out":
                volume = min(volume, opened)
                rows.append(deal(number, **common, action=_buy(-side), entry=1,
                                 volume_e8=volume, closed_e8=volume))  # fmt: skip
                opened -= volume
            else:
                rows.append(deal(number, **common, action=_buy(-side), entry=2,
                                 volume_e8=volume + opened, closed_e8=opened))  # fmt: skip
                opened, side = volume, -side
        if opened:
            number += 1
            rows.append(deal(number, position=900 + position, login=5001 + position % 2,
                             at=hour + 1, action=_buy(-side), entry=draw(st.sampled_from((1, 3))),
                             volume_e8=opened, profit_e8=draw(st.integers(-99, 99)),
                             commission_e8=draw(st.integers(-99, 0))))  # fmt: skip
    return rows


@st.composite
def any_deals(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Deals that need not fit together: openings missing, too little open, unknown actions."""
    count = draw(st.integers(0, 12))
    return [
        deal(
            number,
            at=draw(st.integers(0, 4)),
            login=draw(st.sampled_from((5001, 5002))),
            position=draw(st.sampled_from((0, 900, 901))),
            action=draw(st.sampled_from((0, 1, 0, 1, 13, 14, 2, 77))),
            entry=draw(st.sampled_from((0, 0, 1, 1, 2, 3, 255))),
            volume_e8=draw(st.integers(0, 3)) * LOT,
            closed_e8=draw(st.sampled_from((0, LOT))),
            price_e8=draw(st.integers(0, 3)),
            commission_e8=draw(st.integers(-3, 3)),
        )
        for number in range(1, count + 1)
    ]


def _buy(side: int) -> int:
    return 0 if side == 1 else 1
