"""Currency codes and their minor units: ISO 4217 plus what brokers really use.

Source: ISO 4217 for the exceptions to two decimals; cent and crypto account currencies as
MetaTrader brokers name them. A USC amount counts US cents: 100 USC = 1 USD.
"""

from __future__ import annotations

import re

DEFAULT_MINOR_UNITS = 2
_MINOR_UNITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
    **dict.fromkeys(("USDT", "USDC"), 6),
    **dict.fromkeys(("BTC", "ETH", "LTC", "XAU", "XAG"), 8),
}  # fmt: skip
CENT_CURRENCIES = {"USC": "USD", "EUC": "EUR", "GBC": "GBP"}
# Money of states that brokers quote against each other: six letters of two of these are forex.
_FIAT = (
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNH CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK"
    " JOD JPY KES KRW KWD KZT MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK"
    " SGD THB TRY TWD UAH USD VND ZAR"
)
FIAT = frozenset(_FIAT.split())
_CODE = re.compile(r"[A-Z][A-Z0-9]{2,7}")


def is_currency(code: str) -> bool:
    """Tell whether `code` has the form of a currency code (three to eight capitals, digits)."""
    return bool(_CODE.fullmatch(code))


def is_known(code: str) -> bool:
    """Tell whether `code` is one of the currencies that brokers commonly have."""
    return code in FIAT or code in _MINOR_UNITS or code in CENT_CURRENCIES


def minor_units(code: str) -> int:
    """Return the number of decimals in which `code` is paid: JPY 0, USD 2, KWD 3, USDT 6, BTC 8."""
    return _MINOR_UNITS.get(code, DEFAULT_MINOR_UNITS)
