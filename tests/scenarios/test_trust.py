"""Documents that a client can edit: compared, and booked only with trust given on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from documents import mt4_statement, mt5_report, statement_row
from small_broker import SmallBroker, journal, manager, manager_row

from pipshare.errors import BadInput

MARCH, MAY = 1_774_900_000_000, 1_780_000_000_000  # UTC ms: 2026-03-30, 2026-05-28
LATER = 1_900_000_000_000  # after anything that is received while this test runs


def _statement(*lots: str, **options: Any) -> str:
    """A statement of tickets 1, 2, ... that adds up."""
    rows = [statement_row(ticket, size) for ticket, size in enumerate(lots, start=1)]
    return mt4_statement(*rows, **{"printed": f"{10 * len(rows)}.00", **options})


DOCUMENTS = {
    "statement.htm": (_statement("0.10"), "Live-4", 10),
    "report.htm": (mt5_report("0.10"), "Live-5", 10),
    "journal.csv": (journal("1;0.10;2026-03-02 11:00:00"), "Live-4", 10),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_books_nothing_without_trust_and_is_audited_with_it(
    broker: SmallBroker, name: str
) -> None:
    content, server, lots = DOCUMENTS[name]
    account = {"login": 1001} if name.startswith("journal") else {}
    silent = broker.bring(name, content, server, **account)
    assert (silent.booked, silent.new, silent.not_stored) == (False, 0, 1)
    assert "--trust REASON" in silent.why_not
    assert broker.count("trades_trade") == 0
    broker.assert_paid(0)
    assert broker.audited("file.trusted") == []

    trusted = broker.bring(name, content, server, trust="seen at the desk", **account)
    assert (trusted.booked, trusted.new, trusted.why_not) == (True, 1, "")
    broker.assert_paid(lots)
    ((actor, subject, reason, detail),) = broker.audited("file.trusted")
    assert (actor, subject, reason) == ("anna", name, "seen at the desk")
    assert detail["server"] == server

    again = broker.bring(name, content, server, trust="seen again", **account)
    assert (again.new, again.revised, again.repeated) == (0, 0, 1)
    broker.assert_paid(lots)


def test_a_document_is_compared_with_what_the_platform_told(broker: SmallBroker) -> None:
    broker.bring("export.csv", manager(manager_row(1), manager_row(2, "0.20")))
    broker.assert_paid(30)
    found = broker.bring("statement.htm", _statement("0.10", "0.50", "0.10"))
    assert (found.matching, found.differing, found.not_stored) == (1, 1, 1)
    (difference,) = found.differences
    assert (difference.ticket, difference.fields) == (2, {"lots_e8": (50_000_000, 20_000_000)})
    broker.assert_paid(30)


def test_a_journal_is_compared_under_the_ticket_that_it_prints(broker: SmallBroker) -> None:
    broker.bring("export.csv", manager(manager_row(1), manager_row(2, "0.20")))
    rows = ("1;0.10;2026-03-02 11:00:00", "2;0.30;2026-03-02 11:00:00", "3;1;2026-03-02 11:00:00")
    found = broker.bring("journal.csv", journal(*rows))
    assert (found.matching, found.differing, found.not_stored) == (1, 1, 1)


def test_a_journal_and_the_platform_do_not_book_a_trade_twice(broker: SmallBroker) -> None:
    told = journal("1;0.10;2026-03-02 11:00:00", "9;0.40;2026-03-02 11:00:00")
    trusted = {"trust": "no export yet", "login": 1001}
    broker.bring("journal.csv", told, **trusted)
    broker.assert_paid(50)

    report = broker.bring("export.csv", manager(manager_row(1), manager_row(2, "0.20")))
    assert (report.new, report.revised) == (2, 1)
    assert "replaced" in report.note
    broker.assert_paid(70)  # 1 and 2 by the platform, 9 by the journal alone

    again = broker.bring("journal.csv", told, **trusted)
    assert (again.new, again.repeated) == (0, 1)
    assert [(one.line, one.code) for one in again.refused] == [(2, "told_by_platform")]
    broker.assert_paid(70)


def test_a_journal_without_its_account_waits_and_says_so(broker: SmallBroker) -> None:
    report = broker.bring("journal.csv", journal("1;0.10;2026-03-02 11:00:00"), trust="x")
    assert "--login" in report.note
    assert broker.waiting() == {"unknown_account": 1}
    broker.bring("journal.csv", journal("1;0.10;2026-03-02 11:00:00"), trust="x", login=1001,
                 as_of_ms=LATER)  # fmt: skip
    assert broker.waiting() == {}
    broker.assert_paid(10)


@pytest.mark.parametrize("trust", ["", "seen at the desk"])
def test_a_statement_that_misses_its_total_is_refused_whole(
    broker: SmallBroker, trust: str
) -> None:
    rows = (statement_row(1), statement_row(2, profit="1O.00"), statement_row(3))
    content = mt4_statement(*rows, printed="30.00")
    with pytest.raises(BadInput) as refused:
        broker.bring("gap.htm", content, trust=trust)
    sentence = refused.value.message
    for part in ("gap.htm", "20.00", "30.00", "10.00 is missing", "--accept-gap", "ticket 2"):
        assert part in sentence
    for table in ("trades_trade", "inbox_file", "rating_entry"):
        assert broker.count(table) == 0
    broker.assert_paid(0)


def test_an_accepted_gap_imports_the_rest_and_is_audited(broker: SmallBroker) -> None:
    rows = (statement_row(1), statement_row(2, profit="1O.00"), statement_row(3))
    content = mt4_statement(*rows, printed="30.00")
    report = broker.bring("gap.htm", content, trust="seen at the desk", accept_gap=True)
    assert (report.new, report.gap_e8) == (2, 10 * 10**8)
    assert [one.line for one in report.refused] == [8]
    broker.assert_paid(20)
    ((actor, subject, _, detail),) = broker.audited("file.gap_accepted")
    assert (actor, subject, detail["gap"]) == ("anna", "gap.htm", "10.00")
    whole = broker.bring("whole.htm", _statement("0.10", "0.10", "0.10"), trust="complete now")
    assert (whole.new, whole.repeated, whole.gap_e8) == (1, 2, 0)
    broker.assert_paid(30)
    assert len(broker.audited("file.gap_accepted")) == 1


def test_of_two_statements_the_later_report_time_is_the_newer(broker: SmallBroker) -> None:
    trust = {"trust": "seen"}
    broker.bring("march.htm", _statement("0.10", when="2026 March 31, 18:05"), **trust)
    older = broker.bring("early.htm", _statement("0.50", when="2026 March 20, 18:05"), **trust)
    assert (older.older, older.revised) == (1, 0)
    broker.assert_paid(10)
    newer = broker.bring("april.htm", _statement("0.30", when="2026 April 30, 18:05"), **trust)
    assert newer.revised == 1
    broker.assert_paid(30)
    # The time that a file prints counts, whatever a person says of it.
    told = {"trust": "seen", "as_of_ms": MAY}
    broker.bring("early.htm", _statement("0.50", when="2026 March 20, 18:05"), **told)
    broker.assert_paid(30)


def test_without_a_report_time_the_operator_says_which_is_newer(broker: SmallBroker) -> None:
    trust = {"trust": "seen"}
    broker.bring("one.htm", _statement("0.10", when="2026 Brumaire 31, 18:05"), **trust)
    fought = broker.bring("two.htm", _statement("0.20", when="2026 Brumaire 31, 18:05"), **trust)
    assert (fought.revised, [one.code for one in fought.refused]) == (0, ["conflict"])
    for part in ("ticket 1", "one.htm", "two.htm", "lots", "--as-of"):
        assert part in fought.refused[0].reason
    broker.assert_paid(10)

    told = {**trust, "as_of_ms": MAY}
    two = _statement("0.20", when="2026 Brumaire 31, 18:05")
    # The first file told no moment: one after it was received would be newer, this one is not.
    assert broker.bring("two.htm", two, **told).revised == 0
    one = _statement("0.10", when="2026 Brumaire 31, 18:05")
    broker.bring("one.htm", one, trust="seen", as_of_ms=MARCH)
    assert broker.bring("two.htm", two, **told).revised == 1
    broker.assert_paid(20)
