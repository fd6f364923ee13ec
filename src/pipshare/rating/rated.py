"""What rating gives out: lines as columns, and the lines that wait as a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.rating.block import DROPPED
from pipshare.rating.kernel import KernelOutput
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.reasons import FIRST_WAIT, Wait
from pipshare.rating.wide import UNWANTED, WideOutput

Int32s = npt.NDArray[np.int32]
Int16s = npt.NDArray[np.int16]
WAITS: dict[str, type[pl.DataType]] = {
    "trade_row": pl.Int64, "component_id": pl.Int32, "level": pl.Int16, "partner_id": pl.Int32,
    "reason": pl.String, "key": pl.String,
}  # fmt: skip

# Trades of which a margin guard has to say something: `action` is the guard's, or "unclear" where
# the revenue cannot be told. Amounts are in `currency`.
GUARDED: dict[str, type[pl.DataType]] = {
    "trade_row": pl.Int64, "version_id": pl.Int64, "programme": pl.String, "action": pl.String,
    "currency": pl.String, "revenue_e8": pl.Int64, "limit_e8": pl.Int64, "paid_e8": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """Settled lines as parallel columns, by trade row, component (in file order) and level.

    `reason` is a reasons.Reason; amounts are 0 and `rate_id` 0 unless it is PAID. `currency` and
    `wallet` are codes into `Rated.currencies`; `fx_id` 0 = not converted, negative = that row of
    the FX table used the other way round, DEAL_ID = the trade's own rate. `held`: the partner is
    suspended, or the client's identity not approved: the amount accrues held; `held_by` says why
    (columns.HELD_...). `client`: of a client's own line (level 0, partner 0), -1 for a partner's.
    `capped`: a cap has cut the amount. The last three are None where no line has them.
    """

    trade_row: Longs
    component_id: Int32s
    level: Int16s
    partner_id: Int32s
    rate_id: Int32s
    reason: Int16s
    orig_e8: Longs
    currency: Int32s
    amount_e8: Longs
    wallet: Int32s
    fx_id: Int32s
    held: npt.NDArray[np.bool_]
    held_by: npt.NDArray[np.int8] | None = None
    client: Longs | None = None
    capped: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.trade_row)

    def taken(self, rows: Longs) -> Lines:
        """Return these lines only, in the order given."""
        known: dict[str, Any] = {
            name: column[rows] for name, column in vars(self).items() if column is not None
        }
        return replace(self, **known)


@dataclass(frozen=True)
class Rated:
    """The outcome of a run. `waits` has the columns of WAITS, in the order of the lines.

    A wait for the whole trade has component 0 and level 0. `reason` is a Wait's word; `key` what
    is missing: a partner's id, a symbol, a currency pair ("EUR/USD"), an account group, or "".
    `measures` (columns of MEASURES) tells what tiers were measured by, None where no tier was.
    `guarded` (columns of GUARDED) tells of margin guards, None where the book has none.
    """

    lines: Lines
    currencies: tuple[str, ...]
    waits: pl.DataFrame
    measures: pl.DataFrame | None = None
    guarded: pl.DataFrame | None = None


def sort_out_wide(
    wide: WideOutput,
    trade_row: Longs | None,
    currencies: tuple[str, ...],
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    place: Longs,
) -> Rated:
    """Part the lines as `sort_out` does, without those that only others needed."""
    unwanted = wide.position == UNWANTED
    if unwanted.any():
        wide.lines.outcome[unwanted] = DROPPED
    out = wide.lines
    rated = sort_out(out, trade_row, currencies, symbols, groups, place)
    kept = (out.outcome < FIRST_WAIT) & (out.outcome != DROPPED)
    lines, waits = rated.lines, rated.waits
    lines = replace(
        lines,
        held_by=wide.held_by[kept] if wide.held_by.any() else None,
        client=None if wide.client is None else wide.client[kept],
        capped=wide.capped[kept] if wide.capped.any() else None,
    )
    if bool((np.diff(lines.trade_row) < 0).any()):
        # Trades were rated in their canonical order: the result has the order they came in.
        lines = lines.taken(np.argsort(lines.trade_row, kind="stable"))
    if not waits["trade_row"].is_sorted():
        waits = waits.sort("trade_row", maintain_order=True)
    return Rated(lines, currencies, waits)


def sort_out(
    out: KernelOutput,
    trade_row: Longs | None,
    currencies: tuple[str, ...],
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    place: Longs,
) -> Rated:
    """Part the kernel's lines into settled and waiting, and name what they point at."""
    kept: slice | Longs = slice(None)
    waits = pl.DataFrame(schema=WAITS)
    if out.outcome.any():
        waiting = np.flatnonzero(out.outcome >= FIRST_WAIT)
        if len(waiting):
            waits = _waits(out, waiting, trade_row, currencies, symbols, groups, place)
        if len(waiting) or bool((out.outcome == DROPPED).any()):
            kept = np.flatnonzero((out.outcome < FIRST_WAIT) & (out.outcome != DROPPED))
    row = out.row[kept]
    lines = Lines(
        trade_row=row if trade_row is None else trade_row[row],
        component_id=out.component_id[kept],
        level=out.level[kept],
        partner_id=out.partner_id[kept],
        rate_id=out.rate_id[kept],
        reason=out.outcome[kept],
        orig_e8=out.orig_e8[kept],
        currency=out.currency[kept],
        amount_e8=out.amount_e8[kept],
        wallet=out.wallet[kept],
        fx_id=out.fx_id[kept],
        held=out.held[kept],
    )
    return Rated(lines, currencies, waits)


def _waits(
    out: KernelOutput,
    at: Longs,
    trade_row: Longs | None,
    currencies: tuple[str, ...],
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    place: Longs,
) -> pl.DataFrame:
    row = out.row[at]
    group, symbol = np.divmod(place[row], len(symbols))
    names = pl.Series(currencies, dtype=pl.String)
    columns = pl.DataFrame({
        "trade_row": row if trade_row is None else trade_row[row],
        "component_id": out.component_id[at],
        "level": out.level[at],
        "partner_id": out.partner_id[at],
        "outcome": out.outcome[at],
        "symbol": pl.Series([s.name for s in symbols], dtype=pl.String)[symbol],
        "group": pl.Series([g.name for g in groups], dtype=pl.String)[group],
        "base": names[out.currency[at]],
        "quote": names[out.wallet[at]],
    })  # fmt: skip
    is_ = pl.col("outcome").eq
    key = (
        pl.when(is_(Wait.NO_TERMS) | is_(Wait.NOT_IN_FORCE))
        .then(pl.col("partner_id").cast(pl.String))
        .when(is_(Wait.UNPRICED)).then("symbol")
        .when(is_(Wait.NO_LOT_FACTOR)).then("group")
        .when(is_(Wait.NO_FX)).then(pl.concat_str("base", pl.lit("/"), "quote"))
        .otherwise(pl.lit(""))
    )  # fmt: skip
    words = {int(wait): wait.word for wait in Wait}
    reason = pl.col("outcome").replace_strict(words, return_dtype=pl.String)
    return columns.with_columns(reason=reason, key=key).select(WAITS.keys()).cast(pl.Schema(WAITS))
