"""Money that rests is not paid, and meets no debt: payable is what has rested, less debts."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from small_broker import SmallBroker
from window_plans import CPA, E8, LATER

from pipshare import ledger, partners, statements
from pipshare.errors import Conflict
from pipshare.period import to_ms
from pipshare.pipeline import paying
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.loads import approve

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


def _at(broker: SmallBroker, moment: str) -> int:
    """Return what may be paid to the partner at a moment."""
    him = partners.partner(broker.conn, "P-2")
    now_ms = to_ms(datetime.fromisoformat(f"{moment}+00:00"))
    return paying.payable(broker.conn, him, now_ms=now_ms) // E8


def test_between_two_closings_what_rests_hides_no_debt(held: SmallBroker) -> None:
    _deposits(held, "2026-03-02", 1, 2)
    assert _closed(held, "2026-03") == ({"payable": 400}, "")
    _lost(held, "2026-04-20", 1)
    assert _at(held, "2026-04-21T12:00") == 200
    _deposits(held, "2026-04-25", 3)
    # The third client's 200 rest until 15 May: until then the debt is met by what is payable.
    assert _at(held, "2026-04-26T12:00") == 200
    assert _at(held, "2026-05-14T23:59") == 200
    assert _at(held, "2026-05-15T00:00") == 400
    # As the closing of April has it, and after it nothing is taken off twice.
    assert _closed(held, "2026-04")[0] == {"payable": 200, "accrued": 200}
    assert _at(held, "2026-05-14T23:59") == 200
    assert _closed(held, "2026-05") == ({"payable": 400}, "")


def test_between_two_closings_what_rests_and_is_taken_back_itself_is_no_debt(
    held: SmallBroker,
) -> None:
    _deposits(held, "2026-03-02", 1, 2)
    assert _closed(held, "2026-03") == ({"payable": 400}, "")
    _deposits(held, "2026-04-20", 3, 4)
    _lost(held, "2026-04-25", 3)
    assert _at(held, "2026-04-26T12:00") == 400


def test_no_payment_is_proposed_or_approved_of_what_a_debt_has_taken(
    held: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pay(amount: int, reference: str) -> int:
        him = partners.partner(held.conn, "P-2")
        number = paying.propose_payment(held.conn, him, amount * E8, reference=reference,
                                        paid_on=date(2026, 4, 26), by="anna")  # fmt: skip
        held.conn.commit()
        return number

    now_ms = to_ms(datetime.fromisoformat("2026-04-26T12:00+00:00"))
    monkeypatch.setattr(paying.time, "time_ns", lambda: now_ms * 1_000_000)
    _deposits(held, "2026-03-02", 1, 2)
    assert _closed(held, "2026-03") == ({"payable": 400}, "")
    early = pay(400, "SEPA-1")
    _lost(held, "2026-04-20", 1)
    _deposits(held, "2026-04-25", 3)
    for again in (lambda: pay(201, "SEPA-2"), lambda: approve(held.run, early, by="ben")):
        with pytest.raises(Conflict, match=r"^200\.00 USD is payable to P-2"):
            again()
        held.conn.rollback()
    approve(held.run, pay(200, "SEPA-3"), by="ben")
    assert _at(held, "2026-04-27T12:00") == 0
    assert ledger.verify(held.conn)[0] == []


def test_a_version_that_lets_pay_rest_longer_takes_nothing_back(held: SmallBroker) -> None:
    _deposits(held, "2026-03-20", 1)
    held.plan(HELD.replace("hold_days = 20", "hold_days = 0").replace(
        'code = "std"', 'code = "std"\nvalid_from = 2026-03-01'))  # fmt: skip
    assert _closed(held, "2026-03") == ({"payable": 200}, "")
    longer = HELD.replace("hold_days = 20", "hold_days = 60")
    held.plan(longer.replace('code = "std"', 'code = "std"\nvalid_from = 2026-04-01'))
    assert _at(held, "2026-04-02T12:00") == 200
    _deposits(held, "2026-04-02", 2)
    assert _closed(held, "2026-04") == ({"payable": 200, "accrued": 200}, "hold days")
    assert _closed(held, "2026-05") == ({"payable": 200, "accrued": 200}, "hold days")
    assert _closed(held, "2026-06") == ({"payable": 400}, "")
