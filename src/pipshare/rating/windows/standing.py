"""What the clients' lives say of their trades: qualified since when, held until KYC is approved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.facts.standing import standing_at
from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component
from pipshare.rating.finish import FORFEITED, FREE, HELD, kyc_states
from pipshare.rating.parts import Part
from pipshare.rating.qualify import Life, lives, qualified_spans
from pipshare.rating.windows.client_rows import asking
from pipshare.rating.windows.client_trades import trades_moments
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.touches import deciding


@dataclass(frozen=True)
class OfClients:
    """By trade: `qualified_ms` (0 = always, -1 = not), `registered_ms` (0 unknown), `kyc` (a state
    of finish.kyc: FREE, HELD or FORFEITED). `lacks`: the pair without a rate ("EUR/USD") where a
    client's money cannot be converted, so that he does not qualify yet; "" = nothing is missing."""

    qualified_ms: Longs
    registered_ms: Longs
    kyc: npt.NDArray[np.int8]
    lacks: npt.NDArray[np.object_]


def of_clients(given: Given) -> OfClients:
    """Return what is known of the clients of the given trades; `events` must be complete for them.

    Trades have to be complete for a client where a programme asks for his trades.
    """
    trades = given.placed.trades
    count = len(trades)
    found = OfClients(np.zeros(count, np.int64), np.zeros(count, np.int64),
                      np.full(count, FREE, np.int8), np.full(count, "", object))  # fmt: skip
    if given.events is None or not count:
        return found
    known = lives(given.events)
    said = standing_at(given.events, trades.client, trades.close_utc_ms)
    found.registered_ms[:] = said.registered_ms
    version = deciding(given.book, given.placed.chains, trades.chain, trades.close_utc_ms)
    for place in np.unique(version[version >= 0]).tolist():
        _of_version(given, known, found, place, np.flatnonzero(version == place))
    return found


def _of_version(given: Given, known: list[Life], found: OfClients, place: int, rows: Longs) -> None:
    held = given.book.versions[place]
    programme, trades = held.programme, given.placed.trades
    client, close = trades.client[rows], trades.close_utc_ms[rows]
    if programme.kyc == "hold":
        found.kyc[rows] = kyc_states(
            known, client, close, clock=given.clock, as_of_ms=given.as_of_ms,
            forfeit_days=programme.kyc_forfeit_days,
        )  # fmt: skip
    if programme.qualify is None:
        return
    # Whoever qualifies for a programme does so by all of his trades, whatever a component asks.
    plain = Component("", "lot", "per_level", None, ())
    part = Part(place, 0, programme, plain, held.component_ids[0])
    asked = asking(given, programme.qualify, programme.qualify.currency or programme.currency)
    moments = trades_moments(given, part, programme.qualify, asked.currency)
    spans, waiting = qualified_spans(known, moments, asked)
    for who, pair in waiting.iter_rows():
        found.lacks[rows[client == who]] = pair
    found.qualified_ms[rows] = (
        spans.in_the_end(client)
        if programme.qualified_pays == "since_registration"
        else spans.qualified_ms(client, close)
    )


__all__ = ["FORFEITED", "FREE", "HELD", "OfClients", "of_clients"]
