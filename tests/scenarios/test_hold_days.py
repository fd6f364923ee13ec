"""Money that rests is not paid, and meets no debt: payable is what has rested, less debts."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker
from window_plans import CPA, E8, LATER

from pipshare import ledger, partners, statements
from pipshare.pipeline.closing import close_period

HELD = CPA.replace('event = "qualified"', 'event = "qualified"\nhold_days = 20')


@pytest.fixture
def held(broker: SmallBroker) -> SmallBroker:
    """A broker of seven clients who pays 200 for each, 20 days later."""
    assert not broker.load("clients", "client,partner\n" + "".join(
        f"C-{n},P-2\n" for n in range(2, 8)))[0].refused  # fmt: skip
    broker.plan(HELD)
    return broker


def _deposits(broker: SmallBroker, day: str, *clients: int) -> None:
    broker.events(*(
        f"d{n},deposit,C-{n},{day}T10:00:00Z,500,USD,,crm" for n in clients
    ))  # fmt: skip


def _lost(broker: SmallBroker, day: str, client: int) -> None:
    broker.events(f"l{client},chargeback_lost,C-{client},{day}T10:00:00Z,500,USD,d{client},crm")


def _closed(broker: SmallBroker, period: str) -> tuple[dict[str, int], str]:
    """Close a period; returns what stands by state, and why not all of it is payable."""
    close_period(broker.run, "main", period, by="anna", now_ms=LATER)
    found = partners.partner(broker.conn, "P-2").id
    rows = broker.conn.execute(
        "SELECT state, sum(amount_e8)::bigint FROM ledger_balance WHERE payee_kind = 'partner'"
        " AND payee_id = %s GROUP BY 1 HAVING sum(amount_e8) <> 0", (found,),
    )  # fmt: skip
    states = {state: amount // E8 for state, amount in rows.fetchall()}
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []
    frozen = statements.frozen(broker.conn, 1, period)
    return states, next(row.why for row in frozen if row.payee[1] == found)


def test_what_rests_meets_no_debt_of_another_client(held: SmallBroker) -> None:
    _deposits(held, "2026-03-02", 1, 2, 3, 4, 5, 6)
    assert _closed(held, "2026-03") == ({"payable": 1200}, "")
    _lost(held, "2026-04-20", 1)
    _deposits(held, "2026-04-25", 7)
    states, why = _closed(held, "2026-04")
    assert (states, "debt" in why) == ({"payable": 1000, "accrued": 200}, True)
    assert _closed(held, "2026-05") == ({"payable": 1200}, "")


def test_what_rests_and_is_taken_back_itself_costs_nothing_that_has_rested(
    held: SmallBroker,
) -> None:
    _deposits(held, "2026-03-02", 1, 2)
    assert _closed(held, "2026-03") == ({"payable": 400}, "")
    _deposits(held, "2026-04-20", 3, 4)
    _lost(held, "2026-04-25", 3)
    assert _closed(held, "2026-04") == ({"payable": 400, "accrued": 200}, "hold days")
    _lost(held, "2026-05-02", 4)
    assert _closed(held, "2026-05") == ({"payable": 400}, "")


def test_what_has_rested_meets_a_debt(held: SmallBroker) -> None:
    _deposits(held, "2026-03-02", 1)
    _deposits(held, "2026-03-28", 2)
    assert _closed(held, "2026-03") == ({"payable": 200, "accrued": 200}, "hold days")
    _lost(held, "2026-04-20", 1)
    _deposits(held, "2026-04-25", 3)
    # The second client's 200 have rested and meet the debt; the third client's rest.
    assert _closed(held, "2026-04") == ({"payable": 200, "accrued": 200}, "hold days")
