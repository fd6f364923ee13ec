"""What the broker trades and for whom: instruments, account groups, and their symbols."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Instrument:
    """A market. Prices, steps and spread in points; swaps in cents a lot and night."""

    name: str
    kind: str
    digits: int
    contract: int
    base: str
    profit: str
    price: int
    step: int
    weight: int
    swap_buy: int
    swap_sell: int
    about: str


INSTRUMENTS = (
    Instrument("EURUSD", "Forex", 5, 100_000, "EUR", "USD", 108_500, 14, 14, -650, 210,
               "Euro vs US Dollar"),
    Instrument("GBPUSD", "Forex", 5, 100_000, "GBP", "USD", 127_300, 17, 8, -420, 60,
               "Great Britain Pound vs US Dollar"),
    Instrument("AUDUSD", "Forex", 5, 100_000, "AUD", "USD", 65_800, 11, 4, -210, -40,
               "Australian Dollar vs US Dollar"),
    Instrument("USDJPY", "Forex", 3, 100_000, "USD", "JPY", 151_250, 18, 8, 870, -1_460,
               "US Dollar vs Japanese Yen"),
    Instrument("EURJPY", "Forex", 3, 100_000, "EUR", "JPY", 164_105, 20, 3, 430, -980,
               "Euro vs Japanese Yen"),
    Instrument("USDCHF", "Forex", 5, 100_000, "USD", "CHF", 88_240, 11, 2, 620, -1_110,
               "US Dollar vs Swiss Franc"),
    Instrument("EURGBP", "Forex", 5, 100_000, "EUR", "GBP", 85_230, 9, 2, -510, 90,
               "Euro vs Great Britain Pound"),
    Instrument("XAUUSD", "Metals", 2, 100, "XAU", "USD", 412_350, 60, 13, -3_800, 1_250,
               "Gold vs US Dollar"),
    Instrument("XAGUSD", "Metals", 3, 5_000, "XAG", "USD", 51_200, 25, 2, -1_900, 310,
               "Silver vs US Dollar"),
    Instrument("US30", "Indices", 1, 1, "USD", "USD", 438_120, 45, 4, -380, 120,
               "Wall Street 30"),
    Instrument("GER40", "Indices", 1, 1, "EUR", "EUR", 239_500, 35, 2, -240, 70, "Germany 40"),
    Instrument("BTCUSD", "Crypto", 2, 1, "BTC", "USD", 8_512_000, 2_600, 4, -2_100, -900,
               "Bitcoin vs US Dollar"),
    Instrument("ETHUSD", "Crypto", 2, 1, "ETH", "USD", 302_500, 130, 2, -160, -70,
               "Ethereum vs US Dollar"),
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """An account group. `share`: of the logins, in hundredths. Commission and fee in cents a lot.

    Commission is taken on opening deals, and on closing ones too where `both`. Every symbol of the
    group carries `suffix`; `spread` is in thousandths of an instrument's usual one.
    """

    name: str
    type: str
    currency: str
    margin_mode: int
    suffix: str
    share: int
    spread: int
    commission: int = 0
    both: bool = False
    fee: int = 0
    hidden: bool = False

    @property
    def netting(self) -> bool:
        """Tell whether an account has one position per symbol at most."""
        return self.margin_mode == 0


GROUPS = (
    Group("coverage\\lp", "house", "USD", 0, "", 1, 300, hidden=True),
    Group("demo\\forex", "demo", "USD", 2, "", 12, 1_000),
    Group("real\\cent", "cent", "USC", 2, ".c", 12, 1_800),
    Group("real\\ecn", "ecn", "USD", 2, ".p", 24, 250, commission=350, both=True),
    Group("real\\pro-netting", "pro", "EUR", 0, ".n", 7, 400, commission=600, fee=20),
    Group("real\\standard", "standard", "USD", 2, ".z", 44, 1_400),
)
GROUP_NUMBERS = {group.name: number for number, group in enumerate(GROUPS)}


class Quoted:
    """A symbol: an instrument as the groups of one suffix trade it. `profit`: its currency."""

    def __init__(self, number: int, market: int, group: Group) -> None:
        self.number = number
        self.market = market
        self.spec = INSTRUMENTS[market]
        self.suffix = group.suffix
        self.name = self.spec.name + group.suffix
        self.digits, self.contract = self.spec.digits, self.spec.contract
        self.unit = 10**self.digits
        # Cent symbols count US cents as if they were dollars: their lots are cent lots.
        self.profit = "USC" if group.currency == "USC" else self.spec.profit
        self.margin = self.spec.base if self.spec.kind == "Forex" else self.profit
        if group.currency == "USC":
            self.margin = "USC"
        self.spread = max(1, self.spec.step * group.spread // 1000)
        self.crypto = self.spec.kind == "Crypto"
        self.gateway = "prime-fix" if group.suffix == ".p" else ""


def _listing() -> tuple[list[Quoted], dict[str, list[Quoted]]]:
    symbols: list[Quoted] = []
    by_suffix: dict[str, list[Quoted]] = {}
    for group in GROUPS:
        if group.suffix in by_suffix:
            continue
        by_suffix[group.suffix] = []
        for market, spec in enumerate(INSTRUMENTS):
            if group.currency != "USC" or spec.profit == "USD":
                quoted = Quoted(len(symbols) + 1, market, group)
                symbols.append(quoted)
                by_suffix[group.suffix].append(quoted)
    return symbols, by_suffix


SYMBOLS, _BY_SUFFIX = _listing()
BY_NAME = {symbol.name: symbol for symbol in SYMBOLS}


def _weighted(group: Group, *, crypto_only: bool) -> tuple[Quoted, ...]:
    """Return the group's symbols, each as often as its weight says."""
    return tuple(
        quoted
        for quoted in _BY_SUFFIX[group.suffix]
        if quoted.crypto or not crypto_only
        for _ in range(quoted.spec.weight)
    )


WEEKDAY_SYMBOLS = tuple(_weighted(group, crypto_only=False) for group in GROUPS)
WEEKEND_SYMBOLS = tuple(_weighted(group, crypto_only=True) for group in GROUPS)
