"""KYC in the books: held, released, forfeited, expired, withdrawn and approved again, in any order.

A dated story of one client; a lot pays 5 dollars. What is booked in the end does not depend on when
the broker heard of what.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from small_broker import SmallBroker, manager, manager_row
from window_plans import E8, KYC, LATER

from pipshare import ledger, statements
from pipshare.pipeline.closing import close_period

FORFEITS = KYC.replace('kyc = "hold"', 'kyc = "hold"\nkyc_forfeit_days = 3')
TRADES = {1: "03.02", 2: "03.10", 3: "03.21", 4: "03.28", 5: "04.02"}  # closed at 11:00
HEAD = "event,kind,client,at,expires_at,source\n"
WORDS = {
    "approved": "k1,kyc_approved,C-1,2026-03-05T10:00:00Z,2026-03-20T00:00:00Z,crm",
    "again": "k2,kyc_approved,C-1,2026-03-25T10:00:00Z,,crm",
    "withdrawn": "k3,kyc_withdrawn,C-1,2026-04-01T10:00:00Z,,crm",
}


def _trade(broker: SmallBroker, ticket: int) -> None:
    row = manager_row(ticket, "1.00", **{"Close Time": f"2026.{TRADES[ticket]} 11:00:00"})
    broker.bring(f"{ticket}.csv", manager(row))


def _say(broker: SmallBroker, *names: str) -> None:
    text = HEAD + "".join(WORDS.get(name, name) + "\n" for name in names)
    assert not broker.load("events", text)[0].refused


def _books(broker: SmallBroker) -> dict[tuple[str, str], int]:
    """Return what partners have by state and earned day, in dollars; zeros left out."""
    rows = broker.conn.execute(
        "SELECT a.state, to_char(t.earned_day, 'MM-DD'), (sum(l.amount_e8) / 100000000)::int"
        "  FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id"
        "  JOIN ledger_transfer t ON t.id = l.transfer_id"
        " WHERE a.payee_kind = 'partner' GROUP BY 1, 2 HAVING sum(l.amount_e8) <> 0"
    ).fetchall()
    return {(state, day): amount for state, day, amount in rows}


def _whole(broker: SmallBroker) -> None:
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def test_the_story_day_by_day(broker: SmallBroker) -> None:
    broker.plan(KYC)
    _trade(broker, 1)
    assert _books(broker) == {("held", "03-02"): 5}
    _say(broker, "approved")  # with a document that ends on 20 March
    assert _books(broker) == {("accrued", "03-02"): 5}
    _trade(broker, 2)
    _trade(broker, 3)  # nobody said that the document is over
    assert _books(broker) == {
        ("accrued", "03-02"): 5, ("accrued", "03-10"): 5, ("held", "03-21"): 5,
    }  # fmt: skip
    _say(broker, "again")
    _trade(broker, 4)
    assert _books(broker) == {("accrued", f"03-{day}"): 5 for day in ("02", "10", "21", "28")}
    _say(broker, "withdrawn")  # holds what is new, and not what was
    _trade(broker, 5)
    assert _books(broker) == {
        **{("accrued", f"03-{day}"): 5 for day in ("02", "10", "21", "28")}, ("held", "04-02"): 5,
    }  # fmt: skip
    _whole(broker)


@pytest.mark.parametrize("seed", range(4))
def test_the_story_ends_in_the_same_books_in_any_order(broker: SmallBroker, seed: int) -> None:
    rnd = Random(seed)
    broker.plan(rnd.choice((KYC, FORFEITS)))
    steps: list[Any] = [*TRADES, *WORDS, *rnd.choices(list(WORDS), k=2)]  # some are told twice
    rnd.shuffle(steps)
    for step in steps:
        _trade(broker, step) if step in TRADES else _say(broker, step)
    broker.plan(FORFEITS)
    # Of 2 March approved within three days, of 21 March after four, of 2 April never again.
    assert _books(broker) == {("accrued", f"03-{day}"): 5 for day in ("02", "10", "28")}
    broker.plan(KYC)
    assert _books(broker) == {
        **{("accrued", f"03-{day}"): 5 for day in ("02", "10", "21", "28")}, ("held", "04-02"): 5,
    }  # fmt: skip
    _whole(broker)


def test_a_corrected_word_counts_instead_of_the_first(broker: SmallBroker) -> None:
    broker.plan(KYC)
    for ticket in (1, 2, 3):
        _trade(broker, ticket)
    _say(broker, "approved")
    assert ("held", "03-21") in _books(broker)
    # The same event again, with the right end of the document.
    text = "event,kind,client,at,expires_at,source,version\n" + WORDS["approved"].replace(
        "2026-03-20", "2031-03-20") + ",2\n"  # fmt: skip
    assert not broker.load("events", text)[0].refused
    assert _books(broker) == {("accrued", f"03-{day}"): 5 for day in ("02", "10", "21")}
    _whole(broker)


def test_a_release_after_the_period_closed_is_booked_in_the_open_one(broker: SmallBroker) -> None:
    broker.plan(KYC)
    _trade(broker, 1)
    closed = close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    assert closed.payable.get("USD", 0) == 0
    _say(broker, "approved")
    assert _books(broker) == {("accrued", "03-02"): 5}
    closed = close_period(broker.run, "main", "2026-04", by="anna", now_ms=LATER)
    assert closed.payable == {"USD": 5 * E8}
    _whole(broker)


def test_each_client_is_held_and_released_by_himself(broker: SmallBroker) -> None:
    broker.plan(KYC)
    broker.load("clients", "client,partner\nC-2,P-2\n")
    broker.load("accounts", "server,login,client\nLive-4,1002,C-2\n")
    _trade(broker, 1)
    broker.bring("o.csv", manager(manager_row(9, "2.00", Login="1002")))
    assert _books(broker) == {("held", "03-02"): 15}
    _say(broker, "approved")
    assert _books(broker) == {("held", "03-02"): 10, ("accrued", "03-02"): 5}
    _whole(broker)


def test_a_cpa_survives_an_expiry_and_not_a_withdrawal(broker: SmallBroker) -> None:
    broker.plan(
        KYC
        + """
[[component]]
code = "cpa"
basis = "fixed"
event = "qualified"
mode = "per_level"
qualify = { first_deposit = 100, kyc = true }
rate = [{ level = 1, amount = "200" }]
"""
    )
    _say(broker, "approved")
    broker.events("d1,deposit,C-1,2026-03-06T10:00:00Z,100,USD,,crm")
    assert _books(broker) == {("accrued", "03-06"): 200}
    _say(broker, "k9,kyc_expired,C-1,2026-03-20T00:00:00Z,,crm")
    assert _books(broker) == {("accrued", "03-06"): 200}
    _say(broker, "again", "withdrawn")
    assert sum(_books(broker).values()) == 0
    _whole(broker)
