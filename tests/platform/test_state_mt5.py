"""What an MT5 server says becomes histories, alerts and requests; a native agent holds trades."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from platform_world import FakeServer, at, groups, new_trade, standing, symbols, users

from pipshare import attribution, clients, inbox, statements
from pipshare.errors import BadInput, Missing
from pipshare.facts import DEAL
from pipshare.pipeline import Run, agents, to_rest
from pipshare.pipeline.explain import explain
from pipshare.pipeline.feeds.state_mt5 import sync_state
from pipshare.sources.mt5_web.errors import NotAllowed

NOON = at("2026-03-10T12:00")


@pytest.fixture
def world(templates: Any, tmp_path: Any) -> Any:
    with standing(templates, tmp_path) as made:
        yield made


def waiting(run: Run) -> dict[str, int]:
    return {row.reason: row.trades for row in statements.overview(run.conn)[1]}


def paid(run: Run) -> dict[str, int]:
    return {one.partner: one.amount_e8 for one in statements.overview(run.conn)[0]}


def alerts(run: Run) -> dict[str, str]:
    return {one.code: one.message for one in inbox.alerts(run.conn)}


def sync(world: Any, server: FakeServer, moment: int = NOON) -> Any:
    return sync_state(world.run, world.source, server, now_ms=moment)


def test_groups_give_accounts_their_currency_and_all_is_kept(world: Any) -> None:
    server = FakeServer(
        users((5001, "real\\ecn", ""), (5002, "gone", "")), groups(("real\\ecn", "EUR")),
        symbols(("EURUSD", 5, 10**13, "USD"), ("DAX", 1, 10**8, "EUR")),
    )  # fmt: skip
    report = sync(world, server)
    assert (report.accounts, report.changed, report.groups, report.symbols) == (2, 2, 1, 2)
    assert (report.followed, report.from_ms, report.known_now) == ([5001], 0, ["DAX"])
    assert server.asked == ["real*,!real\\test*"]
    now = clients.observed_now(world.run.conn, world.server.id)
    assert now["currency"].to_list() == ["EUR", ""]
    again = sync(world, server, NOON + 1)
    assert (again.news, again.from_ms) == (False, None)
    assert world.requests() == [("accounts of Live seen otherwise", [5001])]


def test_nothing_is_asked_inside_a_transaction(world: Any) -> None:
    server = FakeServer(users(), groups(), symbols(), conn=world.run.conn)
    world.run.conn.execute("SELECT 1")
    sync(world, server)
    assert server.idle == [True, True, True]
    assert world.run.conn.info.transaction_status.name == "IDLE"


def test_a_manager_who_may_not_see_groups_stops_nothing(world: Any) -> None:
    server = FakeServer(users((5001, "real\\ecn", "")), NotAllowed("no groups", 8), symbols())
    report = sync(world, server)
    assert (report.accounts, report.denied) == (1, ("no groups",))
    assert alerts(world.run) == {"state_denied": "no groups; trades are read all the same"}
    sync(world, FakeServer(users(), groups(), symbols()))
    assert alerts(world.run) == {}


def test_a_contradicted_symbol_raises_an_alert_until_it_is_put_right(world: Any) -> None:
    told = groups(("real\\ecn", "EUR"))
    gold = symbols(("EURUSD", 5, 10**11, "USD"))
    report = sync(world, FakeServer(users(), told, gold))
    assert report.differ == ["EURUSD: contract size 100000 here, 1000 there"]
    assert "symbols with other values on Live than here: 1;" in alerts(world.run)["symbol_differs"]
    world.load("symbols", "symbol,contract_size\nEURUSD,1000\n")
    sync(world, FakeServer(users(), told, gold))
    assert alerts(world.run) == {}


def test_a_native_agent_holds_until_decided_and_what_is_booked_stays(world: Any) -> None:
    new_trade(world, 1, "2026-03-02")
    assert paid(world.run) == {"P-1": 10**8}
    report = sync(world, FakeServer(users((5001, "a", "USD", 1, 8001)), groups(), symbols()))
    assert (report.agents, report.from_ms) == ([5001], 0)
    to_rest(world.run)
    new_trade(world, 2, "2026-03-11")
    assert paid(world.run) == {"P-1": 10**8}
    assert waiting(world.run) == {"native_agent": 2}
    assert "the platform itself pays an agent: 1 (5001)" in alerts(world.run)["native_agent"]
    shown = explain(world.run, world.server, 11)
    assert (shown.status, shown.who["why"], shown.agrees) == ("unknown", "native_agent", None)
    assert "pipshare agent decide" in shown.who["sentence"]
    decided, booked = agents.decide(world.run, "Live", [5001], "pay", by="anna", reason="no fee")
    assert (decided, booked.introduced) == ([5001], 1)
    assert paid(world.run) == {"P-1": 2 * 10**8}
    assert (waiting(world.run), alerts(world.run)) == ({}, {})
    assert explain(world.run, world.server, 21).agrees is True
    world.assert_whole()


def test_decided_that_the_platform_pays_takes_back_what_was_booked(world: Any) -> None:
    new_trade(world, 1, "2026-03-02")
    sync(world, FakeServer(users((5001, "a", "USD", 1, 8001)), groups(), symbols()))
    new_trade(world, 2, "2026-03-11")
    agents.decide(world.run, "Live", [], "none", by="anna", reason="MetaTrader pays")
    assert paid(world.run).get("P-1", 0) == 0
    shown = explain(world.run, world.server, 21)
    assert (shown.status, shown.who["why"], shown.agrees) == ("excluded", "agent_paid", True)
    since = at("2026-03-10")
    agents.decide(
        world.run, "Live", [5001], "pay", by="anna", reason="agent removed", valid_from_ms=since
    )
    assert paid(world.run) == {"P-1": 10**8}
    assert world.audited() == [
        ("anna", "agent.none", "account 5001 on Live", "MetaTrader pays", {}),
        ("anna", "agent.pay", "account 5001 on Live", "agent removed",
         {"from": "2026-03-10T00:00:00+00:00"}),
    ]  # fmt: skip
    world.assert_whole()


def test_the_order_of_evidence_trade_and_decision_does_not_matter(world: Any) -> None:
    seen = FakeServer(users((5001, "a", "USD", 1, 8001)), groups(), symbols())
    sync(world, seen)
    agents.decide(world.run, "Live", [5001], "none", by="anna", reason="MetaTrader pays")
    new_trade(world, 1, "2026-03-02")
    assert (paid(world.run), waiting(world.run)) == ({}, {})


def test_a_deal_that_paid_an_agent_is_evidence(world: Any) -> None:
    deals = pl.DataFrame(
        {"deal": [90, 91, 92, 93], "login": [8001, 8001, 8001, 5001], "action": [18, 18, 2, 18]}
    )
    deals = pl.DataFrame({n: deals[n] if n in deals.columns else [None] * 4 for n in DEAL})
    comments = pl.Series(["agent '5001' - #12", "agent 'x'", "agent '5002' - #1", ""])
    found = agents.note_agent_deals(world.run, world.server, deals, comments, NOON)
    assert found == [5001]
    assert agents.note_agent_deals(world.run, world.server, deals, comments, NOON) == []
    (one,) = clients.agents(world.run.conn)
    assert (one.agent, one.evidence, one.detail, one.client) == (
        8001, "deal", "deal 90 paid agent 8001: agent '5001' - #12", "C-1",
    )  # fmt: skip
    new_trade(world, 1, "2026-03-02")
    assert waiting(world.run) == {"native_agent": 1}


def test_agent_deals_of_files_are_found_too(world: Any) -> None:
    conn = world.run.conn
    conn.execute(
        "INSERT INTO inbox_cash VALUES (%s, 90, 8001, 0, 'agent', 5, 'agent ''5001'' - #12', 1)",
        (world.server.id,),
    )
    report = sync(world, FakeServer(users(), groups(), symbols()))
    assert report.agents == [5001]
    assert sync(world, FakeServer(users(), groups(), symbols())).agents == []


def test_decisions_that_cannot_be(world: Any) -> None:
    def decide(*logins: int, decision: str = "pay", reason: str = "r") -> None:
        agents.decide(world.run, "Live", logins, decision, by="anna", reason=reason)

    with pytest.raises(BadInput, match="no account of Live waits"):
        decide()
    with pytest.raises(Missing, match="account 5001 on Live has no agent"):
        decide(5001)
    with pytest.raises(BadInput, match="give --reason"):
        decide(5001, reason=" ")
    with pytest.raises(BadInput, match="say pay or none"):
        decide(5001, decision="maybe")


def test_a_group_moved_on_the_platform_changes_later_trades_only(world: Any) -> None:
    world.load("groups", "server,group,treatment\nLive,house*,excluded\n")
    sync(world, FakeServer(users((5001, "real\\a", "USD")), groups(), symbols()), at("2026-03-01"))
    new_trade(world, 1, "2026-03-02")
    new_trade(world, 2, "2026-03-09")
    sync(world, FakeServer(users((5001, "house", "USD")), groups(), symbols()), at("2026-03-05"))
    to_rest(world.run)
    assert paid(world.run) == {"P-1": 10**8}
    shown = explain(world.run, world.server, 21)
    assert (shown.status, shown.who["state"]["group"], shown.agrees) == ("excluded", "house", True)
    assert attribution.Why.GROUP_EXCLUDED.sentence == shown.who["sentence"]
