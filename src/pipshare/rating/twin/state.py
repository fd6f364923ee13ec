"""What builds up while trades are rated in order; the ground state knows one trade alone."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import SCALE
from pipshare.plans.periods import Cap, in_turn
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.amounts import Money, Waits
from pipshare.rating.twin.bases import lots_of
from pipshare.rating.twin.choice import Bands
from pipshare.rating.twin.fx import rate_at_close
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin_values import Partner, amount_text, number_text

if TYPE_CHECKING:
    from pipshare.rating.twin.line import Line


class State:
    """The state of a single trade: one band, and caps that hold for each order by itself."""

    def netting(self, line: Line) -> Fraction:
        """Return the part of the trade's volume that counts beside what hedges it."""
        return Fraction(1)

    def given(
        self, line: Line, payee: Partner, bands: Bands, value: Fraction, currency: str
    ) -> Fraction | Reason | Waits:
        """Return what the bands of a rate give for a value."""
        return value * bands[0].amount

    def cut(self, line: Line, money: Money) -> Money | Waits | Reason:
        """Return the amount as the caps leave it."""
        for place, cap in in_turn(line.component.caps):
            if cap.level not in (None, line.level):
                continue
            if cap.unit == "money" and money.orig_e8 == 0:
                continue  # nothing needs no cap, and no exchange rate for one
            left = self.one_cap(line, money, place, cap)
            if not isinstance(left, Money):
                return left
            money = left
        return money

    def one_cap(self, line: Line, money: Money, place: int, cap: Cap) -> Money | Waits | Reason:
        """Return the amount as one cap leaves it; what builds up is not known here."""
        if cap.per != "order":
            return money
        if cap.unit == "lots":
            part = min(cap.amount / lots_of(line.trade), Fraction(1))
            allowed = units(Fraction(money.orig_e8, SCALE) * part, None, "")
        else:
            limit = limit_in(line, cap.amount, cap.currency, money.currency)
            if not isinstance(limit, int):
                return limit
            allowed = min(money.orig_e8, limit)
        words = f"at most {number_text(cap.amount, 2)} {cap.currency or 'lots'} per order"
        return capped(line, money, allowed, words)


def limit_in(line: Line, amount: Fraction, base: str, quote: str) -> int | Waits:
    """Return a cap's amount in the line's currency."""
    if base and base != quote:
        found = rate_at_close(line.run.fx, line.trade, base, quote, "mid")
        if found is None:
            return Waits(Wait.NO_FX, f"{base}/{quote}")
        amount = amount * found[0]
    return units(amount, None, "")


def capped(line: Line, money: Money, allowed_e8: int, words: str) -> Money | Reason:
    """Cut an amount to what is allowed of it, and say so."""
    if allowed_e8 == money.orig_e8:
        return money
    cut = f"is cut to {amount_text(allowed_e8, money.currency)}"
    line.say("cap", f"{words}: {amount_text(money.orig_e8, money.currency)} {cut}")
    line.words.append(f"{words}: cut to {amount_text(allowed_e8, money.currency)}")
    if allowed_e8 == 0:
        return Reason.CAPPED
    line.capped = True
    return money._replace(orig_e8=allowed_e8, exact=None)
