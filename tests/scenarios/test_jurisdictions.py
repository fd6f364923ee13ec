"""Blocked countries: nobody earns by their clients, from when on is said, and it can be undone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from small_broker import SmallBroker, manager, manager_row
from window_plans import CPA, E8, KYC, NET, TIERS

from pipshare import audit, clients, ledger, market, statements
from pipshare.errors import BadInput, Conflict
from pipshare.period import from_ms, to_ms
from pipshare.pipeline.explain import explain
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.loads import approve
from pipshare.pipeline.rest import to_rest
from pipshare.rating import Reason

HEAD = "event,kind,client,at,country,source\n"


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _say(broker: SmallBroker, country: str, blocked: bool, since: str, **told: str) -> None:
    """Say something of a country, by two people where that is needed, and bring all to rest."""
    number = clients.say_jurisdiction(
        broker.conn, "main", country, blocked=blocked, by="anna", reason="sanctions",
        from_ms_=_ms(since), **told,  # type: ignore[arg-type]
    )  # fmt: skip
    broker.conn.commit()
    if number is not None:
        approve(broker.run, number, by="ben")
    else:
        to_rest(broker.run)


def _trade(broker: SmallBroker, ticket: int, day: str, lots: str = "1.00") -> None:
    row = manager_row(ticket, lots, **{"Close Time": f"2026.{day} 11:00:00"})
    broker.bring(f"{ticket}.csv", manager(row))


def _country(broker: SmallBroker, country: str, kind: str = "registration") -> None:
    row = f"{kind}-1,{kind},C-1,2026-03-01T00:00:00Z,{country},crm\n"
    assert not broker.load("events", HEAD + row)[0].refused


def _whole(broker: SmallBroker) -> None:
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def _reasons(broker: SmallBroker, ticket: int) -> list[str]:
    """Return the twin's reasons of a trade; twin and books have to agree."""
    told = explain(broker.run, market.server(broker.conn, "Live-4"), ticket)
    assert told.agrees
    assert told.result is not None
    return [line.reason.name for line in told.result.lines if line.reason is not None]


def test_nobody_earns_by_clients_of_a_blocked_country_and_explain_says_why(
    broker: SmallBroker,
) -> None:
    _country(broker, "IR")
    _trade(broker, 1, "03.02")
    assert broker.totals() == {"P-1": E8, "P-2": 5 * E8}
    _say(broker, "IR", True, "2026-03-10")
    _trade(broker, 2, "03.09")
    _trade(broker, 3, "03.10")
    assert broker.totals() == {"P-1": 2 * E8, "P-2": 10 * E8}
    assert _reasons(broker, 2) == ["PAID", "PAID"]
    assert _reasons(broker, 3) == ["JURISDICTION", "JURISDICTION"]
    told = explain(broker.run, market.server(broker.conn, "Live-4"), 3)
    assert told.result is not None
    assert [step.text for step in told.result.working if step.label == "client"] == [
        "lives in IR, blocked since 2026-03-10 00:00 UTC: sanctions (anna + ben)"
    ]
    _whole(broker)


@pytest.mark.parametrize("plan", [None, KYC, TIERS.format(method="retroactive")])
def test_a_block_of_the_past_takes_back_and_undone_pays_again(
    broker: SmallBroker, plan: str | None
) -> None:
    if plan is not None:
        broker.plan(plan)
    _country(broker, "IR")
    for ticket, day in enumerate(("03.02", "03.12", "03.22"), 1):
        _trade(broker, ticket, day)
    before = _balances(broker)
    _say(broker, "IR", True, "2026-01-01")
    assert _balances(broker) == {}
    _say(broker, "IR", False, "2026-01-01")
    assert _balances(broker) == before
    _whole(broker)


def _balances(broker: SmallBroker) -> dict[tuple[str, str], int]:
    rows = broker.conn.execute(
        "SELECT payee_id::text, state, sum(amount_e8)::bigint FROM ledger_balance"
        " WHERE payee_kind <> 'house' GROUP BY 1, 2 HAVING sum(amount_e8) <> 0"
    ).fetchall()
    return {(payee, state): amount for payee, state, amount in rows}


def test_the_country_may_become_known_after_the_trades(broker: SmallBroker) -> None:
    _say(broker, "IR", True, "2026-01-01")
    _trade(broker, 1, "03.02")
    assert broker.totals() != {}
    _country(broker, "IR")
    assert broker.totals() == {}
    _whole(broker)


@pytest.mark.parametrize(
    ("counts", "kind", "barred"),
    [("either", "kyc_approved", True), ("document", "kyc_approved", True),
     ("residence", "kyc_approved", False), ("document", "registration", False)],
)  # fmt: skip
def test_it_says_which_of_a_clients_countries_counts(
    broker: SmallBroker, counts: str, kind: str, barred: bool
) -> None:
    _trade(broker, 1, "03.02")
    _country(broker, "IR", kind)
    _say(broker, "IR", True, "2026-01-01", counts=counts)
    assert (broker.totals() == {}) is barred
    _whole(broker)


def test_a_cpa_of_a_blocked_client_is_not_paid_and_one_paid_before_stays(
    broker: SmallBroker,
) -> None:
    broker.plan(CPA)
    _country(broker, "IR")
    _say(broker, "IR", True, "2026-03-10")
    broker.events("d1,deposit,C-1,2026-03-05T10:00:00Z,500,USD,,crm")
    assert broker.totals() == {"P-2": 200 * E8}
    _say(broker, "IR", True, "2026-02-01")
    assert broker.totals() == {}
    row = broker.conn.execute("SELECT max(reason) FROM rating_window_line").fetchone()
    assert row is not None
    assert Reason(row[0]) == Reason.JURISDICTION
    _say(broker, "IR", False, "2026-02-01")
    assert broker.totals() == {"P-2": 200 * E8}
    _whole(broker)


@pytest.mark.parametrize(
    "asked", ['not_countries = ["IR"]', 'countries = ["CY"]', "until = 2026-03-05T00:00:00Z"]
)
def test_what_a_plan_asks_of_countries_and_dates_holds_for_a_cpa(
    broker: SmallBroker, asked: str
) -> None:
    broker.plan(CPA + f"[component.when]\n{asked}\n")
    _country(broker, "IR")
    broker.events("d1,deposit,C-1,2026-03-05T10:00:00Z,500,USD,,crm")
    assert broker.totals() == {}
    _whole(broker)


def test_of_what_was_said_the_last_word_that_has_begun_holds(broker: SmallBroker) -> None:
    _country(broker, "IR")
    _say(broker, "IR", True, "2026-03-01")
    _say(broker, "IR", False, "2026-03-10")
    _say(broker, "IR", True, "2026-03-20")
    for ticket, day in enumerate(("03.02", "03.12", "03.22"), 1):
        _trade(broker, ticket, day)
    assert broker.totals() == {"P-1": E8, "P-2": 5 * E8}
    assert _reasons(broker, 2) == ["PAID", "PAID"]


def test_blocking_takes_one_person_and_what_changes_the_past_two(broker: SmallBroker) -> None:
    def say(blocked: bool, **told: int) -> int | None:
        return clients.say_jurisdiction(
            broker.conn, "main", "ir", blocked=blocked, by="anna", reason="sanctions",
            **told,  # type: ignore[arg-type]
        )  # fmt: skip

    with pytest.raises(BadInput, match="not blocked already"):
        say(False)
    assert say(True) is None
    with pytest.raises(BadInput, match="blocked already"):
        say(True)
    back = say(True, from_ms_=_ms("2026-03-01"))
    undone = say(False)
    for blocked in (True, False):
        with pytest.raises(BadInput, match="waits for a second person already: proposal"):
            say(blocked, from_ms_=_ms("2026-02-01"))
    assert back is not None
    assert undone is not None
    broker.conn.commit()
    assert [one.kind for one in audit.pending(broker.conn)] == ["jurisdiction", "jurisdiction"]
    with pytest.raises(Conflict):
        approve(broker.run, back, by="Anna")
    broker.conn.rollback()
    approve(broker.run, back, by="ben")
    known = clients.jurisdictions(broker.conn)
    (records,) = known.values()
    assert [(one.blocked, from_ms(one.from_ms).year, one.recorded_by) for one in records.records][
        1:
    ] == [(True, 2026, "anna + ben")]


@pytest.mark.parametrize("code", ["UK", "Iran", "1R", ""])
def test_what_is_no_country_is_refused(broker: SmallBroker, code: str) -> None:
    with pytest.raises(BadInput, match="ISO 3166"):
        clients.say_jurisdiction(broker.conn, "main", code, blocked=True, by="a", reason="x")


def test_explanations_of_clients_and_periods_agree_with_the_books(broker: SmallBroker) -> None:
    broker.plan(CPA)
    _country(broker, "IR")
    broker.events("d1,deposit,C-1,2026-03-05T10:00:00Z,500,USD,,crm")
    for blocked in (True, False):
        _say(broker, "IR", blocked, "2026-02-01")
        told = explain_event(broker.run, "d1")
        assert told.agrees
        reasons = {line.line.reason for part in told.parts for line in part.lines}
        assert reasons == {Reason.JURISDICTION if blocked else Reason.PAID}


@pytest.mark.parametrize("per", ["month", "quarter"])
def test_what_a_blocked_client_brings_or_costs_is_in_no_sum_of_a_period(
    broker: SmallBroker, per: str
) -> None:
    broker.plan(NET.format(per=per))
    _country(broker, "IR")
    broker.bring("a.csv", manager(manager_row(1, "1.00", Profit="-100.00")))
    broker.events("b1,bonus,C-1,2026-03-05T10:00:00Z,40,USD,,crm")
    assert broker.totals() == {"P-2": 18 * E8}
    _say(broker, "IR", True, "2026-03-03")  # after the trade, before the bonus
    assert broker.totals() == {"P-2": 30 * E8}
    _agree(broker, 1)
    _say(broker, "IR", True, "2026-03-01")
    assert broker.totals() == {}
    _agree(broker, 1)
    _say(broker, "IR", False, "2026-03-01")
    assert broker.totals() == {"P-2": 18 * E8}
    _agree(broker, 1)
    _whole(broker)


def _agree(broker: SmallBroker, ticket: int) -> None:
    assert explain(broker.run, market.server(broker.conn, "Live-4"), ticket).agrees
