"""Worlds of every basis, mode, condition and cap, built twice: for the kernel and for the twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
from rating_worlds import ACCOUNTS, CARDS, Line, Person, Row, World, columns, kernel_lines

from pipshare.market.fx import FxRow, FxTable
from pipshare.period import Clock
from pipshare.plans.terms import Programme
from pipshare.rating import twin_values as tv
from pipshare.rating.columns import QUOTE_SOURCES, TradeColumns
from pipshare.rating.payees import payees
from pipshare.rating.places import Dated, GroupPlace, SymbolPlace
from pipshare.rating.rate import rate_trades
from pipshare.rating.rated import Rated
from pipshare.rating.reasons import Reason
from pipshare.rating.twin import BrokerDay, rate_one

COUNTRIES = ("cy", "DE", "US")  # plans say "CY": case does not matter
CLOCK = Clock("America/New_York", 7 * 3_600_000)
TWIN_DAY = BrokerDay("America/New_York", 7 * 3_600_000)
HOUR = 3_600_000
_MONEY = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")


@dataclass
class RichRow(Row):
    """A trade with all that rating may want to know of it; as in TradeColumns."""

    open_utc_ms: int = 0
    side: int = 1
    open_price_e8: int = 0
    close_price_e8: int = 0
    open_bid_e8: int = 0
    open_ask_e8: int = 0
    open_spread_e16: int = 0
    close_bid_e8: int = 0
    close_ask_e8: int = 0
    open_quote: int = 1
    close_quote: int = 1
    contract_e8: int = 0
    typical_points_e8: int = -1
    gateway_markup_points_e8: int = -1
    markup_points_e8: int = -1
    commission_e8: int = 0
    fee_e8: int = 0
    swap_e8: int = 0
    profit_e8: int = 0
    reason: int = -1
    partial: bool = False
    close_by: int = 0
    country: int = -1
    qualified_ms: int = 0
    registered_ms: int = 0
    kyc_held: bool = False
    blocked: bool = False
    bonus_top: int = 1
    bonus_bottom: int = 1
    snapshot_age_ms: int = 0
    negative: bool = False
    book: int = 0
    server: int = 1
    ticket: int = 0
    account_id: int = 0


_OWN = [f.name for f in fields(RichRow) if f.name not in {g.name for g in fields(Row)}]
_KINDS = {"side": np.int8, "open_quote": np.int8, "close_quote": np.int8, "reason": np.int16,
          "partial": np.bool_, "close_by": np.int8, "country": np.int32, "kyc_held": np.bool_,
          "blocked": np.bool_,
          "negative": np.bool_, "book": np.int8, "server": np.int32}  # fmt: skip


def rich_columns(rows: Sequence[RichRow], symbols: list[SymbolPlace]) -> TradeColumns:
    """Turn rows into columns, all of them."""
    base = columns(list(rows), symbols)
    told = {
        ("account" if name == "account_id" else name): np.array(
            [getattr(row, name) for row in rows], _KINDS.get(name, np.int64))
        for name in _OWN
    }  # fmt: skip
    places = np.array([row.account for row in rows], np.int32)
    places = np.where([ACCOUNTS[p] == "" for p in places], -1, places).astype(np.int32)
    return replace(base, **told, currency=places, account_currencies=ACCOUNTS, countries=COUNTRIES)


@dataclass
class RichWorld(World):
    """A world whose trades are RichRows, rated on the broker's clock."""

    def rich_rated(self, rows: Sequence[RichRow], **known: Any) -> Rated:
        """Rate with the kernel."""
        people = payees([(p.id, p.currency, p.own_client, p.go_live_ms, p.statuses)
                         for p in self.persons])  # fmt: skip
        return rate_trades(
            rich_columns(rows, self.symbols), self.symbols, self.groups, self.chains,
            book=self.book(), payees=people, fx=FxTable(self.fx), clock=CLOCK, **known,
        )  # fmt: skip

    def people(self) -> dict[int, tv.Partner]:
        """Return the partners as the twin wants them."""
        made = {
            pid: tv.ProgrammeHistory(pid, f"p{pid}", tuple(
                (v.valid_from_ms, tv.Version(v.number, v.programme, v.component_ids, v.rate_ids))
                for v in self.versions() if v.programme_id == pid))
            for pid in self.programmes
        }  # fmt: skip
        return {p.id: _partner(p, made) for p in self.persons}

    def find_fx(self) -> tv.Fx:
        """Return the twin's way to exchange rates."""
        table = FxTable(self.fx)

        def fx(base: str, quote: str, ms: int, side: Any = "mid") -> Any:
            found = table.find(base, quote, ms, side)
            return None if found is None else (*found, "test")

        return fx

    def given(self, row: RichRow, people: dict[int, tv.Partner]) -> tuple[Any, Any]:
        """Return a trade and its chain as the twin wants them."""
        chain = tuple(people[i] for i in self.chains[row.chain])
        return twin_facts(row, self.symbols[row.symbol], self.groups[row.group]), chain

    def rich_twin(self, row: RichRow, people: dict[int, tv.Partner]) -> tv.TwinResult:
        """Rate one trade with the twin."""
        return rate_one(*self.given(row, people), self.find_fx(), TWIN_DAY)


def _partner(person: Person, made: dict[int, tv.ProgrammeHistory]) -> tv.Partner:
    terms = tuple(
        (start, None if said is None else
         tv.TermsFacts(None if said[0] is None else made[said[0]], said[1]))
        for start, said in person.terms
    )  # fmt: skip
    return tv.Partner(person.id, f"IB{person.id}", person.currency, tuple(person.statuses), terms,
                      person.go_live_ms, person.own_client)  # fmt: skip


def twin_facts(row: RichRow, symbol: SymbolPlace, group: GroupPlace) -> tv.TradeFacts:
    """Return a trade as the twin's facts: what is not known is None, "" or 0."""
    same = {name: getattr(row, name) for name in (
        "side", "open_price_e8", "close_price_e8", "open_bid_e8", "open_ask_e8",
        "open_spread_e16", "close_bid_e8",
        "close_ask_e8", *_MONEY, "partial", "close_by", "registered_ms", "kyc_held", "blocked",
        "snapshot_age_ms", "negative", "server", "ticket")}  # fmt: skip
    account = ACCOUNTS[row.account] if row.account >= 0 else ""
    own = None
    if row.rate_e8 > 0 and account and symbol.currency:
        rate = Fraction(row.rate_e8, 10**8)
        own = tv.OwnRate(symbol.currency, account, rate, 2_147_483_645, "test")
    return tv.TradeFacts(
        lots_e8=row.lots_e8, hold_ms=None if row.hold_ms < 0 else row.hold_ms,
        close_utc_ms=row.close, client_id=None if row.client < 0 else row.client,
        cancelled=row.cancelled, symbol_name=symbol.name, symbol_group=symbol.symbol_group,
        symbol_known=symbol.known, group_name=group.name, account_type=group.account_type,
        lot_factor=group.lot_factor, own=own, open_utc_ms=row.open_utc_ms or None,
        open_quote=QUOTE_SOURCES[row.open_quote], close_quote=QUOTE_SOURCES[row.close_quote],
        typical_points=_points(row.typical_points_e8, symbol.typical, group, row.close),
        gateway_points=_told(row.gateway_markup_points_e8),
        markup_points=_points(row.markup_points_e8, symbol.markup, group, row.close),
        deal_reason=row.reason, account=row.account_id, currency=account or group.currency,
        country=COUNTRIES[row.country] if row.country >= 0 else "",
        qualified_ms=None if row.qualified_ms < 0 else row.qualified_ms,
        bonus=Fraction(row.bonus_top, row.bonus_bottom) if row.bonus_bottom else None,
        book="made" if row.book else "passed", digits=symbol.digits,
        contract_e8=row.contract_e8 or symbol.contract_e8, pip_points=symbol.pip_points,
        calc=symbol.calc, tick_size_e8=symbol.tick_size_e8, tick_value_e8=symbol.tick_value_e8,
        profit_currency=symbol.currency, **same,
    )  # fmt: skip


def _told(points_e8: int) -> Fraction | None:
    return None if points_e8 < 0 else Fraction(points_e8, 10**8)


def _points(
    own_e8: int, table: tuple[Dated, ...], group: GroupPlace, close: int
) -> Fraction | None:
    """Look up a table of points: the trade's own, its group's, then any group's."""
    if own_e8 >= 0:
        return _told(own_e8)
    for name in (group.name, ""):
        begun = [x for x in table if x.from_ms <= close and x.group.casefold() == name.casefold()]
        if begun:
            return max(begun, key=lambda x: x.from_ms).points
    return None


def rich_kernel_lines(rated: Rated) -> list[Line]:
    """Return the kernel's lines and waits as comparable rows, with what was cut by a cap."""
    x, names = rated.lines, rated.currencies
    capped = [False] * len(x) if x.capped is None else x.capped.tolist()
    settled: list[Line] = [
        (row, component, level, partner, Reason(reason).name, rate, names[currency], orig,
         names[wallet], amount, fx, held, cut)
        for row, component, level, partner, reason, rate, currency, orig, wallet, amount, fx, held,
        cut in zip(*(c.tolist() for c in (
            x.trade_row, x.component_id, x.level, x.partner_id, x.reason, x.rate_id, x.currency,
            x.orig_e8, x.wallet, x.amount_e8, x.fx_id, x.held)), capped, strict=True)
    ]  # fmt: skip
    return sorted(settled + rated.waits.rows(), key=repr)


def twin_line(row: int, x: tv.TwinLine) -> Line:
    """Return a twin's line as a comparable row."""
    if x.wait is not None:
        return (row, x.component_id, x.level, x.partner_id, x.wait.word, x.key)
    return (row, x.component_id, x.level, x.partner_id, x.reason.name, x.rate_id, x.currency,
            x.orig_e8, x.wallet, x.amount_e8, x.fx_id, x.held, x.capped)  # fmt: skip


def rich_twin_lines(world: RichWorld, rows: Sequence[RichRow]) -> list[Line]:
    """Return the twin's lines and waits of all trades as comparable rows."""
    people = world.people()
    return sorted(
        (twin_line(i, x) for i, row in enumerate(rows) for x in world.rich_twin(row, people).lines),
        key=repr,
    )


SYMBOLS = [
    SymbolPlace("EURUSD", "forex", True, "USD", 5, 10**13, 10, typical=(
        Dated(Fraction(12)), Dated(Fraction(9), "real", 24 * HOUR)), markup=(Dated(Fraction(3)),)),
    SymbolPlace("USDJPY", "forex", True, "JPY", 3, 10**13, 10, typical=(Dated(Fraction(15)),)),
    SymbolPlace("XAUUSD", "metals", True, "USD", 2, 10**10, 0, "cfd",
                markup=(Dated(Fraction(7, 2), "real"),)),
    SymbolPlace("ES", "indices", True, "USD", 2, 0, 0, "futures", 25_000_000, 1_250_000_000),
    SymbolPlace("GDAXI", "indices", True, "", 1, 10**8, 0, "cfd"),
    SymbolPlace("what", "", False),
]  # fmt: skip
GROUPS = [GroupPlace("real", "std", Fraction(1), "USD"),
          GroupPlace("cent", "cent", Fraction(1, 100), "USC"),
          GroupPlace("mod", "", Fraction("0.4")),
          GroupPlace("new", "std", None, "EUR")]  # fmt: skip


def rich_world(
    rnd: Random, programme: Programme, months: int = 0
) -> tuple[RichWorld, list[RichRow]]:
    """Make a world of one programme: partners, chains, rates and trades of some days."""
    count = rnd.randint(1, 5)
    mild = rnd.random() < 0.6
    persons = [_person(rnd, i * 3, mild) for i in range(1, count + 1)]
    ids = [p.id for p in persons]
    chains = [tuple(rnd.sample(ids, rnd.randint(1, count))) for _ in range(rnd.randint(1, 3))]
    fx = _fx(31 * max(months, 1))
    if rnd.random() < 0.1:
        fx = []
    world = RichWorld({1: [(0, programme)]}, persons, SYMBOLS, GROUPS, chains, [], fx)
    rows = [_row(rnd, len(chains), months) for _ in range(rnd.randint(1, 18 if mild else 12))]
    if mild:
        rows = [_plain(rnd, row) for row in rows]
    return world, [replace(row, ticket=rnd.choice((i, 7))) for i, row in enumerate(rows)]


def _fx(days: int) -> list[FxRow]:
    """Return rates with both sides for every fifth day."""
    out: list[FxRow] = []
    for day in range(0, days + 5, 5):
        for base, quote, text in (("EUR", "USD", "1.0850"), ("USD", "JPY", "151.23")):
            mid = Fraction(text) + Fraction(day, 10_000)
            bid, ask = mid * Fraction(999, 1000), mid * Fraction(1001, 1000)
            out.append(FxRow(len(out) + 1, base, quote, day * 24 * HOUR, mid, bid, ask))
    return out


def _plain(rnd: Random, row: RichRow) -> RichRow:
    """Turn a trade into one that most plans pay."""
    return replace(
        row, reason=rnd.choice((-1, 0, 2)), close_by=rnd.choice((0, 0, 1)), cancelled=False,
        hold_ms=10**7, lots_e8=row.lots_e8 or 10**8, symbol=rnd.choice((0, 0, 0, 1, 2)),
        group=rnd.choice((0, 0, 1, 2)), qualified_ms=rnd.choice((0, 0, -1)),
        commission_e8=rnd.choice((-700_000_000, -1_234_567, -333, 500)),
        profit_e8=rnd.choice((1_200_000_000, -500_000_000, 333, 0)), bonus_bottom=3,
        open_bid_e8=117_521_000, open_ask_e8=117_525_000, close_bid_e8=117_612_000,
        close_ask_e8=117_616_000, open_price_e8=110_000_000,
        close_price_e8=row.close_price_e8 or 110_030_000,
    )  # fmt: skip


def _person(rnd: Random, pid: int, mild: bool) -> Person:
    ends: list[tuple[int, str]] = [] if mild else [(24 * HOUR, "terminated")]
    statuses = rnd.choice(([], [], [], [(0, "suspended")], ends))
    terms: list[tuple[int, Any]] = [(0, (1, rnd.choice((*CARDS[1:], "gold", "silver"))))]
    if rnd.random() < 0.06:
        terms = [(24 * HOUR, terms[0][1])]
    if rnd.random() < 0.04:
        terms = [(0, (None, ""))]
    live = None if mild else rnd.choice((None, None, 3 * HOUR))
    wallet = rnd.choice(("USD", "USD", "EUR", "JPY"))
    return Person(pid, wallet, rnd.choice((None, None, None, 1)), live, statuses, terms)


def _row(rnd: Random, chains: int, months: int) -> RichRow:
    close = rnd.choice((0, 1, 5, 23, 24, 30, 47, 60, 72)) * HOUR + rnd.choice((0, 0, 1, 59_999))
    close += rnd.randrange(31 * months) * 24 * HOUR if months else 0
    bid = rnd.choice((117_521_000, 117_521_000, 0, 458_123_000_000))
    spread = rnd.choice((4000, 16_000_000, 0, -5, 13_600))
    money = (0, 0, -700_000_000, -1_234_567, 500_000_000, 333, 1_200_000_000)
    price = rnd.choice((0, 110_000_000, 110_030_000, 458_123_000_000))
    return RichRow(
        rnd.choice((10**6, 10**8, 150_000_000, 333, 3 * 10**8, 0)),
        rnd.choice((-1, 0, 179_000, 180_000, 10**7)), close, rnd.choice((-1, 1, 2)),
        rnd.random() < 0.03, rnd.choice((0, 0, 0, 1, 2, 3, 4, 5)), rnd.choice((0, 0, 0, 1, 2, 3)),
        rnd.randrange(chains), rnd.randrange(-1, len(ACCOUNTS)),
        rnd.choice((0, 0, 0, 92_000_000)),
        side=rnd.choice((1, -1)), open_price_e8=price,
        close_price_e8=price + rnd.choice((0, 29_000, 30_000, 50_000, 10**7)) if price else 0,
        open_bid_e8=bid, open_ask_e8=bid + spread if bid else 0,
        open_spread_e16=rnd.choice((0, 0, 1_300_000_000_001, 10**16)), close_bid_e8=bid,
        close_ask_e8=bid + abs(spread) if bid else 0, open_quote=rnd.choice((0, 1, 1, 2)),
        close_quote=rnd.choice((0, 1, 1, 2)), contract_e8=rnd.choice((0, 0, 0, 10**11)),
        typical_points_e8=rnd.choice((-1, -1, 10**9)),
        gateway_markup_points_e8=rnd.choice((-1, -1, 0, 250_000_000)),
        markup_points_e8=rnd.choice((-1, -1, 123_456_789)), commission_e8=rnd.choice(money),
        fee_e8=rnd.choice(money), swap_e8=rnd.choice(money), profit_e8=rnd.choice(money),
        reason=rnd.choice((-1, 0, 1, 2, 6, 17)), partial=rnd.random() < 0.2,
        close_by=rnd.choice((0, 0, 0, 1, 2)), country=rnd.randrange(-1, 3),
        qualified_ms=rnd.choice((0, 0, -1, 24 * HOUR)), registered_ms=rnd.choice((0, HOUR)),
        kyc_held=rnd.random() < 0.2, blocked=rnd.random() < 0.1,
        bonus_top=rnd.choice((1, 2, 3, 0, -1)),
        bonus_bottom=rnd.choice((3, 3, 2, 0)), snapshot_age_ms=rnd.choice((0, 24, 25)) * HOUR,
        negative=rnd.random() < 0.1, book=rnd.choice((0, 1)), account_id=rnd.choice((7, 8)),
    )  # fmt: skip


__all__ = ["kernel_lines", "rich_kernel_lines", "rich_twin_lines", "rich_world"]
