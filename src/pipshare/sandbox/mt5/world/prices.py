"""Prices that walk about, and the rates between currencies that follow from them."""

from __future__ import annotations

from pipshare.sandbox.mt5.world.price_list import INSTRUMENTS

ONE = 10**8
_PLACE = {spec.name: number for number, spec in enumerate(INSTRUMENTS)}
_EUR, _GBP, _AUD = _PLACE["EURUSD"], _PLACE["GBPUSD"], _PLACE["AUDUSD"]
_JPY, _CHF = _PLACE["USDJPY"], _PLACE["USDCHF"]


class Prices:
    """The bid of every instrument, in points."""

    def __init__(self, bids: list[int] | None = None) -> None:
        self.bids = bids or [spec.price for spec in INSTRUMENTS]

    def move(self, market: int, roll: int) -> int:
        """Move an instrument by up to its step, drawn back to its usual price; return the bid."""
        spec = INSTRUMENTS[market]
        bid = self.bids[market]
        bid += (roll * (2 * spec.step + 1) >> 32) - spec.step + (spec.price - bid) // 400
        self.bids[market] = bid
        return bid

    def rate(self, currency: str, deposit: str) -> int:
        """Return what one unit of a currency is worth in the deposit currency, in 1e-8."""
        if currency == deposit:
            return ONE
        return self._dollars(currency) * ONE // self._dollars(deposit)

    def _dollars(self, currency: str) -> int:
        """Return the dollars in one unit of a currency, in 1e-8."""
        if currency == "USD":
            return ONE
        if currency == "USC":
            return ONE // 100
        if currency == "JPY":
            return ONE * 1_000 // self.bids[_JPY]
        if currency == "CHF":
            return ONE * 100_000 // self.bids[_CHF]
        place = {"EUR": _EUR, "GBP": _GBP, "AUD": _AUD}[currency]
        return self.bids[place] * 1_000
