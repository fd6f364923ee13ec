"""Why a line pays nothing, and what a line waits for: the words of rating, with their numbers.

Numbers are stored with every line, so they never change their meaning. Below 100 a line is
settled; from 100 on it waits and is taken up when what is missing arrives.
"""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a line has its amount. All but PAID are lines of amount zero."""

    PAID = 0
    TOO_SHORT = 1
    TERMINATED = 2
    BEFORE_PARTNER_GO_LIVE = 3
    CANCELLED = 4
    EARNS_NOTHING = 5
    OWN_TRADING = 6
    NOTHING_BELOW = 7

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        return _REASONS[self]


class Wait(IntEnum):
    """What a line waits for. `word` is the stable name in tables and JSON."""

    NO_TERMS = 101
    NOT_IN_FORCE = 102
    UNPRICED = 103
    NO_FX = 104
    OPENING_UNKNOWN = 105
    CHILD_WAITS = 106
    NO_LOT_FACTOR = 107
    TOO_LARGE = 108

    @property
    def word(self) -> str:
        """The name as stored and printed: `no_terms`."""
        return self.name.lower()

    @property
    def sentence(self) -> str:
        """What is missing and what to do."""
        return _WAITS[self]


FIRST_WAIT = 100
_REASONS = {
    Reason.PAID: "paid",
    Reason.TOO_SHORT: "the trade was not held long enough",
    Reason.TERMINATED: "the partner was terminated before the close: nothing new",
    Reason.BEFORE_PARTNER_GO_LIVE: "the trade closed before the partner's go-live",
    Reason.CANCELLED: "the trade was cancelled",
    Reason.EARNS_NOTHING: "the terms say that this partner earns nothing",
    Reason.OWN_TRADING: "the programme pays nothing on the partner's own trading",
    Reason.NOTHING_BELOW: "a share of what the level below earned, and that was nothing",
}
_WAITS = {
    Wait.NO_TERMS: "the partner has no terms at the close: load terms, or `none` on purpose",
    Wait.NOT_IN_FORCE: "the programme has no version in force at the close: apply an earlier one",
    Wait.UNPRICED: "no rate fits the symbol: add a rate to the plan, or load the symbol",
    Wait.NO_FX: "no rate, nor the deal's own, from the line's currency to the wallet's: load fx",
    Wait.OPENING_UNKNOWN: "the trade's opening is unknown: import the deals that opened it",
    Wait.CHILD_WAITS: "a share of what the level below earns, and that waits",
    Wait.NO_LOT_FACTOR: "a cent account in no known group: load its group with a lot factor",
    Wait.TOO_LARGE: "the amount is larger than an amount can be (9.2e10): check lots and rate",
}
