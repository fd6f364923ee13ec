"""The columnar kernel: trades and tables in, one row per line out, exact to the last digit.

Pure numpy. Amount = lots x (lot factor x rate), quantised once to 1e-8, half-even; the wallet
amount is the same exact product x the FX fraction, quantised once, not the rounded original. A
share is taken of the child's quantised original amount. See docs/decisions/0003.

When several things are true of a line, the first of these wins: a share of a line that does not
exist is no line; cancelled, terminated, before go-live, own trading, too short pay zero; then the
waits: no terms, opening unknown, unpriced, the child's wait, too large, no FX. There is no FX when
no rate is recorded for the moment and the trade brought none of its own for the pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.block import Block, Bools, FxColumns, OwnColumns, gather
from pipshare.rating.compile import Tables

_BLOCK = 32_768  # trades at a time: their columns stay in the processor's cache
Int32s = npt.NDArray[np.int32]
Int16s = npt.NDArray[np.int16]


@dataclass(frozen=True)
class KernelInput:
    """Trades as parallel columns, and the tables compiled for them.

    `hold_ms` -1 = opening unknown; `client` -1 = none; `place` = group x number of symbols +
    symbol; `deal` the stretch of the trade's chain; `cancelled` None = no trade is; `own` None = no
    trade came with an exchange rate. `barred` holds Reasons of trades that pay nothing, 0 = it may.
    """

    lots_e8: Longs
    hold_ms: Longs
    close_utc_ms: Longs
    client: Longs
    place: Longs
    deal: Longs
    cancelled: Bools | None
    tables: Tables
    fx: FxColumns
    own: OwnColumns | None = None
    barred: Int16s | None = None


@dataclass(frozen=True)
class KernelOutput:
    """Lines as parallel columns, by trade, component and level.

    `row` is the trade's row; `outcome` a Reason (below 100), a Wait, or DROPPED (no line). Amounts
    and `rate_id` are 0 unless the outcome is PAID. `currency` (of the original amount) and
    `wallet` are codes of the tables. `amount_e8` is `orig_e8` itself where nothing can differ.
    """

    row: Longs
    outcome: Int16s
    component_id: Int32s
    level: Int16s
    partner_id: Int32s
    rate_id: Int32s
    orig_e8: Longs
    currency: Int32s
    amount_e8: Longs
    wallet: Int32s
    fx_id: Int32s
    held: Bools


def rate_columns(given: KernelInput) -> KernelOutput:
    """Rate every trade. A bad row raises nothing: it waits with its reason."""
    count = given.tables.slots.count[given.deal]
    ends = np.cumsum(count)
    out = room(given.tables, int(ends[-1]) if len(ends) else 0)
    for start in range(0, len(given.deal), _BLOCK):
        end = min(start + _BLOCK, len(given.deal))
        first, last = int(ends[start] - count[start]), int(ends[end - 1])
        if last > first:
            _rate_block(given, count, out, slice(start, end), slice(first, last))
    return out


def room(tables: Tables, total: int) -> KernelOutput:
    """Make the output's columns; what is the same on every line is filled in at once."""
    flags = tables.flags
    code = np.int32(flags.only_currency)
    same = code >= 0
    orig_e8 = np.empty(total, np.int64)
    return KernelOutput(
        row=np.empty(total, np.int64),
        outcome=np.zeros(total, np.int16),
        component_id=np.empty(total, np.int32),
        level=np.empty(total, np.int16),
        partner_id=np.empty(total, np.int32),
        rate_id=np.empty(total, np.int32),
        orig_e8=orig_e8,
        currency=np.full(total, code) if same else np.empty(total, np.int32),
        amount_e8=orig_e8 if same else np.empty(total, np.int64),
        wallet=np.full(total, code) if same else np.empty(total, np.int32),
        fx_id=np.zeros(total, np.int32),
        held=np.empty(total, np.bool_) if flags.suspended else np.zeros(total, np.bool_),
    )


def _rate_block(
    given: KernelInput, count: Longs, out: KernelOutput, trades: slice, lines: slice
) -> None:
    block = open_block(given, count, out, trades, lines)
    block.price_lots()
    block.take_shares()
    block.clear_unpaid()


def open_block(
    given: KernelInput, count: Longs, out: KernelOutput, trades: slice, lines: slice
) -> Block:
    """Lay out the lines of some trades, with the outcomes that no amount is needed for."""
    tables, slots, mine = given.tables, given.tables.slots, count[trades]
    trade = np.repeat(np.arange(len(mine)), mine)
    slot = gather(slots.first[given.deal[trades]] - (np.cumsum(mine) - mine), trade)
    slot += np.arange(len(trade))
    place = gather(tables.sheet_at, slot)
    place += gather(given.place[trades], trade)
    price = gather(tables.cells, place)
    np.add(trade, trades.start, out=out.row[lines])
    gather(slots.component_id, slot, out.component_id[lines])
    gather(slots.level, slot, out.level[lines])
    gather(slots.partner_id, slot, out.partner_id[lines])
    gather(tables.prices.rate_id, price, out.rate_id[lines])
    if tables.flags.suspended:
        gather(slots.held, slot, out.held[lines])
    if tables.flags.only_currency < 0:
        gather(slots.wallet, slot, out.wallet[lines])
        gather(tables.prices.currency, price, out.currency[lines])
    block = Block(
        tables=tables,
        fx=given.fx,
        own=given.own,
        start=trades.start,
        trade=trade,
        slot=slot,
        price=price,
        deal=given.deal[trades],
        lots_e8=given.lots_e8[trades],
        close_utc_ms=given.close_utc_ms[trades],
        outcome=out.outcome[lines],
        rate_id=out.rate_id[lines],
        currency=out.currency[lines],
        wallet=out.wallet[lines],
        orig_e8=out.orig_e8[lines],
        amount_e8=out.amount_e8[lines],
        fx_id=out.fx_id[lines],
        place=given.place[trades],
    )
    cancelled = None if given.cancelled is None else given.cancelled[trades]
    barred = None if given.barred is None else given.barred[trades]
    block.decide(given.hold_ms[trades], given.client[trades], cancelled, barred)
    return block
