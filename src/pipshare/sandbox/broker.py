"""Make a broker from a seed: clients, accounts and closed trades."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from pipshare.sandbox.cast import GROUPS, INSTRUMENTS, MT4, MT5, PARTNERS, Group, Instrument

FIRST_DAY = date(2026, 10, 12)
LAST_DAY = date(2026, 11, 20)
GO_LIVE = date(2026, 11, 1)
HOLD_SECONDS = (8, 45, 59, 60, 240, 1_800, 7_200, 40_000, 170_000)


@dataclass(frozen=True)
class Client:
    """A client: code, country and the partner who introduced him (None = direct)."""

    code: str
    country: str
    partner: str | None


@dataclass(frozen=True)
class Account:
    """A trading account; `known` False = it trades, and nobody has told pipshare about it."""

    server: str
    login: int
    client: str
    group: Group
    known: bool


@dataclass(frozen=True)
class ClosedTrade:
    """A closed trade in whole units: lots in hundredths, prices in points, money in cents."""

    account: Account
    ticket: int
    position: int
    open_deal: int
    instrument: Instrument
    buy: bool
    lots: int
    opened: datetime
    closed: datetime
    open_points: int
    close_points: int
    commission: int
    swap: int
    profit: int
    rate_profit: str  # profit currency to account currency, as a decimal


@dataclass(frozen=True)
class Broker:
    """Everything the demonstration knows: who is who, what was traded, and the daily EUR rates."""

    clients: tuple[Client, ...]
    accounts: tuple[Account, ...]
    trades: tuple[ClosedTrade, ...]
    rates: dict[date, dict[str, str]]
    go_live: date = GO_LIVE  # of its servers; what closed before is history


def make_broker(seed: int = 7, trades: int = 4_000, go_live: date = GO_LIVE) -> Broker:
    """Make a broker with `trades` closed trades, half on each server. The same seed, the same."""
    random = Random(seed)
    clients = _clients(random)
    accounts = _accounts(random, clients)
    rates = _rates(random)
    closed = [*_trades(random, accounts, MT4, trades - trades // 2, rates),
              *_trades(random, accounts, MT5, trades // 2, rates)]  # fmt: skip
    return Broker(tuple(clients), tuple(accounts), tuple(closed), rates, go_live)


def _clients(random: Random) -> list[Client]:
    countries = ("PT", "ES", "AE", "JP", "DE", "BG", "ZA", "MY")
    introducers = [p.code for p in PARTNERS if p.parent] + ["IB-100", None]
    return [Client(f"C-{number}", random.choice(countries), random.choice(introducers))
            for number in range(5001, 5121)]  # fmt: skip


def _accounts(random: Random, clients: list[Client]) -> list[Account]:
    accounts = []
    for number, client in enumerate(clients):
        server = MT4 if number % 2 else MT5
        choices = [group for group in GROUPS if group.server == server]
        group = random.choices(choices, weights=(6, 3, 1))[0]
        login = (20_050_000 if server == MT4 else 70_010_000) + number
        accounts.append(Account(server, login, client.code, group, known=number % 40 != 39))
    return accounts


def _rates(random: Random) -> dict[date, dict[str, str]]:
    """One EUR/USD and one USD/JPY rate for each day, as text with their decimals."""
    eur, yen, rates = 108_500, 151_250, {}
    for offset in range((LAST_DAY - FIRST_DAY).days + 3):
        eur += random.randint(-400, 400)
        yen += random.randint(-500, 500)
        day = FIRST_DAY - timedelta(days=2) + timedelta(days=offset)
        rates[day] = {"EURUSD": _decimal(eur, 5), "USDJPY": _decimal(yen, 3)}
    return rates


def _trades(
    random: Random, accounts: list[Account], server: str, count: int, rates: dict
) -> list[ClosedTrade]:
    traders = [account for account in accounts if account.server == server]
    closes = sorted(_moment(random) for _ in range(count))
    ticket = 92_000_000 if server == MT4 else 25_500_000
    made = []
    for closed in closes:
        ticket += random.randint(2, 9)
        made.append(_trade(random, random.choice(traders), ticket, closed, rates))
    return made


def _moment(random: Random) -> datetime:
    """A moment of server time on a weekday."""
    while True:
        day = FIRST_DAY + timedelta(days=random.randrange((LAST_DAY - FIRST_DAY).days + 1))
        if day.weekday() < 5:
            return datetime(day.year, day.month, day.day) + timedelta(
                seconds=random.randrange(3_600, 86_000)
            )


def _trade(
    random: Random, account: Account, ticket: int, closed: datetime, rates: dict
) -> ClosedTrade:
    instrument = random.choices(INSTRUMENTS, weights=(9, 5, 3, 5, 6, 2, 1))[0]
    buy = random.random() < 0.5
    lots = random.choice((1, 1, 2, 5, 10, 10, 20, 30, 50, 100, 150))
    open_points = instrument.price + random.randint(-instrument.step, instrument.step)
    close_points = open_points + random.randint(-instrument.step, instrument.step) // 4
    points = (close_points - open_points) * (1 if buy else -1)
    profit = _profit_cents(points, lots, instrument, rates[closed.date()])
    ecn = account.group.type == "ecn"
    return ClosedTrade(
        account, ticket, position=ticket + 11_000_000, open_deal=ticket - 1, instrument=instrument,
        buy=buy, lots=lots, opened=closed - timedelta(seconds=random.choice(HOLD_SECONDS)),
        closed=closed, open_points=open_points, close_points=close_points,
        commission=-lots * 7 if ecn else 0, swap=random.choice((0, 0, 0, -12, -35, 4)),
        profit=profit, rate_profit=_rate_profit(instrument, rates[closed.date()]),
    )  # fmt: skip


def _profit_cents(points: int, lots: int, instrument: Instrument, rates: dict) -> int:
    """Profit in cents of the account currency; yen are turned by the day's rate. Whole numbers."""
    scaled = points * lots * instrument.contract  # hundredths of a lot: already cents
    if instrument.profit_currency == "JPY":
        whole, part = rates["USDJPY"].split(".")
        return scaled // int(whole + part)  # both have three decimals
    return scaled // 10**instrument.digits


def _rate_profit(instrument: Instrument, rates: dict) -> str:
    """Return the dollars in one unit of the profit currency, by the day's rate, to 8 decimals."""
    if instrument.profit_currency != "JPY":
        return "1"
    whole, part = rates["USDJPY"].split(".")
    return _decimal(10**11 // int(whole + part), 8)


def _decimal(points: int, digits: int) -> str:
    return f"{points // 10**digits}.{points % 10**digits:0{digits}d}"
