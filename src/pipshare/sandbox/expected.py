"""What every partner must have earned: worked out by hand, so to speak, from the price list.

Plain loops and fractions over generated trades; no code of the engine. It is the oracle to which
a test holds the demonstration.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction

from pipshare.money import half_even
from pipshare.sandbox.broker import Broker, ClosedTrade
from pipshare.sandbox.cast import MIN_HOLD_SECONDS, PARTNERS, RATES, Group, Partner, Rule

_BY_CODE = {partner.code: partner for partner in PARTNERS}


def expected_totals(broker: Broker) -> dict[str, int]:
    """Return each partner's total in 1e-8 of his wallet currency, over all trades since go-live.

    Go-live and days are the server's own here: the demonstration runs entity and servers on one
    clock, seven hours ahead of New York.
    """
    introduced = {client.code: client.partner for client in broker.clients}
    totals: dict[str, int] = defaultdict(int)
    for trade in broker.trades:
        direct = introduced[trade.account.client]
        live = trade.closed.date() >= broker.go_live
        counted = trade.account.known and trade.account.group.treatment == "normal"
        if live and counted and direct is not None:
            for partner, amount in _shares(trade, direct):
                totals[partner.code] += _quantised(amount / _price(broker, partner, trade))
    return dict(totals)


def _shares(trade: ClosedTrade, direct: str) -> list[tuple[Partner, Fraction]]:
    """Return (partner, US dollars) for each line of a trade that pays something now."""
    chain = _chain(direct)
    programme = chain[0].programme
    if chain[0].card is None:
        return []  # the direct IB has no terms: all of it waits
    held = (trade.closed - trade.opened).total_seconds()
    if held < MIN_HOLD_SECONDS[programme]:
        return []
    lots = Fraction(trade.lots, 100) * trade.account.group.lot_factor
    shares = []
    for rules in RATES[programme].values():
        for level, partner in enumerate(chain, start=1):
            rate = _rate(rules, partner, level, trade, trade.account.group)
            if rate is not None:
                shares.append((partner, lots * rate))
    return shares


def _chain(code: str) -> list[Partner]:
    chain = [_BY_CODE[code]]
    while chain[-1].parent:
        chain.append(_BY_CODE[chain[-1].parent])
    return chain


def _rate(
    rules: tuple[Rule, ...], partner: Partner, level: int, trade: ClosedTrade, group: Group
) -> Fraction | None:
    """Return the dollars per lot; None = no rule for this level, or none that fits (it waits)."""
    scopes = (("type", group.type), ("group", trade.instrument.group), None)
    for card in (partner.card, "*"):
        for scope in scopes:
            for rule_card, rule_level, rule_scope, amount in rules:
                if (rule_card, rule_level, rule_scope) == (card, level, scope):
                    return amount
    return None


def _price(broker: Broker, partner: Partner, trade: ClosedTrade) -> Fraction:
    """Return the dollars in one unit of the wallet currency, by the last rate before the close."""
    if partner.currency == "USD":
        return Fraction(1)
    # Rates hold from 00:00 UTC; the server is two hours ahead in winter and three in summer.
    utc = trade.closed - timedelta(hours=3 if trade.closed < datetime(2026, 11, 1, 9) else 2)
    rates = broker.rates[utc.date()]
    return Fraction(rates["EURUSD"]) if partner.currency == "EUR" else 1 / Fraction(rates["USDJPY"])


def _quantised(amount: Fraction) -> int:
    return half_even(amount.numerator * 10**8, amount.denominator)
