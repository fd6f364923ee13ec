"""People who click on partners' links, and what becomes of each: invented from a seed, one by one.

Most leave. Some register, of these some deposit, of these some trade. Programs come, too, and
browsers that only look ahead. The same seed and number give the same visitor.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

PHONE = ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/126.0.0.0 Mobile Safari/537.36")  # fmt: skip
DESK = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/126.0.0.0 Safari/537.36")  # fmt: skip
CRAWLER = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
_COUNTRIES = ("PT", "ES", "DE", "AE", "ZA", "MY", "BR", "PL")
_DEPOSITS = ("50.00", "100.00", "200.00", "250.00", "500.00", "1000.00")
_CRAWLS, _LOOKS_AHEAD = 0.1, 0.05
# More than in life, so that there is more to see.
_REGISTERS, _DEPOSITS_THEN, _TRADES_THEN = 0.45, 0.75, 0.8


@dataclass(frozen=True)
class Visitor:
    """Somebody who comes by a link. `ad_click` is his id in the tracker of whoever advertises.

    `country` "" = he does not register; `deposit` "" = nothing; `trades` = he opens a position.
    """

    number: int
    link: str
    ad_click: str
    agent: str = DESK
    ahead: bool = False
    country: str = ""
    deposit: str = ""
    trades: bool = False

    @property
    def client(self) -> str:
        """Return his code in the broker's system, if he registers."""
        return f"W-{1000 + self.number}"

    @property
    def ad(self) -> str:
        """Return the advertisement he saw, as his sub2."""
        return f"ad-{1 + self.number % 4}"


def visitor(seed: int, number: int, links: tuple[str, ...]) -> Visitor:
    """Return a visitor, numbered from 1, of one of the links: the first ones are clicked most."""
    random = Random(f"{seed}:visitor:{number}")
    link = links[min(random.randrange(len(links)), random.randrange(len(links)))]
    ad_click = f"w{random.randrange(16**12):012x}"
    kind = random.random()
    if kind < _CRAWLS:
        return Visitor(number, link, ad_click, CRAWLER)
    if kind < _CRAWLS + _LOOKS_AHEAD:
        return Visitor(number, link, ad_click, ahead=True)
    agent = random.choice((PHONE, PHONE, DESK))
    if random.random() >= _REGISTERS:
        return Visitor(number, link, ad_click, agent)
    country = random.choice(_COUNTRIES)
    deposit = random.choice(_DEPOSITS) if random.random() < _DEPOSITS_THEN else ""
    trades = bool(deposit) and random.random() < _TRADES_THEN
    return Visitor(number, link, ad_click, agent, False, country, deposit, trades)
