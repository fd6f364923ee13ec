"""What builds up, in the database: tiers, caps, carry-over, CPA; late, corrected, taken back."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker, manager, manager_row
from window_plans import CAPPED, CARRIED, CPA, E8, KYC, LATER, QUALIFIED, REBATE, TIERS

from pipshare import audit, ledger, statements
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.loads import approve
from pipshare.rating import Reason


def _whole(broker: SmallBroker) -> None:
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def _row(ticket: int, lots: str, when: str = "03.02 11:00:00", **cells: str) -> list[str]:
    return manager_row(ticket, lots, **{"Close Time": f"2026.{when}", **cells})


def test_a_marginal_tier_pays_each_band_at_its_rate_whatever_comes_first(
    broker: SmallBroker,
) -> None:
    broker.plan(TIERS.format(method="marginal"))
    broker.bring("b.csv", manager(_row(2, "1.50", "03.02 12:00:00")))
    assert broker.totals() == {"P-2": 450_000_000}
    broker.bring("a.csv", manager(_row(1, "1.00")))
    assert broker.totals() == {"P-2": 2 * 3 * E8 + 250_000_000}
    _whole(broker)


def test_reaching_a_retroactive_band_adjusts_what_came_before_by_one_line(
    broker: SmallBroker,
) -> None:
    broker.plan(TIERS.format(method="retroactive"))
    broker.bring("a.csv", manager(_row(1, "1.00")))
    assert broker.totals() == {"P-2": 3 * E8}
    broker.bring("b.csv", manager(_row(2, "1.00", "03.05 11:00:00")))
    assert broker.totals() == {"P-2": 10 * E8}
    rows = broker.conn.execute(
        "SELECT seq, amount_e8, causes FROM rating_window_line ORDER BY id"
    ).fetchall()
    assert [(seq, amount) for seq, amount, _ in rows] == [(1, 3 * E8), (2, 7 * E8)]
    assert rows[1][2]["trades"] == ["Live-4 2"]
    _whole(broker)


def test_a_correction_that_falls_below_a_band_takes_the_difference_back(
    broker: SmallBroker,
) -> None:
    broker.plan(TIERS.format(method="retroactive"))
    broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "1.00", "03.05 11:00:00")))
    assert broker.totals() == {"P-2": 10 * E8}
    broker.bring("c.csv", manager(_row(2, "0.50", "03.05 11:00:00")), as_of_ms=LATER)
    assert broker.totals() == {"P-2": 450_000_000}
    _whole(broker)


def test_a_cap_per_client_and_day_cuts_across_files(broker: SmallBroker) -> None:
    broker.plan(CAPPED)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    broker.bring("b.csv", manager(_row(2, "2.00", "03.02 15:00:00")))
    assert broker.totals() == {"P-2": 12 * E8}
    broker.bring("c.csv", manager(_row(3, "1.00", "03.03 15:00:00")))
    assert broker.totals() == {"P-2": 17 * E8}
    _whole(broker)


def test_a_loss_is_carried_into_the_next_month(broker: SmallBroker) -> None:
    broker.plan(CARRIED)
    march = _row(1, "1.00", Profit="10000.00")
    april = _row(2, "1.00", "04.02 11:00:00", Profit="-15000.00")
    broker.bring("b.csv", manager(april))
    assert broker.totals() == {"P-2": 4500 * E8}
    broker.bring("a.csv", manager(march))
    assert broker.totals() == {"P-2": 1500 * E8}
    _whole(broker)


def test_a_plan_that_no_longer_has_the_component_takes_its_lines_back(
    broker: SmallBroker,
) -> None:
    broker.bring("a.csv", manager(_row(1, "2.00")))
    assert broker.totals() == {"P-1": 2 * E8, "P-2": 10 * E8}
    broker.plan(CAPPED)
    assert broker.totals() == {"P-2": 10 * E8}
    broker.plan(TIERS.format(method="marginal"))
    assert broker.totals() == {"P-2": 6 * E8}
    _whole(broker)


def test_a_deposit_triggers_a_cpa_and_its_chargeback_takes_it_back(broker: SmallBroker) -> None:
    broker.plan(CPA)
    broker.events("e1,registration,C-1,2026-03-01T00:00:00Z,,,,crm",
            "e2,deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm")  # fmt: skip
    assert broker.totals() == {"P-2": 200 * E8}
    close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    broker.events("e3,chargeback_lost,C-1,2026-04-20T10:00:00Z,500,USD,e2,crm")
    balances = broker.conn.execute(
        "SELECT state, sum(amount_e8)::bigint FROM ledger_balance WHERE payee_kind = 'partner'"
        " GROUP BY 1 HAVING sum(amount_e8) <> 0 ORDER BY 1"
    ).fetchall()
    assert balances == [("accrued", -200 * E8), ("payable", 200 * E8)]
    _whole(broker)


def test_a_reversal_that_comes_first_waits_and_the_deposit_pays_nothing(
    broker: SmallBroker,
) -> None:
    broker.plan(CPA)
    broker.events("e3,deposit_reversed,C-1,2026-03-03T10:00:00Z,500,USD,e2,crm")
    broker.events("e2,deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm")
    assert broker.totals() == {}
    _whole(broker)


def _balances(broker: SmallBroker) -> dict[tuple[str, str], int]:
    rows = broker.conn.execute(
        "SELECT payee_kind, state, sum(amount_e8)::bigint FROM ledger_balance"
        " WHERE payee_kind <> 'house' GROUP BY 1, 2 HAVING sum(amount_e8) <> 0"
    ).fetchall()
    return {(kind, state): amount for kind, state, amount in rows}


def test_what_an_unverified_client_brings_is_held_until_he_is_approved(
    broker: SmallBroker,
) -> None:
    broker.plan(KYC)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    assert _balances(broker) == {("partner", "held"): 10 * E8}
    broker.events("k1,kyc_approved,C-1,2026-03-05T10:00:00Z,,,,crm")
    assert _balances(broker) == {("partner", "accrued"): 10 * E8}
    _whole(broker)


def test_what_was_held_for_too_long_is_forfeited(broker: SmallBroker) -> None:
    broker.plan(KYC)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    broker.plan(KYC.replace('kyc = "hold"', 'kyc = "hold"\nkyc_forfeit_days = 30'))
    assert _balances(broker) == {}
    row = broker.conn.execute(
        "SELECT reason FROM rating_line WHERE seq = 2 ORDER BY amount_e8 DESC"
    ).fetchone()
    assert Reason(row[0]) == Reason.FORFEITED
    # Approved within the days after all: told late, it was in time.
    broker.events("k1,kyc_approved,C-1,2026-03-20T10:00:00Z,,,,crm")
    assert _balances(broker) == {("partner", "accrued"): 10 * E8}
    _whole(broker)


def test_days_alone_forfeit_when_a_period_closes(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.plan(KYC.replace('kyc = "hold"', 'kyc = "hold"\nkyc_forfeit_days = 30'))
    with monkeypatch.context() as then:
        then.setattr("time.time_ns", lambda: 1_772_700_000_000_000_000)  # 2026-03-05
        broker.bring("a.csv", manager(_row(1, "2.00")))
    assert _balances(broker) == {("partner", "held"): 10 * E8}
    closed = close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    assert _balances(broker) == {}
    assert closed.payable.get("USD", 0) == 0
    _whole(broker)


def test_a_rebate_is_the_clients_and_taken_from_the_direct_ib(broker: SmallBroker) -> None:
    broker.plan(REBATE)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    assert _balances(broker) == {("partner", "accrued"): 6 * E8, ("client", "accrued"): 4 * E8}
    broker.bring("a2.csv", manager(_row(1, "1.00")), as_of_ms=LATER)
    assert _balances(broker) == {("partner", "accrued"): 3 * E8, ("client", "accrued"): 2 * E8}
    _whole(broker)


def test_a_client_who_qualifies_later_pays_since_his_registration(broker: SmallBroker) -> None:
    broker.plan(QUALIFIED)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    assert broker.totals() == {}
    broker.events("e1,registration,C-1,2026-02-01T00:00:00Z,,,,crm",
            "e2,deposit,C-1,2026-03-12T10:00:00Z,500,USD,,crm")  # fmt: skip
    assert broker.totals() == {"P-2": 10 * E8}
    _whole(broker)


def test_a_client_who_was_anothers_all_along_moves_his_window_too(broker: SmallBroker) -> None:
    broker.plan(TIERS.format(method="retroactive"))
    broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "1.00", "03.05 11:00:00")))
    assert broker.totals() == {"P-2": 10 * E8}
    broker.load("partners", "partner,name\nP-9,Other\n")
    broker.load("terms", "partner,programme\nP-9,std\n")
    text = "kind,code,partner,valid_from\nclient,C-1,P-9,2026-01-01\n"
    broker.load("relations", text, reason="a slip")
    for one in audit.pending(broker.conn):
        approve(broker.run, one.id, by="ben")
    assert broker.totals() == {"P-9": 10 * E8}
    _whole(broker)
