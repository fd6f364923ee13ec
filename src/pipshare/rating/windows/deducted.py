"""What events of clients add to a period's sum or take from it: deposits, bonuses, chargebacks.

Each counts for the chain above the client at its moment, in the window of that moment, in the
component's currency. Where it cannot be converted the sums of that chain and window wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts.events import newest
from pipshare.facts.standing import standing_at
from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component, Less
from pipshare.rating.exchange import Exchange
from pipshare.rating.parts import Part
from pipshare.rating.qualify import lives
from pipshare.rating.qualify.movements import DISPUTES, Movement
from pipshare.rating.reasons import Wait
from pipshare.rating.windows.calendar import spans
from pipshare.rating.windows.deposited import moves
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import WAITS, no_waits
from pipshare.rating.windows.touches import deciding

# What events of a kind add to what is taken (an event in full, with its sign).
_ADDS: Mapping[Less, Mapping[str, int]] = {
    "bonuses": {"bonus": 1, "bonus_removed": -1},
    "compensation": {"compensation": 1},
    "fees": {"payment_fee": 1},
}
_TAKEN: dict[str, pl.DataType | type[pl.DataType]] = {
    "client": pl.Int64, "moment_ms": pl.Int64, "amount_e8": pl.Int64, "currency": pl.String,
    "event": pl.String, "of_ms": pl.Int64,
}  # fmt: skip


@dataclass
class Deducted:
    """`amounts`: by start and end of the window (UTC ms), chain and client. `waiting`: windows and
    chains of which something cannot be converted; `waits` (lines.WAITS) say what."""

    amounts: dict[tuple[int, int, int, int], Fraction] = field(default_factory=dict)
    last_ms: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    waiting: set[tuple[int, int, int]] = field(default_factory=set)
    waits: pl.DataFrame = field(default_factory=no_waits)


def deducted(given: Given, part: Part) -> Deducted:
    """Return what one version of a component takes from its sums (below zero: adds to them)."""
    component, found = part.component, Deducted()
    if not component.sums_events or given.events is None or given.chains_at is None:
        return found
    assert component.per != "trade"
    told = _told(given.events, component).filter(pl.col("of_ms") >= given.live_ms)
    client, moment = told["client"].to_numpy(), told["moment_ms"].to_numpy()
    chain = given.chains_at(client, told["of_ms"].to_numpy())
    rows = np.flatnonzero(_counts(given, part, client, told["of_ms"].to_numpy(), chain))
    told, client, moment, chain = told[rows], client[rows], moment[rows], chain[rows]
    if not len(rows):
        return found
    start, end = spans(moment, component.per, given.clock)
    top, bottom, known = _rates(given, part, told)
    of_client = client if component.advance else np.full(len(rows), -1, np.int64)
    for row, amount in enumerate(told["amount_e8"].to_list()):
        window = int(start[row]), int(end[row]), int(chain[row])
        if not known[row]:
            found.waiting.add(window)
            continue
        key = *window, int(of_client[row])
        value = Fraction(amount * int(top[row]), 10**8 * int(bottom[row]))
        found.amounts[key] = found.amounts.get(key, Fraction(0)) + value
        found.last_ms[key] = max(found.last_ms.get(key, -1), int(moment[row]))
    lost = np.flatnonzero(~known)
    beside = _beside(given, chain[lost], start[lost], end[lost])
    found.waits = _waits(part, told[lost], beside)
    return found


def _told(events: pl.DataFrame, component: Component) -> pl.DataFrame:
    if component.basis != "deposits":
        return taken(events, component.less)
    rows = [(*one[:2], -one[2], *one[3:]) for one in moves(lives(events), component.deposits)]
    return pl.DataFrame(rows, schema=pl.Schema(_TAKEN), orient="row")


def taken(events: pl.DataFrame, less: Sequence[Less]) -> pl.DataFrame:
    """Return what clients' events take: client, moment_ms, amount_e8, currency, event; of_ms is the
    moment at which the chain is looked for, here that of the event."""
    adds = {kind: sign for name in less for kind, sign in _ADDS.get(name, {}).items()}
    known = newest(events.sort("source", "event", "version", "at_ms"))
    plain = known.filter(pl.col("kind").is_in(list(adds)) & (pl.col("client_id") >= 0))
    sign = pl.col("kind").replace_strict(adds, default=0, return_dtype=pl.Int64)
    found = plain.select(
        "currency", "event", client="client_id", moment_ms="at_ms", of_ms="at_ms",
        amount_e8=pl.col("amount_e8") * sign,
    ).select(_TAKEN.keys()).cast(pl.Schema(_TAKEN))  # fmt: skip
    if "chargebacks" not in less:
        return found
    rows = [
        (life.client, *one, one[0]) for life in lives(events) for deposit in life.deposits
        for one in _lost(deposit)
    ]  # fmt: skip
    return pl.concat([found, pl.DataFrame(rows, schema=pl.Schema(_TAKEN), orient="row")])


def _lost(deposit: Movement) -> Iterator[tuple[int, int, str, str]]:
    """Yield (moment, amount_e8, currency, event) by which what is lost of a deposit changes."""
    before = Fraction(0)
    for taking in deposit.takings:
        lost = deposit.lost(taking.at_ms) if taking.kind in DISPUTES else before
        if lost != before:
            amount_e8 = int((lost - before) * 10**8)
            yield max(taking.at_ms, deposit.at_ms), amount_e8, deposit.currency, taking.event
        before = lost


def _counts(
    given: Given, part: Part, client: Longs, moment: Longs, chain: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Tell which are of chains that this version pays, and of clients whose trades it pays for."""
    component, asked = part.component, part.component.conditions
    kept = deciding(given.book, given.placed.chains, chain, moment) == part.version
    kept &= chain >= 0
    if component.basis == "deposits":
        kept &= moment >= asked.from_ms
        kept &= (moment < asked.until_ms) | (asked.until_ms == 0)
    if part.programme.own_trading == "none":
        directs = np.array([*(one[0] if one else -1 for one in given.placed.chains), -1], np.int64)
        place, told = given.payees.find(directs[chain])
        kept &= ~told | (given.payees.own_client[place] != client)
    named = asked.countries or asked.not_countries
    if (not named and given.blocks is None) or given.events is None:
        return np.asarray(kept)
    said = standing_at(given.events, client, moment, given.countries)
    if given.blocks is not None:
        kept &= ~given.blocks.barred(said.country, said.document, moment)
    if named:
        names = [name.casefold() for name in said.country.fill_null("").to_list()]
        only = {name.casefold() for name in asked.countries}
        barred = {name.casefold() for name in asked.not_countries}
        kept &= np.array([(not only or name in only) and name not in barred for name in names],
                         np.bool_)  # fmt: skip
    return np.asarray(kept)


def _rates(
    given: Given, part: Part, told: pl.DataFrame
) -> tuple[Longs, Longs, npt.NDArray[np.bool_]]:
    """Return (top, bottom, found) of the rates into the component's currency."""
    target = part.component.currency
    names = tuple(sorted({*told["currency"].to_list(), target}))
    place = {name: code for code, name in enumerate(names)}
    base = np.array([place[name] for name in told["currency"].to_list()], np.int32)
    quote = np.full(len(base), place[target], np.int32)
    top, bottom, _, found = Exchange(given.fx, None, names).find(
        base, quote, told["of_ms"].to_numpy(), np.zeros(len(base), np.int64),
        part.component.value_fx,
    )  # fmt: skip
    return top, bottom, found


def _beside(given: Given, chain: npt.NDArray[np.int32], start: Longs, end: Longs) -> list[int]:
    """Return for each a trade of the same chain and window, -1 = there is none: what waits for a
    trade is taken up with it."""
    trades, chains = given.placed.trades, given.placed.chains
    found = []
    for one, first, last in zip(chain.tolist(), start.tolist(), end.tolist(), strict=True):
        same = [place for place, other in enumerate(chains) if other == chains[one]]
        inside = (trades.close_utc_ms >= first) & (trades.close_utc_ms < last)
        rows = np.flatnonzero(inside & np.isin(trades.chain, same))
        found.append(int(rows[-1]) if len(rows) else -1)
    return found


def _waits(part: Part, lost: pl.DataFrame, beside: Sequence[int]) -> pl.DataFrame:
    return lost.select(
        "moment_ms", "event", "client", component_id=pl.lit(part.component_id),
        trade_row=pl.Series(beside, dtype=pl.Int64), level=pl.lit(0), partner_id=pl.lit(0),
        reason=pl.lit(Wait.NO_FX.word), key=pl.col("currency") + f"/{part.component.currency}",
    ).select(WAITS.keys()).cast(pl.Schema(WAITS))  # fmt: skip
