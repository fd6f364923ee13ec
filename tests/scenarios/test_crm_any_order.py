"""Every story of a client comes to the same books, in whatever order and however often it is told.

Each story is told in its order, one event at a time, and by shuffled copies with repeats, a few
events at a time, settled in between. The books are compared by payee, currency, state and the day
on which it was earned. PIPSHARE_TEST_LONG=1 shuffles each story 48 times instead of once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from crm_stories import Books, Event, Stories, told

LONG = bool(os.environ.get("PIPSHARE_TEST_LONG"))
USD = {"currency": "USD"}
_CPA = """
[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
"""
_LOTS = """
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
"""
# What clients are paid for: once, by steps, by a share, by a month's sum.
PAYS = f"""[programme]
code = "pays"
currency = "USD"
{_CPA}qualify = {{ first_deposit = 100 }}
rate = [{{ level = 1, amount = 200 }}, {{ level = 2, amount = 20 }}]
{_CPA.replace("cpa", "steps")}qualify = {{ first_deposit = 100 }}
tier.measure = "deposits"
rate = [
  {{ level = 1, from = 100, amount = 35 }},
  {{ level = 1, from = 400, amount = 60 }},
  {{ level = 1, from = 900, amount = 120 }},
]
{_CPA.replace("cpa", "share").replace("fixed", "deposits")}qualify = {{ first_deposit = 100 }}
rate = [{{ level = 1, share = "1%" }}]

[[component]]
code = "net"
basis = "result"
mode = "per_level"
per = "month"
currency = "USD"
less = ["bonuses", "chargebacks", "fees"]
rate = [{{ level = 1, share = "30%" }}]

[[component]]
code = "deposited"
basis = "deposits"
deposits = "net"
mode = "per_level"
per = "month"
currency = "USD"
rate = [{{ level = 1, share = "2%" }}]
"""
HOLDS = f"""[programme]
code = "holds"
currency = "USD"
kyc = "hold"
{_LOTS}{_CPA}clawback_days = 40
qualify = {{ first_deposit = 100, net_deposits = 100, kyc = true }}
rate = [{{ level = 1, amount = 200 }}]
"""
SINCE = f"""[programme]
code = "since"
currency = "USD"
qualified_pays = "since_registration"
[programme.qualify]
first_deposit = "100"
{_LOTS}"""
FROM_THEN = SINCE.replace('"since"', '"then"').replace("since_registration", "from_then")
# What is deposited has to stay for so many days.
_STAYS = """first_deposit = "100"
keep_days = 20
"""
KEEPS = f"""{FROM_THEN.replace('"then"', '"keeps"').replace(_STAYS.splitlines()[0], _STAYS)}
{_CPA}clawback_days = 40
qualify = {{ net_deposits = 100, keep_days = 60 }}
rate = [{{ level = 1, amount = 200 }}, {{ level = 2, amount = 20 }}]
{_CPA.replace("cpa", "steps")}qualify = {{ first_deposit = 100, keep_days = 60 }}
tier.measure = "deposits"
rate = [{{ level = 1, from = 100, amount = 35 }}, {{ level = 1, from = 700, amount = 60 }}]
"""
KEPT = KEEPS.replace('"keeps"', '"kept"').replace("from_then", "since_registration")
PLANS = {"pays": PAYS, "holds": HOLDS, "since": SINCE, "then": FROM_THEN, "keeps": KEEPS,
         "kept": KEPT}  # fmt: skip

REG, KYC = told("reg", "registration", "03-01"), told("kyc", "kyc_approved", "03-03")
DEP = told("dep", "deposit", "03-02", amount="500", **USD)
START = (REG, KYC, DEP)


def _of(kind: str, event: str, day: str, of: str = "dep", amount: str = "") -> Event:
    return told(event, kind, day, reference=of, **({"amount": amount, **USD} if amount else {}))


OPENED = _of("chargeback_opened", "open", "03-10")
LOST = _of("chargeback_lost", "lost", "04-20", "open")
WITHDRAWN = told("w", "withdrawal", "03-12", amount="450", **USD)
STORIES: Mapping[str, Sequence[Event]] = {
    "deposit reversed": (*START, _of("deposit_reversed", "r", "03-20")),
    "in part": (*START, _of("deposit_reversed", "r", "03-20", amount="450")),
    "reversal reversed": (*START, _of("deposit_reversed", "r", "03-20"),
                          _of("deposit_reversed", "rr", "04-12", "r")),
    "chargeback opened": (*START, OPENED),
    "chargeback lost": (*START, OPENED, LOST),
    "chargeback won": (*START, OPENED, _of("chargeback_won", "won", "04-20")),
    "lost, then won": (*START, OPENED, LOST, _of("chargeback_won", "won", "05-20", "lost")),
    "two chargebacks": (
        *START, _of("chargeback_opened", "o1", "03-10", amount="200"),
        _of("chargeback_lost", "l1", "03-20", "o1"),
        _of("chargeback_opened", "o2", "04-10", amount="250"),
        _of("chargeback_lost", "l2", "05-10", "o2"),
    ),
    "withdrawn": (*START, WITHDRAWN,
                  _of("withdrawal_reversed", "wr", "04-12", "w")),
    "withdrawn for good": (*START, WITHDRAWN),
    "withdrawn, deposited again": (
        *START, WITHDRAWN, told("dep2", "deposit", "03-14", amount="300", **USD),
        _of("withdrawal_reversed", "wr", "04-12", "w"),
    ),
    "withdrawn twice": (*START, WITHDRAWN, told("w2", "withdrawal", "03-20", amount="40", **USD),
                        _of("withdrawal_reversed", "wr", "04-12", "w", amount="420")),
    "bonus removed": (*START, told("b", "bonus", "03-10", amount="50", **USD),
                      told("br", "bonus_removed", "04-10", amount="50", reference="b", **USD),
                      told("fee", "payment_fee", "03-11", amount="3", **USD)),
    "KYC withdrawn": (*START, told("kw", "kyc_withdrawn", "04-04"),
                      told("again", "kyc_approved", "04-25")),
    "KYC late": (REG, DEP, told("no", "kyc_rejected", "03-04"),
                 told("kyc", "kyc_approved", "03-28")),
    "corrected": (*START, {**DEP, "amount": "50", "version": 2}),
    "corrected to a later month": (*START, {**DEP, "at": "2026-04-05T10:00:00Z", "version": 2}),
    "second deposit": (*START, told("dep2", "deposit", "03-14", amount="500", **USD),
                       _of("deposit_reversed", "r", "03-20")),
    "cleared late": (REG, KYC, {**DEP, "cleared_at": "2026-03-09T10:00:00Z"},
                     _of("deposit_reversed", "r", "03-20", amount="450")),
    "a duplicate": (*START, told("dup", "client_duplicate", "04-02"),
                    told("not", "client_not_duplicate", "05-02")),
}  # fmt: skip
COPIES = 13 if LONG else 2  # the first one is told in order


def _rounds(story: Sequence[Event], copy: int, chance: Random) -> list[list[Event]]:
    """Return what a copy is told in each round: one event, or some in any order with repeats."""
    if copy == 0:
        return [[event] for event in story]
    events = [*story, *chance.choices(story, k=3)]
    chance.shuffle(events)
    found = []
    while events:
        size = chance.choice((0, 1, 1, 2, 3))
        found.append(events[:size])
        del events[:size]
    return found


def _shown(books: Books) -> dict[str, str]:
    return {" ".join(key): f"{amount / 10**8:.2f}" for key, amount in sorted(books.items())}


@pytest.mark.parametrize("seed", range(4 if LONG else 1))
def test_any_order_and_any_repeats_come_to_the_same_books(ready: Any, seed: int) -> None:
    chance = Random(seed)
    names = list(STORIES)
    stories = ready(Stories, PLANS, COPIES * len(names))
    plan = {}
    for one in stories.copies:
        copy, nth = divmod(one.number // len(PLANS), len(names))
        plan[one.number] = _rounds(STORIES[names[nth]], copy, chance)
    stories.trade(1, "03-01")
    trades = chance.randrange(5)
    for nth in range(max(map(len, plan.values()))):
        if nth == trades:
            stories.trade(2, "03-15", profit="-1000.00")
        stories.tell([one.of(event) for one in stories.copies
                      for event in (plan[one.number][nth : nth + 1] or [[]])[0]])  # fmt: skip
    books = stories.books()
    assert stories.waiting() == []
    for one in stories.copies:
        copy, nth = divmod(one.number // len(PLANS), len(names))
        in_order = books[one.number - copy * len(names) * len(PLANS)]
        about = f"{names[nth]} under {one.programme}, told as {plan[one.number]}"
        assert _shown(books[one.number]) == _shown(in_order), about
