"""The wide way through the kernel: every basis, mode and condition, a block of trades at a time.

The short way (`kernel.rate_columns`) is lots x rate and nothing else. Here the lines of a block are
taken part by part (a component of a programme's version), in the order of the file, as a share may
look back: value of the basis by trade, conditions by trade, then the part's mode over the levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.rating.block import Block, gather
from pipshare.rating.columns import HELD_KYC, HELD_SUSPENDED, TradeColumns
from pipshare.rating.exchange import Exchange
from pipshare.rating.kernel import KernelInput, KernelOutput, open_block, room
from pipshare.rating.known import Known, Places
from pipshare.rating.modes import MODES
from pipshare.rating.parts import Part
from pipshare.rating.reasons import FIRST_WAIT, Reason, Wait
from pipshare.rating.running import Running
from pipshare.rating.standing import standing
from pipshare.rating.values import Ratio
from pipshare.rating.work import Clients, Work

Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
_BLOCK = 16_384
UNWANTED = -2  # the position of a line that only others needed
_POTS = ("pot_split", "share_up", "rank")  # priced by other rates than a line's own


@dataclass(frozen=True)
class WideInput:
    """The kernel's input and the trades with all their columns, in one order."""

    kernel: KernelInput
    trades: TradeColumns
    places: Places
    clock: Clock
    running: Running | None = None


@dataclass
class WideOutput:
    """The kernel's output, why lines are held, which were cut, and which lines are not wanted."""

    lines: KernelOutput
    held_by: Int8s
    capped: Bools
    position: Int16s
    client: Longs | None = None


def rate_wide(given: WideInput) -> WideOutput:
    """Rate every trade of a run."""
    kernel = given.kernel
    count = kernel.tables.slots.count[kernel.deal]
    wide = _room(given, int(count.sum()))
    clients = Clients()
    for trades, lines in _blocks(count):
        nets = _nettings(given, trades)
        if lines.stop == lines.start:
            continue
        block = open_block(kernel, count, wide.lines, trades, lines)
        mine = Clients()
        _rate_block(given, block, wide, lines, mine, nets)
        for name, columns in vars(mine).items():
            getattr(clients, name).extend(
                [c + lines.start for c in columns] if name == "row" else columns
            )
    return _with_clients(wide, clients, given)


def measure_wide(given: WideInput) -> None:
    """Learn what tiers are measured by: of all trades that a part decides, for all above them."""
    above, running = given.kernel.tables.above, given.running
    assert above is not None
    assert running is not None
    for start in range(0, len(given.trades), _BLOCK):
        for part in given.kernel.tables.parts.rated:
            if part.component.tier is None:
                continue
            known = _decided(given, part, slice(start, start + _BLOCK))
            if not len(known):
                continue
            told = standing(part, known, given.clock)
            fit = told.counts()
            if part.component.conditions.hedged is not None:
                nets = running.net(part, known, fit)
                told.net(*nets)
                fit &= nets[0] > 0
            told.less_bonus()
            deal = given.kernel.deal[known.row]
            running.learn(told, fit, above.partner_id[deal], above.own_client[deal])


def _decided(given: WideInput, part: Part, trades: slice) -> Known:
    """Return the trades of a block that a part's version decides, lines or not."""
    kernel = given.kernel
    decides = kernel.tables.slots.decides[kernel.deal[trades]]
    rows = np.flatnonzero(decides == part.version) + trades.start
    exchange = Exchange(kernel.fx, kernel.own, kernel.tables.currencies)
    return Known(given.trades.taken(rows), given.places, exchange, rows)


def _nettings(given: WideInput, trades: slice) -> dict[tuple[int, int], Ratio]:
    """Return the part of each trade's volume that counts, by part that nets hedged volume."""
    found: dict[tuple[int, int], Ratio] = {}
    for part in given.kernel.tables.parts.rated if given.running is not None else ():
        if part.component.conditions.hedged is None or given.trades.value_e8 is not None:
            continue
        known = _decided(given, part, trades)
        assert given.running is not None
        fit = standing(part, known, given.clock).counts()
        top = np.ones(trades.stop - trades.start, np.int64)
        bottom, at = top.copy(), known.row - trades.start
        top[at], bottom[at] = given.running.net(part, known, fit)
        found[part.version, part.position] = top, bottom
    return found


def _blocks(count: Longs) -> Iterator[tuple[slice, slice]]:
    """Go through the trades some at a time: (trades, their lines)."""
    ends = np.cumsum(count)
    for start in range(0, len(count), _BLOCK):
        end = min(start + _BLOCK, len(count))
        lines = slice(int(ends[start] - count[start]), int(ends[end - 1]))
        yield slice(start, end), lines


def _room(given: WideInput, total: int) -> WideOutput:
    return WideOutput(room(given.kernel.tables, total), np.zeros(total, np.int8),
                      np.zeros(total, np.bool_), np.zeros(total, np.int16))  # fmt: skip


def _rate_block(
    given: WideInput,
    block: Block,
    wide: WideOutput,
    lines: slice,
    clients: Clients,
    nets: dict[tuple[int, int], Ratio],
) -> None:
    slots, parts = block.tables.slots, block.tables.parts
    wide.position[lines] = gather(slots.position, block.slot)
    code = gather(slots.part, block.slot)
    trades = slice(block.start, block.start + len(block.deal))
    everyone = given.trades.taken(trades)
    seen = np.zeros(len(code), np.int64)
    block.orig_e8[:] = 0
    block.amount_e8[:] = 0
    present = [int(code[0])]
    if (code != present[0]).any():
        present = (np.flatnonzero(np.bincount(code + 1)) - 1).tolist()
    for number in present:
        if number < 0:
            continue
        part = parts.at(*divmod(number, slots.widest))
        assert part is not None
        rows, trade = np.arange(len(code)), block.trade
        if len(present) > 1:
            rows = np.flatnonzero(code == number)
            trade = block.trade[rows]
        first = np.flatnonzero(np.diff(trade, prepend=-1))
        mine = trade[first]
        known = Known(
            everyone if len(mine) == len(block.deal) else everyone.taken(mine),
            given.places,
            Exchange(block.fx, block.own, block.tables.currencies),
            mine + block.start,
        )
        netted = None
        if (part.version, part.position) in nets:
            top, bottom = nets[part.version, part.position]
            netted = top[mine], bottom[mine]
        work = _work(given, part, block, known, rows, first, seen, clients, netted)
        MODES[part.component.mode](work)
        work.write()
        if work.capped.any():
            wide.capped[lines][rows] = work.capped
        if not part.shown:
            wide.position[lines][rows] = UNWANTED
        if part.programme.kyc == "hold" and known.trades.kyc_held is not None:
            held = known.trades.kyc_held[work.group]
            wide.held_by[lines][rows[held]] = HELD_KYC
    block.clear_unpaid()


def _work(
    given: WideInput,
    part: Part,
    block: Block,
    known: Known,
    rows: Longs,
    first: Longs,
    seen: Longs,
    clients: Clients,
    nets: Ratio | None,
) -> Work:
    """Bring a part's lines to where its mode takes over."""
    told = standing(part, known, given.clock)
    work = Work(part, block, known, told.values, rows, first, seen, given.running, clients)
    _close_lines(work, told.reason, told.unclear, told.nothing)
    if nets is not None:
        told.net(*nets)
        work.stop(np.flatnonzero((nets[0] == 0)[work.group]), Reason.NETTED)
    told.less_bonus()
    return work


def _close_lines(work: Work, reason: Int16s, unclear: Int16s, nothing: Bools) -> None:
    """Settle at zero, or let wait, what the conditions say; what is closed already stays so.

    `nothing`: there is nothing to take a share of, which does not touch shares of other lines.
    """
    if work.part.component.mode in _POTS:
        # A pot's price is not the line's own: what is missing there stops it only in its turn.
        priced = (work.outcome == Wait.UNPRICED) | (work.outcome == Wait.NO_LOT_FACTOR)
        work.outcome[priced] = 0
    if reason.any() or nothing.any():
        failed = reason[work.group]
        shares = work.block.tables.prices.of[work.price] >= 0
        failed = np.where(nothing[work.group] & ~shares, Reason.NO_RESULT, failed)
        open_ = (work.outcome == 0) | (work.outcome >= FIRST_WAIT)
        work.outcome = np.where(open_ & (failed != 0), failed, work.outcome).astype(np.int16)
    if unclear.any():
        missing = unclear[work.group]
        work.outcome = np.where(work.outcome == 0, missing, work.outcome).astype(np.int16)


def _with_clients(wide: WideOutput, clients: Clients, given: WideInput) -> WideOutput:
    """Add the clients' lines, and put all lines in the order of trade, component and level."""
    out = wide.lines
    not_approved = wide.held_by == HELD_KYC
    wide.held_by = np.where(out.held, HELD_SUSPENDED, wide.held_by).astype(np.int8)
    held = wide.held_by > 0
    if not clients.row:
        wide.lines = replace(out, held=held)
        return wide
    at = np.concatenate(clients.row)
    many = len(at)
    kyc = not_approved[at]
    columns = {
        "row": out.row[at],
        "outcome": np.concatenate(clients.outcome),
        "component_id": out.component_id[at],
        "level": np.zeros(many, np.int16),
        "partner_id": np.zeros(many, np.int32),
        "rate_id": out.rate_id[at],
        "orig_e8": np.concatenate(clients.orig_e8),
        "currency": np.concatenate(clients.currency),
        "amount_e8": np.concatenate(clients.amount_e8),
        "wallet": np.concatenate(clients.wallet),
        "fx_id": np.concatenate(clients.fx_id),
        "held": kyc,
    }
    unpaid = columns["outcome"] != 0
    for name in ("orig_e8", "amount_e8", "fx_id", "rate_id"):
        columns[name] = np.where(unpaid, 0, columns[name]).astype(columns[name].dtype)
    order = np.argsort(np.r_[2 * np.arange(len(out.row)) + 1, 2 * at], kind="stable")
    whole = {
        name: np.concatenate([getattr(replace(out, held=held), name), column])[order]
        for name, column in columns.items()
    }
    client = np.r_[np.full(len(out.row), -1), given.trades.client[out.row[at]]][order]
    return WideOutput(
        KernelOutput(**whole),
        np.r_[wide.held_by, np.where(kyc, HELD_KYC, 0).astype(np.int8)][order],
        np.r_[wide.capped, np.zeros(many, np.bool_)][order],
        np.r_[wide.position, wide.position[at]][order],
        client,
    )
