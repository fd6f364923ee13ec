"""One client's life by hand: published cases, and the same rows as the columns give."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from client_events import UTC_CLOCK, asked, event, ms, paid, rows_of_client, trades
from hypothesis import given, settings
from hypothesis import strategies as st
from twin_stories import chain, fx, part, plan, rate, told

from pipshare.plans.periods import Tier
from pipshare.plans.qualifying import Qualify
from pipshare.rating.qualify import Ladder, reached
from pipshare.rating.twin import BrokerDay, Client, Closed, Event, event_trades, payments, rate_many
from pipshare.rating.twin.qualify import due, later

DAY = BrokerDay()
STEPS = tuple(Fraction(x) for x in (100, 200, 500, 1000))
LADDER = Tier(1, "deposits", method="ladder")
# How columns and twin are told by what a client is paid: once, by steps, by a share.
WAYS = (
    (None, None, ""),
    (Ladder(STEPS), LADDER, ""),
    (Ladder(STEPS, first=True), Tier(1, "first_deposit", method="ladder"), ""),
    (Ladder(shares=True), None, "all"),
    (Ladder(first=True, shares=True), None, "first"),
)


def client(what: Qualify, *rows: dict[str, object], traded: tuple[Closed, ...] = ()) -> Client:
    """Return a client with the same events as columns are made of."""
    events = [
        Event(str(x["event"]), str(x["kind"]), int(str(x["at_ms"])),
              Fraction(int(str(x["amount_e8"])), 10**8), str(x["currency"]), str(x["reference"]),
              int(str(x["cleared_ms"])), int(str(x["expires_ms"])))
        for x in rows
    ]  # fmt: skip
    return Client(events, traded, what, DAY)


def says(what: Qualify, *rows: dict[str, object], **known: object) -> list[tuple[object, ...]]:
    tier = known.pop("tier", LADDER if known.pop("ladder", False) else None)
    starts = STEPS if tier else (Fraction(0),)
    one = client(what, *rows, traded=known.pop("traded", ()))  # type: ignore[arg-type]
    found = payments(one, starts, tier, **known)  # type: ignore[arg-type]
    return [(x.at_ms, x.below, x.step, "undone" if x.clawback else "held" if x.held else "")
            for x in found]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "qualifies"),
    [("07-01 20:00", True), ("07-02 09:59:59", True), ("07-02 10:00", True),
     ("07-02 10:00:01", False)],
)  # fmt: skip
def test_deposits_of_the_first_day_are_summed(second: str, qualifies: bool) -> None:
    what = Qualify(1, first_deposit=Fraction(10), sum_hours=24)
    rows = event("deposit", "07-01 10:00", "6"), event("deposit", second, "5")
    assert says(what, *rows) == ([(ms(second), 0, 1, "")] if qualifies else [])


def test_a_ladder_pays_the_difference() -> None:
    due_in_all = [Fraction(x) for x in (35, 60, 120, 150)]
    what = Qualify(1, first_deposit=Fraction(100))
    rows = [event("deposit", "07-01 10:00", "100"), event("deposit", "07-02 10:00", "400"),
            event("deposit", "07-03 10:00", "500")]  # fmt: skip
    found = payments(client(what, *rows), STEPS, LADDER)
    assert [due(due_in_all, x) for x in found] == [35, 85, 30]


def test_all_conditions_have_to_hold() -> None:
    what = Qualify(1, first_deposit=Fraction(100), spread=Fraction(80), lots=Fraction(5))
    deposit = event("deposit", "07-01 10:00", "150")
    short = Closed(ms("07-02 10:00"), Fraction(6), Fraction("79.99"))
    enough = Closed(ms("07-03 10:00"), Fraction(0), Fraction("0.01"))
    assert says(what, deposit, traded=(short,)) == []
    assert says(what, deposit, traded=(enough, short)) == [(ms("07-03 10:00"), 0, 1, "")]


def test_business_days() -> None:
    friday = DAY.date(ms("07-03 12:00"))
    assert [str(later(friday, n, "business"))[5:] for n in (0, 1, 5)] == ["07-03", "07-06", "07-10"]
    what = Qualify(1, first_deposit=Fraction(1), within_days=1, calendar="business")
    registered = event("registration", "07-03 12:00")
    assert says(what, registered, event("deposit", "07-06 23:59", "5"))
    assert not says(what, registered, event("deposit", "07-07 00:00", "5"))


def test_a_chargeback_takes_back_what_was_paid() -> None:
    component = part("fixed", rate("200"), event="qualified")
    people = chain(plan(component))
    what = Qualify(1, first_deposit=Fraction(100))
    rows = [event("deposit", "07-01 10:00", "100", event="d"),
            event("chargeback_lost", "07-09 10:00", reference="d")]  # fmt: skip
    found = event_trades(payments(client(what, *rows)), 1)
    result = rate_many([], fx(), events=[(1, (x, people)) for x in found])
    assert [told(x.line) for x in result.lines] == ["200", "-200"]
    assert [x.line.reason.name for x in result.lines] == ["PAID", "CLAWBACK"]
    assert sum(x.sum_e8 for x in result.totals) == 0


@pytest.mark.parametrize("method", ["retroactive", "marginal"])
def test_conversions_that_are_taken_back_leave_nothing(method: str) -> None:
    tier = Tier(1, "conversions", method=method)  # type: ignore[arg-type]
    rates = rate("250"), rate("275", start="3"), rate("300", start="5")
    component = part("fixed", *rates, event="qualified", tier=tier)
    people = chain(plan(component))
    rows = [event("deposit", "07-01 10:00", "100", event="d"),
            event("chargeback_lost", "07-09 10:00", reference="d")]  # fmt: skip
    what = Qualify(1, first_deposit=Fraction(100))
    made = [x for n in range(5) for x in event_trades(payments(client(what, *rows)), n)]
    result = rate_many([], fx(), events=[(1, (x, people)) for x in made])
    assert sum(x.sum_e8 for x in result.totals) == 0


def _life(rnd: Random) -> list[dict[str, object]]:
    def at() -> int:
        return ms("07-01 10:00") + rnd.choice((0, 1, 12, 24, 36, 48, 96, 200)) * 3_600_000

    rows = []
    if rnd.random() < 0.6:
        rows.append(event("registration", at(), event="r"))
    names = []
    for n in range(rnd.randint(0, 4)):
        when = at() + n  # of two in one millisecond the columns make two rows
        amount = str(rnd.choice((6, 60, 100, 400, 500)))
        names.append(f"d{n}")
        rows.append(event("deposit", when, amount, event=f"d{n}",
                          cleared_ms=when + rnd.choice((0, 0, 30)) * 3_600_000))  # fmt: skip
    for n in range(rnd.choice((0, 0, 0, 1, 1, 2))):
        rows.append(event("withdrawal", at(), rnd.choice(("50", "50", "95")), event=f"w{n}"))
        names.append(f"w{n}")
    for n in range(rnd.choice((0, 0, 1, 2, 3, 6)) if names else 0):
        of = rnd.choice(names)
        kinds = ("deposit_reversed", "chargeback_opened", "chargeback_lost", "chargeback_won")
        kind = "withdrawal_reversed" if of[0] == "w" else rnd.choice(kinds)
        # It may name what took back or disputed before; now and then it fits nothing.
        of = f"t{rnd.randrange(n)}" if n and rnd.random() < 0.5 else of
        kind = "withdrawal_reversed" if rnd.random() < 0.05 else kind
        rows.append(event(kind, at(), rnd.choice(("0", "0", "5", "60")), event=f"t{n}",
                          reference=of, currency=rnd.choice((*9 * ("USD",), "EUR"))))  # fmt: skip
    for n in range(rnd.choice((0, 0, 1, 2, 4))):
        kind, when = rnd.choice((*2 * ("kyc_approved",), "kyc_withdrawn", "kyc_expired")), at()
        expires = rnd.choice((0, when + 1, at())) if kind == "kyc_approved" else 0
        rows.append(event(kind, when, event=f"k{n}", expires_ms=expires))
    for n in range(rnd.choice((0, 0, 1, 2))):
        rows.append(event(rnd.choice(("qualified", "unqualified")), at(), event=f"q{n}"))
    for n in range(rnd.choice((0, 0, 0, 1, 2))):
        kind = rnd.choice(("client_duplicate", "client_not_duplicate"))
        rows.append(event(kind, at(), event=f"u{n}"))
    return rows


def _asks(rnd: Random) -> dict[str, object]:
    ask: dict[str, object] = {"first_deposit": rnd.choice((None, "10", "100")),
                              "sum_hours": rnd.choice((0, 24))}  # fmt: skip
    if rnd.random() < 0.3:
        ask["net_deposits"] = "60"
    if rnd.random() < 0.5:
        ask["keep_days"] = rnd.choice((1, 2, 4, 90))
    if rnd.random() < 0.3:
        ask["kyc"] = True
    if rnd.random() < 0.3:
        ask |= {
            "within_days": rnd.choice((0, 1, 3)),
            "calendar": rnd.choice(("calendar", "business")),
        }
    if rnd.random() < 0.3:
        ask |= rnd.choice(({"lots": "2"}, {"orders": 2}, {"active_days": 2}, {"revenue": "2"}))
    if rnd.random() < 0.3:
        ask["who"] = rnd.choice(("crm", "both"))
    return ask


@given(st.integers(0, 2**63))
@settings(max_examples=150, deadline=None)
def test_columns_and_twin_pay_the_same_rows(seed: int) -> None:
    rnd = Random(seed)
    rows = _life(rnd)
    what = asked(**_asks(rnd))
    start = ms("07-01 10:00")
    done = [(1, start + rnd.choice((0, 5, 30, 60)) * 3_600_000, "1")
            for _ in range(rnd.choice((0, 1, 3)))]  # fmt: skip
    days = rnd.choice((None, 0, 2))
    ladder, tier, share = rnd.choice(WAYS)
    columns = paid(what, *rows, trades_ms=reached(trades(done), what.qualify, UTC_CLOCK),
                   ladder=ladder, clawback_days=days)  # fmt: skip
    traded = tuple(Closed(when, *(4 * [Fraction(lots)]))
                   for _, when, lots in done)  # fmt: skip
    twin = says(what.qualify, *rows, traded=traded, tier=tier, clawback_days=days, share_of=share)
    assert twin == columns
    table = rows_of_client(what, *rows, trades_ms=reached(trades(done), what.qualify, UTC_CLOCK),
                           ladder=ladder, clawback_days=days)  # fmt: skip
    starts = STEPS if tier else (Fraction(0),)
    by_hand = payments(client(what.qualify, *rows, traded=traded), starts, tier, days, share)
    assert table.filter(undoes=-1)["moment_ms"].to_list() == [
        one.earned_ms or one.at_ms for one in by_hand if not one.clawback
    ]


def test_the_first_deposit_says_the_step_and_later_ones_do_not() -> None:
    what = asked(first_deposit="100", sum_hours=24)
    rows = (event("deposit", "07-01 10:00", "100"), event("deposit", "07-02 10:00", "400"),
            event("deposit", "07-02 10:00:01", "5000"))  # fmt: skip
    ladder = Ladder(STEPS, first=True)
    assert paid(what, *rows, ladder=ladder) == [
        (ms("07-01 10:00"), 0, 1, ""), (ms("07-02 10:00"), 1, 3, ""),
    ]  # fmt: skip


def test_a_share_of_deposits_is_taken_back_in_part() -> None:
    what, both = asked(first_deposit="1"), Ladder(shares=True)
    rows = (event("deposit", "07-01 10:00", "450", event="d"),
            event("deposit", "07-02 10:00", "50"),
            event("deposit_reversed", "07-03 10:00", "150", reference="d"))  # fmt: skip
    e8, first, last = 10**8, ms("07-01 10:00"), ms("07-03 10:00")
    assert paid(what, *rows, ladder=both) == [
        (first, 0, 450 * e8, ""), (ms("07-02 10:00"), 450 * e8, 500 * e8, ""),
        (last, 450 * e8, 500 * e8, "undone"), (last, 0, 450 * e8, "undone"),
        (last, 0, 350 * e8, ""),
    ]  # fmt: skip


def test_a_chargeback_takes_back_what_was_paid_whatever_the_rates_are_by_then() -> None:
    component = part("fixed", rate("150"), event="qualified")
    people = chain(plan(component), currency="EUR")
    rows = [event("deposit", "07-01 10:00", "100", event="d"),
            event("chargeback_lost", "07-09 10:00", reference="d")]  # fmt: skip
    found = event_trades(payments(client(Qualify(1, first_deposit=Fraction(100)), *rows)), 1)

    def rates(base: str, quote: str, moment: int) -> tuple[Fraction, int, str]:
        return Fraction(100, 110 if moment < ms("07-05 00:00") else 115), 1, "file"

    result = rate_many([], rates, events=[(1, (x, people)) for x in found])
    assert [x.line.amount_e8 for x in result.lines] == [13_636_363_636, -13_636_363_636]
