"""The demonstration broker's people, markets and price list: what does not depend on the seed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Instrument:
    """A symbol as the demonstration trades it; `price` and `step` are in points."""

    symbol: str
    group: str
    digits: int
    contract: int
    profit_currency: str
    price: int
    step: int


INSTRUMENTS = (
    Instrument("EURUSD", "forex", 5, 100_000, "USD", 108_500, 900),
    Instrument("GBPUSD", "forex", 5, 100_000, "USD", 127_300, 1_100),
    Instrument("AUDUSD", "forex", 5, 100_000, "USD", 65_800, 700),
    Instrument("USDJPY", "forex", 3, 100_000, "JPY", 151_250, 900),
    Instrument("XAUUSD", "metals", 2, 100, "USD", 412_350, 3_500),
    Instrument("US30", "indices", 1, 1, "USD", 438_120, 3_000),
    Instrument("BTCUSD", "crypto", 2, 1, "USD", 8_512_000, 90_000),
)


@dataclass(frozen=True)
class Partner:
    """A partner of the demonstration; `card` None = no terms, so his share waits."""

    code: str
    name: str
    parent: str | None
    currency: str
    programme: str
    card: str | None


PARTNERS = (
    Partner("IB-100", "Meridian Partners", None, "USD", "ecn-global", "master"),
    Partner("IB-110", "Meridian Iberia", "IB-100", "EUR", "ecn-global", "master"),
    Partner("IB-111", "Sofia Marques", "IB-110", "EUR", "ecn-global", "standard"),
    Partner("IB-112", "Trading Desk Porto", "IB-110", "EUR", "ecn-global", "gold"),
    Partner("IB-120", "Meridian Gulf", "IB-100", "USD", "ecn-global", "gold"),
    Partner("IB-121", "Omar Haddad", "IB-120", "USD", "ecn-global", "standard"),
    Partner("IB-122", "Falcon Signals", "IB-121", "USD", "ecn-global", "standard"),
    Partner("IB-200", "Kobe FX Circle", None, "JPY", "classic-rebate", "standard"),
    Partner("IB-210", "Haruka Ito", "IB-200", "JPY", "classic-rebate", "standard"),
    Partner("IB-300", "Pip Academy", None, "USD", "classic-rebate", "gold"),
    Partner("IB-310", "Nadia Petrova", "IB-300", "USD", "classic-rebate", "standard"),
    Partner("IB-320", "Quiet Harbour", "IB-300", "USD", "classic-rebate", None),
)

# Programme -> component -> rules (card, level, scope, amount per lot in USD). The scope is
# ("group", symbol group), ("type", account type) or None; the more exact rule counts first:
# account type before symbol group, as the plan file reference says.
Rule = tuple[str, int, tuple[str, str] | None, Fraction]
RATES: dict[str, dict[str, tuple[Rule, ...]]] = {
    "ecn-global": {
        "lots": (
            ("*", 1, ("group", "forex"), Fraction(4)),
            ("*", 1, ("group", "metals"), Fraction(6)),
            ("*", 1, ("group", "indices"), Fraction(1, 3)),
            ("*", 1, ("type", "ecn"), Fraction("3.25")),
            ("gold", 1, ("group", "forex"), Fraction(5)),
            ("gold", 1, ("group", "metals"), Fraction("7.5")),
            ("gold", 1, ("group", "indices"), Fraction("0.5")),
        ),
        "override": (
            ("*", 2, None, Fraction("1.25")),
            ("*", 3, None, Fraction("0.4")),
            ("master", 2, None, Fraction(2)),
            ("master", 3, None, Fraction("0.75")),
        ),
    },
    "classic-rebate": {
        "lots": (
            ("*", 1, None, Fraction(3)),
            ("gold", 1, None, Fraction("3.6")),
            ("*", 2, None, Fraction("0.9")),
        ),
    },
}
MIN_HOLD_SECONDS = {"ecn-global": 60, "classic-rebate": 0}


@dataclass(frozen=True)
class Group:
    """An account group of a demonstration server."""

    server: str
    name: str
    type: str
    lot_factor: Fraction
    treatment: str
    currency: str


MT4, MT5 = "Demo-MT4", "Demo-MT5"
SUFFIX = {MT4: ".m", MT5: ""}
GROUPS = (
    Group(MT4, "std-usd", "standard", Fraction(1), "normal", "USD"),
    Group(MT4, "cent-usc", "cent", Fraction(1, 100), "normal", "USC"),
    Group(MT4, "demo-usd", "demo", Fraction(1), "excluded", "USD"),
    Group(MT5, "real\\std-usd", "standard", Fraction(1), "normal", "USD"),
    Group(MT5, "real\\ecn-usd", "ecn", Fraction(1), "normal", "USD"),
    Group(MT5, "house\\desk", "house", Fraction(1), "excluded", "USD"),
)
