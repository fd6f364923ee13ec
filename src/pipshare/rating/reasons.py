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
    EXCLUDED_REASON = 8
    CLOSE_BY = 9
    PARTIAL = 10
    TOO_FEW_POINTS = 11
    SAME_PRICE = 12
    ZERO_RESULT = 13
    NEGATIVE_BALANCE = 14
    ACCOUNT_TYPE = 15
    COUNTRY = 16
    CAMPAIGN = 17
    HOURS = 18
    NOT_QUALIFIED = 19
    NO_RESULT = 20
    CAPPED = 21
    NOTHING_LEFT = 22
    NETTED = 23
    ADVANCED = 24
    BONUS_FUNDED = 25
    BELOW_FIRST_BAND = 26
    CLAWBACK = 27
    GATE = 28
    FORFEITED = 29
    OVER_REVENUE = 30
    CARRIED = 31
    RESET = 32
    CLIENT_DAYS = 33
    JURISDICTION = 34
    WITHDRAWN = 35

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
    NO_QUOTE = 109
    NO_PIP_SIZE = 110
    NO_MARKUP = 111
    NO_CONTRACT = 112
    SNAPSHOT_MISSING = 113
    SNAPSHOT_TOO_OLD = 114
    SHARES_OVER_ONE = 115
    MIXED_CURRENCIES = 116
    NO_PRICE = 117
    NO_MONEY = 118
    NO_PROFIT_CURRENCY = 119
    NO_TYPICAL_SPREAD = 120
    BLOCKED = 121
    NO_REGISTRATION = 122

    @property
    def word(self) -> str:
        """The name as stored and printed: `no_terms`."""
        return self.name.lower()

    @property
    def sentence(self) -> str:
        """What is missing and what to do."""
        return _WAITS[self]


FIRST_WAIT = 100
TAKEN_BACK = (Reason.CLAWBACK, Reason.WITHDRAWN)  # not of amount zero: less what was paid
_REASONS = {
    Reason.PAID: "paid",
    Reason.TOO_SHORT: "the trade was not held long enough",
    Reason.TERMINATED: "the partner was terminated before the close: nothing new",
    Reason.BEFORE_PARTNER_GO_LIVE: "the trade closed before the partner's go-live",
    Reason.CANCELLED: "the trade was cancelled",
    Reason.EARNS_NOTHING: "the terms say that this partner earns nothing",
    Reason.OWN_TRADING: "the programme pays nothing on the partner's own trading",
    Reason.NOTHING_BELOW: "a share of what the level below earned, and that was nothing",
    Reason.EXCLUDED_REASON: "the deal's reason is one that the plan does not pay for",
    Reason.CLOSE_BY: "closed by another position, and the plan pays the other side, or none",
    Reason.PARTIAL: "a partial close, and the plan does not pay for those",
    Reason.TOO_FEW_POINTS: "the price moved by fewer points than the plan asks for",
    Reason.SAME_PRICE: "opened and closed at one price, and the plan does not pay for that",
    Reason.ZERO_RESULT: "the result is zero, and the plan does not pay for that",
    Reason.NEGATIVE_BALANCE: "the order drove the account below zero",
    Reason.ACCOUNT_TYPE: "the plan does not pay for accounts of this type",
    Reason.COUNTRY: "the plan does not pay for clients of this country",
    Reason.CAMPAIGN: "closed outside the campaign's dates",
    Reason.HOURS: "closed outside the hours or days that the plan pays for",
    Reason.NOT_QUALIFIED: "the client was not qualified at the close",
    Reason.NO_RESULT: "there is nothing to take a share of: the basis is zero or below",
    Reason.CAPPED: "a cap is used up",
    Reason.NOTHING_LEFT: "the levels below have taken all that this level's rate gives",
    Reason.NETTED: "hedged volume: the other side counts already",
    Reason.ADVANCED: "the advance that was paid has to be earned back first",
    Reason.BONUS_FUNDED: "the account was funded by bonus alone",
    Reason.BELOW_FIRST_BAND: "the first band of the tier is not reached",
    Reason.CLAWBACK: "taken back: what it was paid for was reversed",
    Reason.GATE: "the programme's gate was not reached in this month",
    Reason.FORFEITED: "held for too long, and forfeited as the plan says",
    Reason.OVER_REVENUE: "the margin guard left nothing of it",
    Reason.CARRIED: "a negative sum, carried over to later windows or earned back by this one",
    Reason.RESET: "a negative sum, which the plan forgets",
    Reason.WITHDRAWN: "taken back: what the plan asks to stay deposited was withdrawn too soon",
    Reason.JURISDICTION: "the client's country is blocked: nobody earns by him",
    Reason.CLIENT_DAYS: "closed outside the days of the client's life that the plan pays for",
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
    Wait.NO_QUOTE: "no good quote of the trade, nor a typical spread: import quotes or load one",
    Wait.NO_PIP_SIZE: "nobody has said how many points are a pip: load the symbol with pip_points",
    Wait.NO_MARKUP: "no markup is known: load the symbol's markup for the account group",
    Wait.NO_CONTRACT: "the contract size or the digits are not known: load the symbol with them",
    Wait.SNAPSHOT_MISSING: "no snapshot of the account before the close: load one",
    Wait.SNAPSHOT_TOO_OLD: "the last snapshot of the account is too old: load a newer one",
    Wait.SHARES_OVER_ONE: "the shares of the levels present sum to more than one: correct the plan",
    Wait.MIXED_CURRENCIES: "rates of one difference have several currencies: correct the plan",
    Wait.NO_PRICE: "the opening or closing price is not known: import the deals with prices",
    Wait.NO_MONEY: "the trade's own money (commission, swap, profit) is not known: import it",
    Wait.NO_PROFIT_CURRENCY: "the symbol's profit currency is not known: load the symbol with it",
    Wait.NO_TYPICAL_SPREAD: "no typical spread to compare with: load the symbol's typical spread",
    Wait.NO_REGISTRATION: "nobody has said when the client registered: load that event",
    Wait.BLOCKED: "the chain would be paid more than the broker earns: the margin guard stopped it",
}
