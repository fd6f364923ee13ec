"""Exchange rates of a line: the stored one at the close, else the one the trade came with."""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.rating.twin_values import Fx, OwnRate, TradeFacts, number_text


def rate_at_close(
    fx: Fx, trade: TradeFacts, base: str, quote: str, side: str
) -> tuple[Fraction, int, str] | None:
    """Return (rate, id, source) at the trade's close: the stored one, else the trade's own."""
    moment = trade.close_utc_ms
    found = fx(base, quote, moment) if side == "mid" else fx(base, quote, moment, side)
    if found is None and trade.own is not None:
        found = own_rate(trade.own, base, quote)
    return found


def own_rate(own: OwnRate, base: str, quote: str) -> tuple[Fraction, int, str] | None:
    """Return (rate, id, source) of a pair by the trade's own rate, None where it is of another.

    The pair may be the other way round (the id is then negative), and in cents on either side.
    """
    mine, wanted = (_main(own.base), _main(own.quote)), (_main(base), _main(quote))
    in_main = own.rate * _hundred(own.base) / _hundred(own.quote)
    if mine == wanted:
        rate, fx_id = in_main, own.id
    elif mine == wanted[::-1]:
        rate, fx_id = 1 / in_main, -own.id
    else:
        return None
    text = f"(the deal's own rate {own.base}/{own.quote} {number_text(own.rate)}, {own.source})"
    return rate * _hundred(quote) / _hundred(base), fx_id, text


def _main(currency: str) -> str:
    return CENT_CURRENCIES.get(currency, currency)


def _hundred(currency: str) -> int:
    return 100 if currency in CENT_CURRENCIES else 1
