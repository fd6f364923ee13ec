"""Traders of the sandbox CRM: invented from a seed, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

NUMBERS = 100  # numbers of a trader's own transactions: his number, then two digits
FIRST = 70_001
_NAMES = (
    "Ana", "Bruno", "Chen", "Dalia", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Juana", "Kofi",
    "Lin", "Mara", "Nuno", "Olga", "Pedro", "Rana", "Tariq", "Uma", "Yuki",
)  # fmt: skip
_FAMILIES = ("Sandbox", "Invented", "Example", "Testing", "Nobody")
_COUNTRIES = ("PT", "ES", "DE", "AE", "ZA", "MY", "BR", "PL", "CY")
_CAMPAIGNS = ("spring", "webinar", "video", "")


@dataclass(frozen=True)
class Trader:
    """A client of the CRM: his number is his TraderID. `tag` "" = nobody introduced him."""

    seed: int
    number: int
    plot: str
    name: str
    country: str
    coin: str
    tag: str

    def id_of(self, deed: int) -> int:
        """Return the number of a transaction, dispute or check: unique, and always the same."""
        return self.number * NUMBERS + deed

    @property
    def login(self) -> str:
        """Return his account's login, out of the way of other sandboxes' logins."""
        return str(88_000_000 + self.number)


def trader(
    seed: int, number: int, plot: str, affiliates: tuple[str, ...], coins: tuple[str, ...],
    untagged: float = 0.1,
) -> Trader:  # fmt: skip
    """Return a trader. A share `untagged` has no tag; with no affiliates nobody has one."""
    random = Random(f"{seed}:trader:{number}")
    name = f"{random.choice(_NAMES)} {random.choice(_FAMILIES)}"
    country, coin = random.choice(_COUNTRIES), random.choice(coins)
    tag = tag_of(random, affiliates, country)
    tag = tag if random.random() >= untagged else ""
    return Trader(seed, number, plot, name, country, coin, tag)


def tag_of(random: Random, affiliates: tuple[str, ...], country: str) -> str:
    """Return a tag such as a524-b12-p1-fspring-cCY; "" without affiliates."""
    if not affiliates:
        return ""
    campaign = random.choice(_CAMPAIGNS)
    tag = f"a{random.choice(affiliates)}-b{random.randrange(1, 30)}-p{random.randrange(1, 4)}"
    return tag + (f"-f{campaign}-c{country}" if campaign else "")
