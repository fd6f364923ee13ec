"""Qualification: the published and derived cases, and each condition by itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from client_events import UTC_CLOCK, asked, event, frame, ms, paid, trades

from pipshare.rating.qualify import Ladder, lives, qualification_rows, qualified_spans, reached

LADDER = Ladder(tuple(Fraction(one) for one in (100, 200, 500, 1000)))


def test_first_deposits_of_a_day_are_summed() -> None:
    what = asked(first_deposit="10", sum_hours=24)
    first, second = event("deposit", "07-01 10:00", "6"), event("deposit", "07-01 20:00", "5")
    assert paid(what, first, second) == [(ms("07-01 20:00"), 0, 1, "")]
    late = event("deposit", "07-02 10:00:01", "5")
    assert paid(what, first, late) == []
    exactly = event("deposit", "07-02 10:00", "5")
    assert paid(what, first, exactly) == [(ms("07-02 10:00"), 0, 1, "")]


def test_the_first_deposit_alone_counts_without_hours() -> None:
    what = asked(first_deposit="10")
    small, large = event("deposit", "07-01 10:00", "9.99"), event("deposit", "07-01 11:00", "50")
    assert paid(what, small, large) == []
    assert paid(what, event("deposit", "07-01 10:00", "10")) == [(ms("07-01 10:00"), 0, 1, "")]


def test_a_deposit_counts_when_it_is_cleared() -> None:
    sent = event("deposit", "07-01 10:00", "10", cleared_ms=ms("07-03 09:00"))
    assert paid(asked(first_deposit="10"), sent) == [(ms("07-03 09:00"), 0, 1, "")]


def test_every_step_of_a_ladder_is_paid_once() -> None:
    deposits = [event("deposit", "07-01 10:00", "100"), event("deposit", "07-02 10:00", "400"),
                event("deposit", "07-03 10:00", "500")]  # fmt: skip
    assert paid(asked(first_deposit="100"), *deposits, ladder=LADDER) == [
        (ms("07-01 10:00"), 0, 1, ""), (ms("07-02 10:00"), 1, 3, ""),
        (ms("07-03 10:00"), 3, 4, ""),
    ]  # fmt: skip
    above = Ladder(LADDER.starts, above=True)
    assert paid(asked(first_deposit="100"), *deposits[:1], ladder=above) == []


def test_all_conditions_have_to_hold() -> None:
    what = asked(first_deposit="100", spread="80", lots="5")
    lots = trades([(1, ms("07-02 10:00"), "6")])
    short = replace(lots, spread_e8=lots.lots_e8 * 0 + 7_999_000_000)
    enough = replace(lots, spread_e8=lots.lots_e8 * 0 + 8_000_000_000)
    deposit = event("deposit", "07-01 10:00", "150")
    assert paid(what, deposit, trades_ms=reached(short, what.qualify, UTC_CLOCK)) == []
    found = paid(what, deposit, trades_ms=reached(enough, what.qualify, UTC_CLOCK))
    assert found == [(ms("07-02 10:00"), 0, 1, "")]


def test_a_lost_chargeback_takes_back_and_a_won_one_restores() -> None:
    what = asked(first_deposit="100")
    deposit = event("deposit", "07-01 10:00", "100", event="d")
    opened = event("chargeback_opened", "07-05 10:00", reference="d", event="c")
    lost = event("chargeback_lost", "07-09 10:00", reference="c")
    won = event("chargeback_won", "07-20 10:00", reference="c")
    assert paid(what, deposit, opened) == [(ms("07-01 10:00"), 0, 1, "held")]
    back = (ms("07-09 10:00"), 0, 1, "undone")
    assert paid(what, deposit, opened, lost) == [(ms("07-01 10:00"), 0, 1, ""), back]
    assert paid(what, deposit, opened, won) == [(ms("07-01 10:00"), 0, 1, "")]
    again = (ms("07-20 10:00"), 0, 1, "")
    assert paid(what, deposit, opened, lost, won) == [(ms("07-01 10:00"), 0, 1, ""), back, again]


def test_a_reversal_that_comes_first_cancels_its_deposit() -> None:
    what = asked(first_deposit="100")
    reversal = event("deposit_reversed", "07-01 09:00", reference="d")
    assert paid(what, reversal) == []
    assert paid(what, reversal, event("deposit", "07-01 10:00", "100", event="d")) == []


def test_a_part_taken_back_counts_as_a_part() -> None:
    what = asked(first_deposit="100")
    deposit = event("deposit", "07-01 10:00", "150", event="d")
    little = event("deposit_reversed", "07-02 10:00", "50", reference="d")
    more = event("deposit_reversed", "07-03 10:00", "0.01", reference="d")
    first = (ms("07-01 10:00"), 0, 1, "")
    assert paid(what, deposit, little) == [first]
    assert paid(what, deposit, little, more) == [first, (ms("07-03 10:00"), 0, 1, "undone")]


def test_a_ladder_falls_by_the_steps_that_are_gone() -> None:
    what = asked(first_deposit="100")
    deposits = [event("deposit", "07-01 10:00", "100", event="a"),
                event("deposit", "07-02 10:00", "400", event="b")]  # fmt: skip
    gone = event("deposit_reversed", "07-05 10:00", reference="b")
    assert paid(what, *deposits, gone, ladder=LADDER)[2:] == [(ms("07-05 10:00"), 1, 3, "undone")]
    part = event("deposit_reversed", "07-05 10:00", "250", reference="b")
    assert paid(what, *deposits, part, ladder=LADDER)[2:] == [
        (ms("07-05 10:00"), 1, 3, "undone"), (ms("07-05 10:00"), 1, 2, ""),
    ]  # fmt: skip


def test_after_the_days_nothing_is_taken_back() -> None:
    what = asked(first_deposit="100")
    deposit = event("deposit", "07-01 23:00", "100", event="d")
    last = event("deposit_reversed", "07-31 22:00", reference="d")
    late = event("deposit_reversed", "08-01 00:00", reference="d")
    assert len(paid(what, deposit, last, clawback_days=30)) == 2
    assert len(paid(what, deposit, late, clawback_days=30)) == 1
    again = event("deposit", "08-03 00:00", "100")
    assert len(paid(what, deposit, late, again, clawback_days=30)) == 1


def test_kyc_is_asked_and_may_be_withdrawn() -> None:
    what = asked(first_deposit="100", kyc=True)
    deposit, kyc = event("deposit", "07-01 10:00", "100"), event("kyc_approved", "07-04 10:00")
    assert paid(what, deposit) == []
    first = (ms("07-04 10:00"), 0, 1, "")
    assert paid(what, deposit, kyc) == [first]
    gone = event("kyc_withdrawn", "07-06 10:00")
    undone = (ms("07-06 10:00"), 0, 1, "undone")
    assert paid(what, deposit, kyc, gone) == [first, undone]
    back = event("kyc_approved", "07-08 10:00")
    assert paid(what, deposit, kyc, gone, back) == [first, undone, (ms("07-08 10:00"), 0, 1, "")]


def test_a_duplicate_earns_nobody_anything_and_what_was_paid_for_him_is_taken_back() -> None:
    what = asked(first_deposit="100")
    deposit, double = (
        event("deposit", "07-02 10:00", "100"),
        event("client_duplicate", "07-01 12:00"),
    )
    assert paid(what, deposit, double) == []
    later = event("client_duplicate", "07-06 10:00")
    first, undone = (ms("07-02 10:00"), 0, 1, ""), (ms("07-06 10:00"), 0, 1, "undone")
    assert paid(what, deposit, later) == paid(what, later, deposit) == [first, undone]
    assert paid(what, deposit, later, clawback_days=3) == [first]
    back = event("client_not_duplicate", "07-08 10:00")
    assert paid(what, back, deposit, later) == [first, undone, (ms("07-08 10:00"), 0, 1, "")]
    assert paid(what, deposit, double, back) == [(ms("07-08 10:00"), 0, 1, "")]


def test_a_duplicate_does_not_qualify_by_the_crms_word_or_his_registration_either() -> None:
    double = event("client_duplicate", "07-06 10:00", other_client="C-0", reason="same passport")
    word, registered = event("qualified", "07-01 10:00"), event("registration", "07-01 10:00")
    for what, qualifies in ((asked(who="crm"), word), (asked(), registered)):
        assert [row[3] for row in paid(what, qualifies)] == [""]
        assert [row[3] for row in paid(what, qualifies, double)] == ["", "undone"]


def test_who_qualified_before_his_document_expired_stays_qualified() -> None:
    what = asked(first_deposit="100", kyc=True)
    kyc = event("kyc_approved", "07-04 10:00", expires_ms=ms("07-10 00:00"))
    before, after = event("deposit", "07-09 10:00", "100"), event("deposit", "07-11 10:00", "100")
    assert paid(what, kyc, before) == [(ms("07-09 10:00"), 0, 1, "")]
    told = event("kyc_expired", "07-10 00:00")
    assert paid(what, kyc, before, told) == [(ms("07-09 10:00"), 0, 1, "")]
    assert paid(what, kyc, after) == paid(what, kyc, after, told) == []
    again = event("kyc_approved", "07-20 10:00")
    assert paid(what, kyc, after, told, again) == [(ms("07-20 10:00"), 0, 1, "")]
    gone = event("kyc_withdrawn", "07-21 10:00")
    assert paid(what, kyc, before, told, gone)[-1] == (ms("07-21 10:00"), 0, 1, "undone")


def test_net_deposits_count_withdrawals_until_then() -> None:
    what = asked(net_deposits="100")
    moves = [
        event("deposit", "07-01 10:00", "90"),
        event("withdrawal", "07-02 10:00", "50"),
        event("deposit", "07-03 10:00", "50"),
        event("deposit", "07-04 10:00", "10"),
    ]
    assert paid(what, *moves) == [(ms("07-04 10:00"), 0, 1, "")]
    assert paid(what, *moves, event("withdrawal", "07-05 10:00", "90")) == paid(what, *moves)


def test_what_has_to_stay_is_taken_back_when_it_is_withdrawn() -> None:
    what, plain = asked(first_deposit="100", keep_days=30), asked(first_deposit="100")
    deposit = event("deposit", "07-01 10:00", "500", event="d")
    first = (ms("07-01 10:00"), 0, 1, "")
    for at, amount, goes in (("07-31 23:59", "400.01", True), ("07-31 23:59", "400", False),
                             ("08-01 00:00", "500", False)):  # fmt: skip
        gone = event("withdrawal", at, amount, event="w")
        assert paid(what, deposit, gone) == [first, *([(ms(at), 0, 1, "undone")] if goes else [])]
        assert paid(plain, deposit, gone) == [first]
    gone = event("withdrawal", "07-11 10:00", "450", event="w")
    back = (ms("07-11 10:00"), 0, 1, "undone")
    assert paid(what, deposit, gone, clawback_days=9) == [first]
    failed = event("withdrawal_reversed", "08-20 10:00", reference="w")
    assert paid(what, deposit, gone, failed) == [first, back, (ms("08-20 10:00"), 0, 1, "")]
    again = event("deposit", "07-20 10:00", "50")
    assert paid(what, deposit, gone, again, failed) == [first, back, (ms("07-20 10:00"), 0, 1, "")]


def test_who_withdrew_before_he_qualified_does_not() -> None:
    what = asked(first_deposit="100", keep_days=30, kyc=True)
    moves = [event("deposit", "07-01 10:00", "100"), event("withdrawal", "07-02 10:00", "50"),
             event("kyc_approved", "07-03 10:00")]  # fmt: skip
    assert paid(what, *moves) == []
    again = event("deposit", "07-04 10:00", "50")
    assert paid(what, *moves, again) == [(ms("07-04 10:00"), 0, 1, "")]


def test_a_withdrawal_that_cannot_be_converted_makes_what_has_to_stay_wait() -> None:
    deposit = event("deposit", "07-01 10:00", "100")
    soon, late = (event("withdrawal", at, "1", currency="EUR") for at in ("07-05 10:00", "08-05"
                  " 10:00"))  # fmt: skip
    what = asked(first_deposit="100", keep_days=30)
    for gone, waits in ((soon, [(1, "EUR/USD")]), (late, [])):
        assert qualified_spans(lives(frame([deposit, gone])), {}, what)[1].rows() == waits


def test_windows_of_calendar_and_business_days() -> None:
    registered = event("registration", "07-03 18:00")  # a Friday
    for days, calendar, at, count in (
        (3, "calendar", "07-06 23:59", 1), (3, "calendar", "07-07 00:00", 0),
        (1, "business", "07-06 23:59", 1), (1, "business", "07-07 00:00", 0),
        (0, "calendar", "07-03 23:59", 1), (5, "business", "07-10 23:59", 1),
        (6, "business", "07-13 23:59", 1), (6, "business", "07-14 00:00", 0),
    ):  # fmt: skip
        what = asked(first_deposit="1", within_days=days, calendar=calendar)
        assert len(paid(what, registered, event("deposit", at, "5"))) == count, (days, at)


def test_without_registration_days_count_from_the_first_deposit() -> None:
    what = asked(net_deposits="100", within_days=2)
    first = event("deposit", "07-01 10:00", "50")
    assert len(paid(what, first, event("deposit", "07-03 10:00", "50"))) == 1
    assert len(paid(what, first, event("deposit", "07-04 10:00", "50"))) == 0


def test_whose_word_counts() -> None:
    deposit, word = (
        event("deposit", "07-01 10:00", "100", event="d"),
        event("qualified", "07-09 1:00"),
    )
    own, crm = ms("07-01 10:00"), ms("07-09 01:00")
    for who, at in (("own", own), ("crm", crm), ("both", crm)):
        assert paid(asked(first_deposit="100", who=who), deposit, word) == [(at, 0, 1, "")]
    assert paid(asked(first_deposit="100", who="both"), word) == []
    assert paid(asked(first_deposit="100", who="crm"), word) == [(crm, 0, 1, "")]
    taken = event("unqualified", "07-12 10:00")
    assert paid(asked(who="crm"), word, taken)[1:] == [(ms("07-12 10:00"), 0, 1, "undone")]
    gone = event("chargeback_lost", "07-15 10:00", reference="d")
    assert len(paid(asked(who="crm"), deposit, word, gone)) == 2


def test_orders_and_days_of_trading() -> None:
    rows = [(1, ms("07-01 10:00"), "1"), (1, ms("07-01 11:00"), "1"), (1, ms("07-03 10:00"), "1")]
    for told, at in (({"orders": 2}, "07-01 11:00"), ({"active_days": 2}, "07-03 10:00"),
                     ({"orders": 3, "lots": "2"}, "07-03 10:00")):  # fmt: skip
        found = reached(trades(rows), asked(**told).qualify, UTC_CLOCK)
        assert found == {1: ms(at)}
    assert reached(trades(rows), asked(orders=4).qualify, UTC_CLOCK) == {}


def test_a_registration_is_enough_when_nothing_is_asked() -> None:
    assert paid(asked(), event("registration", "07-01 10:00")) == [(ms("07-01 10:00"), 0, 1, "")]
    assert paid(asked(), event("deposit", "07-01 10:00", "5")) == []


def test_spans_tell_since_when_trades_count() -> None:
    what = asked(first_deposit="100")
    told = frame([event("deposit", 1000, "100", event="a"),
                  event("deposit_reversed", 5000, reference="a"),
                  event("deposit", 7000, "100", event="b"),
                  event("deposit", 9000, "100", client_id=3)])  # fmt: skip
    spans, waits = qualified_spans(lives(told), {}, what)
    client = np.array([1, 1, 1, 1, 1, 2, 3, 3])
    at = np.array([0, 1000, 4999, 5000, 7000, 7000, 8999, 9000])
    told_ms = [1000, 1000, 1000, 7000, 7000, -1, 9000, 9000]
    assert spans.qualified_ms(client, at).tolist() == told_ms
    assert spans.in_the_end(np.array([1, 2, 3])).tolist() == [7000, -1, 9000]
    assert not len(waits)


def test_what_came_before_a_deposit_without_a_rate_stands() -> None:
    told = [event("deposit", "07-01 10:00", "100", event="a"),
            event("deposit", "07-02 10:00", "100", event="b", currency="EUR"),
            event("deposit_reversed", "07-03 10:00", reference="a")]  # fmt: skip
    what = asked(first_deposit="100")
    rows, waits = qualification_rows(lives(frame(told)), {}, what)
    assert rows["booked_ms"].to_list() == [ms("07-01 10:00")]
    assert waits.rows() == [(1, "EUR/USD")]
    spans, waits = qualified_spans(lives(frame(told[:2])), {}, what)
    assert spans.in_the_end(np.array([1])).tolist() == [ms("07-01 10:00")]
    assert not len(waits)
    _, waits = qualified_spans(lives(frame(told)), {}, what)
    assert waits.rows() == [(1, "EUR/USD")]


def test_a_deposit_without_a_rate_makes_the_client_wait() -> None:
    told = frame([event("deposit", "07-01 10:00", "100", currency="EUR")])
    rows, waits = qualification_rows(lives(told), {}, asked(first_deposit="100"))
    assert not len(rows)
    assert waits.rows() == [(1, "EUR/USD")]
