"""What may become of a client: stories of one broker's desk, told in days after the registration.

A deed is what happens once: it falls due so many seconds after the trader registered. Money is in
cents. The same trader always has the same story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pipshare.sandbox.crm.people import Trader

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_WAYS = ("Card", "Bank", "Skrill", "USDT")
_AMOUNTS = (25_000, 50_000, 50_000, 75_000, 100_000, 200_000, 50_010)
_PAPERS = ("passport", "identity card", "driving licence")


@dataclass(frozen=True)
class Deed:
    """What happens, when (seconds after the registration), and with what.

    `what` is a name of DEEDS. `number` counts a trader's deeds: his own numbers are made of it.
    """

    after_s: int
    what: str
    number: int
    told: dict[str, Any] = field(default_factory=dict)


# What the partner API has, and what only a webhook tells.
RECORDED = ("registered", "account", "deposit", "withdrawal", "transfer", "credit in",
            "credit out", "trade")  # fmt: skip
TOLD = ("payment failed", "payment reversed", "dispute opened", "dispute won", "dispute lost",
        "payout failed", "payout cancelled", "kyc", "bonus", "bonus removed", "moved", "merged",
        "unmerged", "duplicate", "not duplicate")  # fmt: skip
DEEDS = (*RECORDED, *TOLD)


class _Story:
    """Collects deeds; a money deed's number is given back, for later ones to name it."""

    def __init__(self, who: Trader) -> None:
        self.who, self.random = who, Random(f"{who.seed}:story:{who.number}:{who.plot}")
        self.deeds: list[Deed] = []
        self.amount = self.random.choice(_AMOUNTS)
        self._last = 0

    def add(self, days: float, what: str, **told: Any) -> int:
        """Add a deed some days after the registration, never before the one added last."""
        at = round(days * DAY) + self.random.randrange(40 * MINUTE)
        self._last = max(self._last + 1, at)
        number = len(self.deeds)
        self.deeds.append(Deed(self._last, what, number, told))
        return number

    def pay_in(self, days: float) -> int:
        return self.add(days, "deposit", cents=self.amount, way=self.random.choice(_WAYS))

    def check(self, days: float, state: str) -> None:
        """Let the client's papers be looked at. `valid_days`: for how long from then."""
        paper = self.random.choice(_PAPERS) if state in ("verified", "submitted") else ""
        valid = self.random.randrange(200, 2_000) if state == "verified" else 0
        self.add(days, "kyc", state=state, paper=paper, valid_days=valid)

    def trade(self, first: float, last: float) -> None:
        day = first
        while day < last:
            self.add(day, "trade", cents=self.random.randrange(5, 400),
                     turnover=self.random.randrange(1, 40) * 10_000)  # fmt: skip
            day += self.random.uniform(0.5, 3)


def _verified(one: _Story) -> int:
    """The usual beginning: an account, KYC approved, a first deposit."""
    one.add(0.01, "account")
    one.check(0.2, "submitted")
    one.check(0.8, "verified")
    return one.pay_in(1.2)


def _stays(one: _Story) -> None:
    _verified(one)
    one.trade(1.5, 20)
    one.add(12, "transfer", cents=one.amount // 5)
    one.pay_in(15)


def _charged_back(one: _Story) -> None:
    deposit = _verified(one)
    one.trade(1.5, 8)
    one.add(21, "dispute opened", of=deposit)
    one.add(40, "dispute lost", of=deposit)


def _dispute_won(one: _Story) -> None:
    deposit = _verified(one)
    one.trade(1.5, 8)
    one.add(18, "dispute opened", of=deposit)
    one.add(36, "dispute won", of=deposit)


def _taken_back(one: _Story) -> None:
    deposit = _verified(one)
    one.trade(1.5, 8)
    one.add(20, "payment reversed", of=deposit)


def _verified_late(one: _Story) -> None:
    one.add(0.01, "account")
    one.pay_in(0.1)
    one.check(0.2, "submitted")
    one.trade(0.5, 9)
    one.check(9, "verified")


def _declined(one: _Story) -> None:
    one.add(0.01, "account")
    one.pay_in(0.3)
    one.check(0.5, "submitted")
    one.check(2, "declined")
    one.check(7, "submitted")
    one.check(11, "verified")


def _expired(one: _Story) -> None:
    _verified(one)
    one.check(25, "expired")
    one.trade(26, 32)
    one.check(33, "verified")


def _approval_withdrawn(one: _Story) -> None:
    _verified(one)
    one.trade(2, 20)
    one.check(22, "withdrawn")


def _leaves(one: _Story) -> None:
    deposit = _verified(one)
    one.add(4, "withdrawal", cents=one.amount, way="Card", of=deposit)


def _payout_fails(one: _Story) -> None:
    _verified(one)
    payout = one.add(6, "withdrawal", cents=one.amount // 2, way="Bank")
    one.add(8, "payout failed", of=payout)
    payout = one.add(10, "withdrawal", cents=one.amount // 4, way="Bank")
    one.add(10.5, "payout cancelled", of=payout)


def _bonus(one: _Story) -> None:
    _verified(one)
    bonus = one.add(1.3, "bonus", cents=one.amount // 10, rule="welcome")
    one.add(3, "credit in", cents=2_500)
    one.add(9, "credit out", cents=2_500)
    one.add(14, "bonus removed", of=bonus)


def _moved(one: _Story) -> None:
    _verified(one)
    one.trade(1.5, 12)
    one.add(17, "moved", why="the client asked for it in writing")


def _merged(one: _Story) -> None:
    one.add(0.01, "account")
    one.pay_in(0.5)
    one.add(5, "merged", why="one person registered twice")


def _duplicate(one: _Story) -> None:
    _verified(one)
    one.add(3, "duplicate", why="same passport")


def _no_duplicate(one: _Story) -> None:
    _verified(one)
    one.add(3, "duplicate", why="same address")
    one.add(6, "not duplicate", why="a brother, with papers of his own")


def _card_declined(one: _Story) -> None:
    one.add(0.01, "account")
    for days in (0.1, 0.12):
        one.add(days, "payment failed", cents=one.amount, way="Card", why="do not honour")
    one.check(0.4, "verified")
    one.pay_in(0.6)


def _only_looks(one: _Story) -> None:
    """Registers, and is never heard of again."""


# Plot -> (how it goes, its weight among later traders); the first traders take one each, in order.
PLOTS: dict[str, tuple[Callable[[_Story], object], int]] = {
    "stays": (_stays, 30),
    "charged back": (_charged_back, 6),
    "verified late": (_verified_late, 10),
    "taken back": (_taken_back, 4),
    "dispute won": (_dispute_won, 3),
    "declined": (_declined, 4),
    "expired": (_expired, 3),
    "approval withdrawn": (_approval_withdrawn, 2),
    "leaves": (_leaves, 5),
    "payout fails": (_payout_fails, 4),
    "bonus": (_bonus, 6),
    "moved": (_moved, 2),
    "merged": (_merged, 1),
    "duplicate": (_duplicate, 2),
    "no duplicate": (_no_duplicate, 1),
    "card declined": (_card_declined, 5),
    "only looks": (_only_looks, 12),
}


def plot_of(seed: int, place: int) -> str:
    """Return the plot of the trader who came as number `place`, from 0."""
    names = list(PLOTS)
    if place < len(names):
        return names[place]
    weights = [weight for _, weight in PLOTS.values()]
    return Random(f"{seed}:plot:{place}").choices(names, weights)[0]


def story(who: Trader) -> Iterator[Deed]:
    """Yield what becomes of a trader, in its order; the registration is the first.

    Raises KeyError for a plot that there is not.
    """
    one = _Story(who)
    one.deeds.append(Deed(0, "registered", 0))
    PLOTS[who.plot][0](one)
    return iter(one.deeds)
