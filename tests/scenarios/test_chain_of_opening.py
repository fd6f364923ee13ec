"""A programme that pays the chain of the opening: moves, corrections backwards, what is explained.

C-1 is P-2's, under P-1; P-3 and P-4 are trees of their own. A lot pays 5 to the direct IB and 1 to
the one above him, and 10 % of the month's commission to the direct IB.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from small_broker import LOT, PLAN, SmallBroker, manager, manager_row

from pipshare import attribution, ledger, market, statements
from pipshare.cli.explaining import say
from pipshare.pipeline import to_rest
from pipshare.pipeline.explain import explain
from pipshare.pipeline.explain_json import as_dict
from pipshare.pipeline.explained.of_window import explain_window
from pipshare.pipeline.loads import apply_plan, approve
from pipshare.pipeline.simulate import Question, simulate

MONTH = """
[[component]]
code = "month"
basis = "commission"
mode = "per_level"
per = "month"
currency = "USD"
rate = [{ level = 1, share = "10%" }]
"""
_WITH_WINDOWS = """
SELECT DISTINCT p.code FROM rating_window_line w JOIN partners_partner p ON p.id = w.payee_id
"""
OPEN = PLAN.replace('currency = "USD"\n', 'currency = "USD"\nmoment = "open"\n', 1) + MONTH
CLOSE = OPEN.replace('moment = "open"\n', "")


def trade(ticket: int, opened: str, closed: str) -> list[str]:
    """A lot that was charged 10 dollars, opened and closed on days of March."""
    return manager_row(ticket, "1.00", **{
        "Open Time": f"2026.03.{opened} 10:00:00", "Close Time": f"2026.03.{closed} 11:00:00",
        "Commission": "-10.00",
    })  # fmt: skip


OURS = manager(
    trade(1, "05", "06"),  # opened and closed before the move
    trade(2, "05", "12"),  # opened before, closed after
    trade(3, "11", "12"),  # all of it after
    trade(4, "03", "12"),
)


def _more(made: SmallBroker) -> None:
    made.load("partners", "partner\nP-3\nP-4\n")
    made.load("terms", "partner,programme\nP-3,std\nP-4,std\n")
    apply_plan(made.run, made.file("open.toml", OPEN), by="anna")


@pytest.fixture
def broker(ready: Any) -> Any:
    return ready(SmallBroker, then=_more)


def move(broker: SmallBroker, kind: str, code: str, partner: str, since: str) -> None:
    text = f"kind,code,partner,valid_from\n{kind},{code},{partner},2026-03-{since}\n"
    (report,) = broker.load("relations", text, reason="moved")
    assert not report.refused
    for number in report.proposed:  # none where this is so already
        approve(broker.run, number, by="ben")


def assert_explained(broker: SmallBroker, *tickets: int) -> None:
    server = market.server(broker.conn, "Live-4")
    for ticket in tickets:
        told = explain(broker.run, server, ticket)
        assert told.agrees is True, as_dict(told)
    for (partner,) in broker.conn.execute(_WITH_WINDOWS).fetchall():
        for window in explain_window(broker.run, "month", partner, "2026-03", None):
            assert window.agrees is True
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def owed(lots: dict[str, int]) -> dict[str, int]:
    """What so many lots with P-2, P-3 or P-4 as direct IB come to."""
    found = {partner: 6 * LOT * count for partner, count in lots.items() if count}
    return found | ({"P-1": LOT * lots["P-2"]} if lots.get("P-2") else {})


def test_who_had_the_client_at_the_opening_is_paid(
    broker: SmallBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.bring("ours.csv", OURS)
    assert broker.totals() == owed({"P-2": 4})
    move(broker, "client", "C-1", "P-3", "10")
    assert broker.totals() == owed({"P-2": 3, "P-3": 1})
    assert_explained(broker, 1, 2, 3, 4)
    told = explain(broker.run, market.server(broker.conn, "Live-4"), 2)
    assert (told.who["chain_moment"], told.who["chain"][0]["partner"]) == ("open", "P-2")
    shown = as_dict(told)["attribution"]
    assert (shown["chain_moment"], shown["chain_utc"]) == ("open", "2026-03-05T10:00:00+00:00")
    say(told)
    assert "chain at the opening, 2026-03-05 10:00 UTC" in capsys.readouterr().out


def test_arriving_after_the_move_is_the_same(broker: SmallBroker) -> None:
    move(broker, "client", "C-1", "P-3", "10")
    broker.bring("ours.csv", OURS)
    assert broker.totals() == owed({"P-2": 3, "P-3": 1})
    assert_explained(broker, 1, 2, 3, 4)


def test_a_correction_backwards_reaches_what_was_opened_in_it(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "P-3", "10")
    move(broker, "client", "C-1", "P-3", "04")
    assert broker.totals() == owed({"P-2": 1, "P-3": 3})
    assert_explained(broker, 1, 2, 3, 4)
    move(broker, "client", "C-1", "P-4", "05")
    assert broker.totals() == owed({"P-2": 1, "P-4": 3})
    move(broker, "client", "C-1", "P-3", "08")
    assert broker.totals() == owed({"P-2": 1, "P-4": 2, "P-3": 1})
    assert_explained(broker, 1, 2, 3, 4)


def test_sums_follow_without_a_line_of_any_trade(broker: SmallBroker) -> None:
    head = OPEN[: OPEN.index("[[component]]")]
    apply_plan(broker.run, broker.file("month.toml", head + MONTH), by="anna")
    broker.bring("ours.csv", OURS)
    assert broker.totals() == {"P-2": 4 * LOT}
    for partner, since, wanted in (
        ("P-3", "10", {"P-2": 3, "P-3": 1}), ("P-3", "04", {"P-2": 1, "P-3": 3}),
        ("P-4", "04", {"P-2": 1, "P-4": 3}), ("P-2", "04", {"P-2": 4}),
    ):  # fmt: skip
        move(broker, "client", "C-1", partner, since)
        assert broker.totals() == {code: LOT * count for code, count in wanted.items()}
        assert_explained(broker, 1, 2, 3, 4)


def test_those_above_are_those_of_the_opening(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "partner", "P-2", "P-4", "10")
    assert broker.totals() == {"P-2": 24 * LOT, "P-1": 3 * LOT, "P-4": LOT}
    assert_explained(broker, 1, 2, 3, 4)


def test_a_client_who_was_nobodys_at_the_opening(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "direct", "04")
    assert broker.totals() == owed({"P-2": 0}), "direct at the close, as ever: nobody decides"
    move(broker, "client", "C-1", "P-3", "10")
    assert broker.totals() == owed({"P-2": 1, "P-3": 1})
    told = explain(broker.run, market.server(broker.conn, "Live-4"), 2)
    assert (told.status, told.who["why"]) == ("direct", "not_introduced_at_opening")
    assert_explained(broker, 1, 2, 3, 4)


def test_another_programme_keeps_its_own_moment(broker: SmallBroker) -> None:
    """P-3's programme pays the chain of the close: it neither pays P-2's old trades by P-2's
    programme, nor does P-2's pay what was opened with P-3."""
    other = CLOSE.replace('"std"', '"other"').replace("5.00", "7.00")
    apply_plan(broker.run, broker.file("other.toml", other), by="anna")
    (report,) = broker.load("terms", "partner,programme\nP-3,other\n", reason="better")
    approve(broker.run, report.proposed[0], by="ben")
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "P-3", "10")
    assert broker.totals() == {"P-2": 6 * LOT, "P-1": LOT, "P-3": 24 * LOT}
    assert_explained(broker, 1, 2, 3, 4)
    move(broker, "client", "C-1", "P-2", "12")
    assert broker.totals() == {"P-2": 12 * LOT + 6 * LOT, "P-1": 3 * LOT}
    told = explain(broker.run, market.server(broker.conn, "Live-4"), 3)
    assert (told.status, told.who["why"]) == ("direct", "other_programme_at_opening")
    assert_explained(broker, 1, 2, 3, 4)


def test_the_moment_may_change_with_a_version(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "P-3", "10")
    apply_plan(broker.run, broker.file("close.toml", CLOSE), by="anna")
    assert broker.totals() == owed({"P-2": 1, "P-3": 3})
    since = OPEN.replace('code = "std"', 'code = "std"\nvalid_from = 2026-03-12', 1)
    apply_plan(broker.run, broker.file("again.toml", since), by="anna")
    assert broker.totals() == owed({"P-2": 3, "P-3": 1})
    assert_explained(broker, 1, 2, 3, 4)


def test_coming_to_rest_again_finds_nothing(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "P-3", "04")
    server = market.server(broker.conn, "Live-4")
    assert attribution.takeable(broker.conn, server.id) == []
    assert to_rest(broker.run).lines == 0


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_moves_and_trades(broker: SmallBroker, seed: int) -> None:
    """The books are what a walk through the records says now, whatever came before what."""
    rng = Random(seed)
    other = CLOSE.replace('"std"', '"other"').replace("5.00", "7.00")
    apply_plan(broker.run, broker.file("other.toml", other), by="anna")
    broker.load("partners", "partner\nP-5\n")
    broker.load("terms", "partner,programme\nP-5,other\n")
    tickets: list[int] = []
    for step in range(7):
        if step in (0, 3):
            rows = []
            for _ in range(5):
                tickets.append(len(tickets) + 1)
                opened, closed = sorted(rng.choices(range(2, 28), k=2))
                rows.append(trade(tickets[-1], f"{opened:02}", f"{closed:02}"))
            broker.bring(f"{step}.csv", manager(*rows))
        elif rng.random() < 0.7:
            whom = rng.choice(["P-1", "P-2", "P-3", "P-4", "P-5", "direct"])
            move(broker, "client", "C-1", whom, f"{rng.randint(2, 28):02}")
        else:
            move(broker, "partner", "P-2", rng.choice(["P-3", "P-4", "root"]),
                 f"{rng.randint(2, 28):02}")  # fmt: skip
    assert_explained(broker, *tickets)


def test_a_what_if_pays_each_side_by_its_own_moment(broker: SmallBroker) -> None:
    broker.bring("ours.csv", OURS)
    move(broker, "client", "C-1", "P-3", "10")
    path = broker.file("close.toml", CLOSE)
    answer = simulate(broker.run, Question([path]), None)
    broker.conn.rollback()
    found = {one.partner: (one.now_e8, one.then_e8) for one in answer.partners}
    then = owed({"P-2": 1, "P-3": 3})
    assert found == {code: (now, then[code]) for code, now in broker.totals().items()}


DEALS = "deal,login,position,symbol,volume,action,entry,time,price,volume_closed\n"
OPENING = "901,5001,51,EURUSD,1,0,0,2026-03-05 10:00:00,1.1,0\n"
CLOSING = "902,5001,51,EURUSD,1,1,1,2026-03-12 11:00:00,1.2,1\n"


def test_an_opening_that_comes_later(broker: SmallBroker) -> None:
    move(broker, "client", "C-1", "P-3", "10")
    broker.bring("closing.csv", DEALS + CLOSING, server="Live-5")
    assert broker.totals() == {}
    assert set(broker.waiting()) == {"opening_unknown"}
    broker.bring("opening.csv", DEALS + OPENING, server="Live-5")
    assert broker.totals() == {"P-2": 5 * LOT, "P-1": LOT}
    assert broker.waiting() == {}


def test_or_it_is_paid_as_it_stands_until_then(broker: SmallBroker) -> None:
    pays = OPEN.replace('moment = "open"', 'moment = "open"\nunknown_opening = "pay"')
    apply_plan(broker.run, broker.file("pays.toml", pays), by="anna")
    move(broker, "client", "C-1", "P-3", "10")
    broker.bring("closing.csv", DEALS + CLOSING, server="Live-5")
    assert broker.totals() == {"P-3": 5 * LOT}, "by the chain at the close"
    broker.bring("opening.csv", DEALS + OPENING, server="Live-5")
    assert broker.totals() == {"P-2": 5 * LOT, "P-1": LOT}
    told = explain(broker.run, market.server(broker.conn, "Live-5"), 902)
    assert told.agrees is True
