"""What rating files comes to: lines, totals, waits; plain values with the names of the files."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipshare.pipeline.from_files.sheets import Refused


@dataclass(frozen=True)
class Line:
    """One line: what a payee earns by a trade, an event or a period, in his wallet's currency.

    `payee` is the partner's code, or the client's where `kind` is "client" (a rebate, level 0).
    `earned_ms`: when (UTC). `hold_days`: it becomes payable so many days later.
    """

    trade: str | None
    event: str | None
    period: str
    payee: str
    kind: str
    level: int
    component: str
    amount_e8: int
    currency: str
    rule: str
    reason: str
    held_by: str
    earned_ms: int
    hold_days: int


@dataclass(frozen=True)
class Waiting:
    """What is not rated yet, and what it waits for; component "" = the whole trade."""

    trade: str | None
    event: str | None
    reason: str
    component: str = ""
    level: int = 0
    partner: str = ""
    key: str = ""


@dataclass(frozen=True)
class Total:
    """A payee's sum in one currency, how much of it is payable, and what is carried forward: less
    than the minimum payout, held, still resting, or (below zero) owed."""

    payee: str
    kind: str
    currency: str
    amount_e8: int
    payable_e8: int
    carried_e8: int


@dataclass(frozen=True)
class Guarded:
    """A trade of which a margin guard has to say something; `action` "unclear": the broker's
    revenue cannot be told."""

    trade: str
    programme: str
    action: str
    currency: str
    revenue_e8: int
    limit_e8: int
    paid_e8: int


@dataclass
class Result:
    """Everything that rating the files came to. `unrated`: trades that nobody earns from."""

    lines: list[Line] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    guarded: list[Guarded] = field(default_factory=list)
    unrated: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
