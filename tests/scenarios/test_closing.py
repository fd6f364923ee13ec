"""A period is closed and paid: what is found out later is booked in the open one."""

from __future__ import annotations

from datetime import date

import pytest
from psycopg import errors
from small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare import db as pg
from pipshare import ledger, partners, payouts, statements
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.pipeline import paying
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.loads import apply_plan, approve

LATER = 1_900_000_000_000
E8 = 10**8


def _states(broker: SmallBroker, partner: str) -> dict[str, int]:
    found = partners.partner(broker.conn, partner)
    rows = broker.conn.execute(
        "SELECT state, sum(amount_e8)::bigint FROM ledger_balance WHERE payee_kind = 'partner'"
        " AND payee_id = %s GROUP BY 1 HAVING sum(amount_e8) <> 0", (found.id,),
    )  # fmt: skip
    return dict(rows.fetchall())


def _pay(broker: SmallBroker, partner: str, amount: int, reference: str) -> None:
    found = partners.partner(broker.conn, partner)
    number = paying.propose_payment(
        broker.conn, found, amount, reference=reference, paid_on=date(2026, 4, 3), by="anna"
    )
    approve(broker.run, number, by="ben")


def test_closing_makes_payable_and_freezes_what_was_earned(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    closed = close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    assert closed.payable == {"USD": 12 * E8}
    assert _states(broker, "P-2") == {"payable": 10 * E8}
    (first, second) = statements.frozen(broker.conn, 1, "2026-03")
    assert (first.accrued_e8, first.payable_e8, first.carried_e8) == (2 * E8, 2 * E8, 0)
    assert second.accrued_e8 == 10 * E8
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def test_a_late_trade_of_a_closed_period_is_booked_in_the_open_one(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    before = statements.frozen(broker.conn, 1, "2026-03")
    broker.bring("late.csv", manager(manager_row(2, "1.00")))
    rows = broker.conn.execute(
        "SELECT period, earned_day::text FROM ledger_transfer WHERE kind = 'accrual' ORDER BY id"
    ).fetchall()
    assert rows == [("2026-03", "2026-03-02"), ("2026-04", "2026-03-02")]
    assert _states(broker, "P-2") == {"payable": 10 * E8, "accrued": 5 * E8}
    assert statements.frozen(broker.conn, 1, "2026-03") == before
    april = close_period(broker.run, "main", "2026-04", by="anna", now_ms=LATER)
    assert april.payable == {"USD": 6 * E8}


def test_a_correction_after_payment_is_a_debt_that_later_earnings_repay(
    broker: SmallBroker,
) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    _pay(broker, "P-2", 10 * E8, "SEPA-1")
    assert _states(broker, "P-2") == {"paid": 10 * E8}
    told = broker.bring("edited.csv", manager(manager_row(1, "1.00")), as_of_ms=LATER)
    assert told is not None
    assert _states(broker, "P-2") == {"paid": 10 * E8, "accrued": -5 * E8}
    april = close_period(broker.run, "main", "2026-04", by="anna", now_ms=LATER)
    assert april.payable["USD"] == -E8  # the debt of P-1 is met by what is not paid to him yet
    may = manager(manager_row(9, "3.00", **{"Close Time": "2026.05.04 11:00:00"}))
    broker.bring("may.csv", may)
    closed = close_period(broker.run, "main", "2026-05", by="anna", now_ms=LATER)
    assert _states(broker, "P-2") == {"paid": 10 * E8, "payable": 10 * E8}
    assert closed.payable == {"USD": 13 * E8}  # 15 less the debt of 5, and 3 above him
    (debt,) = [
        row for row in statements.frozen(broker.conn, 1, "2026-04") if row.carried_e8 == -5 * E8
    ]
    assert "debt" in debt.why
    assert ledger.verify(broker.conn)[0] == []


def test_periods_close_once_in_order_and_not_before_their_end(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    with pytest.raises(Conflict, match="ends at 2026-04-01"):
        close_period(broker.run, "main", "2026-03", by="anna", now_ms=1_774_000_000_000)
    with pytest.raises(Conflict, match="2026-03 is still open"):
        close_period(broker.run, "main", "2026-04", by="anna", now_ms=LATER)
    broker.conn.rollback()
    with pytest.raises(Conflict, match=r"nothing was booked in 2026-02.* to close is 2026-03"):
        close_period(broker.run, "main", "2026-02", by="anna", now_ms=LATER)
    broker.conn.rollback()
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    with pytest.raises(Conflict, match="closed already"):
        close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    broker.conn.rollback()
    with pytest.raises(Missing, match="known: main"):
        close_period(broker.run, "nowhere", "2026-03", by="anna", now_ms=LATER)


def test_what_waits_stops_the_closing_unless_it_is_left_behind(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1), manager_row(2, Symbol="XPTUSD")))
    with pytest.raises(Conflict, match="1 unpriced"):
        close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    closed = close_period(
        broker.run, "main", "2026-03", by="anna", now_ms=LATER, leave_waiting=True
    )
    assert closed.waiting == {"unpriced": 1}


def test_the_database_refuses_a_transfer_into_a_closed_period(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1)))
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    for role in ("app", "owner"):
        with pg.connect(role) as conn, pytest.raises(errors.RestrictViolation, match="is closed"):
            conn.execute(
                "INSERT INTO ledger_transfer (entity_id, kind, earned_day, period)"
                " VALUES (1, 'accrual', '2026-03-02', '2026-03')"
            )
        with pg.connect(role) as conn, pytest.raises(errors.Error):
            conn.execute("DELETE FROM ledger_period")
        with pg.connect(role) as conn, pytest.raises(errors.Error):
            conn.execute("UPDATE statements_frozen SET payable_e8 = 0")


def test_a_payment_is_never_more_than_payable_and_never_twice(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    with pytest.raises(Conflict, match=r"^0\.00 USD is payable"):
        _pay(broker, "P-2", 10 * E8, "SEPA-1")
    broker.conn.rollback()
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    with pytest.raises(BadInput, match="cannot be paid"):
        _pay(broker, "P-2", 12345, "SEPA-1")
    found = partners.partner(broker.conn, "P-2")
    both = [
        paying.propose_payment(broker.conn, found, 6 * E8, reference=reference,
                                paid_on=date(2026, 4, 3), by="anna")
        for reference in ("SEPA-1", "SEPA-2")
    ]  # fmt: skip
    broker.conn.commit()
    with pytest.raises(Conflict, match="somebody else"):
        approve(broker.run, both[0], by="Anna")
    broker.conn.rollback()
    approve(broker.run, both[0], by="ben")
    with pytest.raises(Conflict, match=r"^4\.00 USD is payable"):
        approve(broker.run, both[1], by="ben")
    broker.conn.rollback()
    with pytest.raises(Conflict, match="recorded already"):
        _pay(broker, "P-2", 1 * E8, "SEPA-1")
    broker.conn.rollback()
    assert _states(broker, "P-2") == {"payable": 4 * E8, "paid": 6 * E8}
    (paid,) = payouts.payments(broker.conn, found.id)
    assert (paid.amount_e8, paid.recorded_by) == (6 * E8, "anna + ben")


def test_a_plan_corrected_backwards_is_booked_as_differences_in_the_open_period(
    broker: SmallBroker,
) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00"), manager_row(2, "1.00")))
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    before = statements.frozen(broker.conn, 1, "2026-03")
    for _ in range(2):  # applied again it posts nothing
        apply_plan(broker.run, broker.file("new.toml", PLAN.replace("5.00", "4.50")), by="anna")
        rows = broker.conn.execute(
            "SELECT t.period, t.kind, sum(l.amount_e8)::bigint FROM ledger_transfer t"
            " JOIN ledger_leg l ON l.transfer_id = t.id"
            " JOIN ledger_account a ON a.id = l.account_id"
            " WHERE a.payee_kind = 'partner' AND t.kind <> 'closing' GROUP BY 1, 2 ORDER BY 1"
        ).fetchall()
        assert rows == [("2026-03", "accrual", 18 * E8), ("2026-04", "correction", -150_000_000)]
    assert _states(broker, "P-2") == {"payable": 15 * E8, "accrued": -150_000_000}
    assert statements.frozen(broker.conn, 1, "2026-03") == before
    assert ledger.verify(broker.conn)[0] == []


def test_a_debt_is_met_from_what_is_payable_and_not_paid_yet(broker: SmallBroker) -> None:
    broker.bring("march.csv", manager(manager_row(1, "2.00")))
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    _pay(broker, "P-2", 6 * E8, "SEPA-1")
    broker.bring("edited.csv", manager(manager_row(1, "1.50")), as_of_ms=LATER)
    assert _states(broker, "P-2") == {"paid": 6 * E8, "payable": 4 * E8, "accrued": -250_000_000}
    found = partners.partner(broker.conn, "P-2")
    assert paying.payable(broker.conn, found) == 150_000_000
    with pytest.raises(Conflict, match=r"^1\.50 USD is payable"):
        _pay(broker, "P-2", 4 * E8, "SEPA-2")
    broker.conn.rollback()
    close_period(broker.run, "main", "2026-04", by="anna", now_ms=LATER)
    assert _states(broker, "P-2") == {"paid": 6 * E8, "payable": 150_000_000}
    (row,) = [
        one for one in statements.frozen(broker.conn, 1, "2026-04")
        if one.payee[1] == found.id
    ]  # fmt: skip
    assert (row.payable_e8, row.carried_e8) == (-250_000_000, 0)
    assert ledger.verify(broker.conn)[0] == []
