"""Bonuses and sums of periods that wait and have no trade: listed, kept from closing, taken up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from small_broker import PLAN, SmallBroker
from window_plans import CPA, NET

from pipshare import statements
from pipshare.cli.waiting import waiting_command
from pipshare.errors import Conflict
from pipshare.pipeline.closing import close_period
from pipshare.statements.build import waiting_lines
from pipshare.statements.waiting_periods import waiting_periods

E8 = 10**8
HEAD = "event,kind,client,at,amount,currency,reference,source\n"
EURO = CPA.replace('currency = "USD"', 'currency = "EUR"')
RATES = "base,quote,time,rate\nEUR,USD,2026-03-01T00:00:00Z,1.10\n"
LATER = 1_780_000_000_000  # 2026-05-28


def _told(broker: SmallBroker, *rows: str, plan: str = EURO) -> None:
    broker.plan(plan)
    assert not broker.load("events", HEAD + "\n".join(rows) + "\n")[0].refused


def _rows(broker: SmallBroker) -> list[tuple[Any, ...]]:
    return [(one.component, one.partner, one.client, one.reason, one.key, one.lines)
            for one in waiting_periods(broker.conn)]  # fmt: skip


def test_a_bonus_without_a_rate_into_the_wallet(broker: SmallBroker) -> None:
    _told(broker, "d1,deposit,C-1,2026-03-02T10:00:00Z,150,EUR,,crm")
    assert broker.totals() == {}
    assert _rows(broker) == [("cpa", "P-2", "C-1", "no_fx", "EUR/USD", 1)]
    ids = broker.run.partners.ids.tolist()
    mine = ids[broker.run.partners.codes.index("P-2")]
    assert waiting_lines(broker.conn, mine) == {"no_fx": 1}
    assert waiting_periods(broker.conn, [mine])
    assert waiting_periods(broker.conn, [one for one in ids if one != mine]) == []
    with pytest.raises(Conflict, match="1 no_fx"):
        close_period(broker.run, "main", "2026-03", by="anna", now_ms=LATER)
    broker.load("fx", RATES)
    assert _rows(broker) == []
    assert broker.totals() == {"P-2": 220 * E8}
    assert waiting_lines(broker.conn, mine) == {}
    [(causes,)] = broker.conn.execute("SELECT causes FROM rating_window_line").fetchall()
    assert "what it waited for came (no_fx EUR/USD)" in causes["because"]
    assert statements.check_lines(broker.conn) == []


def test_a_client_of_whom_nobody_can_say_whether_he_qualified(broker: SmallBroker) -> None:
    _told(broker, "d1,deposit,C-1,2026-03-02T10:00:00Z,150,USD,,crm")
    assert _rows(broker) == [("cpa", "", "C-1", "no_fx", "USD/EUR", 1)]
    since = [one.since for one in waiting_periods(broker.conn)]
    broker.load("symbols", "symbol,symbol_group\nNEW,forex\n")
    assert [one.since for one in waiting_periods(broker.conn)] == since, "it waits for the same"
    broker.load("fx", RATES)
    assert _rows(broker) == []
    assert broker.totals() == {"P-2": 220 * E8}


def test_costs_of_a_period_in_which_nobody_ever_traded(broker: SmallBroker) -> None:
    _told(broker, "b1,bonus,C-1,2026-03-10T10:00:00Z,200,EUR,,crm", plan=NET.format(per="month"))
    assert _rows(broker) == [("net", "", "C-1", "no_fx", "EUR/USD", 1)]
    broker.load("fx", RATES.replace("03-01", "03-10"))
    assert _rows(broker) == []
    assert broker.totals() == {"P-2": -66 * E8}


def test_another_plan_leaves_nothing_waiting(broker: SmallBroker) -> None:
    _told(broker, "d1,deposit,C-1,2026-03-02T10:00:00Z,150,EUR,,crm")
    assert _rows(broker)
    broker.plan(CPA)
    assert [row[3:5] for row in _rows(broker)] == [("no_fx", "EUR/USD")], "the deposit, now"
    broker.plan(PLAN)
    assert _rows(broker) == []


def test_the_command_says_what_to_do(broker: SmallBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    _told(broker, "d1,deposit,C-1,2026-03-02T10:00:00Z,150,EUR,,crm")
    broker.conn.commit()
    text = CliRunner().invoke(waiting_command, ["--reason", "no_fx"]).output
    for words in ("std/cpa", "C-1", "EUR/USD", "P-2", "pipshare load fx"):
        assert words in text
    assert "Nothing waits" in CliRunner().invoke(waiting_command, ["--reason", "no_terms"]).output
    [told] = json.loads(CliRunner().invoke(waiting_command, ["--json"]).output)
    assert (told["component"], told["lines"], told["trades"]) == ("cpa", 1, 0)
