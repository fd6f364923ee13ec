"""Lines of windows as frames: what the kernel said, negated, summed, cut into windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.carried import Passes
from pipshare.rating.columns import HELD_KYC, HELD_NOT, HELD_SUSPENDED, TradeColumns
from pipshare.rating.measured import History, unit_of
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rate import rate_trades
from pipshare.rating.rated import Lines, Rated
from pipshare.rating.reasons import Reason
from pipshare.rating.windows.calendar import Unit, numbers
from pipshare.rating.windows.given import Given

# What a payee earns by a trade, an event or a period; `moment_ms` says in which window it counts.
# trade_row -1 = of no trade; client -1 = of none; partner_id 0 = the payee is the client.
LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "component_id": pl.Int32, "moment_ms": pl.Int64, "trade_row": pl.Int64, "event": pl.String,
    "level": pl.Int16, "partner_id": pl.Int32, "client": pl.Int64, "currency": pl.String,
    "wallet": pl.String, "orig_e8": pl.Int64, "amount_e8": pl.Int64, "reason": pl.Int16,
    "rate_id": pl.Int32, "fx_id": pl.Int32, "held_by": pl.String,
}  # fmt: skip
WAITS: dict[str, pl.DataType | type[pl.DataType]] = {
    "component_id": pl.Int32, "moment_ms": pl.Int64, "trade_row": pl.Int64, "event": pl.String,
    "level": pl.Int16, "partner_id": pl.Int32, "client": pl.Int64, "reason": pl.String,
    "key": pl.String,
}  # fmt: skip
# One payee of one component: lines with the same of these can be summed.
PAYEE = ("component_id", "level", "partner_id", "payee", "currency", "wallet")
_HELD = {HELD_NOT: "", HELD_SUSPENDED: "suspended", HELD_KYC: "kyc"}


def no_lines() -> pl.DataFrame:
    """Return an empty frame of lines."""
    return pl.DataFrame(schema=LINES)


def no_waits() -> pl.DataFrame:
    """Return an empty frame of waits."""
    return pl.DataFrame(schema=WAITS)


def rated(
    given: Given,
    trades: TradeColumns,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    book: Book,
    passes: Passes | None = None,
) -> Rated:
    """Rate all components of a book with the kernel (and look at no margin guard)."""
    ids = {number for version in book.versions for number in version.component_ids}
    return rate_trades(
        trades, symbols, groups, chains, book=book, payees=given.payees, fx=given.fx, only="all",
        components=ids, clock=given.clock, history=_measured(given, book),
        passes=passes,
    )  # fmt: skip


def _measured(given: Given, book: Book) -> History | None:
    """Return what earlier windows were measured at, by the number of the tier's window."""
    if given.history is None:
        return None
    told = given.history.filter(kind="measure")
    number, start = told["component_id"].to_numpy(), told["window_start_ms"].to_numpy()
    window = np.zeros(len(told), np.int64)
    for version in book.versions:
        for component, one in zip(version.programme.components, version.component_ids, strict=True):
            if component.tier is not None:
                rows = np.flatnonzero(number == one)
                unit: Unit = unit_of(component.tier)  # type: ignore[assignment]
                window[rows] = numbers(start[rows], unit, given.clock)
    return History(number.astype(np.int64), told["partner_id"].cast(pl.Int64).to_numpy(), window,
                   told["value_e8"].to_numpy())  # fmt: skip


def lines_of(found: Rated, trades: TradeColumns, rows: Longs | None = None) -> pl.DataFrame:
    """Return the kernel's lines (`trade_row` is a place in `trades`) as LINES.

    `rows` are the names of the trades, None = they have none.
    """
    lines = found.lines
    place = lines.trade_row
    names = pl.Series(found.currencies, dtype=pl.String)
    frame = pl.DataFrame({
        "component_id": lines.component_id,
        "moment_ms": trades.close_utc_ms[place],
        "trade_row": np.full(len(place), -1) if rows is None else rows[place],
        "event": pl.Series([""], dtype=pl.String).new_from_index(0, len(place)),
        "level": lines.level,
        "partner_id": lines.partner_id,
        "client": trades.client[place],
        "currency": names[lines.currency],
        "wallet": names[lines.wallet],
        "orig_e8": lines.orig_e8,
        "amount_e8": lines.amount_e8,
        "reason": lines.reason,
        "rate_id": lines.rate_id,
        "fx_id": lines.fx_id,
        "held_by": pl.Series(_why_held(lines)).replace_strict(_HELD, return_dtype=pl.String),
    })  # fmt: skip
    return frame.cast(pl.Schema(LINES))


def _why_held(lines: Lines) -> npt.NDArray[np.int8]:
    told = lines.held.astype(np.int8) if lines.held_by is None else lines.held_by
    return np.where(lines.held & (told == HELD_NOT), HELD_SUSPENDED, told).astype(np.int8)


def waits_of(found: Rated, trades: TradeColumns, rows: Longs | None = None) -> pl.DataFrame:
    """Return what waits in the kernel's result as WAITS."""
    place = found.waits["trade_row"].to_numpy()
    frame = found.waits.with_columns(
        moment_ms=pl.Series(trades.close_utc_ms[place]),
        client=pl.Series(trades.client[place]),
        trade_row=pl.Series(np.full(len(place), -1) if rows is None else rows[place]),
        event=pl.lit(""),
    )
    return frame.select(WAITS.keys()).cast(pl.Schema(WAITS))


def payees(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `payee`: the client where he is the payee, -1 where the partner is."""
    return lines.with_columns(payee=pl.when(pl.col("partner_id") == 0).then("client").otherwise(-1))


def negated(lines: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    """Return lines that take these back."""
    return lines.with_columns(
        orig_e8=-pl.col("orig_e8"), amount_e8=-pl.col("amount_e8"),
        reason=pl.when(pl.col("amount_e8") == 0).then("reason")
        .otherwise(pl.lit(int(reason), pl.Int16)),
        held_by=pl.lit(""),
    )  # fmt: skip


def by_prefix(
    rate: Callable[[Longs], pl.DataFrame],
    moment_ms: Longs,
    tier_unit: Unit,
    booked_unit: Unit,
    clock: Clock,
) -> pl.DataFrame:
    """Return lines where reaching a band changes what came before it in earlier windows.

    `rate` rates some rows (places in `moment_ms`) and calls them so in `trade_row`. A window's rows
    are rated at the band reached by its end; what that changes for rows before is a line of its own
    (event "tier") in the window in which the band was reached. So windows that are over stay.
    """
    tier, booked = numbers(moment_ms, tier_unit, clock), numbers(moment_ms, booked_unit, clock)
    parts = [no_lines()]
    for one in np.unique(tier).tolist():
        before = None
        for window in np.unique(booked[tier == one]).tolist():
            rows = np.flatnonzero((tier == one) & (booked <= window))
            lines = rate(rows)
            late = booked[lines["trade_row"].to_numpy()] == window
            own = lines.filter(pl.Series(late, dtype=pl.Boolean))
            earlier = lines.filter(pl.Series(~late, dtype=pl.Boolean))
            last = int(moment_ms[rows[booked[rows] == window]].max())
            parts += [own, change(earlier, before, last)]
            before = lines
    return pl.concat(parts)


def change(now: pl.DataFrame, before: pl.DataFrame | None, moment_ms: int) -> pl.DataFrame:
    """Return by payee what lines come to more now than they did before."""
    if before is None:
        return no_lines()
    by = [*PAYEE, "held_by"]
    both = payees(pl.concat([now, negated(before, Reason.PAID).with_columns(
        held_by=before["held_by"])]))  # fmt: skip
    sums = both.group_by(by, maintain_order=True).agg(pl.col("orig_e8", "amount_e8").sum())
    sums = sums.filter((pl.col("amount_e8") != 0) | (pl.col("orig_e8") != 0))
    return sums.with_columns(
        moment_ms=pl.lit(moment_ms), trade_row=pl.lit(-1), event=pl.lit("tier"),
        client=pl.col("payee"), reason=pl.lit(int(Reason.PAID)), rate_id=pl.lit(0),
        fx_id=pl.lit(0),
    ).select(LINES.keys()).cast(pl.Schema(LINES))  # fmt: skip
