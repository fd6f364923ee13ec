"""Small broker worlds whose windows are settled: a plan, trades and events written short."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import polars as pl
from client_events import UTC_CLOCK, frame, ms
from rating_worlds import Person, World

from pipshare.market.fx import FxRow, FxTable
from pipshare.money import from_e8
from pipshare.period import Clock, Span, from_ms
from pipshare.plans.parse import parse
from pipshare.rating.columns import TradeColumns
from pipshare.rating.payees import payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.settle import Settled, settle_window

HEAD = '[programme]\ncode = "p"\ncurrency = "USD"\n'
SYMBOLS = (SymbolPlace("EURUSD", "forex", currency="USD", digits=5, contract_e8=100_000 * 10**8),)
GROUPS = (GroupPlace("real\\std", "standard", Fraction(1), "USD"),)
ACCOUNTS = ("USD", "EUR")


@dataclass
class Trade:
    """A trade; money is the client's, in the account's currency."""

    close: int
    lots: str = "1"
    commission: str = "0"
    profit: str = "0"
    client: int = 1
    chain: int = 0
    currency: int = 0
    side: int = 1
    cancelled: bool = False
    ticket: int = 0


@dataclass(frozen=True)
class Placed:
    trades: TradeColumns
    symbols: tuple[SymbolPlace, ...]
    groups: tuple[GroupPlace, ...]
    chains: tuple[tuple[int, ...], ...]


@dataclass
class Windows:
    """Everything that settling looks at. `introduced`: by client his chain, 0 unless told."""

    plan: str
    trades: list[Trade] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    chains: tuple[tuple[int, ...], ...] = ((1,),)
    introduced: dict[int, int] = field(default_factory=dict)
    fx: list[FxRow] = field(default_factory=list)
    clock: Clock = UTC_CLOCK
    wallets: dict[int, str] = field(default_factory=dict)
    history: pl.DataFrame | None = None
    cards: dict[int, str] = field(default_factory=dict)

    def given(self) -> Given:
        ids = sorted({one for chain in self.chains for one in chain})
        programme = parse(self.plan, "p.toml")
        people = [Person(i, self.wallets.get(i, "USD"),
                         terms=[(0, (1, self.cards.get(i, "standard")))]) for i in ids]  # fmt: skip
        world = World({1: [(0, programme)]}, people, [], [], [], [])
        return Given(
            placed=Placed(_columns(self.trades), SYMBOLS, GROUPS, self.chains),
            book=world.book(),
            payees=payees([(p.id, p.currency, None, None, []) for p in people]),
            fx=FxTable(self.fx), clock=self.clock,
            events=frame(self.events), history=self.history,
            chains_at=lambda client, at: np.array(
                [self.introduced.get(one, 0) for one in client.tolist()], np.int32),
        )  # fmt: skip

    def settled(self, span: Span | None = None, **changed: object) -> Settled:
        return settle_window(replace(self.given(), **changed), span=span)  # type: ignore[arg-type]


def _columns(rows: list[Trade]) -> TradeColumns:
    def e8(name: str) -> np.ndarray:
        return np.array([int(Fraction(getattr(row, name)) * 10**8) for row in rows], np.int64)

    def whole(name: str, kind: type) -> np.ndarray:
        return np.array([getattr(row, name) for row in rows], kind)

    zero = np.zeros(len(rows), np.int64)
    return TradeColumns(
        lots_e8=e8("lots"), hold_ms=zero + 3_600_000, close_utc_ms=whole("close", np.int64),
        client=whole("client", np.int64), symbol=zero.astype(np.int32),
        group=zero.astype(np.int32), chain=whole("chain", np.int32),
        cancelled=whole("cancelled", np.bool_), side=whole("side", np.int8),
        commission_e8=e8("commission"), profit_e8=e8("profit"), swap_e8=zero, fee_e8=zero,
        account=whole("client", np.int64), currency=whole("currency", np.int32),
        server=zero.astype(np.int32), ticket=whole("ticket", np.int64),
        account_currencies=ACCOUNTS,
    )  # fmt: skip


def months(found: Settled, component: int = 100, partner: int = 1) -> dict[str, str]:
    """Return what a partner's months of a component come to, and check the lines against it."""
    lines = found.lines.filter(pl.col("amount_e8") != 0)
    assert lines["amount_e8"].sum() == found.targets["amount_e8"].sum()
    told = found.targets.filter(component_id=component, partner_id=partner)
    sums = told.group_by("window_start_ms").agg(pl.col("amount_e8").sum()).sort("window_start_ms")
    return {
        f"{from_ms(start):%Y-%m}": f"{from_e8(amount).normalize():f}"
        for start, amount in sums.iter_rows()
    }


def at(month: int, day: int = 10) -> int:
    """Return a moment of 2026."""
    return ms(f"{month:02}-{day:02} 10:00")
