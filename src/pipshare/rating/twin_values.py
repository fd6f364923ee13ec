"""The values the twin is given and gives back: plain, scalar, with histories as lists.

A history is a tuple of (from UTC ms, value) in order; a value holds until the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from pipshare.money.amounts import format_e8
from pipshare.plans.terms import Programme
from pipshare.rating.reasons import Reason, Wait

T = TypeVar("T")
History = tuple[tuple[int, T], ...]


@dataclass(frozen=True)
class Version:
    """A version of a programme with the ids that lines point at, as in plans.book."""

    number: int
    programme: Programme
    component_ids: tuple[int, ...]
    rate_ids: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ProgrammeHistory:
    """A programme and its versions over time."""

    id: int
    code: str
    versions: History[Version | None]


@dataclass(frozen=True)
class TermsFacts:
    """A partner's terms: his programme (None = earns nothing, on purpose) and card."""

    programme: ProgrammeHistory | None
    card: str


@dataclass(frozen=True)
class Partner:
    """A partner of the chain. `terms` None in a history = from then on he has none."""

    id: int
    name: str
    currency: str
    statuses: History[str]
    terms: History[TermsFacts | None]
    go_live_ms: int | None = None
    own_client: int | None = None


class OwnRate(NamedTuple):
    """The exchange rate a trade came with: one unit of base cost `rate` of quote at its close.

    `id` is what lines say that used it; `source` names the trade.
    """

    base: str
    quote: str
    rate: Fraction
    id: int
    source: str


@dataclass(frozen=True)
class TradeFacts:
    """What of a trade and its account can change an amount. `hold_ms` None = opening unknown.

    `symbol_name` is the canonical name, or the printed one when `symbol_known` is false.
    `lot_factor` None = a cent account in no known group. `own` None = it came with no exchange
    rate, or one of its currencies is not known.

    Prices and quotes: 0 = unknown; `open_spread_e16`: the sum of lots x spread of several opening
    deals, 0 = one; `open_quote` and `close_quote` name their source ("deal",
    "imported"). Points of typical spread, markup and gateway: None = unknown. Money columns are the
    client's, in the account's `currency` ("" = unknown): a commission of -7 was charged to him;
    None = unknown. `blocked`: nobody earns by clients of his country. `qualified_ms`:
    0 = always, None = not qualified. `bonus`: (equity - credit) /
    equity of the last snapshot, None = there is none. `contract_e8` is the deal's own, else the
    symbol's; 0 = unknown, as `pip_points`, tick size and tick value; `digits` -1 = unknown.
    `value` is given for the sum of a period or an event, instead of any basis, in `currency`;
    `steps` are those of a ladder that an event pays for: (paid before, reached); `told` says how
    the value came about; `disputed`: what it pays is held; `undoes_ms`: when that was earned which
    it takes back, `undone_ms`: when it is taken back itself (0 = it does not, it is not).
    `withdrawn`: it takes back for a withdrawal.
    """

    lots_e8: int
    hold_ms: int | None
    close_utc_ms: int
    client_id: int | None
    cancelled: bool
    symbol_name: str
    symbol_group: str
    symbol_known: bool
    group_name: str
    account_type: str
    lot_factor: Fraction | None
    own: OwnRate | None = None
    open_utc_ms: int | None = None
    side: int = 0
    open_price_e8: int = 0
    close_price_e8: int = 0
    open_bid_e8: int = 0
    open_ask_e8: int = 0
    open_spread_e16: int = 0
    close_bid_e8: int = 0
    close_ask_e8: int = 0
    open_quote: str = ""
    close_quote: str = ""
    typical_points: Fraction | None = None
    gateway_points: Fraction | None = None
    markup_points: Fraction | None = None
    commission_e8: int | None = None
    fee_e8: int | None = None
    swap_e8: int | None = None
    profit_e8: int | None = None
    deal_reason: int = -1
    partial: bool = False
    close_by: int = 0
    account: int = 0
    currency: str = ""
    country: str = ""
    blocked: bool = False
    qualified_ms: int | None = None
    registered_ms: int = 0
    kyc_held: bool = False
    bonus: Fraction | None = None
    snapshot_age_ms: int = 0
    negative: bool = False
    book: Literal["passed", "made"] = "passed"
    server: int = 0
    ticket: int = 0
    digits: int = -1
    contract_e8: int = 0
    pip_points: int = 0
    calc: Literal["forex", "cfd", "futures"] = "forex"
    tick_size_e8: int = 0
    tick_value_e8: int = 0
    profit_currency: str = ""
    value: Fraction | None = None
    steps: tuple[int, int] = (0, 1)
    disputed: bool = False
    undoes_ms: int = 0
    undone_ms: int = 0
    withdrawn: bool = False
    booked_ms: int = 0
    gated: bool = False
    told: tuple[Step, ...] = ()

    def group_text(self) -> str:
        """Name the account's group for the working."""
        return f"group {self.group_name}" if self.group_name else "no group"


@dataclass(frozen=True)
class Decision:
    """The programme that decides a trade, and its version."""

    programme: ProgrammeHistory
    version: Version


class Step(NamedTuple):
    """A line of the working: what it is, and its value as text."""

    label: str
    text: str


@dataclass(frozen=True)
class TwinLine:
    """One line as the twin sees it: settled (`wait` None) or waiting (amounts 0)."""

    component_id: int
    component: str
    level: int
    partner_id: int
    wallet: str = ""
    held: bool = False
    working: tuple[Step, ...] = ()
    reason: Reason = Reason.PAID
    wait: Wait | None = None
    key: str = ""
    currency: str = ""
    rate_id: int = 0
    orig_e8: int = 0
    amount_e8: int = 0
    fx_id: int = 0
    capped: bool = False


@dataclass(frozen=True)
class TwinResult:
    """All lines of a trade, the working that is common to them, and why there is none if so."""

    lines: tuple[TwinLine, ...]
    working: tuple[Step, ...]
    reason: Reason | None


# (base, quote, utc_ms) -> (exact rate, id of the stored rate, text: when and from where) or None.
# Called with a fourth value, "bid" or "ask", where the plan asks for another side than the middle.
Fx = Callable[..., tuple[Fraction, int, str] | None]


def at_moment(history: History[T], moment_ms: int) -> T | None:
    """Return what holds at a moment, None before the first."""
    held: T | None = None
    for start, value in history:
        if start <= moment_ms:
            held = value
    return held


def number_text(value: Fraction, places: int = 0) -> str:
    """Write an exact number: as a decimal of at least `places` when it ends, else as a fraction."""
    for digits in range(places, 20):
        units = value * 10**digits
        if units.denominator == 1:
            whole, part = divmod(abs(units.numerator), 10**digits)
            sign = "-" if value < 0 else ""
            return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"
    return f"{value.numerator}/{value.denominator}"


def amount_text(units_e8: int, currency: str) -> str:
    """Write an amount with its currency."""
    return f"{format_e8(units_e8)} {currency}"
