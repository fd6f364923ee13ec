"""Short ways to say a plan, a chain and trades: rated by the scalar twin and by the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from kernel_stories import kernel_told, twin_told

from pipshare.money import format_e8
from pipshare.plans.terms import Component, Programme, RateRule, Split
from pipshare.rating.twin import ManyResult, rate_many, rate_one
from pipshare.rating.twin_values import (
    Partner,
    ProgrammeHistory,
    TermsFacts,
    TradeFacts,
    TwinLine,
    Version,
)

Rates = dict[tuple[str, str], str]
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def e8(text: str) -> int:
    """Read a decimal as e8."""
    return int(Decimal(text) * 10**8)


def utc(text: str) -> int:
    """Read "2026-11-23" or "2026-11-23 10:00" as UTC milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def rate(amount: str, currency: str = "USD", **known: Any) -> RateRule:
    """Write a rate for any card and level; `start` is text."""
    known["start"] = Fraction(known.get("start", "0"))
    return RateRule(0, 1, known.pop("card", "*"), known.pop("level", None), Fraction(amount),
                    currency, **known)  # fmt: skip


def share(amount: str, **known: Any) -> RateRule:
    """Write a rate that is a share: it has no currency."""
    return rate(amount, "", **known)


def split(text: str, level: int | None = None, card: str = "*") -> Split:
    """Write a split."""
    return Split(1, card, level, Fraction(text))


def part(basis: str, *rates: RateRule, mode: str = "per_level", **known: Any) -> Component:
    """Write a component; rates are numbered in order."""
    numbered = tuple(
        RateRule(i, 10 + i, *[getattr(r, f) for f in _RULE]) for i, r in enumerate(rates)
    )
    code = known.pop("code", "c")
    hold = known.pop("min_hold_s", None)
    return Component(code, basis, mode, hold, numbered, **known)  # type: ignore[arg-type]


_RULE = ("card", "level", "amount", "currency", "symbol", "symbol_group", "account_group",
         "account_type", "of", "start", "country", "side")  # fmt: skip


def plan(*parts: Component, **known: Any) -> Programme:
    """Write a programme of these components, for nine levels."""
    values = {"depth": 9, "unknown_opening": "wait", **known}
    return Programme("p", "main", "P", 0, "USD", components=parts, **values)


def chain(
    programme: Programme, cards: Sequence[str | None] = ("std",), currency: str = "USD"
) -> tuple[Partner, ...]:
    """Return partners IB1, IB2 ... from the client upward with these cards; None = no terms."""
    version = Version(
        1, programme, tuple(range(1, len(programme.components) + 1)),
        tuple(tuple(1000 * (c + 1) + r.ordinal for r in one.rates)
              for c, one in enumerate(programme.components)),
    )  # fmt: skip
    history = ProgrammeHistory(1, programme.code, ((0, version),))
    return tuple(
        Partner(i, f"IB-{i}", currency, (),
                () if card is None else ((0, TermsFacts(history, card)),))
        for i, card in enumerate(cards, 1)
    )  # fmt: skip


def trade(lots: str = "1", **known: Any) -> TradeFacts:
    """Return an hour-long EURUSD trade; money and prices by their names without _e8, as text."""
    values: dict[str, Any] = {
        "lots_e8": e8(lots), "hold_ms": 60 * MINUTE, "close_utc_ms": utc("2026-11-16 12:00"),
        "client_id": 1, "cancelled": False, "symbol_name": "EURUSD", "symbol_group": "forex",
        "symbol_known": True, "group_name": "real\\std", "account_type": "standard",
        "lot_factor": Fraction(1), "currency": "USD", "profit_currency": "USD", "digits": 5,
        "contract_e8": e8("100000"), "pip_points": 10, "account": 7, "side": 1,
    }  # fmt: skip
    for name, value in known.items():
        if f"{name}_e8" in TradeFacts.__dataclass_fields__:
            values[f"{name}_e8"] = e8(value)
        elif name in ("open_quote_at", "close_quote_at"):
            end = name.split("_")[0]
            bid, ask = value.split("/")
            values |= {f"{end}_bid_e8": e8(bid), f"{end}_ask_e8": e8(ask), f"{end}_quote": "deal"}
        else:
            values[name] = value
    return TradeFacts(**values)


def fx(rates: Rates | None = None) -> Any:
    """Return a way to rates: {("EUR/USD", "bid"): "1.27151"}; mid where no side is told."""
    known = rates or {}

    def find(base: str, quote: str, ms: int, side: str = "mid") -> Any:
        if base == quote:
            return Fraction(1), 0, ""
        direct = known.get((f"{base}/{quote}", side))
        back = known.get((f"{quote}/{base}", side))
        if direct is not None:
            return Fraction(direct), 1, f"({side})"
        return None if back is None else (1 / Fraction(back), -1, f"({side})")

    return find


def lines(
    programme: Programme, one: TradeFacts, cards: Sequence[str | None] = ("std",), **known: Any
) -> tuple[TwinLine, ...]:
    """Rate one trade; returns its lines, which the kernel gives, too."""
    people = chain(programme, cards, known.get("currency", "USD"))
    found = rate_one(one, people, fx(known.get("rates"))).lines
    kernel = kernel_told(programme, people, [one], known.get("rates") or {}, "immediate")
    assert kernel == sorted((twin_told(0, line) for line in found), key=repr)
    return found


def paid(
    programme: Programme | Component,
    one: TradeFacts,
    cards: Sequence[str | None] = ("std",),
    **known: Any,
) -> list[str]:
    """Rate one trade; returns amount (shortest form), or the wait's word, or the reason's name."""
    whole = programme if isinstance(programme, Programme) else plan(programme)
    return [told(line) for line in lines(whole, one, cards, **known)]


def told(line: TwinLine) -> str:
    """Say a line: its amount, what it waits for, or why it is zero."""
    if line.wait is not None:
        return line.wait.word
    if line.amount_e8 == 0 and line.reason:
        return line.reason.name.lower()
    return format_e8(line.amount_e8, 0)


def many(
    programme: Programme | Component,
    *trades: TradeFacts,
    cards: Sequence[str | None] = ("std",),
    rates: Rates | None = None,
) -> ManyResult:
    """Rate trades of one chain together; the kernel gives the same lines of each trade."""
    whole = programme if isinstance(programme, Programme) else plan(programme)
    people = chain(whole, cards)
    result = rate_many([(one, people) for one in trades], fx(rates))
    kernel = kernel_told(whole, people, trades, rates or {}, "building")
    mine = [twin_told(x.place, x.line) for x in result.lines if x.place >= 0]
    assert kernel == sorted(mine, key=repr)
    return result


def among(
    whole: Programme, people: Sequence[Partner], *given: tuple[TradeFacts, tuple[int, ...]]
) -> ManyResult:
    """Rate trades of several chains (partners' numbers, the direct IB first) by both ways."""
    trades = [replace(one, ticket=i, close_utc_ms=one.close_utc_ms + i)
              for i, (one, _) in enumerate(given)]  # fmt: skip
    chains = [who for _, who in given]
    result = rate_many(
        [(one, tuple(people[i - 1] for i in who)) for one, who in zip(trades, chains, strict=True)],
        fx(),
    )
    told = [twin_told(x.place, x.line) for x in result.lines if x.place >= 0]
    assert kernel_told(whole, people, trades, {}, "building", chains) == sorted(told, key=repr)
    return result


def amounts(result: ManyResult, partner: int = 1) -> list[str]:
    """Return a partner's lines in canonical order, as `told`."""
    return [told(x.line) for x in result.lines if x.line.partner_id == partner]


def total(result: ManyResult, partner: int = 1) -> str:
    """Return the sum of a partner's payables."""
    return format_e8(sum(x.payable_e8 for x in result.totals if x.partner_id == partner), 0)
