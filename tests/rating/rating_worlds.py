"""Small broker worlds for tests, built twice: as columns for the kernel, as values for the twin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random

import numpy as np

from pipshare.market.fx import DEAL_ID, FxRow, FxTable
from pipshare.plans.book import Book, Terms
from pipshare.plans.book import Version as BookVersion
from pipshare.plans.overlap import rank_key
from pipshare.plans.terms import Component, Programme, RateRule
from pipshare.rating import twin_values as tv
from pipshare.rating.own_rates import OwnRates
from pipshare.rating.payees import payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rate import TradeColumns, rate_trades
from pipshare.rating.rated import Rated
from pipshare.rating.reasons import Reason
from pipshare.rating.twin import rate_one

Line = tuple[object, ...]


@dataclass
class Person:
    """A partner: terms are (from ms, (programme id or None, card) or None for none any more)."""

    id: int
    currency: str = "USD"
    own_client: int | None = None
    go_live_ms: int | None = None
    statuses: list[tuple[int, str]] = field(default_factory=list)
    terms: list[tuple[int, tuple[int | None, str] | None]] = field(default_factory=list)


@dataclass
class Row:
    """A trade; symbol, group and chain are places in the world's lists.

    `account` is a place in ACCOUNTS, -1 = its currency is not known; `rate_e8` 0 = none came.
    """

    lots_e8: int
    hold_ms: int = 3_600_000
    close: int = 1000
    client: int = -1
    cancelled: bool = False
    symbol: int = 0
    group: int = 0
    chain: int = 0
    account: int = -1
    rate_e8: int = 0


@dataclass
class World:
    """Everything rating looks at. `programmes`: id -> [(from ms, Programme)]."""

    programmes: dict[int, list[tuple[int, Programme]]]
    persons: list[Person]
    symbols: list[SymbolPlace]
    groups: list[GroupPlace]
    chains: list[tuple[int, ...]]
    trades: list[Row]
    fx: list[FxRow] = field(default_factory=list)

    def versions(self) -> list[BookVersion]:
        """Number versions, components and rates as the database would."""
        out = []
        for pid, history in self.programmes.items():
            for number, (start, programme) in enumerate(history, 1):
                base = 100_000 * pid + 10_000 * number
                out.append(BookVersion(
                    id=base, programme_id=pid, number=number, valid_from_ms=start,
                    programme=programme,
                    component_ids=tuple(100 * pid + c for c in range(len(programme.components))),
                    rate_ids=tuple(
                        tuple(base + 100 * c + r.ordinal for r in part.rates)
                        for c, part in enumerate(programme.components)),
                ))  # fmt: skip
        return out

    def book(self) -> Book:
        """Return the plans' book."""
        versions = self.versions()
        rows = [(v.programme_id, v.valid_from_ms, i) for i, v in enumerate(versions)]
        terms: list[Terms] = []
        held = []
        for person in self.persons:
            for start, said in person.terms:
                held.append((person.id, start, -1 if said is None else len(terms)))
                if said is not None:
                    terms.append(Terms(len(terms) + 1, said[0], said[1]))
        return Book(versions, terms, _columns(rows), _columns(held))

    def rated(self, trades: list[Row] | None = None) -> Rated:
        """Rate with the kernel."""
        rows = self.trades if trades is None else trades
        people = payees([(p.id, p.currency, p.own_client, p.go_live_ms, p.statuses)
                         for p in self.persons])  # fmt: skip
        return rate_trades(
            columns(rows, self.symbols), self.symbols, self.groups, self.chains,
            book=self.book(), payees=people, fx=FxTable(self.fx),
        )  # fmt: skip

    def twin(self, trade: Row) -> tv.TwinResult:
        """Rate one trade with the twin."""
        made = {
            pid: tv.ProgrammeHistory(pid, f"p{pid}", tuple(
                (v.valid_from_ms, tv.Version(v.number, v.programme, v.component_ids, v.rate_ids))
                for v in self.versions() if v.programme_id == pid))
            for pid in self.programmes
        }  # fmt: skip
        people = {p.id: _partner(p, made) for p in self.persons}
        table = FxTable(self.fx)

        def fx(base: str, quote: str, utc_ms: int) -> tuple[Fraction, int, str] | None:
            found = table.find(base, quote, utc_ms)
            return None if found is None else (*found, "test")

        symbol, group = self.symbols[trade.symbol], self.groups[trade.group]
        facts = tv.TradeFacts(
            trade.lots_e8, None if trade.hold_ms < 0 else trade.hold_ms, trade.close,
            None if trade.client < 0 else trade.client, trade.cancelled,
            symbol.name, symbol.symbol_group, symbol.known,
            group.name, group.account_type, group.lot_factor, _own(trade, symbol),
        )  # fmt: skip
        return rate_one(facts, tuple(people[i] for i in self.chains[trade.chain]), fx)


def _own(trade: Row, symbol: SymbolPlace) -> tv.OwnRate | None:
    account = ACCOUNTS[trade.account] if trade.account >= 0 else ""
    if trade.rate_e8 <= 0 or "" in (symbol.currency, account):
        return None
    return tv.OwnRate(symbol.currency, account, Fraction(trade.rate_e8, 10**8), DEAL_ID, "test")


def columns(rows: list[Row], symbols: list[SymbolPlace]) -> TradeColumns:
    """Turn rows into the columns that rating takes."""

    def column(name: str, kind: type) -> np.ndarray:
        return np.array([getattr(row, name) for row in rows], kind)

    return TradeColumns(
        column("lots_e8", np.int64), column("hold_ms", np.int64), column("close", np.int64),
        column("client", np.int64), column("symbol", np.int32), column("group", np.int32),
        column("chain", np.int32), column("cancelled", np.bool_),
        own=None if not any(row.rate_e8 for row in rows) else OwnRates(
            column("rate_e8", np.int64), column("symbol", np.int32), column("account", np.int32),
            tuple(symbol.currency for symbol in symbols), ACCOUNTS),
    )  # fmt: skip


def kernel_lines(rated: Rated) -> list[Line]:
    """Return the kernel's lines and waits as comparable rows."""
    x, names = rated.lines, rated.currencies
    settled = [
        (row, component, level, partner, Reason(reason).name, rate, names[currency], orig,
         names[wallet], amount, fx, held, "")
        for row, component, level, partner, reason, rate, currency, orig, wallet, amount, fx, held
        in zip(*(c.tolist() for c in (
            x.trade_row, x.component_id, x.level, x.partner_id, x.reason, x.rate_id, x.currency,
            x.orig_e8, x.wallet, x.amount_e8, x.fx_id, x.held)), strict=True)
    ]  # fmt: skip
    return sorted(settled + rated.waits.rows(), key=repr)


def twin_lines(world: World) -> list[Line]:
    """Return the twin's lines and waits of all trades as comparable rows."""
    out: list[Line] = []
    for row, trade in enumerate(world.trades):
        for x in world.twin(trade).lines:
            if x.wait is not None:
                out.append((row, x.component_id, x.level, x.partner_id, x.wait.word, x.key))
            else:
                out.append(
                    (
                        row,
                        x.component_id,
                        x.level,
                        x.partner_id,
                        x.reason.name,
                        x.rate_id,
                        x.currency,
                        x.orig_e8,
                        x.wallet,
                        x.amount_e8,
                        x.fx_id,
                        x.held,
                        "",
                    )
                )
    return sorted(out, key=repr)


def _partner(person: Person, made: dict[int, tv.ProgrammeHistory]) -> tv.Partner:
    terms = tuple(
        (start, None if said is None else
         tv.TermsFacts(None if said[0] is None else made[said[0]], said[1]))
        for start, said in person.terms
    )  # fmt: skip
    return tv.Partner(person.id, f"IB{person.id}", person.currency, tuple(person.statuses), terms,
                      person.go_live_ms, person.own_client)  # fmt: skip


def _columns(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = np.array(rows, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


CARDS = ("*", "standard", "gold")
MONEY = ("USD", "EUR", "JPY")
WALLETS = (*MONEY, "USD", "USC")
ACCOUNTS = ("USD", "EUR", "USC", "JPY", "", "EUC")
OWN_RATES = (10**8, 92_000_000, 641_234, 1, 15_712_300_000, -1, 2**62 + 1, 2**63 - 1)
MOMENTS = tuple(range(0, 9000, 1000))
SYMBOLS = ("EURUSD", "XAUUSD", "US30", "Btcusd")
KINDS = ("", "forex", "metals")
GROUPS = ("real\\ecn", "real\\ecn-vip", "real\\cent", "", "demo")
MASKS = ("real\\ecn", "REAL\\*", "real\\e*", "*vip", "*cent", "demo", "*e*n*")
TYPES = ("", "ecn", "cent")
AMOUNTS = ("0", "1", "6.5", "1/3", "0.01", "7/9", "999999.999999999", "123456789/1000000000")
FACTORS = ("1", "0.01", "0.4", "1/3", "1000000000000/7", "98765432109876543211/3")


def random_world(rnd: Random) -> World:
    """Make a world in which everything happens; in a mild one most lines are paid."""
    mild = rnd.random() < 0.6
    programmes = {
        pid: [(start, _programme(rnd, f"p{pid}", start, mild)) for start in _starts(rnd, mild)]
        for pid in range(1, rnd.choice((2, 3)))
    }
    count = rnd.randint(1, 7)
    persons = [_person(rnd, i * 3, [*programmes], mild) for i in range(1, count + 1)]
    ids = [p.id for p in persons]
    chains = [tuple(rnd.sample(ids, rnd.randint(1, count))) for _ in range(rnd.randint(1, 4))]
    money = (*WALLETS, "EUC", "")
    symbols = [SymbolPlace(x, rnd.choice(KINDS), currency=rnd.choice(money)) for x in SYMBOLS]
    symbols += [SymbolPlace("eurusd", "", False), SymbolPlace("WHAT", "", False)]
    groups = [GroupPlace(name, rnd.choice(TYPES), _factor(rnd, mild)) for name in GROUPS]
    fx = [
        FxRow(i + 1, *rnd.sample(MONEY, 2), 0 if mild else rnd.choice(MOMENTS),
              Fraction(rnd.randint(1, 10**6), rnd.choice((1, 100, 99999, 10**8))))
        for i in range(rnd.randint(6 if mild else 0, 9))
    ]  # fmt: skip
    trades = [_trade(rnd, len(symbols), len(groups), len(chains)) for _ in range(rnd.randint(1, 9))]
    world = World(programmes, persons, symbols, groups, chains, trades, fx)
    return _with_own_rates(rnd, world) if rnd.random() < 0.5 else world


def _with_own_rates(rnd: Random, world: World) -> World:
    """Turn a world into one of two currencies and their cents, with few rates but the trades'."""
    persons = [replace(x, currency=rnd.choice(("EUR", "EUC", "USD"))) for x in world.persons]
    profit = rnd.choice((("USD",), ("USD", "USC"), ("EUR", "EUC", "USD")))
    symbols = [replace(x, currency=rnd.choice(profit) if x.known else "") for x in world.symbols]
    accounts = (1, 5) if "EUR" not in profit else (0, 1, 2)
    rates = (*OWN_RATES[:4] * 3, *OWN_RATES)
    trades = [replace(x, account=rnd.choice(accounts), rate_e8=rnd.choice(rates))
              for x in world.trades]  # fmt: skip
    fx = world.fx[: rnd.choice((0, 0, 0, 1, 3))]
    return replace(world, persons=persons, symbols=symbols, trades=trades, fx=fx)


def _weighted(rnd: Random, values: tuple[str, ...]) -> str:
    return values[0] if rnd.random() < 0.5 else rnd.choice(values)


def _starts(rnd: Random, mild: bool) -> list[int]:
    return sorted({*([0] if mild else []), *rnd.sample(MOMENTS, rnd.choice((1, 1, 2, 3)))})


def _factor(rnd: Random, mild: bool) -> Fraction | None:
    if not mild and rnd.random() < 0.2:
        return None
    return Fraction(_weighted(rnd, FACTORS[:-2] if mild else FACTORS))


def _person(rnd: Random, pid: int, programmes: list[int], mild: bool) -> Person:
    words = ("active",) * 2 + (("suspended",) if mild else ("suspended", "terminated"))
    starts = sorted(rnd.sample(MOMENTS, rnd.choice((0, 0, 1, 2))))
    statuses = [(start, rnd.choice(words)) for start in starts]
    terms: list[tuple[int, tuple[int | None, str] | None]] = []
    begin = 0 if mild or rnd.random() < 0.8 else 1000
    for start in sorted({begin, *rnd.sample(MOMENTS, rnd.choice((0, 0, 1, 2)))}):
        said = rnd.choice(programmes * 6 + ([] if mild else [None, 0]))
        terms.append((start, None if said == 0 else (said, rnd.choice((*CARDS[1:], "other")))))
    own = None if mild else rnd.choice((None, None, 1, 2))
    live = rnd.choice((None, None, None, 2000))
    return Person(pid, _weighted(rnd, WALLETS), own, live, statuses, terms)


def _trade(rnd: Random, symbols: int, groups: int, chains: int) -> Row:
    lots = rnd.choice((10**6, 10**8, 150_000_000, 1, 333, 7 * 10**13, 2**40 + 1, 0))
    return Row(
        lots,
        rnd.choice((-1, 0, 178_999, 179_000, 180_000, 10**7)),
        rnd.choice(MOMENTS) + rnd.choice((0, 0, 1, 999)),
        rnd.choice((-1, 1, 2)),
        rnd.random() < 0.1,
        rnd.randrange(symbols),
        rnd.randrange(groups),
        rnd.randrange(chains),
        rnd.randrange(-1, len(ACCOUNTS)),
        rnd.choice((0, *OWN_RATES, rnd.randint(1, 10**9))),
    )


def _programme(rnd: Random, code: str, start: int, mild: bool) -> Programme:
    components: list[Component] = []
    for place in range(rnd.choice((1, 1, 2, 3))):
        rules: dict[object, RateRule] = {}
        for number in range(rnd.choice((1, 3, 6, 12, 25))):
            earlier = [c.code for c in components]
            rule = _rule(rnd, len(rules), earlier, plain=mild and number == 0)
            rules.setdefault(rank_key(rule), rule)
        mode = rnd.choice(("per_level", "override"))
        least = rnd.choice((None, None, 0, 179, 180))
        components.append(Component(f"c{place}", "lot", mode, least, tuple(rules.values())))
    return Programme(
        code, "main", code, start, "USD", rnd.randint(1, 5), rnd.choice(("wait", "pay")),
        tuple(components), rnd.choice(("pay", "none")), rnd.choice(("none", "pay")),
    )  # fmt: skip


def _rule(rnd: Random, ordinal: int, earlier: list[str], plain: bool) -> RateRule:
    of = rnd.choice(earlier) if earlier and rnd.random() < 0.6 else None
    level = rnd.choice((None, None, 2, 3, 4) if of else (None, 1, 1, 2, 2, 3, 4))
    amount = Fraction(rnd.choice(("0", "0.2", "1/3", "1") if of else AMOUNTS))
    currency = "" if of else _weighted(rnd, WALLETS)
    if plain:
        return RateRule(ordinal, ordinal + 10, "*", None, amount, currency, of=of)
    symbol = rnd.choice((None, None, "EURUSD", "btcUSD", "us30"))
    symbol_group = None if symbol else rnd.choice((None, None, "FOREX", "metals"))
    group = rnd.choice((None, None, None, *MASKS))
    kind = None if group else rnd.choice((None, None, "ECN", "cent"))
    return RateRule(
        ordinal, ordinal + 10, rnd.choice(CARDS), level, amount, currency, symbol, symbol_group,
        group, kind, of,
    )  # fmt: skip
