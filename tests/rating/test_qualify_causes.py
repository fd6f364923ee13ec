"""Which event is named as what made a client qualify, where one moment brought several."""

from __future__ import annotations

from fractions import Fraction

import pytest
from client_events import asked, event, ms, rows_of_client

from pipshare.rating.qualify import Asked, Ladder

AT = "07-01 10:00"
LADDER = Ladder(tuple(Fraction(one) for one in (100, 200, 500, 1000)))


def _deposit(name: str, amount: str, at: str = AT, **told: object) -> dict[str, object]:
    return event("deposit", at, amount, event=name, **told)


def _causes(
    what: Asked, *events: dict[str, object], ladder: Ladder | None = None
) -> list[tuple[str, int, int]]:
    """Return (cause, from step, to step), the same in any order of arrival."""
    told = [
        rows_of_client(what, *some, ladder=ladder).select("event", "from", "to").rows()
        for some in (events, events[::-1])
    ]
    assert told[0] == told[1]
    return told[0]


def test_the_first_of_one_moment_whose_amount_is_enough() -> None:
    what = asked(first_deposit="100")
    assert _causes(what, _deposit("d1", "500"), _deposit("d2", "500")) == [("d1", 0, 1)]
    seconds = (_deposit("d2", "500"), _deposit("d1", "500", "07-01 10:00:30"))
    assert _causes(what, *seconds) == [("d2", 0, 1)]


def test_the_first_of_one_moment_with_which_the_sum_is_enough() -> None:
    for what in (asked(net_deposits="100"), asked(first_deposit="100", sum_hours=24)):
        some = [_deposit(f"d{n}", "60") for n in (1, 2, 3)]
        assert _causes(what, *some) == [("d2", 0, 1)]
        # What clears at one moment counts at once; the one that was sent first goes first.
        cleared = {"cleared_ms": ms("07-03 00:00")}
        late = [_deposit("d1", "60", "07-01 12:00", **cleared),
                _deposit("d2", "60", "07-01 11:00", **cleared),
                _deposit("d3", "60", "07-01 13:00", **cleared)]  # fmt: skip
        assert _causes(what, *late) == [("d1", 0, 1)]


def test_the_one_that_reached_the_step_of_a_ladder() -> None:
    what = asked(first_deposit="100")
    some = [_deposit("d1", "100"), _deposit("d2", "400"), _deposit("d3", "100")]
    assert _causes(what, *some, ladder=LADDER) == [("d2", 0, 3)]
    after = [_deposit(f"e{n}", "300", "07-02 10:00") for n in (1, 2, 3)]
    assert _causes(what, *some, *after, ladder=LADDER) == [("d2", 0, 3), ("e2", 3, 4)]


def test_what_is_withdrawn_at_the_same_moment_is_no_cause() -> None:
    what = asked(net_deposits="100")
    out = event("withdrawal", AT, "50", event="w")
    assert _causes(what, _deposit("d1", "60"), _deposit("d2", "60"), out) == []
    three = [_deposit(f"d{n}", "80") for n in (1, 2)]
    assert _causes(what, *three, out) == [("d2", 0, 1)]


def test_what_was_missing_last_is_named_where_deposits_were_enough_before() -> None:
    what = asked(first_deposit="100", kyc=True)
    approved = event("kyc_approved", "07-02 10:00", event="k")
    assert _causes(what, _deposit("d1", "500"), approved) == [("k", 0, 1)]
    assert _causes(what, _deposit("d1", "500", "07-02 10:00"), approved) == [("k", 0, 1)]


@pytest.mark.parametrize("who", ["crm", "both"])
def test_where_the_crm_says_so_too(who: str) -> None:
    what = asked(first_deposit="100", who=who)
    said = event("qualified", "06-30 10:00", event="q")
    found = _causes(what, said, _deposit("d1", "500"), _deposit("d2", "500"))
    assert found == [("q" if who == "crm" else "d1", 0, 1)]
