"""Which trades pay: each condition of a component for one trade, in the order of their reasons."""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.amounts import SCALE
from pipshare.plans.conditions import REASONS
from pipshare.plans.terms import Component, Programme
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin_values import Step, TradeFacts, number_text

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def held_long_enough(trade: TradeFacts, component: Component, steps: list[Step]) -> bool:
    """Tell whether the trade was held for the component's seconds; unknown counts as enough."""
    least = component.min_hold_s
    if least is None or trade.hold_ms is None:
        return True
    enough = trade.hold_ms >= least * 1000
    held = number_text(Fraction(trade.hold_ms, 1000))
    answer = "yes" if enough else "no"
    steps.append(Step("held", f"{held} s, at least {least} s needed: {answer}"))
    return enough


def unpaid(
    trade: TradeFacts,
    component: Component,
    programme: Programme,
    day: BrokerDay,
    steps: list[Step],
) -> tuple[Reason | None, Wait | None]:
    """Return the first condition that the trade fails, and what is missing to judge one."""
    asked = component.conditions
    wait: Wait | None = None
    if trade.deal_reason >= 0 and trade.deal_reason in {REASONS[x] for x in asked.excluded_reasons}:
        return Reason.EXCLUDED_REASON, None
    if trade.close_by and (
        asked.close_by == "none" or (asked.close_by == "one" and trade.close_by == 2)
    ):
        return Reason.CLOSE_BY, None
    if trade.partial and asked.partial_close == "none":
        return Reason.PARTIAL, None
    enough = _moved(trade, component, steps)
    if enough is False:
        return Reason.TOO_FEW_POINTS, None
    if isinstance(enough, Wait):
        wait = enough
    if asked.same_price == "none":
        if min(trade.open_price_e8, trade.close_price_e8) <= 0:
            wait = wait or Wait.NO_PRICE
        elif trade.open_price_e8 == trade.close_price_e8:
            return Reason.SAME_PRICE, None
    if asked.zero_result == "none":
        if trade.profit_e8 is None:
            wait = wait or Wait.NO_MONEY
        elif trade.profit_e8 == 0:
            return Reason.ZERO_RESULT, None
    if trade.negative and asked.negative_balance == "none":
        return Reason.NEGATIVE_BALANCE, None
    reason = who_and_when(trade, component, day)
    if reason is None and asked.of_age:
        if not trade.registered_ms:
            wait = wait or Wait.NO_REGISTRATION
        elif not _of_age(trade, component, day, steps):
            reason = Reason.CLIENT_DAYS
    if reason is None and not _qualified(trade, programme):
        reason = Reason.NOT_QUALIFIED
    return reason, wait


def _of_age(trade: TradeFacts, component: Component, day: BrokerDay, steps: list[Step]) -> bool:
    """Tell whether the close is among the days after the registration that the plan pays for."""
    asked = component.conditions
    days = (day.date(trade.close_utc_ms) - day.date(trade.registered_ms)).days
    steps.append(Step("client", f"registered {days} days before"))
    if asked.client_days is not None and days > asked.client_days:
        return False
    return asked.client_after is None or days > asked.client_after


def _moved(trade: TradeFacts, component: Component, steps: list[Step]) -> bool | Wait:
    """Tell whether the price moved by the points and pips that are needed."""
    asked = component.conditions
    if asked.min_points is None and asked.min_pips is None:
        return True
    if min(trade.open_price_e8, trade.close_price_e8) <= 0:
        return Wait.NO_PRICE
    if trade.digits < 0:
        return Wait.NO_CONTRACT
    moved = Fraction(abs(trade.close_price_e8 - trade.open_price_e8), SCALE) * 10**trade.digits
    if asked.min_points is not None and not _enough(moved, asked.min_points, "points", steps):
        return False
    if asked.min_pips is None:
        return True
    if trade.pip_points <= 0:
        return Wait.NO_PIP_SIZE
    return _enough(moved / trade.pip_points, asked.min_pips, "pips", steps)


def _enough(moved: Fraction, least: Fraction, unit: str, steps: list[Step]) -> bool:
    answer = "yes" if moved >= least else "no"
    needed = f"at least {number_text(least)} needed: {answer}"
    steps.append(Step("moved", f"{number_text(moved)} {unit}, {needed}"))
    return moved >= least


def who_and_when(trade: TradeFacts, component: Component, day: BrokerDay) -> Reason | None:
    """Return the first condition of blocks, accounts, countries, campaign, hours that it fails."""
    asked = component.conditions
    if trade.blocked:
        return Reason.JURISDICTION
    kinds = {kind.casefold() for kind in asked.account_types}
    if kinds and trade.account_type.casefold() not in kinds:
        return Reason.ACCOUNT_TYPE
    country = trade.country.casefold()
    if asked.countries and country not in {name.casefold() for name in asked.countries}:
        return Reason.COUNTRY
    if country in {name.casefold() for name in asked.not_countries}:
        return Reason.COUNTRY
    close = trade.close_utc_ms
    if close < asked.from_ms or (asked.until_ms and close >= asked.until_ms):
        return Reason.CAMPAIGN
    return None if _in_hours(component, day.wall(close)) else Reason.HOURS


def _in_hours(component: Component, wall_ms: int) -> bool:
    """Tell whether a moment of the broker's clock is inside the plan's hours and weekdays."""
    asked = component.conditions
    date, inside = divmod(wall_ms, DAY_MS)
    weekday = (date + 3) % 7 + 1  # 1970-01-01 was a Thursday
    if asked.weekdays and weekday not in asked.weekdays:
        return False
    minute = inside // MINUTE_MS
    return not asked.hours or any(
        start <= minute < end if start <= end else minute >= start or minute < end
        for start, end in asked.hours
    )


def _qualified(trade: TradeFacts, programme: Programme) -> bool:
    if programme.qualify is None:
        return True
    if trade.qualified_ms is None:
        return False
    if programme.qualified_pays == "since_registration":
        return trade.close_utc_ms >= trade.registered_ms
    return trade.close_utc_ms >= trade.qualified_ms


def bonus_share(trade: TradeFacts, component: Component) -> Fraction | Wait:
    """Return the part of the pay that own money earned: 1 where the plan does not ask."""
    asked = component.conditions.bonus
    if asked is None:
        return Fraction(1)
    if trade.bonus is None:
        return Wait.SNAPSHOT_MISSING
    if trade.snapshot_age_ms > asked.max_age_h * 3_600_000:
        return Wait.SNAPSHOT_TOO_OLD
    own = min(max(trade.bonus, Fraction(0)), Fraction(1))
    return own if asked.below is None or own < asked.below else Fraction(1)
