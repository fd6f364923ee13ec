"""Components that pay for what happens to a client: rows rated as pseudo trades, and undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.plans.conditions import Conditions
from pipshare.plans.terms import Component, Programme, leading
from pipshare.rating.finish import FORFEITED, HELD, kyc_states
from pipshare.rating.finish.gates import passes
from pipshare.rating.parts import Part
from pipshare.rating.qualify import Life
from pipshare.rating.qualify.stretches import TRADE
from pipshare.rating.reasons import Reason
from pipshare.rating.windows.calendar import numbers
from pipshare.rating.windows.client_rows import asked_of, client_rows, is_ladder
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import LINES, by_prefix, negated, no_lines, no_waits
from pipshare.rating.windows.narrow import Keep, all_parts, at_band, starts_of, with_needed
from pipshare.rating.windows.pseudo import ONE_E8, PseudoRows
from pipshare.rating.windows.rating_pass import (
    Found,
    bare,
    changes_the_past,
    needed_ids,
    pseudo_pass,
    stacked,
)
from pipshare.rating.windows.reach import is_of_clients, reach


def client_pass(given: Given, wanted: Collection[int], lives: Sequence[Life]) -> Found:
    """Return LINES and WAITS of the wanted components that pay for clients."""
    parts = [part for part in all_parts(given.book)
             if part.component_id in wanted and is_of_clients(part.component)]  # fmt: skip
    ids = sorted({part.component_id for part in parts})
    return stacked([
        _component(given, [part for part in parts if part.component_id == number], lives)
        for number in ids
    ])  # fmt: skip


def _component(given: Given, parts: Sequence[Part], lives: Sequence[Life]) -> Found:
    part = parts[-1]
    parts = sorted(parts, key=lambda one: given.book.versions[one.version].valid_from_ms)
    rows, waits = client_rows(given, parts, lives)
    # What counts at one moment stands in the order of the events, however clients are numbered.
    ordered = rows.with_row_index("row").filter(pl.col("undoes") < 0)
    paid = ordered.sort("moment_ms", "event", "client")["row"].cast(pl.Int64).to_numpy()
    number = part.component_id
    if not len(paid):
        return no_lines(), waits
    led = leading(part.programme.components, part.component)
    if is_ladder(led):
        lines, waiting = _in_place(rows, paid, lambda at: _steps(given, part, rows, at))
    elif part.component.tier is None or led is not part.component:
        lines, waiting = _in_place(rows, paid, lambda at: _named(
            pseudo_pass(given, _pseudo(part, rows, at), _keep(given, number), number), at
        ))  # fmt: skip
    else:
        lines, waiting = _tiered(given, part, rows, paid)
    lines = _gated(given, part, rows, lines, lives)
    back = _as_paid(given, part, rows, _undone(part, rows, lines, lives), lives)
    lines = _posted(given, rows, pl.concat([lines, back]))
    return _told(rows, lines), pl.concat([waits, _told(rows, waiting)])


def _pseudo(part: Part, rows: pl.DataFrame, at: Longs) -> PseudoRows:
    """Return these rows as pseudo trades: of the value one, or of what was deposited."""
    some = rows[at]
    countries = tuple(name for name in some["country"].unique().sort() if name)
    place = {name: code for code, name in enumerate(countries)} | {"": -1}
    value = np.full(len(at), ONE_E8, np.int64)
    currencies: tuple[str, ...] = ()
    currency = np.full(len(at), -1, np.int32)
    if leading(part.programme.components, part.component).basis == "deposits":
        value = (some["to"] - some["from"]).to_numpy()
        currencies = tuple(some["currency"].unique().sort())
        named = {name: code for code, name in enumerate(currencies)}
        currency = some["currency"].replace_strict(named, return_dtype=pl.Int32).to_numpy()
    return PseudoRows(
        chain=some["chain"].to_numpy(), client=some["client"].to_numpy(),
        moment_ms=some["moment_ms"].to_numpy(), value_e8=value, currency=currency,
        currencies=currencies,
        country=some["country"].replace_strict(place, return_dtype=pl.Int32).to_numpy(),
        countries=countries,
        blocked=some["blocked"].to_numpy() if some["blocked"].any() else None,
    )  # fmt: skip


def _of_event(component: Component) -> Component:
    """Return a component as clients are paid for by it: their country and the campaign's dates
    decide, by the moment at which they qualify; what is asked of trades was asked of them."""
    asked = component.conditions
    own = Conditions(excluded_reasons=(), countries=asked.countries,
                     not_countries=asked.not_countries, from_ms=asked.from_ms,
                     until_ms=asked.until_ms)  # fmt: skip
    # A share of what another pays follows that one's steps, and has none of its own.
    follows = all(rule.of and not rule.start for rule in component.rates)
    tier = None if follows else component.tier
    return replace(bare(component), conditions=own, tier=tier)


def _keep(given: Given, number: int) -> Keep:
    """Keep a component, and those whose earnings by the same event its rates are shares of."""
    kept = {number}
    for version in given.book.versions:
        parts = dict(zip((one.code for one in version.programme.components),
                         version.component_ids, strict=True))  # fmt: skip
        mine = [code for code, id_ in parts.items() if id_ == number]
        kept |= {parts[code] for code in with_needed(version.programme, mine)}

    def keep(programme: Programme, component: Component, id_: int) -> Component | None:
        return _of_event(component) if id_ in kept else None

    return keep


def _named(found: Found, at: Longs) -> Found:
    """Name lines and waits by the rows of the frame; they were rated as places in `at`."""
    names = pl.Series(at, dtype=pl.Int64)
    lines, waits = (one.with_columns(trade_row=names.gather(one["trade_row"])) for one in found)
    return lines, waits


def _steps(given: Given, part: Part, rows: pl.DataFrame, paid: Longs) -> Found:
    """Rate the steps of ladders: what is due in all at the step, less what was due at the last."""
    number = part.component_id
    kept = needed_ids(given.book, [number])
    pseudo = replace(_pseudo(part, rows, paid), step_from=rows["from"].to_numpy()[paid],
                     step_to=rows["to"].to_numpy()[paid])  # fmt: skip

    def keep(programme: Programme, component: Component, id_: int) -> Component | None:
        return _of_event(component) if id_ in kept else None

    return _named(pseudo_pass(given, pseudo, keep, number), paid)


def _in_place(rows: pl.DataFrame, paid: Longs, rate: Callable[[Longs], Found]) -> Found:
    """Rate rows of which some stand in the place of others that were undone, for a part of them
    that is left: these are rated as if the others had never been, also by the caps."""
    first: dict[tuple[int, int, int], int] = {}
    again: list[tuple[int, int, int]] = []  # how many before it, whose place, row
    seen: dict[int, int] = {}
    names = ("client", "moment_ms", "from", "booked_ms")
    for row, one in zip(sorted(paid.tolist()), rows[np.sort(paid)].select(names).iter_rows(),
                        strict=True):  # fmt: skip
        if one[3] == one[1]:
            first.setdefault(one[:3], row)
            continue
        place = first[one[:3]]
        seen[place] = seen.get(place, 0) + 1
        again.append((seen[place], place, row))
    base = paid[~np.isin(paid, [row for *_, row in again])]
    found = [rate(base)]
    for nth in sorted({one[0] for one in again}):
        instead = {place: row for n, place, row in again if n == nth}
        some = np.array([instead.get(row, row) for row in base.tolist()], np.int64)
        mine = pl.col("trade_row").is_in(list(instead.values()))
        found.append(tuple(one.filter(mine) for one in rate(some)))  # type: ignore[arg-type]
    return stacked(found)


def _keep_band(number: int, start: object) -> Keep:
    def keep(programme: Programme, component: Component, id_: int) -> Component | None:
        return at_band(_of_event(component), start) if id_ == number else None  # type: ignore[arg-type]

    return keep


def _tiered(given: Given, part: Part, rows: pl.DataFrame, paid: Longs) -> Found:
    """Rate rows whose rate goes by a measure, such as how many there were in the window.

    What is undone within the window it would count in counts for nothing: it is rated (and taken
    back) at the first band.
    """
    component, number = part.component, part.component_id
    tier = component.tier
    assert tier is not None
    unit = tier.unit if tier.window == "rolling" else tier.window
    moment, booked = rows["moment_ms"].to_numpy(), rows["booked_ms"].to_numpy()
    gone = np.zeros(len(rows), np.bool_)
    undoing = np.flatnonzero(rows["undoes"].to_numpy() >= 0)
    undone = rows["undoes"].to_numpy()[undoing]
    same = numbers(moment[undone], unit, given.clock) == numbers(booked[undoing], unit, given.clock)
    gone[undone[same & (unit != "life")]] = True
    lost, kept = paid[gone[paid]], paid[~gone[paid]]
    first = _keep_band(number, starts_of(component)[0])
    found = [_named(pseudo_pass(given, _pseudo(part, rows, lost), first, number), lost)]
    if not changes_the_past(component):
        rated = pseudo_pass(given, _pseudo(part, rows, kept), _keep(given, number), number)
        return stacked([*found, _named(rated, kept)])
    waits: list[pl.DataFrame] = []

    def rate(some: Longs) -> pl.DataFrame:
        lines, waiting = _named(
            pseudo_pass(given, _pseudo(part, rows, kept[some]), _keep(given, number), number), some
        )
        waits.append(waiting)
        return lines

    lines = by_prefix(rate, moment[kept], unit, reach(component).booked, given.clock)
    found.append((_renamed(lines, kept), pl.concat([no_waits(), *waits])))
    return stacked(found)


def _renamed(lines: pl.DataFrame, at: Longs) -> pl.DataFrame:
    """Name lines by the rows of the frame; those of no row keep -1 and their moment."""
    names = np.r_[at, -1]
    return lines.with_columns(trade_row=pl.Series(names[lines["trade_row"].to_numpy()]))


def _gated(
    given: Given, part: Part, rows: pl.DataFrame, lines: pl.DataFrame, lives: Sequence[Life]
) -> pl.DataFrame:
    """Pay nothing for the months in which too few clients of the direct IB qualified."""
    gate = asked_of(part.programme, part.component).gate
    if gate is None or given.chains_at is None:
        return lines
    first = rows.filter((pl.col("undoes") < 0) & (pl.col("from") == 0)
                        & (pl.col("booked_ms") == pl.col("moment_ms")))  # fmt: skip
    qualified = _counts(given, first["chain"].to_numpy(), first["moment_ms"].to_numpy())
    known = [life for life in lives if life.registered_ms is not None]
    client = np.array([life.client for life in known], np.int64)
    at = np.array([life.registered_ms for life in known], np.int64)
    registered = _counts(given, given.chains_at(client, at), at) if known else {}
    keys = _keys(given, rows["chain"].to_numpy(), rows["moment_ms"].to_numpy())
    enough = passes(
        np.array([registered.get(key, 0) for key in keys], np.int64),
        np.array([qualified.get(key, 0) for key in keys], np.int64), gate.conversion,
    )  # fmt: skip
    shut = pl.Series(np.r_[~enough, False])[lines["trade_row"].to_numpy()]
    shut = shut & (lines["reason"] == int(Reason.PAID))
    return lines.with_columns(
        amount_e8=pl.when(shut).then(0).otherwise("amount_e8"),
        orig_e8=pl.when(shut).then(0).otherwise("orig_e8"),
        reason=pl.when(shut).then(pl.lit(int(Reason.GATE), pl.Int16)).otherwise("reason"),
    )


def _keys(given: Given, chain: npt.NDArray[np.int32], moment_ms: Longs) -> list[tuple[int, int]]:
    directs = np.array([*(one[0] if one else -1 for one in given.placed.chains), -1], np.int64)
    month = numbers(moment_ms, "month", given.clock)
    return list(zip(directs[chain].tolist(), month.tolist(), strict=True))


def _counts(
    given: Given, chain: npt.NDArray[np.int32], moment_ms: Longs
) -> dict[tuple[int, int], int]:
    counts: dict[tuple[int, int], int] = {}
    for key in _keys(given, chain, moment_ms):
        counts[key] = counts.get(key, 0) + 1
    return counts


def _undone(
    part: Part, rows: pl.DataFrame, lines: pl.DataFrame, lives: Sequence[Life]
) -> pl.DataFrame:
    """Return the lines that take back those of the rows which were undone."""
    undoing = rows.with_row_index("by").filter(pl.col("undoes") >= 0)
    back = undoing.select(pl.col("by").cast(pl.Int64), trade_row="undoes")
    found = lines.filter(pl.col("amount_e8") != 0).join(back, on="trade_row", maintain_order="left")
    taken = negated(found, Reason.CLAWBACK).with_columns(trade_row="by").select(LINES.keys())
    if asked_of(part.programme, part.component).keeps is None:
        return taken
    moments = {(life.client, one.counts_ms) for life in lives for one in life.withdrawals}
    by = rows.select("client", "booked_ms")[taken["trade_row"].to_numpy()].iter_rows()
    withdrawn = pl.Series([one in moments for one in by], dtype=pl.Boolean)
    reason = pl.lit(int(Reason.WITHDRAWN), pl.Int16)
    return taken.with_columns(reason=pl.when(withdrawn).then(reason).otherwise("reason"))


def _as_paid(
    given: Given, part: Part, rows: pl.DataFrame, back: pl.DataFrame, lives: Sequence[Life]
) -> pl.DataFrame:
    """Take back from where it is what was paid: held while that is held, nothing if forfeited."""
    if part.programme.kyc != "hold" or given.events is None or not len(back):
        return back
    paid = rows["undoes"].to_numpy()[back["trade_row"].to_numpy()]
    state = kyc_states(
        lives, rows["client"].to_numpy()[paid], rows["booked_ms"].to_numpy()[paid],
        clock=given.clock, as_of_ms=given.as_of_ms, forfeit_days=part.programme.kyc_forfeit_days,
    )  # fmt: skip
    held = pl.when(pl.Series(state == HELD)).then(pl.lit("kyc")).otherwise("held_by")
    return back.with_columns(held_by=held).filter(pl.Series(state != FORFEITED))


def _posted(given: Given, rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Leave out what is taken back, or is left, of what was paid before go-live: that never was
    in the books."""
    place = lines["trade_row"].to_numpy()
    some = rows.select("moment_ms", "booked_ms")[np.maximum(place, 0)]
    history = (some["moment_ms"] < given.live_ms) & (some["booked_ms"] >= given.live_ms)
    return lines.filter(~history | pl.Series(place < 0, dtype=pl.Boolean))


def _told(rows: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Put in what the rows say: when it counts, by which event, and what holds it."""
    place = frame["trade_row"].to_numpy()
    own = pl.Series(place >= 0, dtype=pl.Boolean)
    some = rows[np.maximum(place, 0)]
    cause = some["event"].replace(TRADE, "")
    told = frame.with_columns(
        moment_ms=pl.when(own).then(some["booked_ms"]).otherwise("moment_ms"),
        event=pl.when(own).then(cause).otherwise("event"),
        trade_row=pl.lit(-1, pl.Int64),
    )
    if "held_by" not in frame.columns:
        return told
    disputed = own & (some["held_by"] != "")
    return told.with_columns(held_by=pl.when(disputed).then(some["held_by"]).otherwise("held_by"))
