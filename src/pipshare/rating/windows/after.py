"""What follows from the sums of windows: advances, carry-over, bonuses on what was earned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare.plans.periods import Carry
from pipshare.plans.terms import Component, Programme
from pipshare.rating.finish import Lasting, carried_over, past_advance, reset, unforgiven
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Reason
from pipshare.rating.windows.calendar import Unit, bounds, numbers
from pipshare.rating.windows.given import HISTORY, Given
from pipshare.rating.windows.lines import LINES, no_lines
from pipshare.rating.windows.narrow import Keep, all_parts, at_band, starts_of
from pipshare.rating.windows.pseudo import PseudoRows
from pipshare.rating.windows.rating_pass import Found, bare, pseudo_pass, stacked
from pipshare.rating.windows.reach import reach

_NEVER = 2**40  # the number of a window that does not come


def advanced(given: Given, lines: pl.DataFrame, wanted: Collection[int]) -> pl.DataFrame:
    """Return the lines by which components earn back first what was advanced for a client."""
    parts = [no_lines()]
    for part, ids in _latest(given, wanted):
        if part.component.advance is not None:
            source = ids.get(part.component.advance, -1)
            unit = reach(part.component).booked
            parts.append(_advanced(given, lines, part.component_id, source, unit))
    return pl.concat(parts)


def _advanced(
    given: Given, lines: pl.DataFrame, number: int, source: int, unit: Unit
) -> pl.DataFrame:
    who = ["partner_id", "client", "wallet"]
    told = lines.filter(pl.col("component_id").is_in([number, source]), pl.col("partner_id") > 0)
    own = pl.col("component_id") == number
    sums = _windows(given, told, unit).group_by(*who, "window").agg(
        earned=pl.col("amount_e8").filter(own).sum(),
        given=pl.col("amount_e8").filter(~own).sum(),
        level=pl.col("level").filter(own).min(),
        moment_ms=pl.col("moment_ms").max(),
    ).sort(*who, "window")  # fmt: skip
    group, count = _group(sums, who)
    pays, _ = past_advance(group, sums["earned"].to_numpy(), sums["given"].to_numpy(), count)
    return _changes(sums, number, pl.Series(pays) - sums["earned"], Reason.ADVANCED)


def carried(given: Given, lines: pl.DataFrame, wanted: Collection[int]) -> pl.DataFrame:
    """Return the lines by which negative sums are carried over or forgotten, and earned back.

    Components that are netted with each other have these lines in the first of them.
    """
    parts, done = [no_lines()], set[frozenset[int]]()
    for part, ids in _latest(given, wanted):
        carry = part.component.carry
        if carry is None:
            continue
        netted = frozenset({part.component_id} | {ids[code] for code in carry.across})
        if netted not in done:
            done.add(netted)
            parts.append(_carried(given, lines, part.component_id, netted, carry,
                                  reach(part.component).booked))  # fmt: skip
    return pl.concat(parts)


def _carried(
    given: Given, lines: pl.DataFrame, number: int, netted: frozenset[int], carry: Carry,
    unit: Unit,
) -> pl.DataFrame:  # fmt: skip
    who = ["partner_id", "wallet"]
    told = lines.filter(pl.col("component_id").is_in(list(netted)), pl.col("partner_id") > 0)
    sums = _windows(given, told, unit).group_by(*who, "window").agg(
        pl.col("amount_e8").sum(), pl.col("level").min(), pl.col("moment_ms").max()
    ).sort(*who, "window")  # fmt: skip
    amount = sums["amount_e8"].to_numpy()
    if carry.negative == "reset":
        return _changes(sums, number, pl.Series(reset(amount) - amount), Reason.RESET)
    group, count = _group(sums, who)
    opening, since = _opening(given, sums, group, count, number, unit)
    lasting = None
    if carry.periods is not None or carry.within != "life":
        window = sums["window"].to_numpy()
        lasting = Lasting(window, _until(given, window, carry, unit),
                          _until(given, since, carry, unit))  # fmt: skip
    kept = unforgiven(amount, carry.forgive, carry.share)
    pays, _ = carried_over(group, kept, count, opening, lasting)
    return _changes(sums, number, pl.Series(pays - amount), Reason.CARRIED)


def _until(given: Given, window: np.ndarray, carry: Carry, unit: Unit) -> np.ndarray:
    """Return the last window in which what each window carried over can be earned back."""
    until = np.full(len(window), _NEVER, np.int64)
    if carry.periods is not None:
        until = window + carry.periods
    if carry.within != "life" and len(window):
        starts, _ = bounds(window, unit, given.clock)
        _, ends = bounds(numbers(starts, carry.within, given.clock), carry.within, given.clock)
        until = np.minimum(until, numbers(ends - 1, unit, given.clock))
    return until


def _opening(
    given: Given, sums: pl.DataFrame, group: np.ndarray, count: int, number: int, unit: Unit
) -> tuple[np.ndarray, np.ndarray]:
    """Return by group what windows before the first one carried over, and in which it was."""
    opening, since = np.zeros(count, np.int64), np.zeros(count, np.int64)
    held = _history(given, number, "carried").sort("window_start_ms")
    if not len(held):
        return opening, since
    first = sums[np.unique(group, return_index=True)[1]]
    starts, _ = bounds(first["window"].to_numpy(), unit, given.clock)
    for one, (partner, start) in enumerate(zip(first["partner_id"], starts.tolist(), strict=True)):
        before = held.filter(
            pl.col("partner_id") == partner, pl.col("window_start_ms") < start
        )  # fmt: skip
        if len(before):
            opening[one] = before["value_e8"][-1]
            since[one] = numbers(before["window_start_ms"].to_numpy()[-1:], unit, given.clock)[0]
    return opening, since


def earned(given: Given, lines: pl.DataFrame, wanted: Collection[int]) -> Found:
    """Return LINES and WAITS of components that pay a share of what a payee earned himself."""
    return stacked([
        _earned(given, lines, part, ids)
        for part, ids in _latest(given, wanted)
        if part.component.basis == "earned" and part.component.rates
    ])  # fmt: skip


def _earned(given: Given, lines: pl.DataFrame, part: Part, ids: dict[str, int]) -> Found:
    component, tier = part.component, part.component.tier
    unit: Unit = "month" if component.per == "trade" else component.per
    of = next((rule.of for rule in component.rates if rule.of), "") or ""
    base = _sums(given, lines, ids.get(of, -1), unit)
    measured = base
    if tier is not None and tier.of_component and tier.of_component != of:
        measured = _sums(given, lines, ids.get(tier.of_component, -1), unit)
    present = _windows(given, lines.filter(component_id=ids.get(of, -1)), unit)["window"]
    first = int(present.min() or 0) if len(present) else 0  # type: ignore[arg-type]
    bands: dict[Fraction, list[tuple[int, str, int, int]]] = {}
    starts = starts_of(component)
    for (partner, wallet, window), amount in sorted(base.items()):
        if len(present) and window >= first:
            length = tier.length if tier is not None and tier.window == "rolling" else 1
            held = [measured.get((partner, wallet, window - back), 0) for back in range(length)]
            measure = Fraction(sum(held), 10**8)
            if tier is not None and tier.average:
                measure /= length
            above = tier is not None and tier.boundary == "above"
            reached = [s for s in starts if s <= 0 or s < measure or (s == measure and not above)]
            if reached:
                bands.setdefault(reached[-1], []).append((partner, wallet, window, amount))
    return stacked([_at_band(given, part, start, rows, unit) for start, rows in bands.items()])


def _at_band(
    given: Given, part: Part, start: Fraction, rows: Sequence[tuple[int, str, int, int]], unit: Unit
) -> Found:
    """Rate the sums of payees in one band: each payee by himself, at the window's end."""
    chains = [(partner,) for partner, _, _, _ in rows]
    currencies = tuple(sorted({wallet for _, wallet, _, _ in rows}))
    _, end = bounds(np.array([row[2] for row in rows], np.int64), unit, given.clock)
    pseudo = PseudoRows(
        chain=np.arange(len(rows), dtype=np.int32), client=np.full(len(rows), -1, np.int64),
        moment_ms=end - 1, value_e8=np.array([row[3] for row in rows], np.int64),
        currency=np.array([currencies.index(row[1]) for row in rows], np.int32),
        currencies=currencies,
    )  # fmt: skip
    keep = _keep_share(part.component_id, start)
    lines, waits = pseudo_pass(given, pseudo, keep, part.component_id, chains)
    unnamed = pl.lit(-1, pl.Int64).alias("trade_row")
    return lines.with_columns(unnamed), waits.with_columns(unnamed)


def _keep_share(number: int, start: Fraction) -> Keep:
    """Keep a component with the shares of one band, taken of the value that is given."""

    def keep(programme: Programme, component: Component, id_: int) -> Component | None:
        if id_ != number:
            return None
        made = at_band(bare(component), start)
        return replace(made, rates=tuple(replace(rule, of=None) for rule in made.rates))

    return keep


def _sums(
    given: Given, lines: pl.DataFrame, number: int, unit: Unit
) -> dict[tuple[int, str, int], int]:
    """Return what each partner earned of a component, by (partner, wallet, window)."""
    told = lines.filter(pl.col("component_id") == number, pl.col("partner_id") > 0)
    by = ["partner_id", "wallet", "window"]
    sums = _windows(given, told, unit).group_by(by).agg(pl.col("amount_e8").sum())
    found = {(p, w, n): amount for p, w, n, amount in sums.iter_rows()}
    held = _history(given, number, "earned")
    place, known = given.payees.find(held["partner_id"].cast(pl.Int64).to_numpy())
    window = numbers(held["window_start_ms"].to_numpy(), unit, given.clock)
    for row in np.flatnonzero(known).tolist():
        wallet = given.payees.currencies[int(given.payees.currency[place[row]])]
        key = (int(held["partner_id"][row]), wallet, int(window[row]))
        found.setdefault(key, int(held["value_e8"][row]))
    return found


def _history(given: Given, number: int, kind: str) -> pl.DataFrame:
    if given.history is None:
        return pl.DataFrame(schema=HISTORY)
    return given.history.filter(pl.col("component_id") == number, pl.col("kind") == kind)


def _latest(given: Given, wanted: Collection[int]) -> list[tuple[Part, dict[str, int]]]:
    """Return the wanted components as their last version has them, and its ids by code."""
    latest: dict[int, Part] = {}
    for part in sorted(all_parts(given.book),
                       key=lambda one: given.book.versions[one.version].valid_from_ms):  # fmt: skip
        latest[part.component_id] = part
    found = []
    for number, part in latest.items():
        version = given.book.versions[part.version]
        if number in wanted:
            codes = (one.code for one in version.programme.components)
            found.append((part, dict(zip(codes, version.component_ids, strict=True))))
    return found


def _windows(given: Given, lines: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    return lines.with_columns(
        window=pl.Series(numbers(lines["moment_ms"].to_numpy(), unit, given.clock))
    )


def _group(sums: pl.DataFrame, who: list[str]) -> tuple[np.ndarray, int]:
    """Number the groups of a frame that is sorted by them."""
    group = sums.select(pl.struct(who).rle_id())[who[0]].cast(pl.Int64).to_numpy()
    return group, int(group.max(initial=-1)) + 1


def _changes(sums: pl.DataFrame, number: int, change: pl.Series, reason: Reason) -> pl.DataFrame:
    client = pl.col("client") if "client" in sums.columns else pl.lit(-1)
    return sums.with_columns(
        component_id=pl.lit(number), trade_row=pl.lit(-1), event=pl.lit(reason.name.lower()),
        level=pl.col("level").fill_null(1), client=client, currency=pl.col("wallet"),
        orig_e8=change, amount_e8=change, reason=pl.lit(int(reason)), rate_id=pl.lit(0),
        fx_id=pl.lit(0), held_by=pl.lit(""),
    ).filter(pl.col("amount_e8") != 0).select(LINES.keys()).cast(pl.Schema(LINES))  # fmt: skip
