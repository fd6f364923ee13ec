"""The first execution of an account: an opening counts, the earliest stands, whatever the order."""

from __future__ import annotations

from typing import Any

import polars as pl
from small_broker import SmallBroker, manager, manager_row

from pipshare import clients, market, outbox
from pipshare.facts import DEAL
from pipshare.pipeline.executions import note_deals
from pipshare.pipeline.rest import to_rest


def _executions(broker: SmallBroker) -> list[tuple[Any, ...]]:
    who = broker.conn.execute("SELECT id FROM clients_client").fetchone()[0]
    found = clients.executions_of(broker.conn, [who])
    return found.select("server", "login", "ticket", "lots_e8").rows()


def test_the_earliest_opening_stands_whatever_came_first(broker: SmallBroker) -> None:
    broker.bring("late.csv", manager(manager_row(12, **{"Open Time": "2026.03.02 10:00:00"})))
    assert _executions(broker) == [("Live-4", 1001, 12, 10_000_000)]
    broker.bring("early.csv", manager(manager_row(11, "0.30", **{
        "Open Time": "2026.03.01 10:00:00", "Close Time": "2026.03.03 10:00:00",
    })))  # fmt: skip
    assert _executions(broker) == [("Live-4", 1001, 11, 30_000_000)]
    broker.bring("again.csv", manager(manager_row(12, **{"Open Time": "2026.03.02 10:00:00"})))
    broker.run.refresh()
    broker.bring("later.csv", manager(manager_row(13, **{
        "Open Time": "2026.03.02 12:00:00", "Close Time": "2026.03.02 13:00:00",
    })))  # fmt: skip
    assert _executions(broker) == [("Live-4", 1001, 11, 30_000_000)]


def test_an_opening_deal_counts_before_anything_was_closed(broker: SmallBroker) -> None:
    server = market.server(broker.conn, "Live-5")
    deal = {"deal": 7, "login": 5001, "action": 0, "entry": 0, "time_ms": 1_772_445_600_000,
            "symbol": "EURUSD", "volume_e8": 50_000_000}  # fmt: skip
    balance = {**deal, "deal": 6, "action": 2, "time_ms": 1_772_440_000_000}
    rows = pl.DataFrame(
        {name: [one.get(name, "" if name == "symbol" else 0) for one in (deal, balance)]
         for name in DEAL}, schema=DEAL,
    )  # fmt: skip
    note_deals(broker.run, server, rows)
    assert _executions(broker) == [("Live-5", 5001, 7, 50_000_000)]
    broker.run.refresh()
    note_deals(broker.run, server, rows)
    due = broker.conn.execute("SELECT server_id, login FROM clients_execution_due").fetchall()
    assert due == [(server.id, 5001)]


def test_an_account_that_nobody_knows_waits_in_the_queue(broker: SmallBroker) -> None:
    broker.bring("a.csv", manager(manager_row(21), manager_row(22, Login="1002")))
    to_rest(broker.run)
    due = "SELECT login FROM clients_execution_due"
    reached = (
        "SELECT code, event FROM clients_milestone m JOIN clients_client c ON c.id = client_id"
    )
    assert broker.conn.execute(due).fetchall() == [(1002,)]
    assert broker.conn.execute(reached).fetchall() == [("C-1", "21")]
    broker.load("clients", "client,partner\nC-2,P-1\n")
    broker.load("accounts", "server,login,client\nLive-4,1002,C-2\n")
    assert broker.conn.execute(due).fetchall() == []
    assert broker.conn.execute(reached).fetchall() == [("C-1", "21"), ("C-2", "22")]


def _milestones(broker: SmallBroker) -> list[tuple[Any, ...]]:
    query = "SELECT event, to_char(at AT TIME ZONE 'UTC', 'MM-DD'), said FROM clients_milestone"
    return broker.conn.execute(query + " WHERE kind = 'first_trade'").fetchall()


def _due(broker: SmallBroker) -> list[tuple[Any, ...]]:
    return broker.conn.execute("SELECT login FROM clients_execution_due").fetchall()


def test_a_first_trade_of_which_nobody_is_told_makes_way_for_an_earlier_one(
    broker: SmallBroker,
) -> None:
    broker.bring("late.csv", manager(manager_row(12, **{"Open Time": "2026.03.02 10:00:00"})))
    assert (_milestones(broker), _due(broker)) == ([("12", "03-02", "nobody")], [])
    broker.bring("early.csv", manager(manager_row(11, **{
        "Open Time": "2026.03.01 10:00:00", "Close Time": "2026.03.03 10:00:00",
    })))  # fmt: skip
    assert (_milestones(broker), _due(broker)) == ([("11", "03-01", "nobody")], [])


def test_a_first_trade_that_was_told_stands(broker: SmallBroker) -> None:
    outbox.add(broker.conn, 1, "postback", "tracker", {"url": "https://tracker.example.com/?t={txid}"},
               by="anna")  # fmt: skip
    broker.conn.commit()
    broker.bring("late.csv", manager(manager_row(12, **{"Open Time": "2026.03.02 10:00:00"})))
    assert (_milestones(broker), _due(broker)) == ([], [(1001,)])  # said when all is at rest
    to_rest(broker.run)
    assert (_milestones(broker), _due(broker)) == ([("12", "03-02", "said")], [])
    broker.bring("early.csv", manager(manager_row(11, **{
        "Open Time": "2026.03.01 10:00:00", "Close Time": "2026.03.03 10:00:00",
    })))  # fmt: skip
    to_rest(broker.run)
    assert (_milestones(broker), _due(broker)) == ([("12", "03-02", "said")], [])
