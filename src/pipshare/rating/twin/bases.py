"""What a rate multiplies: the value of each basis for one trade, exact, with its currency.

The registry at the end names them; a basis is one function from the trade to a Value, or to what
the trade waits for. Sources of the rules: commissions.md section 1 and plans.terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from pipshare.money.amounts import SCALE
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.plans.terms import Component
from pipshare.rating.reasons import Wait
from pipshare.rating.twin.spread import measure
from pipshare.rating.twin_values import Step, TradeFacts, number_text


@dataclass(frozen=True)
class Value:
    """The value of a basis. `currency` "" = the rate has it. `parts` are (amount, currency) that
    have to be brought into `currency` and added."""

    amount: Fraction
    currency: str
    steps: tuple[Step, ...] = ()
    parts: tuple[tuple[Fraction, str], ...] = ()


Found = Value | Wait
COLUMNS = ("commission", "fee", "swap", "profit")
SIGNED = ("commission", "profit", "loss", "result", "revenue")


def value(trade: TradeFacts, component: Component) -> Found:
    """Return the value of the component's basis for a trade, before any conversion."""
    if trade.value is not None:
        return Value(trade.value, trade.currency, trade.told)
    return _BASES[component.basis](trade, component)


def account_currency(trade: TradeFacts) -> str:
    """Return the currency of the trade's money columns; unknown: the symbol's profit currency."""
    return trade.currency or trade.profit_currency


def needs_factor(component: Component) -> bool:
    """Tell whether the component's value counts lots, whose factor has to be known."""
    if component.basis == "lot":
        return True
    return component.basis in ("spread", "markup") and component.unit != "money"


def lots_of(trade: TradeFacts) -> Fraction:
    """Return standard lots: the trade's by its lot factor (1 where nobody has said it)."""
    return Fraction(trade.lots_e8, SCALE) * (1 if trade.lot_factor is None else trade.lot_factor)


def _lot(trade: TradeFacts, component: Component) -> Found:
    assert trade.lot_factor is not None
    return Value(lots_of(trade), "", (
        Step("lots", number_text(Fraction(trade.lots_e8, SCALE), 2)),
        Step("lot factor", f"{number_text(trade.lot_factor)} ({trade.group_text()})"),
    ))  # fmt: skip


def _point(trade: TradeFacts) -> Fraction | Wait:
    """Return the money of one point of one lot, in the symbol's profit currency."""
    if trade.digits < 0:
        return Wait.NO_CONTRACT
    point = Fraction(1, 10**trade.digits)
    if trade.calc == "futures":
        if trade.tick_size_e8 <= 0 or trade.tick_value_e8 <= 0:
            return Wait.NO_CONTRACT
        return point * trade.tick_value_e8 / trade.tick_size_e8
    if trade.contract_e8 <= 0:
        return Wait.NO_CONTRACT
    return point * trade.contract_e8 / SCALE


def _cents(trade: TradeFacts) -> Fraction:
    """Money from prices of an account in cents is in hundredths of the profit currency."""
    return Fraction(1, 100 if account_currency(trade) in CENT_CURRENCIES else 1)


def _from_points(trade: TradeFacts, points: Fraction, steps: tuple[Step, ...]) -> Found:
    one = _point(trade)
    if isinstance(one, Wait):
        return one
    if not trade.profit_currency:
        return Wait.NO_PROFIT_CURRENCY
    money = points * one * Fraction(trade.lots_e8, SCALE) * _cents(trade)
    lots = number_text(Fraction(trade.lots_e8, SCALE), 2)
    text = f"{lots} lots x {number_text(points)} points x {number_text(one * _cents(trade))}"
    return Value(money, trade.profit_currency, (*steps, Step("value", text)))


def _points(trade: TradeFacts, component: Component) -> Found:
    """The rate says how many points; the value is one point (or pip) of the trade."""
    if component.unit == "pips":
        if trade.pip_points <= 0:
            return Wait.NO_PIP_SIZE
        return _from_points(trade, Fraction(trade.pip_points), ())
    return _from_points(trade, Fraction(1), ())


def _spread(trade: TradeFacts, component: Component) -> Found:
    found = measure(trade, component.spread)
    if isinstance(found, Wait):
        return found
    return _in_unit(trade, component, found.points, found.steps)


def _markup(trade: TradeFacts, component: Component) -> Found:
    points = trade.gateway_points if trade.gateway_points is not None else trade.markup_points
    if points is None:
        return Wait.NO_MARKUP
    return _in_unit(trade, component, points, (Step("markup", f"{number_text(points)} points"),))


def _in_unit(
    trade: TradeFacts, component: Component, points: Fraction, steps: tuple[Step, ...]
) -> Found:
    if component.unit == "money":
        return _from_points(trade, points, steps)
    if component.unit == "pips":
        if trade.pip_points <= 0:
            return Wait.NO_PIP_SIZE
        points = points / trade.pip_points
    lots = lots_of(trade)
    text = f"{number_text(lots, 2)} lots x {number_text(points)} {component.unit}"
    return Value(points * lots, "", (*steps, Step("value", text)))


def _sum(trade: TradeFacts, names: tuple[str, ...]) -> Fraction | Wait:
    total = 0
    for name in names:
        held = getattr(trade, f"{name}_e8")
        if held is None:
            return Wait.NO_MONEY
        total += held
    return Fraction(total, SCALE)


def _money(sign: int, usual: tuple[str, ...]) -> Callable[[TradeFacts, Component], Found]:
    """Make a basis of the client's money: his sum (+1), or as the broker sees it (-1)."""

    def basis(trade: TradeFacts, component: Component) -> Found:
        names = component.counts or usual
        total = _sum(trade, names)
        if isinstance(total, Wait):
            return total
        currency = account_currency(trade)
        if not currency:
            return Wait.NO_PROFIT_CURRENCY
        steps = (Step(" + ".join(names), f"{number_text(total, 2)} {currency}, the client's"),)
        return Value(sign * total, currency, steps)

    return basis


def _at_least_nothing(of: Callable[[TradeFacts, Component], Found]) -> Callable[..., Found]:
    """Only what is above zero counts, but for a component that nets its periods."""

    def basis(trade: TradeFacts, component: Component) -> Found:
        found = of(trade, component)
        if isinstance(found, Wait) or component.carry is not None:
            return found
        return Value(max(found.amount, Fraction(0)), found.currency, found.steps)

    return basis


def notional(trade: TradeFacts, component: Component) -> Found:
    """Return lots x contract x price of the sides that count, in the profit currency."""
    if trade.contract_e8 <= 0:
        return Wait.NO_CONTRACT
    prices = {"open": (trade.open_price_e8,), "close": (trade.close_price_e8,)}.get(
        component.sides, (trade.open_price_e8, trade.close_price_e8)
    )
    if min(prices) <= 0:
        return Wait.NO_PRICE
    if not trade.profit_currency:
        return Wait.NO_PROFIT_CURRENCY
    volume = Fraction(trade.lots_e8 * trade.contract_e8, SCALE**2)
    money = volume * Fraction(sum(prices), SCALE) * _cents(trade)
    said = " + ".join(number_text(Fraction(price, SCALE)) for price in prices)
    text = f"{number_text(volume)} units x {said} = {number_text(money, 2)} {trade.profit_currency}"
    return Value(money, trade.profit_currency, (Step("notional", text),))


def _revenue(trade: TradeFacts, component: Component) -> Found:
    """The broker's revenue by the account's book: the client's result turned, or what he kept."""
    made = trade.book == "made"
    total = _sum(trade, component.counts or (COLUMNS if made else ("commission", "swap")))
    if isinstance(total, Wait):
        return total
    currency = account_currency(trade)
    if not currency:
        return Wait.NO_PROFIT_CURRENCY
    charged = Step("charged", f"{number_text(-total, 2)} {currency} (book: {trade.book})")
    if made:
        return Value(-total, currency, (charged,))
    money = Component("", "spread", "per_level", None, (), spread=component.spread)
    kept = _spread(trade, money)
    if kept is Wait.NO_QUOTE:
        kept = _markup(trade, money)
        if isinstance(kept, Wait):
            return Wait.NO_QUOTE if kept is Wait.NO_MARKUP else kept
    if isinstance(kept, Wait):
        return kept
    return Value(Fraction(0), currency, (*kept.steps, charged),
                 ((kept.amount, kept.currency), (-total, currency)))  # fmt: skip


def _one(trade: TradeFacts, component: Component) -> Found:
    return Value(Fraction(1), "")


_profit = _money(+1, ("profit",))
_turned = _money(-1, ("profit",))
_BASES: dict[str, Callable[[TradeFacts, Component], Found]] = {
    "lot": _lot,
    "points": _points,
    "spread": _spread,
    "markup": _markup,
    "commission": _money(-1, ("commission",)),
    "profit": _at_least_nothing(_profit),
    "loss": _at_least_nothing(_turned),
    "result": _turned,
    "notional": notional,
    "revenue": _revenue,
    "fixed": _one,
    "deposits": _one,
    "earned": _one,
}
