"""Explanations of what builds up, held to the books: late, corrected, held, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_broker import LOADS, SmallBroker, manager, manager_row
from window_plans import CAPPED, CARRIED, CPA, KYC, LATER, QUALIFIED, REBATE, TIERS

from pipshare import trades
from pipshare.errors import BadInput, Missing
from pipshare.facts import TRADE
from pipshare.pipeline.book import book
from pipshare.pipeline.explain import Explanation, explain
from pipshare.pipeline.explain_json import as_dict
from pipshare.pipeline.explained.of_event import EventExplanation, explain_event
from pipshare.pipeline.explained.of_trade import Part
from pipshare.pipeline.explained.of_window import explain_window
from pipshare.pipeline.windows import settle_windows

E8 = 10**8
HEAD = "event,kind,client,at,amount,currency,reference,source\n"
DIFFERENCE = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "difference"
[[component.rate]]
level = 1
amount = "5"
[[component.rate]]
level = 2
amount = "7"
"""
ADVANCED = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
[component.qualify]
lots = "2"
[[component.rate]]
level = 1
amount = "20"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
advance = "cpa"
[[component.rate]]
level = 1
amount = "5"
"""
BONUS = (
    DIFFERENCE
    + """
[[component]]
code = "bonus"
basis = "earned"
mode = "per_level"
per = "month"
[[component.rate]]
level = 1
of = "lots"
share = "10%"
"""
)


def _row(ticket: int, lots: str, when: str = "03.02 11:00:00", **cells: str) -> list[str]:
    return manager_row(ticket, lots, **{"Close Time": f"2026.{when}", **cells})


def _explained(broker: SmallBroker, ticket: int) -> Explanation:
    """Explain a trade; the books have to say the same."""
    told = explain(broker.run, broker.run.servers[1], ticket)
    assert told.agrees is True
    assert all(part.window.agrees for part in told.parts)
    as_dict(told)
    return told


def _part(broker: SmallBroker, ticket: int) -> Part:
    [part] = _explained(broker, ticket).parts
    return part


def _event(broker: SmallBroker, event: str) -> EventExplanation:
    return explain_event(broker.run, event)


def _words(part: Part) -> str:
    return "; ".join(f"{step.label} {step.text}" for one in part.lines
                     for step in one.line.working)  # fmt: skip


def test_a_difference_is_said_in_one_sentence(broker: SmallBroker) -> None:
    broker.plan(DIFFERENCE)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    told = _explained(broker, 1)
    assert told.result is not None
    steps = {step.label: step.text for step in told.result.lines[1].working}
    assert steps["in words"] == (
        "2.00 lots x 7.00 USD = 14.00 USD; P-2 already took 10.00 USD; your difference 4.00 USD"
    )


@pytest.mark.parametrize("method", ["marginal", "retroactive"])
def test_a_tier_late_corrected_and_taken_back(broker: SmallBroker, method: str) -> None:
    broker.plan(TIERS.format(method=method))
    broker.bring("b.csv", manager(_row(2, "1.50", "03.02 12:00:00")))
    before = _part(broker, 2)
    assert before.window.measure == "1.50 lots in the month"
    assert [one.line.amount_e8 for one in before.lines] == [450_000_000]
    broker.bring("a.csv", manager(_row(1, "1.00")))
    after = _part(broker, 2)
    assert "2.50 lots in the month" in _words(after)
    assert [row["why"] for row in after.window.booked] == ["trade Live-4 2", "trade Live-4 1"]
    assert after.window.period == "2026-03"
    broker.bring("c.csv", manager(_row(1, "0.25")), as_of_ms=LATER)
    assert _part(broker, 2).window.payable_e8 == 525_000_000
    [whole] = explain_window(broker.run, "tiered", "P-2", "2026-03")
    assert (whole.agrees, len(whole.lines), whole.booked_e8) == (True, 2, 525_000_000)
    assert explain_window(broker.run, "std/tiered", "P-2", "2026-Q1") == [whole]


def test_a_cap_says_what_was_used_before(broker: SmallBroker) -> None:
    broker.plan(CAPPED)
    broker.bring("a.csv", manager(_row(1, "2.00"), _row(2, "2.00", "03.02 15:00:00")))
    part = _part(broker, 2)
    assert part.lines[0].line.capped
    assert "12.00 USD per client and day, 10.00 USD of it used before" in _words(part)
    broker.bring("b.csv", manager(_row(3, "1.00", "03.02 16:00:00")))
    assert [one.line.reason.name for one in _part(broker, 3).lines] == ["CAPPED"]


def test_a_period_says_what_a_trade_adds_and_what_is_carried(broker: SmallBroker) -> None:
    broker.plan(CARRIED)
    april = _row(2, "1.00", "04.02 11:00:00", Profit="-15000.00")
    broker.bring("a.csv", manager(_row(1, "1.00", Profit="10000.00"), april))
    march, later = _part(broker, 1), _part(broker, 2)
    assert march.adds == "adds -10000.00 USD to the result of the period"
    assert (march.window.sum_e8, march.window.payable_e8) == (-3000 * E8, 0)
    assert (later.window.carried_e8, later.window.payable_e8) == (-3000 * E8, 1500 * E8)
    [april_whole] = explain_window(broker.run, "revshare", "P-2", "2026-04")
    assert [step.label for step in april_whole.working] == ["earned", "carried", "payable"]


def test_a_rebate_is_shown_for_the_client(broker: SmallBroker) -> None:
    broker.plan(REBATE)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    told = as_dict(_explained(broker, 1))
    assert [(row["level"], row["partner"], row["payee_kind"], row["amount"])
            for row in told["posted"]] == [
        (0, "C-1", "client", "4.00"), (1, "P-2", "partner", "6.00"),
    ]  # fmt: skip
    broker.bring("b.csv", manager(_row(1, "1.00")), as_of_ms=LATER)
    _explained(broker, 1)


def test_what_waits_for_kyc_is_said_to_be_held(broker: SmallBroker) -> None:
    broker.plan(KYC)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    assert as_dict(_explained(broker, 1))["lines"][0]["held_by"] == "kyc"
    broker.events("k1,kyc_approved,C-1,2026-03-05T10:00:00Z,,,,crm")
    assert as_dict(_explained(broker, 1))["lines"][0]["held_by"] is None
    assert _event(broker, "k1").held == []


def test_who_qualifies_later_is_paid_as_explained(broker: SmallBroker) -> None:
    broker.plan(QUALIFIED)
    broker.bring("a.csv", manager(_row(1, "2.00")))
    told = _explained(broker, 1)
    assert told.result is not None
    assert told.result.lines[0].reason.name == "NOT_QUALIFIED"
    broker.events("e1,registration,C-1,2026-02-01T00:00:00Z,,,,crm",
            "e2,deposit,C-1,2026-03-12T10:00:00Z,500,USD,,crm")  # fmt: skip
    _explained(broker, 1)


def test_an_event_leads_to_a_cpa_and_its_chargeback_takes_it_back(broker: SmallBroker) -> None:
    broker.plan(CPA)
    broker.events("e1,registration,C-1,2026-03-01T00:00:00Z,,,,crm",
            "e2,deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm")  # fmt: skip
    paid = _event(broker, "e2")
    assert [one.line.amount_e8 for part in paid.parts for one in part.lines] == [200 * E8]
    assert paid.agrees is True
    assert [row["amount_e8"] for row in paid.booked] == [200 * E8]
    assert _event(broker, "e1").parts == []
    broker.events("e3,chargeback_lost,C-1,2026-04-20T10:00:00Z,500,USD,e2,crm")
    back = _event(broker, "e3")
    assert [(one.line.amount_e8, one.line.reason.name) for part in back.parts
            for one in part.lines] == [(-200 * E8, "CLAWBACK")]  # fmt: skip
    assert (back.agrees, back.parts[0].window.period) == (True, "2026-04")
    assert [row["event"] for row in _event(broker, "e2").about] == ["e3"]
    [april] = explain_window(broker.run, "cpa", "P-2", "2026-04")
    assert (april.agrees, april.booked_e8) == (True, -200 * E8)


def test_an_advance_is_earned_back(broker: SmallBroker) -> None:
    broker.plan(ADVANCED)
    broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "2.00", "03.03 11:00:00"),
                                  _row(3, "4.00", "03.04 11:00:00")))  # fmt: skip
    told = _explained(broker, 2)
    assert [part.window.component for part in told.parts] == ["cpa", "lots"]
    assert told.parts[0].lines[0].line.amount_e8 == 20 * E8, "this trade made the client qualify"
    lots = told.parts[1].window
    assert (lots.sum_e8, lots.payable_e8) == (35 * E8, 15 * E8)
    assert [part.window.component for part in _explained(broker, 3).parts] == ["lots"]


def test_a_bonus_is_a_share_of_what_was_earned(broker: SmallBroker) -> None:
    broker.plan(BONUS)
    broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "2.00", "03.03 11:00:00")))
    part, above = _explained(broker, 2).parts
    assert (part.window.component, part.window.payable_e8) == ("bonus", 150_000_000)
    assert (above.window.payee.code, above.window.payable_e8) == ("P-1", 60_000_000)
    assert "10 % of 15.00 USD earned" in _words(part)


def test_what_is_not_there(broker: SmallBroker) -> None:
    broker.plan(TIERS.format(method="marginal"))
    for wrong in (("tired", "P-2", "2026-03"), ("tiered", "P-7", "2026-03"),
                  ("tiered", "P-2", "2026-03")):  # fmt: skip
        with pytest.raises(Missing):
            explain_window(broker.run, *wrong)
    with pytest.raises(BadInput, match="no period"):
        explain_window(broker.run, "tiered", "P-2", "March")
    with pytest.raises(Missing, match="no event"):
        explain_event(broker.run, "e9")


def test_a_window_of_too_many_trades_shows_the_books_alone(broker: SmallBroker) -> None:
    broker.plan(TIERS.format(method="marginal"))
    broker.bring("a.csv", manager(*(_row(n, "1.00", f"03.02 11:{n:02d}:00") for n in range(1, 6))))
    told = explain(broker.run, broker.run.servers[1], 1, most=4)
    [part] = told.parts
    assert (part.window.trades, part.window.agrees, part.lines) == (5, None, [])
    assert (part.window.booked_e8, told.agrees) == (21 * E8, None)


def test_a_deleted_trade_leaves_its_window(broker: SmallBroker) -> None:
    broker.plan(TIERS.format(method="retroactive"))
    broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "2.00", "03.03 11:00:00")))
    assert _part(broker, 1).window.payable_e8 == 15 * E8
    _delete(broker, 2)
    assert _part(broker, 1).window.payable_e8 == 3 * E8
    gone = _part(broker, 2)
    assert [one.line.reason.name for one in gone.lines] == ["CANCELLED"]
    assert gone.window.booked[-1]["why"] == "trade Live-4 2"


def _delete(broker: SmallBroker, ticket: int) -> None:
    """Take a trade in again as one that its platform deleted, as live sources do."""
    server, conn = broker.run.servers[1], broker.conn
    known = trades.read(conn, server.id)
    gone = known.filter(ticket=ticket).with_columns(state=pl.lit(0, known.schema["state"]))
    batch = conn.execute("SELECT max(id) FROM inbox_batch").fetchone()
    taken = trades.take_in(conn, server, gone.select(*TRADE, "state"), batch[0], LATER)
    assert taken.revised == 1
    book(broker.run, server, taken.settled, fresh=False)
    conn.commit()
    settle_windows(broker.run)


def test_what_closed_before_go_live_counts_and_is_not_booked(
    db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = "server,platform,clock,go_live\nLive-4,mt4,UTC,2026-03-02T12:00:00Z\n"
    monkeypatch.setitem(LOADS, "servers", servers)
    monkeypatch.setitem(LOADS, "accounts", "server,login,client\nLive-4,1001,C-1\n")
    with db.app() as conn:
        broker = SmallBroker(conn, tmp_path)
        broker.plan(TIERS.format(method="marginal"))
        broker.bring("a.csv", manager(_row(1, "1.00"), _row(2, "2.00", "03.03 11:00:00")))
        part = _part(broker, 2)
        assert part.window.measure == "3.00 lots in the month"
        assert (part.window.payable_e8, len(part.window.lines)) == (8 * E8, 1)
        assert explain(broker.run, broker.run.servers[1], 1).status == "history"


def test_pay_that_builds_up_is_held_and_released_with_the_clients_kyc(broker: SmallBroker) -> None:
    held = TIERS.format(method="marginal").replace('"USD"\n', '"USD"\nkyc = "hold"\n', 1)
    broker.plan(held)
    broker.bring("a.csv", manager(_row(1, "1.00")))
    part = _part(broker, 1)
    assert [one.held_by for one in part.lines] == ["kyc"]
    assert part.window.booked[0]["state"] == "held"
    broker.events("k1,kyc_approved,C-1,2026-03-05T10:00:00Z,,,,crm")
    assert [one.held_by for one in _part(broker, 1).lines] == [""]


def test_what_was_held_for_too_long_is_said_to_be_forfeited(broker: SmallBroker) -> None:
    rule = '"USD"\nkyc = "hold"\nkyc_forfeit_days = 10\n'
    broker.plan(TIERS.format(method="marginal").replace('"USD"\n', rule, 1))
    broker.bring("a.csv", manager(_row(1, "1.00")))
    part = _part(broker, 1)
    assert [one.line.reason.name for one in part.lines] == ["FORFEITED"]
    assert part.window.booked[0]["sentence"].startswith("held for too long")
    broker.plan(KYC.replace('"USD"\n', '"USD"\nkyc_forfeit_days = 10\n', 1))
    told = _explained(broker, 1)
    assert told.result is not None
    assert [line.reason.name for line in told.result.lines] == ["FORFEITED"]
