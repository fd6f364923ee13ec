"""The client's part: a share of what the lowest level earns, taken from that level."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipshare.money.amounts import SCALE
from pipshare.rating.reasons import Reason
from pipshare.rating.twin.amounts import Money
from pipshare.rating.twin.bases import account_currency
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin_values import TwinLine, amount_text, number_text

if TYPE_CHECKING:
    from pipshare.rating.twin.line import Line


def client_line(line: Line, made: TwinLine) -> TwinLine | None:
    """Return the client's line (level 0) beside the direct IB's, None where he was not paid."""
    asked = line.component.rebate
    if asked is None or made.wait is not None or made.reason != Reason.PAID:
        return None
    rounding = line.component.rounding
    exact = asked.share * Fraction(made.orig_e8, SCALE)
    orig_e8 = units(exact, rounding.amount, rounding.how)
    kept, line.steps = line.steps, []
    line.say("rebate", f"{number_text(asked.share * 100)} % of what {line.partner.name} earns, "
                       f"{amount_text(made.orig_e8, made.currency)}")  # fmt: skip
    line.say("=", amount_text(orig_e8, made.currency))
    wallet = account_currency(line.trade) or made.currency
    client = line.settle(Money(orig_e8, made.currency, None), wallet, 0, 0)
    line.steps = kept
    return replace(client, rate_id=made.rate_id)


def with_rebate(line: Line, made: TwinLine, client: TwinLine | None) -> TwinLine:
    """Return the direct IB's line less what his client gets of it."""
    if client is None:
        return made
    given = units(line.component.rebate.share * Fraction(made.orig_e8, SCALE),  # type: ignore[union-attr]
                  line.component.rounding.amount, line.component.rounding.how)  # fmt: skip
    line.say("rebate", f"the client gets {amount_text(given, made.currency)} of it")
    left = Money(made.orig_e8 - given, made.currency, None)
    line.say("=", amount_text(left.orig_e8, left.currency))
    again = line.settle(left, line.partner.currency, line.partner.id, line.level)
    return replace(again, rate_id=made.rate_id if again.wait is None else 0)
