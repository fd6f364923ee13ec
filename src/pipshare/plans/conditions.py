"""Conditions of a component: which trades pay, and which leave a line of 0 with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

# EnDealReason by name. MetaQuotes numbers them; what has no number here is always paid.
REASONS = {
    "client": 0, "expert": 1, "dealer": 2, "stop_loss": 3, "take_profit": 4, "stop_out": 5,
    "rollover": 6, "external_client": 7, "variation_margin": 8, "gateway": 9, "signal": 10,
    "settlement": 11, "transfer": 12, "sync": 13, "external_service": 14, "migration": 15,
    "mobile": 16, "web": 17, "split": 18,
}  # fmt: skip
# Those that no client's decision made: excluded unless a plan says otherwise. A dealer's pay, as
# copied client trades carry that reason; the check of a plan says so in a note.
EXCLUDED_REASONS: tuple[str, ...] = (
    "rollover", "variation_margin", "settlement", "transfer", "sync", "migration", "split",
)  # fmt: skip


@dataclass(frozen=True)
class Hedged:
    """Hedged volume netted: commissionable = max(total long, total short) of the volume *opened*,
    per `by` and instrument within `window` of the broker's own time, whatever the order."""

    by: Literal["account", "client"] = "account"
    window: Literal["day", "week", "month"] = "day"


@dataclass(frozen=True)
class Bonus:
    """The bonus-funded share is excluded: pay x (equity - credit) / equity of the last account
    snapshot before the close; only where that coefficient is below `below` (None = always). A
    snapshot older than `max_age_h` hours makes the trade wait (snapshot_too_old)."""

    below: Fraction | None = None
    max_age_h: int = 24


@dataclass(frozen=True)
class Conditions:
    """All conditions beside the holding time. Boundaries are inclusive (>=) unless said.

    `min_points`: |close price - open price| in points (10^-digits); `min_pips` the same in pips.
    `partial_close`: whether partial closes pay. `close_by`: MT5 closes a pair of positions by each
    other with two deals; one side pays (default), both, or none. `excluded_reasons`: names of deal
    reasons. `zero_result`, `same_price`: whether trades with a result of 0, or with one price for
    opening and closing, pay. `negative_balance`: whether the order that drove the account below
    zero pays. `account_types`, `countries` (of the client): empty = all; `not_countries`: these do
    not pay. `from_ms`, `until_ms`: campaign, UTC, half-open, by the close; 0 = open. `hours`: pairs
    of minutes of the broker's day [from, until), by the close; `weekdays` 1 = Monday, empty = all.
    `client_days`: closed within so many of the broker's days after the client's registration, the
    last one included; `client_after`: only after so many. One whose registration is not known makes
    the trade wait.
    """

    min_points: Fraction | None = None
    min_pips: Fraction | None = None
    partial_close: Literal["pay", "none"] = "pay"
    close_by: Literal["one", "both", "none"] = "one"
    hedged: Hedged | None = None
    excluded_reasons: tuple[str, ...] = EXCLUDED_REASONS
    zero_result: Literal["pay", "none"] = "pay"
    same_price: Literal["pay", "none"] = "pay"
    negative_balance: Literal["pay", "none"] = "pay"
    bonus: Bonus | None = None
    account_types: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    not_countries: tuple[str, ...] = ()
    from_ms: int = 0
    until_ms: int = 0
    hours: tuple[tuple[int, int], ...] = ()
    weekdays: tuple[int, ...] = ()
    client_days: int | None = None
    client_after: int | None = None

    @property
    def of_age(self) -> bool:
        """Tell whether it is asked how long the client has been registered."""
        return self.client_days is not None or self.client_after is not None
