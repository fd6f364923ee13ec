"""Deals as the Web API writes them: ready JSON, every value a string.

A template per symbol holds what never changes; a deal costs one formatting. Amounts come in whole
cents, prices in points, rates in 1e-8, volumes in hundredths of a lot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipshare.sandbox.mt5.world.price_list import Quoted

# Action, Entry and Reason as the platform numbers them.
BUY, SELL, BALANCE, CREDIT, CHARGE, CORRECTION, BONUS = range(7)
BUY_CANCELED, SELL_CANCELED, AGENT, SO_COMPENSATION = 13, 14, 18, 19
IN, OUT, INOUT, OUT_BY = range(4)
CLIENT, EXPERT, DEALER, SL, TP, SO, ROLLOVER = range(7)
MOBILE, WEB = 16, 17

_TRADE = (
    b'{"Deal":"%%d","ExternalID":"%%b","Login":"%%d","Dealer":"%%d","Order":"%%d","Action":"%%d",'
    b'"Entry":"%%d","Reason":"%%d","Digits":"%(digits)d","DigitsCurrency":"2",'
    b'"ContractSize":"%(contract)d.00000000","Time":"%%d","TimeMsc":"%%d","Symbol":"%(symbol)b",'
    b'"Price":"%%b","Volume":"%%d","VolumeExt":"%%d","Profit":"%%b","Storage":"%%b",'
    b'"Commission":"%%b","Fee":"%%b","CommissionAgent":"0.00","RateProfit":"%%b",'
    b'"RateMargin":"%%b","ExpertID":"%%d","PositionID":"%%d","Comment":"%%b","ProfitRaw":"%%b",'
    b'"PricePosition":"%%b","PriceSL":"%%b","PriceTP":"%%b","VolumeClosed":"%%d",'
    b'"VolumeClosedExt":"%%d","TickValue":"0.00000000","TickSize":"0.00000000","Flags":"0",'
    b'"Gateway":"%(gateway)b","PriceGateway":"%%b","ModificationFlags":"0","Value":"%%b",'
    b'"ApiData":[],"MarketBid":"%%b","MarketAsk":"%%b","MarketLast":"%(zero)b"}'
)
_CASH = (
    b'{"Deal":"%d","ExternalID":"","Login":"%d","Dealer":"%d","Order":"0","Action":"%d",'
    b'"Entry":"0","Reason":"%d","Digits":"0","DigitsCurrency":"2","ContractSize":"0.00000000",'
    b'"Time":"%d","TimeMsc":"%d","Symbol":"","Price":"0","Volume":"0","VolumeExt":"0",'
    b'"Profit":"%b","Storage":"0.00","Commission":"0.00","Fee":"0.00","CommissionAgent":"0.00",'
    b'"RateProfit":"0.00000000","RateMargin":"0.00000000","ExpertID":"0","PositionID":"0",'
    b'"Comment":"%b","ProfitRaw":"0.00","PricePosition":"0","PriceSL":"0","PriceTP":"0",'
    b'"VolumeClosed":"0","VolumeClosedExt":"0","TickValue":"0.00000000","TickSize":"0.00000000",'
    b'"Flags":"0","Gateway":"","PriceGateway":"0","ModificationFlags":"0","Value":"0.00",'
    b'"ApiData":[],"MarketBid":"0","MarketAsk":"0","MarketLast":"0"}'
)


def money(cents: int) -> bytes:
    """Write cents as an amount with two decimals."""
    if not cents:
        return b"0.00"
    if cents < 0:
        return b"-%d.%02d" % divmod(-cents, 100)
    return b"%d.%02d" % divmod(cents, 100)


def eight(value: int) -> bytes:
    """Write a number given in 1e-8 (not negative) with eight decimals."""
    if value == 100_000_000:
        return b"1.00000000"
    return b"%d.%08d" % divmod(value, 100_000_000)


def text(value: str) -> bytes:
    """Write text as it stands between the quotes of a JSON string."""
    return json.dumps(value, ensure_ascii=False)[1:-1].encode()


def compact(record: Mapping[str, object]) -> bytes:
    """Write a record as the server does: no spaces."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


class Form:
    """The form of a symbol's deals: its template, and how its prices are written."""

    def __init__(self, quoted: Quoted) -> None:
        self.zero = self._price_format(quoted.digits) % (0, 0)
        self._format = self._price_format(quoted.digits)
        self._unit = quoted.unit
        self.template = _TRADE % {
            b"digits": quoted.digits,
            b"contract": quoted.contract,
            b"symbol": quoted.name.encode(),
            b"gateway": quoted.gateway.encode(),
            b"zero": self.zero,
        }

    def price(self, points: int) -> bytes:
        """Write a price given in points."""
        return self._format % divmod(points, self._unit)

    @staticmethod
    def _price_format(digits: int) -> bytes:
        return b"%%d.%%0%dd" % digits


def cash_deal(
    deal: int, login: int, action: int, cents: int, comment: str, wall_ms: int,
    *, dealer: int = 0, reason: int = CLIENT,
) -> bytes:  # fmt: skip
    """Write a deal that moves money without a trade."""
    return _CASH % (
        deal, login, dealer, action, reason, wall_ms // 1000, wall_ms, money(cents), text(comment),
    )  # fmt: skip
