"""Components that pay for a period's sum: one pseudo trade per chain, window and currency."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare.money.amounts import MAX_E8, half_even
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.plans.terms import Component, Programme
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Wait
from pipshare.rating.windows.client_trades import standard_lots
from pipshare.rating.windows.deducted import deducted
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import WAITS, by_prefix, no_waits
from pipshare.rating.windows.narrow import all_parts
from pipshare.rating.windows.pseudo import PseudoRows
from pipshare.rating.windows.rating_pass import (
    Found,
    bare,
    changes_the_past,
    needed_ids,
    pseudo_pass,
    stacked,
)
from pipshare.rating.windows.reach import reach
from pipshare.rating.windows.sums import Key, Sum, sums
from pipshare.rating.windows.touches import deciding
from pipshare.rating.windows.values import Counted, counted
from pipshare.rating.windows.values import waits as is_wait

# Start and end of the window (UTC ms), chain, client, currency ("" = the rate has it).
Named = tuple[int, int, tuple[int, ...], int, str]


def is_period(component: Component) -> bool:
    """Tell whether a component pays for the sum of its basis over a period."""
    return component.per != "trade" and component.basis != "earned"


def period_pass(given: Given, wanted: Collection[int]) -> Found:
    """Return LINES and WAITS of the wanted components that pay for a period's sum."""
    found = []
    for one in period_sums(given.book, wanted):
        waits = one.add(given)
        lines, more = one.rated(given)
        found.append((lines, pl.concat([waits, more])))
    return stacked(found)


def period_sums(book: Book, wanted: Collection[int]) -> list[PeriodSums]:
    """Return what sums each wanted component that pays for a period's sum."""
    parts = [part for part in all_parts(book)
             if part.component_id in wanted and is_period(part.component)]  # fmt: skip
    ids = sorted({part.component_id for part in parts})
    return [PeriodSums([part for part in parts if part.component_id == number]) for number in ids]


class PeriodSums:
    """The sums of one component; each of its versions sums the trades that it decided.

    Trades are added some at a time, in any order; then the sums are rated, once.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._table: dict[Named, Sum] = {}

    def add(self, given: Given) -> pl.DataFrame:
        """Sum the given trades; returns WAITS of those that cannot be summed yet."""
        trades, chains, waits = given.placed.trades, given.placed.chains, [no_waits()]
        version = deciding(given.book, chains, trades.chain, trades.close_utc_ms)
        for part in self.parts:
            rows = np.flatnonzero(version == part.version)
            if not len(rows) or part.component.basis == "deposits":
                continue
            found = counted(given, part, rows)
            names = (*found.names, "")
            for key, one in _sums(given, part, found, rows).items():
                start, end, chain, client, code = key
                self._add((start, end, chains[chain], client, names[code]), one)
            waits.append(_waiting(given, part.component_id, found, rows))
        return pl.concat(waits)

    def _add(self, name: Named, one: Sum) -> None:
        self._table.setdefault(name, Sum(Fraction(0), 0, -1)).add(one)

    def rated(self, given: Given) -> Found:
        """Take from the sums what they are less, and rate them: return LINES and WAITS."""
        waits = [no_waits()]
        waiting: set[tuple[int, int, tuple[int, ...]]] = set()
        chains = given.placed.chains
        for part in self.parts:
            less = deducted(given, part)
            for (start, end, chain, client), amount in less.amounts.items():
                last = less.last_ms[start, end, chain, client]
                name = start, end, chains[chain], client, part.component.currency
                self._add(name, Sum(-amount, 0, last))
            waiting |= {(start, end, chains[chain]) for start, end, chain in less.waiting}
            waits.append(less.waits)
        # Sums of one moment stand in the order of the partners in their chains.
        table = {key: self._table[key] for key in sorted(self._table) if key[:3] not in waiting}
        small = {key: one for key, one in table.items() if abs(_e8(one.value)) <= MAX_E8}
        part = self.parts[-1]
        waits.append(_too_large(part.component_id, [key for key in table if key not in small]))
        lines, unrated = _rated(given, part, small)
        return lines, pl.concat([*waits, unrated])


def _sums(given: Given, part: Part, found: Counted, rows: Longs) -> dict[Key, Sum]:
    component, trades = part.component, found.known.trades
    assert component.per != "trade"
    counts = np.flatnonzero(found.outcome == 0)
    client = trades.client if component.advance else np.full(len(rows), -1, np.int64)
    return sums(found.values, counts, trades.chain.astype(np.int64), client, trades.close_utc_ms,
                standard_lots(given, rows), component.per, given.clock)  # fmt: skip


def _e8(value: Fraction) -> int:
    return half_even(value.numerator * 10**8, value.denominator)


def _too_large(number: int, keys: Sequence[Named]) -> pl.DataFrame:
    """Return the windows whose sum does not fit an amount."""
    return pl.DataFrame(
        [(number, end - 1, -1, "", 0, 0, client, Wait.TOO_LARGE.word, "")
         for _, end, _, client, _ in keys], schema=pl.Schema(WAITS), orient="row",
    )  # fmt: skip


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


def _rated(given: Given, part: Part, table: dict[Named, Sum]) -> Found:
    number, component = part.component_id, part.component
    currencies = tuple(sorted({name for *_, name in table if name}))
    place = {name: code for code, name in enumerate(currencies)} | {"": -1}

    def column(values: Iterable[int], kind: type = np.int64) -> np.ndarray:
        return np.array(list(values), kind)

    chains = list(dict.fromkeys(key[2] for key in table))
    number_of = {one: number for number, one in enumerate(chains)}
    chain = column((number_of[key[2]] for key in table), np.int32)
    end, last = column(key[1] - 1 for key in table), column(one.last_ms for one in table.values())
    exact = np.full(len(table), None, object)
    for row, one in enumerate(table.values()):
        if (one.value * 10**8).denominator != 1:
            exact[row] = one.value
    rows = PseudoRows(
        chain=chain, client=column(key[3] for key in table),
        moment_ms=_moments(given, part, chains, chain, end, last),
        value_e8=column(_e8(one.value) for one in table.values()),
        currency=column((place[key[4]] for key in table), np.int32), currencies=currencies,
        lots_e8=column(one.lots_e8 for one in table.values()), exact=exact,
    )  # fmt: skip

    needed = needed_ids(given.book, [number])  # shares of what is earned of the same sum

    def keep(programme: Programme, one: Component, id_: int) -> Component | None:
        return bare(one) if id_ in needed else None

    def nameless(found: Found) -> Found:
        unnamed = pl.lit(-1, pl.Int64).alias("trade_row")
        return found[0].with_columns(unnamed), found[1].with_columns(unnamed)

    some = (one.component for one in all_parts(given.book) if one.component_id in needed)
    changing = next((one for one in some if changes_the_past(one)), None)
    if changing is None:
        return nameless(pseudo_pass(given, rows, keep, number, chains))
    waits: list[pl.DataFrame] = []

    def rate(some: Longs) -> pl.DataFrame:
        lines, waiting = pseudo_pass(given, rows.taken(some), keep, number, chains)
        waits.append(waiting)
        at = pl.Series(some)
        return lines.with_columns(trade_row=at.gather(lines["trade_row"]))

    assert changing.tier is not None
    lines = by_prefix(rate, rows.moment_ms, changing.tier.window,  # type: ignore[arg-type]
                      reach(component).booked, given.clock)  # fmt: skip
    return nameless((lines, pl.concat([no_waits(), *waits]).unique(maintain_order=True)))


def _moments(
    given: Given, part: Part, chains: Sequence[tuple[int, ...]], chain: np.ndarray, end: Longs,
    last: Longs,
) -> Longs:  # fmt: skip
    """Return the window's last millisecond, or the last trade's close where the programme that
    decided it no longer does at the end of the window."""
    version = deciding(given.book, chains, chain, end)
    programme = np.array([*(one.programme_id for one in given.book.versions), -1], np.int64)
    still = programme[version] == given.book.versions[part.version].programme_id
    return np.where(still, end, last)
