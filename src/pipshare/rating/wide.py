"""The wide way through the kernel: every basis, mode and condition, a block of trades at a time.

The short way (`kernel.rate_columns`) is lots x rate and nothing else. Here the lines of a block are
taken part by part (a component of a programme's version), in the order of the file, as a share may
look back: value of the basis by trade, conditions by trade, then the part's mode over the levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.rating.bases import SIGNED, value_of
from pipshare.rating.bases.spread import cap_per_lot
from pipshare.rating.block import Block
from pipshare.rating.columns import HELD_KYC, HELD_SUSPENDED, TradeColumns
from pipshare.rating.conditions import Conditions, bonus_share
from pipshare.rating.exact import exactly_rounded, rounded
from pipshare.rating.exchange import Exchange
from pipshare.rating.kernel import KernelInput, KernelOutput, open_block, room
from pipshare.rating.known import Known, Places
from pipshare.rating.modes import MODES
from pipshare.rating.parts import Part
from pipshare.rating.reasons import FIRST_WAIT, Reason, Wait
from pipshare.rating.rules import is_factored
from pipshare.rating.running import Running
from pipshare.rating.values import Values
from pipshare.rating.work import Clients, Work

Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
_BLOCK = 32_768
UNWANTED = -2  # the position of a line that only others needed
_POTS = ("pot_split", "share_up", "rank")  # priced by other rates than a line's own
_E8 = 10**8


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
        block = open_block(kernel, count, wide.lines, trades, lines)
        mine = Clients()
        _rate_block(given, block, wide, lines, mine)
        for name, columns in vars(mine).items():
            getattr(clients, name).extend(
                [c + lines.start for c in columns] if name == "row" else columns
            )
    return _with_clients(wide, clients, given)


def measure_wide(given: WideInput) -> None:
    """Rate every trade only to learn what tiers are measured by; the lines are not kept."""
    kernel = given.kernel
    count = kernel.tables.slots.count[kernel.deal]
    for trades, lines in _blocks(count):
        wide = _room(given, lines.stop - lines.start)
        these = slice(0, lines.stop - lines.start)
        block = open_block(kernel, count, wide.lines, trades, these)
        _rate_block(given, block, wide, these, Clients())


def _blocks(count: Longs) -> Iterator[tuple[slice, slice]]:
    """Go through the trades some at a time: (trades, their lines)."""
    ends = np.cumsum(count)
    for start in range(0, len(count), _BLOCK):
        end = min(start + _BLOCK, len(count))
        lines = slice(int(ends[start] - count[start]), int(ends[end - 1]))
        if lines.stop > lines.start:
            yield slice(start, end), lines


def _room(given: WideInput, total: int) -> WideOutput:
    return WideOutput(room(given.kernel.tables, total), np.zeros(total, np.int8),
                      np.zeros(total, np.bool_), np.zeros(total, np.int16))  # fmt: skip


def _rate_block(
    given: WideInput, block: Block, wide: WideOutput, lines: slice, clients: Clients
) -> None:
    slots, parts = block.tables.slots, block.tables.parts
    position = slots.position[block.slot]
    wide.position[lines] = position
    widest = int(slots.position.max(initial=0)) + 1
    code = np.where(position < 0, -1, slots.version[block.slot] * widest + position)
    trades = slice(block.start, block.start + len(block.deal))
    everyone = given.trades.taken(trades)
    seen = np.zeros(len(code), np.int64)
    block.orig_e8[:] = 0
    block.amount_e8[:] = 0
    present = np.flatnonzero(np.bincount(code + 1)) - 1
    for number in present[present >= 0].tolist():
        part = parts.at(*divmod(number, widest))
        assert part is not None
        if given.running is not None and not given.running.needs(part):
            continue
        rows = np.flatnonzero(code == number) if len(present) > 1 else np.arange(len(code))
        trade = block.trade[rows]
        first = np.flatnonzero(np.r_[True, trade[1:] != trade[:-1]])
        mine = trade[first]
        known = Known(
            everyone if len(mine) == len(block.deal) else everyone.taken(mine),
            given.places,
            Exchange(block.fx, block.own, block.tables.currencies),
            mine + block.start,
        )
        work = _work(given, part, block, known, rows, first, seen, clients)
        MODES[part.component.mode](work)
        if given.running is not None:
            given.running.learn(work)
        work.write()
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
) -> Work:
    """Bring a part's lines to where its mode takes over."""
    reason, unclear = conditions(part, known, given.clock)
    values = value_of(part.component, known)
    share, nothing = None, np.zeros(len(known), np.bool_)
    if known.trades.value_e8 is None:
        nothing = _nothing_to_share(part, values) & (reason == 0)
        share = bonus_share(part, known)
        if share is not None:
            reason[(reason == 0) & (share[2] == 0) & (share[0] == 0)] = Reason.BONUS_FUNDED
    in_currency(part, known, values)
    work = Work(part, block, known, values, rows, first, seen, given.running, clients)
    _close_lines(work, reason, unclear, nothing)
    if part.component.rounding.value is not None:
        counts_lots = is_factored(part.component) and known.trades.value_e8 is None
        if counts_lots:
            _times_factors(values, known, 1)
        round_value(part, values)
        if counts_lots:
            # The lot factor is in the price: out of the value again.
            _times_factors(values, known, -1)
    if given.running is not None:
        open_ = np.zeros(len(known), np.bool_)
        open_[work.group[work.outcome == 0]] = True
        netted = given.running.net(part, known, values, open_)
        work.stop(np.flatnonzero(netted[work.group]), Reason.NETTED)
    if share is not None:
        _less_bonus(values, *share)
    work.began = work.outcome == 0
    return work


def _times_factors(values: Values, known: Known, power: int) -> None:
    """Multiply (or divide, power -1) the values by the lot factors of their groups."""
    for place, group in enumerate(known.places.groups):
        factor = (group.lot_factor or Fraction(1)) ** power
        rows = np.flatnonzero(known.trades.group == place)
        if factor == 1 or not len(rows):
            continue
        if max(factor.numerator, factor.denominator) < 2**62:
            ones = np.ones(len(rows), np.int64)
            values.times(rows, ones * factor.numerator, ones * factor.denominator)
            continue
        for row in rows.tolist():
            values.odd[row], values.num[row] = values.at(row) * factor, 0
            if values.top is not None and values.bottom is not None:
                values.top[row] = values.bottom[row] = 1


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


def conditions(part: Part, known: Known, clock: Clock) -> tuple[Int16s, Int16s]:
    """Return by trade why it is not paid for, and what is missing to tell."""
    if known.trades.value_e8 is not None:
        nothing = np.zeros(len(known), np.int16)
        return nothing, nothing
    asked = Conditions(part, known, clock)
    return asked.reason, asked.unclear


def _nothing_to_share(part: Part, values: Values) -> Bools:
    """Tell where a basis of money is zero or below, where each trade stands for itself."""
    component = part.component
    signed = component.basis in SIGNED and component.per == "trade" and component.carry is None
    if not signed:
        return np.zeros(len(values.num), np.bool_)
    nothing: Bools = (values.outcome == 0) & ~values.parted & (values.signs() <= 0)
    return nothing


def _less_bonus(values: Values, top: Longs, bottom: Longs, missing: Int16s) -> None:
    """Take from the value what was funded by bonus, by the account's last snapshot."""
    less = np.flatnonzero((missing == 0) & (top != bottom))
    values.times(less, top[less], bottom[less])
    waits = (missing != 0) & (values.outcome == 0)
    values.outcome[waits] = missing[waits]


def in_currency(part: Part, known: Known, values: Values) -> None:
    """Bring values into the component's currency, where it has one, and cap them per lot."""
    component = part.component
    if component.currency:
        _into_currency(part, known, values)
    if component.basis == "spread" and component.spread.cap_per_lot is not None:
        cap_per_lot(component.spread, known, values, component.value_fx)


def _into_currency(part: Part, known: Known, values: Values) -> None:
    component = part.component
    code = known.places.codes((component.currency,))[0]
    foreign = (values.currency >= 0) & (values.currency != code) & (values.outcome == 0)
    rows = np.flatnonzero(foreign & (values.signs() != 0))
    if len(rows):
        top, bottom, _, found = known.exchange.find(
            values.currency[rows], np.full(len(rows), code, np.int32),
            known.trades.close_utc_ms[rows], known.row[rows], component.value_fx,
        )  # fmt: skip
        lost = rows[~found]
        values.lacks_rate(lost, values.currency[lost], np.full(len(lost), code, np.int32))
        values.times(rows[found], top[found], bottom[found])
        foreign[rows[~found]] = False
    values.currency = np.where(foreign, code, values.currency).astype(np.int32)


def round_value(part: Part, values: Values) -> None:
    """Round values as the plan says, in place."""
    how = part.component.rounding
    unit = values.unit * _E8
    ones = np.ones(len(values.num), np.int64)
    top = ones if values.top is None else values.top
    bottom = ones if values.bottom is None else values.bottom
    fits = max(int(top.max(initial=1)) * unit.numerator,
               int(bottom.max(initial=1)) * unit.denominator) < 2**62  # fmt: skip
    if fits:
        num, _ = rounded(
            values.num, top * unit.numerator, bottom * unit.denominator, how.value, how.how
        )
    else:
        rows = range(len(values.num))
        exact = [exactly_rounded(values.at(row) * _E8, how.value, how.how) for row in rows]
        num = np.array(exact, np.int64)
    for row in values.odd:
        num[row] = exactly_rounded(values.at(row) * _E8, how.value, how.how)
    values.num, values.unit = num, Fraction(1, _E8)
    values.top, values.bottom, values.odd = None, None, {}


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
