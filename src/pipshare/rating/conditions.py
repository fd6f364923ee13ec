"""Conditions in columns: which trades a component pays for, and the first reason why not.

Every condition is one small function (part, known, clock) -> rows that fail it and rows for which
that cannot be told. They are asked in the order of their reasons; the first that fails wins.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import HOUR_MS, Clock, broker_days
from pipshare.period import Millis as Longs
from pipshare.plans.conditions import REASONS
from pipshare.rating.columns import COUNTED_BEFORE, NOT_CLOSED_BY
from pipshare.rating.known import Known
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Reason, Wait

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
DAY_MS = 24 * HOUR_MS
_MINUTE_MS = 60_000
_SAFE = 2**62


class Conditions:
    """Gathers, from the strongest condition to the weakest, what stands in a trade's way."""

    def __init__(self, part: Part, known: Known, clock: Clock) -> None:
        self.part, self.known, self.clock = part, known, clock
        self.reason = np.zeros(len(known), np.int16)
        self.unclear = np.zeros(len(known), np.int16)
        self._trade()
        self._prices()
        self._result()
        self._who()
        self._when()
        self._of_age()
        self._qualified()

    def _fail(self, rows: Bools, reason: Reason) -> None:
        self.reason[rows & (self.reason == 0)] = reason

    def _unclear(self, rows: Bools, wait: Wait) -> None:
        self.unclear[rows & (self.unclear == 0)] = wait

    def _trade(self) -> None:
        asked, trades = self.part.component.conditions, self.known.trades
        if trades.reason is not None and asked.excluded_reasons:
            numbers = [REASONS[name] for name in asked.excluded_reasons]
            self._fail(np.isin(trades.reason, numbers), Reason.EXCLUDED_REASON)
        if trades.close_by is not None and asked.close_by != "both":
            barred = trades.close_by == COUNTED_BEFORE
            if asked.close_by == "none":
                barred = trades.close_by != NOT_CLOSED_BY
            self._fail(barred, Reason.CLOSE_BY)
        if trades.partial is not None and asked.partial_close == "none":
            self._fail(trades.partial, Reason.PARTIAL)

    def _prices(self) -> None:
        asked, known = self.part.component.conditions, self.known
        moves = asked.min_points is not None or asked.min_pips is not None
        if not moves and asked.same_price == "pay":
            return
        none = np.zeros(len(known), np.int64)
        open_, close = known.trades.open_price_e8, known.trades.close_price_e8
        open_, close = none if open_ is None else open_, none if close is None else close
        told = (open_ > 0) & (close > 0)
        self._unclear(~told, Wait.NO_PRICE)
        if moves:
            self._moves(np.abs(close - open_), told)
        if asked.same_price == "none":
            self._fail(told & (open_ == close), Reason.SAME_PRICE)

    def _moves(self, moved_e8: Longs, told: Bools) -> None:
        asked, known = self.part.component.conditions, self.known
        digits = known.digits
        self._unclear(told & (digits < 0), Wait.NO_CONTRACT)
        told = told & (digits >= 0)
        if asked.min_points is not None:
            needed = self._price_of(asked.min_points, np.ones(len(known), np.int64))
            self._fail(told & (moved_e8 < needed), Reason.TOO_FEW_POINTS)
        if asked.min_pips is not None:
            size = known.of_symbol(known.places.pip_points)
            needed = self._price_of(asked.min_pips, np.maximum(size, 0))
            sized = told & (size > 0)
            self._fail(sized & (moved_e8 < needed), Reason.TOO_FEW_POINTS)
            self._unclear(told & (size <= 0), Wait.NO_PIP_SIZE)

    def _price_of(self, count: Fraction, size: Longs) -> Longs:
        """Return the least move in e8 that is so many points (times `size`) by the digits."""
        needed = np.zeros(len(size), np.int64)
        pair = np.maximum(self.known.digits, 0) * (2**32) + size
        for code in np.unique(pair).tolist():
            digits, many = divmod(code, 2**32)
            exact = count * many * Fraction(10**8, 10**digits)
            needed[pair == code] = min(-(-exact.numerator // exact.denominator), _SAFE)
        return needed

    def _result(self) -> None:
        asked, trades = self.part.component.conditions, self.known.trades
        if asked.zero_result == "none":
            if trades.profit_e8 is None:
                self._unclear(np.ones(len(self.known), np.bool_), Wait.NO_MONEY)
            else:
                self._fail(trades.profit_e8 == 0, Reason.ZERO_RESULT)
        if trades.negative is not None and asked.negative_balance == "none":
            self._fail(trades.negative, Reason.NEGATIVE_BALANCE)

    def _who(self) -> None:
        asked, known = self.part.component.conditions, self.known
        if known.trades.blocked is not None:
            self._fail(known.trades.blocked, Reason.JURISDICTION)
        if asked.account_types:
            kinds = {kind.casefold() for kind in asked.account_types}
            fits = np.array(
                [g.account_type.casefold() in kinds for g in known.places.groups], np.bool_
            )
            self._fail(~fits[known.trades.group], Reason.ACCOUNT_TYPE)
        if not asked.countries and not asked.not_countries:
            return
        names, place = known.trades.countries, known.trades.country
        if place is None:
            place = np.full(len(known), -1, np.int32)
        only = {name.casefold() for name in asked.countries}
        never = {name.casefold() for name in asked.not_countries}
        welcome = [not only or name.casefold() in only for name in names]
        barred = [name.casefold() in never for name in names]
        pays = np.array(
            [w and not b for w, b in zip(welcome, barred, strict=True)] + [not asked.countries],
            np.bool_,
        )
        self._fail(~pays[place], Reason.COUNTRY)

    def _when(self) -> None:
        asked, close = self.part.component.conditions, self.known.trades.close_utc_ms
        if asked.from_ms:
            self._fail(close < asked.from_ms, Reason.CAMPAIGN)
        if asked.until_ms:
            self._fail(close >= asked.until_ms, Reason.CAMPAIGN)
        if not asked.hours and not asked.weekdays:
            return
        day, inside = np.divmod(self.clock.from_utc(close), DAY_MS)
        fits = np.ones(len(close), np.bool_)
        if asked.weekdays:
            fits = np.isin((day + 3) % 7 + 1, asked.weekdays)  # 1970-01-01 was a Thursday
        if asked.hours:
            minute, open_ = inside // _MINUTE_MS, np.zeros(len(close), np.bool_)
            for start, end in asked.hours:
                after, before = minute >= start, minute < end
                open_ |= (after & before) if start <= end else (after | before)
            fits &= open_
        self._fail(~fits, Reason.HOURS)

    def _of_age(self) -> None:
        asked, trades = self.part.component.conditions, self.known.trades
        if not asked.of_age:
            return
        registered = trades.registered_ms
        if registered is None:
            registered = np.zeros(len(self.known), np.int64)
        told = registered > 0
        self._unclear(~told, Wait.NO_REGISTRATION)
        close, begun = (broker_days(one, self.clock).astype(np.int64)
                        for one in (trades.close_utc_ms, registered))  # fmt: skip
        if asked.client_days is not None:
            self._fail(told & (close - begun > asked.client_days), Reason.CLIENT_DAYS)
        if asked.client_after is not None:
            self._fail(told & (close - begun <= asked.client_after), Reason.CLIENT_DAYS)

    def _qualified(self) -> None:
        programme, trades = self.part.programme, self.known.trades
        if programme.qualify is None:
            return
        since, close = trades.qualified_ms, trades.close_utc_ms
        if since is None:
            since = np.full(len(close), -1, np.int64)
        if programme.qualified_pays == "since_registration":
            registered = trades.registered_ms
            begin = np.zeros(len(close), np.int64) if registered is None else registered
        else:
            begin = since
        self._fail((since < 0) | (close < begin), Reason.NOT_QUALIFIED)


def bonus_share(part: Part, known: Known) -> tuple[Longs, Longs, Int16s] | None:
    """Return the part of the pay that own money earned, top / bottom, and what is missing.

    None where the plan does not ask, or every trade is paid whole.
    """
    asked = part.component.conditions.bonus
    if asked is None:
        return None
    ones, trades = np.ones(len(known), np.int64), known.trades
    missing = np.zeros(len(known), np.int16)
    top, bottom, age = trades.bonus_top, trades.bonus_bottom, trades.snapshot_age_ms
    if top is None or bottom is None:
        return ones, ones, np.full(len(known), Wait.SNAPSHOT_MISSING, np.int16)
    if age is not None:
        missing[age > asked.max_age_h * HOUR_MS] = Wait.SNAPSHOT_TOO_OLD
    missing[bottom <= 0] = Wait.SNAPSHOT_MISSING
    low = np.where(bottom > 0, bottom, 1)
    high = np.where(bottom > 0, np.clip(top, 0, low), 1)
    common = np.maximum(np.gcd(high, low), 1)
    high, low = high // common, low // common
    if asked.below is not None:
        enough = ~_less(high, low, asked.below)
        high, low = np.where(enough, 1, high), np.where(enough, 1, low)
    return high, low, missing


def _less(high: Longs, low: Longs, limit: Fraction) -> Bools:
    if int(low.max(initial=1)) * max(limit.numerator, limit.denominator) < _SAFE:
        fits: Bools = high * limit.denominator < low * limit.numerator
        return fits
    pairs = zip(high.tolist(), low.tolist(), strict=True)
    return np.array([h * limit.denominator < lo * limit.numerator for h, lo in pairs], np.bool_)
