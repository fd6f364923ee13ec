"""Components that pay for a period's sum: one pseudo trade per chain, window and currency."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl

from pipshare.money.amounts import half_even
from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component, Programme
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Wait
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import WAITS, by_prefix, no_waits
from pipshare.rating.windows.narrow import all_parts
from pipshare.rating.windows.pseudo import PseudoRows
from pipshare.rating.windows.rating_pass import (
    Found,
    bare,
    changes_the_past,
    pseudo_pass,
    stacked,
)
from pipshare.rating.windows.reach import reach
from pipshare.rating.windows.sums import sums
from pipshare.rating.windows.touches import deciding
from pipshare.rating.windows.values import Counted, counted
from pipshare.rating.windows.values import waits as is_wait

_SUMS: dict[str, pl.DataType | type[pl.DataType]] = {
    "start_ms": pl.Int64, "end_ms": pl.Int64, "chain": pl.Int32, "client": pl.Int64,
    "currency": pl.String, "value_e8": pl.Int64, "lots_e8": pl.Int64, "last_ms": pl.Int64,
}  # fmt: skip


def is_period(component: Component) -> bool:
    """Tell whether a component pays for the sum of its basis over a period."""
    return component.per != "trade" and component.basis != "earned"


def period_pass(given: Given, wanted: Collection[int]) -> Found:
    """Return LINES and WAITS of the wanted components that pay for a period's sum."""
    parts = [part for part in all_parts(given.book)
             if part.component_id in wanted and is_period(part.component)]  # fmt: skip
    trades = given.placed.trades
    version = deciding(given.book, given.placed.chains, trades.chain, trades.close_utc_ms)
    ids = sorted({part.component_id for part in parts})
    return stacked([
        _component(given, [part for part in parts if part.component_id == number], version)
        for number in ids
    ])  # fmt: skip


def _component(given: Given, parts: Sequence[Part], version: Longs) -> Found:
    """Rate one component; each of its versions sums the trades that it decided."""
    frames, waits = [pl.DataFrame(schema=_SUMS)], [no_waits()]
    for part in parts:
        rows = np.flatnonzero(version == part.version)
        if len(rows):
            found = counted(given, part, rows)
            frames.append(_sums(given, part, found, rows))
            waits.append(_waiting(given, part.component_id, found, rows))
    by = ["start_ms", "end_ms", "chain", "client", "currency"]
    added = [pl.col("value_e8", "lots_e8").sum(), pl.col("last_ms").max()]
    table = pl.concat(frames).group_by(by).agg(added).sort(by)
    lines, waiting = _rated(given, parts[-1], table)
    return lines, pl.concat([*waits, waiting])


def _sums(given: Given, part: Part, found: Counted, rows: Longs) -> pl.DataFrame:
    component, trades = part.component, found.known.trades
    counts = np.flatnonzero(found.outcome == 0)
    client = trades.client if component.advance else np.full(len(rows), -1, np.int64)
    chain = trades.chain.astype(np.int64)
    made = sums(found.values, counts, chain, client, trades.close_utc_ms,
                component.per, given.clock)  # type: ignore[arg-type]  # fmt: skip
    lots = _lots(given, trades.group, trades.lots_e8)
    whole = np.zeros(len(made.chain), np.int64)
    np.add.at(whole, made.number, lots[counts])
    names = np.array([*found.names, ""], object)[made.currency]
    return pl.DataFrame({
        "start_ms": made.start_ms, "end_ms": made.end_ms, "chain": made.chain,
        "client": made.client, "currency": pl.Series(names, dtype=pl.String),
        "value_e8": made.value_e8, "lots_e8": whole, "last_ms": made.last_ms,
    }).cast(pl.Schema(_SUMS)).filter(pl.Series(~made.large, dtype=pl.Boolean))  # fmt: skip


def _lots(given: Given, group: np.ndarray, lots_e8: Longs) -> Longs:
    """Return standard lots: by the lot factor of the group."""
    result = lots_e8.copy()
    for place, one in enumerate(given.placed.groups):
        factor = one.lot_factor
        if factor is not None and factor != 1:
            for row in np.flatnonzero(group == place).tolist():
                exact = int(lots_e8[row]) * factor
                result[row] = half_even(exact.numerator, exact.denominator)
    return result


def _waiting(given: Given, number: int, found: Counted, rows: Longs) -> pl.DataFrame:
    """Return the trades that cannot be summed yet."""
    at = np.flatnonzero(is_wait(found.outcome))
    trades = found.known.trades
    words = [Wait(one).word for one in found.outcome[at].tolist()]
    return pl.DataFrame({
        "component_id": np.full(len(at), number), "moment_ms": trades.close_utc_ms[at],
        "trade_row": rows[at], "event": [""] * len(at), "level": np.zeros(len(at), np.int16),
        "partner_id": np.zeros(len(at), np.int32), "client": trades.client[at],
        "reason": pl.Series(words, dtype=pl.String),
        "key": pl.Series([_key(found, one) for one in at.tolist()], dtype=pl.String),
    }, schema_overrides={"event": pl.String}).cast(pl.Schema(WAITS))  # fmt: skip


def _key(found: Counted, row: int) -> str:
    """Return what is missing, as the lines of trades name it."""
    known = found.known
    if found.outcome[row] == Wait.NO_LOT_FACTOR:
        return known.places.groups[int(known.trades.group[row])].name
    if found.outcome[row] == Wait.NO_FX:
        base = found.names[int(found.values.currency[row])]
        return f"{base}/{found.target}"
    return known.places.symbols[int(known.trades.symbol[row])].name


def _rated(given: Given, part: Part, table: pl.DataFrame) -> Found:
    number, component = part.component_id, part.component
    currencies = tuple(name for name in table["currency"].unique().sort() if name)
    place = {name: code for code, name in enumerate(currencies)} | {"": -1}
    chain, last = table["chain"].to_numpy(), table["last_ms"].to_numpy()
    end = table["end_ms"].to_numpy() - 1
    rows = PseudoRows(
        chain=chain, client=table["client"].to_numpy(),
        moment_ms=_moments(given, part, chain, end, last),
        value_e8=table["value_e8"].to_numpy(),
        currency=table["currency"].replace_strict(place, return_dtype=pl.Int32).to_numpy(),
        currencies=currencies, lots_e8=table["lots_e8"].to_numpy(),
    )  # fmt: skip

    def keep(programme: Programme, one: Component, id_: int) -> Component | None:
        return bare(one) if id_ == number else None

    def nameless(found: Found) -> Found:
        unnamed = pl.lit(-1, pl.Int64).alias("trade_row")
        return found[0].with_columns(unnamed), found[1].with_columns(unnamed)

    if not changes_the_past(component):
        return nameless(pseudo_pass(given, rows, keep, number))
    waits: list[pl.DataFrame] = []

    def rate(some: Longs) -> pl.DataFrame:
        lines, waiting = pseudo_pass(given, rows.taken(some), keep, number)
        waits.append(waiting)
        at = pl.Series(some)
        return lines.with_columns(trade_row=at.gather(lines["trade_row"]))

    assert component.tier is not None
    lines = by_prefix(rate, rows.moment_ms, component.tier.window,  # type: ignore[arg-type]
                      reach(component).booked, given.clock)  # fmt: skip
    return nameless((lines, pl.concat([no_waits(), *waits]).unique(maintain_order=True)))


def _moments(given: Given, part: Part, chain: np.ndarray, end: Longs, last: Longs) -> Longs:
    """Return the window's last millisecond, or the last trade's close where the programme that
    decided it no longer does at the end of the window."""
    version = deciding(given.book, given.placed.chains, chain, end)
    programme = np.array([*(one.programme_id for one in given.book.versions), -1], np.int64)
    still = programme[version] == given.book.versions[part.version].programme_id
    return np.where(still, end, last)
