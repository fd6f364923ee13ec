"""The small enumerations and frozen values that facts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Side(IntEnum):
    """Direction in which the position was opened."""

    BUY = 1
    SELL = -1


class Kind(IntEnum):
    """How the position was closed."""

    WHOLE = 0
    PARTIAL = 1
    CLOSE_BY = 2
    REVERSAL = 3


class Opening(IntEnum):
    """Whether the opening legs of a closed trade are known."""

    UNKNOWN = 0
    KNOWN = 1


class State(IntEnum):
    """What a revision of a trade says: it stands, or it was cancelled or deleted."""

    CLOSED = 1
    CANCELLED = 0


class CashKind(StrEnum):
    """What a balance operation is. Only DEPOSIT and WITHDRAWAL may be client money."""

    BALANCE = "balance"  # a balance row whose nature the file does not tell
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CREDIT = "credit"
    BONUS = "bonus"
    TRANSFER = "transfer"  # between accounts of the same broker
    SWAP = "swap"  # financing booked as a balance row
    CORRECTION = "correction"
    COMMISSION = "commission"
    FEE = "fee"  # charged by the broker: inactivity, a withdrawal's cost
    AGENT = "agent"
    DIVIDEND = "dividend"
    TAX = "tax"
    INTEREST = "interest"
    COMPENSATION = "compensation"  # negative balance protection: the broker's money
    COMPACTION = "compaction"  # a pseudo-trade left by history compaction
    OTHER = "other"


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken: where it stands, a stable code, a sentence, and the row itself."""

    line: int
    code: str
    reason: str
    raw: str = ""


@dataclass(frozen=True)
class Trade:
    """One closed trade, scalar: the row of facts.columns.TRADE, read for one explanation."""

    ticket: int
    login: int
    position: int
    symbol: str
    side: int
    kind: int
    reason: int
    lots_e8: int
    open_ms: int
    close_ms: int
    open_price_e8: int
    close_price_e8: int
    commission_e8: int
    fee_e8: int
    swap_e8: int
    profit_e8: int
    rate_profit_e8: int
    contract_e8: int
    opening: int
